"""Price histories: what is read, and what is refused by line and value."""

from datetime import date
from pathlib import Path

import pytest

from tests.margin.joint import RECORDED, falling, recorded_history
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.notes import collecting
from zkmargin.margin.market.history import PriceHistory, read_history

GOOD = "date,BTC,SOL,source\n2026-01-01,100.50,,Y\n2026-01-02,101,,Y\n2026-01-03,99,2e-1,Y\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    return path


def test_a_history_is_read_in_canonical_decimals(tmp_path: Path) -> None:
    history = read_history(written(tmp_path, GOOD))
    assert history.first == date(2026, 1, 1)
    assert history.prices == {"BTC": ("100.5", "101", "99"), "SOL": (None, None, "0.2")}
    assert history.days == 3
    assert history.date_of(2) == date(2026, 1, 3)
    assert history.begins == {"BTC": 0, "SOL": 2}
    assert history.closes["SOL"][:2] == (None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: header: '': write the columns date"),
        ("date,source\n2026-01-01,Y\n", "line 1: header"),
        ("BTC\n5\n", "line 1: column: 'date': missing"),
        ("date,open,high,low,close\n2026-01-01,1,2,1,2\n", "line 1: header: 'date,open,high,low,close'"),
        ("2026-01-01,1\n2026-01-02,2\n", "line 1: header: missing: the first line holds values"),
        ("date,BTC,BTC\n2026-01-01,1,2\n", "line 1: column: 'BTC': occurs twice"),
        ("date,BTC\n", "rows: none"),
        ("date,BTC\n2026-01-01\n", "line 2: row: 1 values"),
        ("date,BTC\n01/02/2026,5\n", "line 2: date: '01/02/2026': write a date"),
        ("date,BTC\n03.14.2026,5\n", "line 2: date: '03.14.2026': write a date"),
        ("date,BTC\n2026-01-01,5\n2026-01-01,5\n", "line 3: date: '2026-01-01': occurs twice"),
        (
            "date,BTC\n2026-01-02,5\n2026-01-01,5\n2026-01-03,5\n",
            "line 3: date: '2026-01-01': comes after 2026-01-02",
        ),
        (
            "date,BTC\n2026-01-01 08:00,5\n2026-01-02 09:00,5\n",
            "line 3: date: '2026-01-02 09:00': the first row",
        ),
        ('date,BTC\n2026-01-01,5\n2026-01-02,1.5\n2026-01-03,"1,5"\n', "the other numbers of the file"),
        (
            "date,BTC\n2026-01-01,5\n2026-01-03,5\n",
            "line 3: date: '2026-01-03': leaves a gap after 2026-01-01",
        ),
        ("date,BTC\n2026-01-01,0\n", "line 2: BTC: '0': write a price from"),
        ("date,BTC\n2026-01-01,-5\n", "line 2: BTC: '-5': write a price from"),
        ("date,BTC\n2026-01-01,1e10\n", "line 2: BTC: '1e10': write a price from"),
        ("date,BTC\n2026-01-01,nan\n", "line 2: BTC: 'nan': write a finite decimal"),
        ("date,BTC\n2026-01-01,5\n2026-01-02,\n", "line 3: BTC: '': the price is missing"),
        ("date,BTC,ETH\n2026-01-01,5,\n2026-01-02,6,\n", "ETH: no price at all"),
    ],
)
def test_bad_files_are_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as refused:
        read_history(path)
    assert str(refused.value).startswith(str(path))
    assert message in str(refused.value)


