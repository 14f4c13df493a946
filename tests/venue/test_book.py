"""A whole book: the same attestations as one by one, parts whole or not at all, continued after an interruption."""

import errno
import gzip
import os
import signal
import stat
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pytest

from tests.attestation.scene import AUDIENCE, Desk, ceremony_setup, key, market_snapshot, now
from zkmargin.attestation import AttestationDocument, Hold
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.notes import collecting
from zkmargin.prover import OpeningDocument, commit
from zkmargin.venue import Book, Moment, attest_book
from zkmargin.venue.book import encoded
from zkmargin.venue.book_rows import stretches
from zkmargin.venue.book_worker import Carried, Task, make_part, prepare
from zkmargin.venue.extract import extract_account

Rows = dict[str, list[Any]]


def rows(accounts: int, *, quantity: Any = str) -> Rows:
    """Each account holds USD, some coins and a perpetual."""
    table: Rows = {"account": [], "subject": [], "instrument": [], "quantity": [], "entry_price": []}
    for number in range(accounts):
        for instrument, held, entry in (
            ("USD", 1000 + number, None),
            ("BTC", 2, None),
            ("BTC-PERPETUAL", -30, 88000),
        ):
            table["account"].append(f"account-{number}")
            table["subject"].append(key(f"owner {number % 3}").address)
            table["instrument"].append(instrument)
            table["quantity"].append(quantity(held))
            table["entry_price"].append(entry)
    return table


def written(path: Path, table: Rows) -> Path:
    content = pa.table(table)
    if path.suffix == ".csv":
        pa_csv.write_csv(content, path)
    else:
        pa_parquet.write_table(content, path, row_group_size=5)
    return path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.open(tmp_path, "alpha")


def run(desk: Desk, book: Path, directory: Path, **changes: Any) -> Book:
    as_of = changes.pop("as_of", now())
    moment = Moment(as_of, as_of + 3600)
    settings: dict[str, Any] = {"workers": 1, "accounts_per_part": 2, **changes}
    return attest_book(desk.venue, book, directory, moment, desk.register, **settings)


def lines(directory: Path, kind: str) -> list[bytes]:
    return b"".join(path.read_bytes() for path in sorted(directory.glob(f"part-*.{kind}.jsonl"))).splitlines()


