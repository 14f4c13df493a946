"""Tables as programs export them: each form is read as the plain one is, and what is no table is refused by line."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from zkmargin.margin.errors import InputError
from zkmargin.margin.files.csv_rows import read_rows
from zkmargin.margin.files.notes import InputNote, collecting, note
from zkmargin.margin.files.unpacking import open_unpacked, read_unpacked

PLAIN = "name,amount,unit\nBTC,1,x\nETH,2.5,\n"
ROWS = [{"name": "BTC", "amount": "1", "unit": "x"}, {"name": "ETH", "amount": "2.5", "unit": ""}]


def zipped(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def rows_of(tmp_path: Path, content: bytes | str) -> list[tuple[str, dict[str, str]]]:
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = read_rows(path, ("name", "amount"), ("unit",), numbers=("amount",), refused={"side": "sign it"})
    return [(where.removeprefix(str(tmp_path)), dict(row)) for where, row in found]


FORMS = {
    "quoted": PLAIN.replace("name,amount,unit", '"name","amount","unit"').replace("BTC,1,x", '"BTC","1","x"'),
    "byte order mark": "\ufeff" + PLAIN,
    "quoted header behind a byte order mark": '\ufeff"name",amount,unit\nBTC,1,x\nETH,2.5,\n',
    "carriage returns alone": PLAIN.replace("\n", "\r"),
    "carriage returns and line feeds": PLAIN.replace("\n", "\r\n"),
    "semicolons": PLAIN.replace(",", ";"),
    "semicolons and decimal commas": PLAIN.replace(",", ";").replace("2.5", "2,5"),
    "tabs": PLAIN.replace(",", "\t"),
    "bars": PLAIN.replace(",", "|"),
    "blank lines first": "\n  \r\n,,\n".replace(",,\n", "") + PLAIN,
    "blank lines between": PLAIN.replace("\n", "\n\n"),
    "empty rows": PLAIN + ",,\n",
    "no line end": PLAIN.removesuffix("\n"),
    "comments": '# made by a program, with "quotes"\n' + PLAIN.replace("ETH", "# one more\nETH"),
    "a spreadsheet's first line": "sep=;\n" + PLAIN.replace(",", ";"),
    "upper case": PLAIN.replace("name,amount", "NAME, Amount "),
    "another order": "unit,amount,name\nx,1,BTC\n,2.5,ETH\n",
    "a separator at the end": PLAIN.replace("\n", ",\n"),
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16 with tabs": PLAIN.replace(",", "\t").encode("utf-16"),
    "a zip archive": zipped(("table.csv", PLAIN.encode())),
    "a zip archive with a note beside": zipped(("a/table.CSV", PLAIN.encode()), ("read.me", b"hello")),
    "a zip archive from a Macintosh": zipped(("t.csv", PLAIN.encode()), ("__MACOSX/._t.csv", b"\0")),
    "gzip": gzip.compress(PLAIN.encode()),
    "gzip in two parts": gzip.compress(PLAIN[:9].encode()) + gzip.compress(PLAIN[9:].encode()),
}


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_every_form_is_read_as_the_plain_one(tmp_path: Path, content: bytes | str) -> None:
    assert [row for _, row in rows_of(tmp_path, content)] == ROWS


def test_rows_are_named_by_their_line_in_the_file(tmp_path: Path) -> None:
    content = "\n# c\nname,amount\n\nBTC,1\r\n# c\rETH,2\n"
    assert [where for where, _ in rows_of(tmp_path, content)] == ["/table.csv, line 5", "/table.csv, line 7"]
    with pytest.raises(InputError, match=r"table.csv \(in.csv\), line 3: row: 1 values"):
        rows_of(tmp_path, zipped(("in.csv", b"\nname,amount\nBTC\n")))


def test_a_quoted_value_keeps_its_lines(tmp_path: Path) -> None:
    content = 'name,amount,unit\nBTC,1,"# no comment\n\n# either"\nETH,2,\n'
    found = rows_of(tmp_path, content)
    assert [row["name"] for _, row in found] == ["BTC", "ETH"]
    assert found[0][1]["unit"] == "# no comment\n\n# either"
    assert found[1][0] == "/table.csv, line 5"


REFUSED = {
    "no header": (
        "BTC,1\nETH,2\n",
        "line 1: header: missing: the first line holds values; write the line name,amount",
    ),
    "a header of another table": ("date,BTC\n", "'name': missing; add the column; the header has date, BTC"),
    "a repeated column": ("name,Name,amount\n", "'name': occurs twice"),
    "a misspelt column": ("name,amuont\n", "'amuont': unknown column; is amount meant"),
    "a misspelt column that may be left out": ("name,amount,unti\n", "'unti': unknown column; is unit meant"),
    "a column that changes the others": (
        "name,amount,side\nBTC,1,short\n",
        "'side': unknown column; sign it",
    ),
    "too few values": ("name,amount\nBTC\n", "line 2: row: 1 values"),
    "too many values": ("name,amount\nBTC,1,5\n", "line 2: row: 3 values"),
    "an open quote": ('name,amount\n"BTC,1\n', "line 2: row: unexpected end"),
    "no rows": ("name,amount\n\n# only this\n", "rows: none"),
    "nothing": ("", "'name': missing"),
    "another encoding": ("name,amount\n\u00e9,1\n".encode("latin-1"), "save the file as UTF-8"),
    "half of UTF-16": (PLAIN.encode("utf-16")[:-1], "save the file as UTF-8"),
    "a workbook": (
        zipped(("[Content_Types].xml", b""), ("xl/a.xml", b"")),
        "an Excel workbook: save its sheet",
    ),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + b"\0" * 60, "an Excel workbook"),
    "two tables in an archive": (
        zipped(("a.csv", b""), ("b.csv", b"")),
        "archive of a.csv, b.csv: unpack it",
    ),
    "no table in an archive": (zipped(("a.pdf", b""), ("b.pdf", b"")), "archive of a.pdf, b.pdf"),
    "an empty archive": (zipped(), "archive of nothing"),
    "half of an archive": (zipped(("a.csv", PLAIN.encode()))[:40], "archive that is damaged"),
    "half of gzip": (gzip.compress(PLAIN.encode())[:-9], "cut short"),
    "damaged gzip": (b"\x1f\x8b" + b"\xff" * 30, "gzip that is damaged"),
    "a number of two readings": (
        'name,amount\nBTC,"1,234"\n',
        "can be read in two ways: write 1234 or 1.234",
    ),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes | str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        rows_of(tmp_path, content)
    assert message in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / "table.csv"))


def test_a_password_is_not_asked(tmp_path: Path) -> None:
    content = bytearray(zipped(("a.csv", PLAIN.encode())))
    # The flag of an encrypted member, in its own header and in the directory.
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InputError, match=r"a\.csv: a zip archive that cannot be unpacked .*unpack it"):
        rows_of(tmp_path, bytes(content))


@pytest.mark.parametrize("pack", [lambda text: zipped(("a.csv", text)), gzip.compress], ids=["zip", "gzip"])
def test_what_is_small_until_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: object
) -> None:
    monkeypatch.setattr("zkmargin.margin.files.documents.LARGEST_FILE", 100_000)
    content = pack(b"name,amount\n" + b"BTC,1\n" * 20_000)  # type: ignore[operator]
    assert len(content) < 10_000
    with pytest.raises(InputError, match="more than 100000 bytes unpacked"):
        rows_of(tmp_path, content)


@pytest.mark.parametrize("name", ["a zip archive", "gzip", "semicolons"])
def test_a_stream_is_the_same(tmp_path: Path, name: str) -> None:
    content = FORMS[name]
    path = tmp_path / "table"
    assert isinstance(content, (str, bytes))
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with open_unpacked(path, (".csv",)) as stream:
        assert stream.read() == read_unpacked(path, (".csv",))[1]


def test_columns_without_use_are_noted_once(tmp_path: Path) -> None:
    content = "name,colour,amount,index\nBTC,red,1,0\nETH,blue,2,1\n"
    with collecting() as notes:
        assert len(rows_of(tmp_path, content)) == len(rows_of(tmp_path, content)) == 2
    assert notes == [f"{tmp_path}/table.csv, line 1: columns that are not used: colour, index"]


def test_a_note_that_no_one_collects_is_a_warning() -> None:
    with pytest.warns(InputNote, match=r"file: text\\x1b"):
        note("file", "text\x1b[2J")


NUMBERS = {
    "1,234,567.5": "1234567.5",
    "1.234.567,5": "1234567.5",
    "1,234,567": "1234567",
    "1.234,5": "1234.5",
    "1,234.5": "1234.5",
    "1 234 567.5": "1234567.5",
    "1\u00a0234,5": "1234.5",
    "1'234.5": "1234.5",
    "0,5": "0.5",
    "0,125": "0.125",
    ",5": ".5",
    "1234,567": "1234.567",
    "12,5": "12.5",
    "1,5e3": "1.5e3",
    "-1,234.50": "-1234.50",
    "\u22121.5": "-1.5",
    "(1,234.50)": "-1234.50",
    "1.234": "1.234",
    "1e-3": "1e-3",
    "12,34,567.5": "12,34,567.5",
    "high": "high",
    "": "",
}


@pytest.mark.parametrize(("text", "plain"), NUMBERS.items())
def test_numbers_of_all_countries(tmp_path: Path, text: str, plain: str) -> None:
    ((_, row),) = rows_of(tmp_path, f'name,amount\nBTC,"{text}"\n')
    assert row["amount"] == plain


@pytest.mark.parametrize(
    ("texts", "plain"),
    [
        (("1,234", "0.5"), ["1234", "0.5"]),
        (("1,234", "0,5"), ["1.234", "0.5"]),
        (("1.234", "0,5"), ["1234", "0.5"]),
        (("1.234", "0.5"), ["1.234", "0.5"]),
        (("1.234", "7"), ["1.234", "7"]),
        (("12.345", "1.234.567"), ["12345", "1234567"]),
    ],
)
def test_other_numbers_of_the_file_decide(tmp_path: Path, texts: tuple[str, ...], plain: list[str]) -> None:
    content = "name;amount\n" + "".join(f"X;{text}\n" for text in texts)
    assert [row["amount"] for _, row in rows_of(tmp_path, content)] == plain


def test_marks_that_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'2,5': the other numbers of the file"):
        rows_of(tmp_path, "name;amount\nX;1.5\nY;2,5\n")