FORMS = {
    "quoted": '"date","BTC","SOL","source"\n"2026-01-01","100.50","","Y"\n2026-01-02,101,,\n2026-01-03,99,0.2,\n',
    "carriage returns": GOOD.replace("\n", "\r"),
    "semicolons and decimal commas": GOOD.replace(",", ";")
    .replace("100.50", "100,50")
    .replace("2e-1", "0,2"),
    "tabs and blank lines": "\n\n" + GOOD.replace(",", "\t"),
    "newest first": "date,BTC,SOL\n2026-01-03,99,.2\n2026-01-02,101,\n2026-01-01,100.5,\n",
    "milliseconds": "timestamp,BTC,SOL\n1767225600000,100.5,\n1767312000000,101,\n1767398400000,99,0.2\n",
    "seconds at another hour": "time,BTC,SOL\n1767254400,100.5,\n1767340800,101,\n1767427200,99,0.2\n",
    "moments": "date,BTC,SOL\n2026-01-01T00:00:00Z,100.5,\n2026-01-02 00:00:00+00:00,101,\n2026-01-03,99,0.2\n",
    "slashes": "Date,BTC,SOL\n2026/1/1,100.5,\n2026/01/02,101,\n20260103,99,0.2\n",
    "a data frame": ",BTC,SOL\n2026-01-01,100.5,\n2026-01-02,101,\n2026-01-03,99,0.2\n",
    "another column": "date,BTC,volume,SOL\n2026-01-01,100.5,7,\n2026-01-02,101,7,\n2026-01-03,99,7,0.2\n",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_exports_are_read_as_the_plain_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(text.encode())
    with collecting() as notes:
        assert read_history(path) == read_history(written(tmp_path / "..", GOOD))
    assert len(notes) == ("volume" in text)


def weekdays(*days: str) -> str:
    return "date,^SPX\n" + "".join(f"{day},{100 + place}\n" for place, day in enumerate(days))


WEEKS = ("2025-12-30", "2025-12-31", "2026-01-02", "2026-01-05", "2026-01-06", "2026-01-09", "2026-01-12")


def test_trading_days(tmp_path: Path) -> None:
    with collecting() as notes:
        history = read_history(written(tmp_path, weekdays(*WEEKS)))
    assert ["7 trading days from 2025-12-30 to 2026-01-12" in line for line in notes] == [True]
    assert (history.days, history.days_a_year) == (7, 252)
    assert [str(history.date_of(day)) for day in range(7)] == list(WEEKS)
    known = history.known_before(date(2026, 1, 6), ["^SPX"])
    assert (known.days, known.offsets) == (4, (0, 1, 3, 6))
    assert history.known_before(date(2026, 1, 1), ["^SPX"]).offsets == ()
    document = history.document()
    assert document["days"] == [0, 1, 3, 6, 7, 10, 13]
    assert PriceHistory.parse(document["first"], document["prices"], "test", document["days"]) == history
    assert "days" not in falling().document()


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (
            (*WEEKS, "2026-01-17"),
            "leaves a gap after 2025-12-31; add the row of 2026-01-01, or where the market",
        ),
        ((*WEEKS, "2026-02-12"), "line 9: date: '2026-02-12': leaves 30 days out after 2026-01-12"),
        ((*WEEKS, WEEKS[-1]), "occurs twice"),
    ],
)
def test_days_that_are_no_trading_days(tmp_path: Path, days: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError) as refused:
        read_history(written(tmp_path, weekdays(*days)))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "days", [[0, 1, 3], [0, 1, 2, 3], [1, 2, 3, 6], [0, 3, 1, 6], [0, 1, 3, 4], [0, 1, 2, 40]]
)
def test_days_of_a_document_are_checked(days: list[int]) -> None:
    with pytest.raises(InputError, match="test: days"):
        PriceHistory.parse("2025-12-30", {"SPX": ["1", "2", "3", "4"]}, "test", days)


def test_a_snapshot_knows_the_closes_of_the_days_before() -> None:
    history = falling()
    known = history.known_before(date(2025, 6, 21), ["ETH"])
    assert known.prices == {"ETH": history.prices["ETH"][:20]}
    assert history.known_before(date(2030, 1, 1), ["BTC", "ETH"]) == history
    with pytest.raises(InputError, match="coin: 'SOL': no column of the history has this name: BTC, ETH"):
        history.known_before(date(2030, 1, 1), ["SOL"])
    for moment in (date(2025, 6, 11), date(2025, 6, 1), date(2020, 1, 1)):
        with pytest.raises(InputError, match="'ETH': has no price before"):
            history.known_before(moment, ["ETH"])


@pytest.mark.parametrize(
    ("first", "prices", "message"),
    [
        ("2025-6-1", {"BTC": ["1"]}, "date: '2025-6-1'"),
        ("2025-06-01", {"BTC": ["1"], "ETH": ["1", "2"]}, "ETH: 2 days"),
        ("2025-06-01", {"BTC": ["1", None]}, "BTC: a missing price"),
        ("2025-06-01", {"BTC": [None]}, "BTC: no price at all"),
        ("2025-06-01", {"BTC": ["1.0"]}, "BTC: '1.0': must be a canonical price"),
        ("2025-06-01", {"BTC": ["-1"]}, "BTC: '-1': must be a canonical price"),
        ("2025-06-01", {"btc": ["1"]}, "coin: 'btc'"),
        ("2025-06-01", {"BTC": []}, "BTC: 0 days"),
    ],
)
def test_a_document_is_held_to_the_same(
    first: str, prices: dict[str, list[str | None]], message: str
) -> None:
    with pytest.raises(InputError) as refused:
        PriceHistory.parse(first, prices, "snapshot.json, history")
    assert str(refused.value).startswith("snapshot.json, history: ")
    assert message in str(refused.value)


def test_a_history_travels() -> None:
    history = falling()
    document = history.document()
    assert PriceHistory.parse(document["first"], document["prices"], "test") == history


def test_the_recorded_histories_are_read() -> None:
    history = recorded_history()
    assert (history.days, len(history.prices)) == (3049, 10)
    assert history.date_of(history.begins["SOL"]) == date(2020, 4, 10)
    assert len(read_history(RECORDED / "prices_daily_mit.csv").prices) == 12