@pytest.mark.parametrize(
    ("name", "quantity"),
    [("book.csv", str), ("book.parquet", str), ("book.parquet", int), ("book.parquet", Decimal)],
)
def test_every_account_is_attested_to(desk: Desk, tmp_path: Path, name: str, quantity: Any) -> None:
    out = tmp_path / "out"
    book = run(desk, written(tmp_path / name, rows(5, quantity=quantity)), out)
    assert (book.accounts, book.parts, book.made) == (5, 3, 3)
    snapshot, setup = market_snapshot(), ceremony_setup()
    attestations = [AttestationDocument.parse(line.decode(), "line") for line in lines(out, "attestations")]
    openings = [OpeningDocument.parse(line.decode(), "line") for line in lines(out, "openings")]
    assert [one.account for one in attestations] == [f"account-{number}" for number in range(5)]
    for number, (attestation, document) in enumerate(zip(attestations, openings, strict=True)):
        attestation.check_signature("line")
        assert attestation.sequence == book.document.sequence == 1
        assert attestation.subject == key(f"owner {number % 3}").address
        assert attestation.point == document.point
        opening = document.opening(snapshot.universe, "line")
        point = commit(setup, snapshot.universe.domain, opening.lots, opening.blinder)
        assert setup.backend.encode(point).hex() == attestation.point
        assert document.lots["BTC-PERPETUAL"] == -30
        assert document.lots["USD"] == (1000 + number) * 10**6
    assert desk.register.newest("account-4") == 1
    assert desk.attest("account-4").attestation.sequence == 2
    for path in out.glob("part-*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_an_interrupted_run_is_continued(desk: Desk, tmp_path: Path) -> None:
    book, out = written(tmp_path / "book.parquet", rows(6)), tmp_path / "out"
    done: list[int] = []

    def interrupt(accounts: int) -> None:
        done.append(accounts)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(desk, book, out, progress=interrupt)
    there = {path.name: path.read_bytes() for path in out.glob("part-*")}
    assert done == [2]
    assert len(there) == 2
    (out / ".draft-part-00001.openings.jsonl").write_bytes(b"half")
    again = run(desk, book, out, as_of=now() + 99)
    assert (again.accounts, again.parts, again.made) == (6, 3, 2)
    assert again.document.as_of == now(), "a run keeps its own moment"
    for name, content in there.items():
        assert (out / name).read_bytes() == content
    assert len(lines(out, "attestations")) == len(lines(out, "openings")) == 6
    assert not list(out.glob(".draft-*"))
    assert run(desk, book, out).made == 0


def test_a_directory_serves_one_run(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(desk, written(tmp_path / "book.csv", rows(2)), out)
    with pytest.raises(InputError, match="another run is in this directory"):
        run(desk, written(tmp_path / "other.csv", rows(3)), out)
    with pytest.raises(InputError, match="another run is in this directory"):
        run(desk, tmp_path / "book.csv", out, open_orders="reserved")
    full = tmp_path / "full"
    full.mkdir()
    (full / "something").touch()
    with pytest.raises(InputError, match="not empty"):
        run(desk, tmp_path / "book.csv", full)


def test_nothing_is_signed_of_a_book_with_a_scattered_account(desk: Desk, tmp_path: Path) -> None:
    """The first rows of an account, attested to as all of it, would be a lie that is already out."""
    names = [f"account-{number}" for number in (0, 1, 2, 3, 4, 0) for _ in range(3)]
    book = written(tmp_path / "book.csv", {**rows(6), "account": names})
    with pytest.raises(InputError, match=r"row 16: account: 'account-0': its rows do not stand together"):
        run(desk, book, tmp_path / "out", accounts_per_part=1)
    assert not list((tmp_path / "out").iterdir())
    assert desk.register.newest("account-1") == 0


def test_a_run_is_continued_with_its_own_register_only(desk: Desk, tmp_path: Path) -> None:
    """Another would give the run's sequence out again, and not know of holds."""
    book, out = written(tmp_path / "book.csv", rows(1)), tmp_path / "out"
    run(desk, book, out)
    (tmp_path / "elsewhere").mkdir()
    other = Desk.open(tmp_path / "elsewhere", "alpha")
    with pytest.raises(InputError, match=r"alpha\.db: sequence: 0: the run has sequence 1"):
        run(other, book, out)
    assert run(desk, book, out).made == 0


def test_an_older_run_takes_no_newer_attestation_back(desk: Desk, tmp_path: Path) -> None:
    old, new = (written(tmp_path / f"{name}.csv", rows(4)) for name in ("old", "new"))

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(desk, old, tmp_path / "old", progress=interrupt)
    assert run(desk, new, tmp_path / "new", as_of=now() + 5).document.sequence == 2
    assert run(desk, old, tmp_path / "old").made == 1
    assert desk.register.newest("account-3") == 2
    with pytest.raises(InputError, match="is out already; attest a later moment"):
        desk.attest("account-3", as_of=now())


def test_a_book_that_is_written_to_meanwhile(desk: Desk, tmp_path: Path) -> None:
    book = written(tmp_path / "book.csv", rows(3))

    def write(_: int) -> None:
        book.write_text(book.read_text().replace('"USD","1000"', '"USD","9000"'))

    with pytest.raises(InputError, match=r"book\.csv: book: changed: it was written to meanwhile"):
        run(desk, book, tmp_path / "out", progress=write)


def test_holds_that_last_are_carried_on(desk: Desk, tmp_path: Path) -> None:
    hold = Hold(until=now() + 100, audience=AUDIENCE)
    desk.attest("account-1", hold=hold)
    run(desk, written(tmp_path / "book.csv", rows(3)), tmp_path / "out")
    made = [
        AttestationDocument.parse(line.decode(), "line") for line in lines(tmp_path / "out", "attestations")
    ]
    assert [one.hold for one in made] == [None, hold, None]


def test_a_book_older_than_an_attestation_is_refused(desk: Desk, tmp_path: Path) -> None:
    desk.attest("account-1", as_of=now() + 5)
    with pytest.raises(InputError, match="take the book of a later moment"):
        run(desk, written(tmp_path / "book.csv", rows(2)), tmp_path / "out")


def test_one_account_taken_out(desk: Desk, tmp_path: Path) -> None:
    run(desk, written(tmp_path / "book.csv", rows(5)), tmp_path / "out")
    made = extract_account(tmp_path / "out", "account-3")
    assert made.attestation.account == "account-3"
    assert made.opening.point == made.attestation.point
    for missing in ("account-9", "account", "\udcff", 'account-3","'):
        with pytest.raises(InputError, match="it is in no part"):
            extract_account(tmp_path / "out", missing)


def test_an_opening_that_is_not_the_accounts_is_never_handed_out(desk: Desk, tmp_path: Path) -> None:
    """Whoever got it could prove nothing, and would see what another account holds."""
    out = tmp_path / "out"
    run(desk, written(tmp_path / "book.csv", rows(2)), out)
    path = out / "part-00000.openings.jsonl"
    own = path.read_bytes().splitlines(keepends=True)
    for content, words in (
        (own[::-1], r"openings\.jsonl, line 2: point: .* the files were mixed up"),
        (own[:1], "line: 2 is missing"),
        ([own[0], b"\xff\xfe\n"], "line 2: text: no UTF-8"),
        ([own[0], b"{}\n"], "the opening is damaged"),
    ):
        path.write_bytes(b"".join(content))
        with pytest.raises(InputError, match=words):
            extract_account(out, "account-1")
    path.unlink()
    with pytest.raises(InputError, match="name the directory of a whole run"):
        extract_account(out, "account-1")


def broken(**columns: Any) -> Rows:
    return {name: values for name, values in {**rows(2), **columns}.items() if values is not None}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            broken(instrument=["USD", "BTC", "NOPE", "USD", "BTC", "BTC-PERPETUAL"]),
            r"book\.csv, row 3: instrument: 'NOPE'",
        ),
        (broken(quantity=["1", "x", "1", "1", "1", "1"]), r"book\.csv, row 2: quantity: 'x'"),
        (
            broken(quantity=["1", "1", "1", "1", "0.000000001", "1"]),
            r"book\.csv, row 5: quantity.*not a multiple",
        ),
        (
            broken(account=["a", "a", "b", "b", "b", "a"]),
            r"book\.csv, row 6: account: 'a': its rows do not stand together",
        ),
        (broken(instrument=["USD", "BTC", "USD"] * 2), r"row 3: instrument: 'USD': held twice"),
        (broken(quantity=["1e30", *"11111"]), r"row 1: quantity: '1e30': the number is too large"),
        (broken(quantity=["1e19", *"11111"]), r"row 1: quantity of USD: .* hold at most"),
        (broken(quantity=["NaN", *"11111"]), r"row 1: quantity: 'NaN': write a finite"),
        (broken(quantity=["", *"11111"]), r"row 1: quantity: '': the number is missing"),
        (
            broken(instrument=["USD", "BTC", "open-orders"] * 2, quantity=["1"] * 6, entry_price=None),
            "row 3: open_orders: 'none'",
        ),
        (broken(account=["a", "a", "a", "", "", ""]), r"book\.csv, account '': account"),
        (
            broken(account=["a", "a", "a", "a ", "a ", "a "]),
            r"book\.csv, account 'a ': account: .* write lower-case letters",
        ),
        (broken(account=["e\u0301"] * 3 + ["b"] * 3), r"account: .* write lower-case letters"),
        (broken(subject=["0x00"] * 6), r"book\.csv, account 'account-0': subject"),
        (broken(subject=["0x" + "00" * 20] * 6), "subject: .* has no known private key"),
        (broken(subject=[*rows(2)["subject"][:5], key("x").address]), "several subjects"),
        (broken(quantity=None), "column: 'quantity': missing"),
        (broken(side=["short"] * 6), "column: 'side': unknown column; write short"),
    ],
)
def test_what_cannot_be_attested_to_is_named(desk: Desk, tmp_path: Path, table: Rows, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(desk, written(tmp_path / "book.csv", table), tmp_path / "out")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (broken(quantity=[1.5] * 6), "column quantity: double: write text, integers or decimals"),
        (broken(quantity=[float("nan")] * 6), "column quantity: double: write text, integers or decimals"),
        (broken(quantity=[True] * 6), "column quantity: bool: write text, integers or decimals"),
        (broken(entry_price=[None, None, 88000.5] * 2), "column entry_price: double: write text"),
        (
            broken(quantity=[Decimal(10) ** 30] * 6),
            r"book\.parquet, row 1: quantity: 10{30}: the number is too",
        ),
        (broken(instrument=["USD", None, "BTC"] * 2), "column instrument: empty"),
        (broken(account=list(range(6))), "column account: int64: write text"),
        (broken(quantity=[1, None, 1, 1, 1, 1]), "column quantity: empty"),
    ],
)
def test_parquet_must_be_exact(desk: Desk, tmp_path: Path, table: Rows, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(desk, written(tmp_path / "book.parquet", table), tmp_path / "out")


@pytest.mark.parametrize(
    "content", [b"", b"account,subject,instrument,quantity\n", b'"', b"account\n1,2\n", b"\xff\xfe"]
)
@pytest.mark.parametrize("name", ["book.csv", "book.parquet"])
def test_files_that_are_no_book(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{name}(, line 1)?: "):
        list(stretches(path, 2))


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_stretches_hold_whole_accounts(tmp_path: Path, size: int) -> None:
    path = written(tmp_path / "book.parquet", rows(7))
    found = list(stretches(path, size))
    assert [one.number for one in found] == list(range(len(found)))
    assert sum(one.accounts for one in found) == 7
    assert all(one.accounts == size for one in found[:-1])
    assert all(len(one.rows) == 3 * one.accounts for one in found)
    assert [n for one in found for n in one.rows.column("row").to_pylist()] == list(range(1, 22))


def test_a_part_is_made_in_any_process(desk: Desk, tmp_path: Path) -> None:
    prepare(Carried.of(desk.venue))
    stretch = next(stretches(written(tmp_path / "book.csv", rows(2)), 5))
    hold = Hold(until=now() + 9, audience=AUDIENCE)
    moment = Moment(now(), now() + 60)
    task = Task(encoded(stretch.rows), "book.csv", moment, 7, "reserved", {"account-1": hold})
    made = make_part(task)
    attestations = [
        AttestationDocument.parse(line.decode(), "line") for line in made.attestations.splitlines()
    ]
    assert [one.hold for one in attestations] == [None, hold]
    assert [one.digest for one in attestations] == [one.digest for one in made.issued]
    assert {(one.sequence, one.open_orders, one.as_of) for one in attestations} == {(7, "reserved", now())}
    key_bytes = desk.venue.key.export()
    for shown in (repr(task), repr(made), repr(Carried.of(desk.venue))):
        assert key_bytes.hex() not in shown
        assert repr(key_bytes) not in shown
        assert "blinder" not in shown


def test_a_full_disk_leaves_nothing_half_written(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, out = written(tmp_path / "book.parquet", rows(4)), tmp_path / "out"
    fsync = os.fsync

    def full(handle: int) -> None:
        if "openings" in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="No space left on device: make room"):
            run(desk, book, out)
    assert [path.name for path in out.iterdir()] == ["book.json"]
    assert run(desk, book, out).made == 2


def test_one_run_at_a_time(desk: Desk, tmp_path: Path) -> None:
    book, out = written(tmp_path / "book.csv", rows(2)), tmp_path / "out"
    messages: list[str] = []

    def again(_: int) -> None:
        with pytest.raises(InputError) as caught:
            run(desk, book, out)
        messages.append(str(caught.value))

    run(desk, book, out, progress=again)
    assert messages == [
        f"{out}: directory: another run is writing into it: wait for it, or name another directory"
    ]
    file = tmp_path / "a file"
    file.touch()
    with pytest.raises(InputError, match="directory"):
        run(desk, book, file)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.attestation.scene import Desk
from tests.venue.test_book import run

def kill(_):
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    run(Desk.open(folder, "alpha"), folder / "book.parquet", folder / "out", progress=kill)
"""


def test_a_run_that_was_killed_is_continued(tmp_path: Path) -> None:
    """kill -9 in the middle of a run; the venue's key is the same in both processes."""
    path = written(tmp_path / "book.parquet", rows(6))
    root = Path(__file__).resolve().parents[2]
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    environment = {**os.environ, "PYTHONPATH": str(root)}
    ended = subprocess.run([sys.executable, script, tmp_path], env=environment, cwd=root, check=False)
    assert ended.returncode == -signal.SIGKILL
    out = tmp_path / "out"
    there = {part.name: part.read_bytes() for part in out.glob("part-*")}
    assert len(there) == 2
    desk = Desk.open(tmp_path, "alpha")
    assert desk.register.newest("account-0") == 1
    again = run(desk, path, out)
    assert (again.accounts, again.made) == (6, 2)
    for name, content in there.items():
        assert (out / name).read_bytes() == content
    sequences = {
        AttestationDocument.parse(line.decode(), "line").sequence for line in lines(out, "attestations")
    }
    assert sequences == {1}


@pytest.mark.parametrize(
    "form", ["semicolons", "tabs", "carriage returns", "gzip", "zip", "upper case", "more columns"]
)
def test_books_as_programs_export_them(tmp_path: Path, form: str) -> None:
    plain = "account,subject,instrument,quantity\na,0x1,USD,10\na,0x1,BTC,1\nb,0x2,USD,5\n"
    contents = {
        "semicolons": b"\xef\xbb\xbf\n" + plain.replace(",", ";").encode(),
        "tabs": b"# book\n" + plain.replace(",", "\t").encode(),
        "carriage returns": plain.replace("\n", "\r").encode(),
        "gzip": gzip.compress(plain.encode()),
        "zip": b"",
        "upper case": plain.replace("account,subject", '"ACCOUNT", Subject').encode(),
        "more columns": plain.replace("quantity", "quantity,note").replace("0\n", "0,x\n").replace("1\n", "1,\n")
        .replace("5\n", "5,y\n").encode(),
    }  # fmt: skip
    path = tmp_path / "book.csv"
    path.write_bytes(contents[form])
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("book.csv", plain)
    with collecting() as notes:
        found = [one.rows.to_pylist() for one in stretches(path, 5)]
    (tmp_path / "plain.csv").write_text(plain)
    assert found == [one.rows.to_pylist() for one in stretches(tmp_path / "plain.csv", 5)]
    assert found[0][2]["row"] == 3
    assert ["not used: note" in line for line in notes] == [True] * (form == "more columns")
