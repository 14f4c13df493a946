"""A later snapshot in the slots of an earlier one, on the command line: a commitment outlives an expiry."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Run
from tests.margin.securities import CALL, FUTURE, INDEX, PUT, SHARE, write

LATER = "2026-03-01T21:00:00Z"
ROWS = [{**row, "premium": ""} for row in (SHARE, CALL, INDEX, FUTURE)] + [
    {**PUT, "premium": "futures-style"}
]
AFTER = [{**row, "time_utc": LATER} for row in ROWS if row["expiry_utc"][:7] != "2026-02"]
NEW = {
    **FUTURE,
    "time_utc": LATER,
    "premium": "",
    "instrument": "BIG-20260619",
    "expiry_utc": "2026-06-19T13:30:00Z",
}
SETTLED = "underlying,expiry_utc,price\nACME,2026-02-20T21:00:00Z,82.5\nACME,2026-01-16T21:00:00Z,79\n"
HOLDINGS = """instrument,quantity,entry_price
USD,90000,
ACME,1000,
ACME-20260220-80-C,-10,
ACME-20260220-80-P,4,6.2
BIG-20260320,-1,6831.5
"""


@pytest.fixture(scope="module")
def folder(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The earlier snapshot, a commitment under it, and the files of a later moment."""
    path = tmp_path_factory.mktemp("settlements")
    write(path / "before.csv", *ROWS)
    write(path / "after.csv", *AFTER, NEW)
    (path / "settled.csv").write_text(SETTLED)
    (path / "h.csv").write_text(HOLDINGS)
    built = run(
        "snapshot", "build", "--securities", path / "before.csv", "--domain", "64", "-o", path / "s.json"
    )
    assert built.code == 0, built.err
    committed = run(
        "commit", path / "s.json", path / "h.csv", "-o", path / "c.json", "--opening", path / "o.json"
    )
    assert committed.code == 0, committed.err
    return path


def test_a_commitment_outlives_an_expiry(run: Run, folder: Path) -> None:
    path = folder / "t.json"
    told = run(
        "snapshot", "build", "--securities", folder / "after.csv", "--universe", folder / "s.json",
        "--settlements", folder / "settled.csv", "-o", path, "--json",
    )  # fmt: skip
    assert told.code == 0, told.err
    earlier = run("snapshot", "show", folder / "s.json", "--json").document
    assert told.document["universe"] == earlier["universe"]
    assert (told.document["settled"], earlier["settled"]) == (2, 0)
    assert run("snapshot", "check", path, "--json").document["reproduced"] is True
    shown = run("snapshot", "show", path, "--instruments")
    assert "settled at 82.5" in shown.out
    assert "BIG-20260619" not in shown.out
    assert "2 have settled" in shown.out
    listing = run("snapshot", "show", path, "--instruments", "--json").document["listing"]
    assert {row["name"]: row.get("settled") for row in listing}["ACME-20260220-80-C"] == "82.5"

    valued = run("margin", path, folder / "h.csv", "--model", "tims", "--json")
    assert valued.code == 0, valued.err
    worth = {row["instrument"]: Decimal(row["value"]) for row in valued.document["positions"]}
    assert worth["ACME-20260220-80-C"] == -10 * 100 * Decimal("2.5")
    assert worth["ACME-20260220-80-P"] == -4 * 100 * Decimal("6.2")
    excess = Decimal(valued.document["excess"])
    proving = (
        "prove",
        path,
        "--opening",
        folder / "o.json",
        *TERMS,
        "--model",
        "tims",
        "-o",
        folder / "p.json",
    )
    assert run(*proving, "--threshold", excess + Decimal("0.000001")).code == 1
    proven = run(*proving, "--threshold", excess)
    assert proven.code == 0, proven.err
    verified = run(
        "verify", path, folder / "p.json", "--commitment", folder / "c.json", *TERMS, "--model", "tims",
        "--threshold", excess, "--json",
    )  # fmt: skip
    assert verified.document["valid"] is True

    again = run(
        "snapshot", "build", "--securities", folder / "after.csv", "--universe", path, "-o", folder / "u.json"
    )
    assert again.code == 0, again.err
    assert (folder / "u.json").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("options", "content", "reason"),
    [
        (
            ("--settlements",),
            SETTLED,
            "--settlements: .*name the snapshot whose instruments have settled with --universe",
        ),
        (
            ("--universe",),
            "",
            r"instrument: 'ACME-20260220-80-C': expired.*add the row ACME,2026-02-20T21:00:00Z,PRICE",
        ),
        (
            ("--universe", "--settlements"),
            "underlying,expiry_utc,price\nACME,2026-02-20T21:00:00,1\n",
            r"settled.csv, line 2: expiry_utc: .*the zone is missing",
        ),
        (
            ("--universe", "--settlements"),
            SETTLED.replace("82.5", "-1"),
            r"line 2: price: '-1': write a number",
        ),
        (
            ("--universe", "--settlements", "--domain"),
            SETTLED,
            "domain: 128: the universe has a domain of 64",
        ),
    ],
)
def test_wrong_files_are_told(
    run: Run, folder: Path, tmp_path: Path, options: tuple[str, ...], content: str, reason: str
) -> None:
    (tmp_path / "settled.csv").write_text(content)
    values = {"--universe": folder / "s.json", "--settlements": tmp_path / "settled.csv", "--domain": "128"}
    chosen = [each for name in options for each in (name, values[name])]
    told = run("snapshot", "build", "--securities", folder / "after.csv", *chosen, "-o", tmp_path / "x.json")
    assert told.code == 2
    assert re.search(reason, " ".join(told.err.split())), told.err
    assert not (tmp_path / "x.json").exists()


def test_a_second_settlement_of_one_expiry_is_refused(run: Run, folder: Path, tmp_path: Path) -> None:
    building = ("snapshot", "build", "--securities", folder / "after.csv", "--universe")
    first = run(
        *building, folder / "s.json", "--settlements", folder / "settled.csv", "-o", tmp_path / "t.json"
    )
    assert first.code == 0, first.err
    (tmp_path / "other.csv").write_text(SETTLED.replace("82.5", "82.6"))
    told = run(
        *building, tmp_path / "t.json", "--settlements", tmp_path / "other.csv", "-o", tmp_path / "u.json"
    )
    assert told.code == 2
    assert "an expiry settles once" in " ".join(told.err.split())


def test_what_is_no_longer_quoted_is_told(run: Run, folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "m.csv", *(row for row in AFTER if row["underlying"] == "ACME"))
    told = run(
        "snapshot", "build", "--securities", tmp_path / "m.csv", "--universe", folder / "s.json",
        "--settlements", folder / "settled.csv", "-o", tmp_path / "x.json",
    )  # fmt: skip
    assert told.code == 2
    assert "'BIG-20260320': the earlier universe lists it and it has not expired" in " ".join(
        told.err.split()
    )
