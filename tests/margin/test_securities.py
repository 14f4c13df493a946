"""Securities markets: what the reader takes and refuses, and what other models make of them."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import exp
from pathlib import Path
from typing import Any

import pytest

from tests.margin.securities import CALL, FUTURE, INDEX, PUT, ROWS, SHARE, write
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.account.report import build_report
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.arithmetic.fixed import to_fraction
from zkmargin.margin.errors import InputError
from zkmargin.margin.market import read_securities
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.valuation.option_values import option_columns

YEARS = Fraction((50 * 24 + 13) * 3600, 365 * 86400)


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return read_securities(write(tmp_path / "m.csv", *ROWS))


def test_a_file(market: Market) -> None:
    names = ["USD", "ACME", "BIG-20260320", "ACME-20260220-80-C", "ACME-20260220-80-P"]
    assert [i.name for i in market.instruments] == names
    assert [i.kind for i in market.instruments] == ["balance", "share", "future", "option", "option"]
    assert [i.multiplier for i in market.instruments] == [1, 1, 50, 100, 100]
    assert [i.lot_exponent for i in market.instruments] == [-6, 0, 0, 0, 0]
    assert [i.security for i in market.instruments] == [
        None,
        "equity",
        "large-broad-index",
        "equity",
        "equity",
    ]
    assert market.inputs.indices == {"ACME": "75", "BIG": "6800"}


def test_the_forward_has_carry_and_dividends(market: Market) -> None:
    """F = S e^((r - q) T), to eight decimal places."""
    quote = market.inputs.quotes[3]
    assert (quote.price, quote.volatility, quote.rate) == ("1.85", "0.32", "0.04")
    assert float(quote.forward or 0) == pytest.approx(75 * exp((0.04 - 0.012) * float(YEARS)), abs=6e-9)


def test_payoffs_are_discounted(market: Market) -> None:
    made = Snapshot.build(market, domain=64)
    columns = option_columns(made.universe, made.valuation_time, made.inputs)
    assert columns.slots == (3, 4)
    assert [float(to_fraction(d)) for d in columns.options.discount] == pytest.approx(
        [exp(-0.04 * float(YEARS))] * 2
    )


def test_marks_are_per_contract(market: Market) -> None:
    assert Snapshot.build(market, domain=64).marks.tolist() == [
        1_000_000, 75_000_000, 342_512_500_000, 185_000_000, 640_000_000,
    ]  # fmt: skip


REFUSED = [
    (SHARE, "type", "stock", "unknown; use one of share, index, future, call, put"),
    (SHARE, "type", "index", "an index is narrow, broad or large and broad"),
    (INDEX, "type", "share", "a share is of an equity or an etf"),
    (SHARE, "kind", "bond", "unknown; use one of equity"),
    (SHARE, "instrument", "ACME2", "must be ACME2: the row prices itself"),
    (SHARE, "price", "", "missing"),
    (SHARE, "price", "0", "greater than zero"),
    (SHARE, "price", "NaN", "finite"),
    (SHARE, "price", "1e10", "from 0.000000001 to 1000000000"),
    (SHARE, "strike", "80", "leave it empty: a row of type share has none"),
    (SHARE, "multiplier", "1", "leave it empty"),
    (SHARE, "time_utc", "2026-01-01T08:00:00", "the zone is missing"),
    (PUT, "time_utc", "2026-01-01T09:00:00Z", "write one moment"),
    (CALL, "kind", "narrow-index", "another row says that ACME is equity"),
    (CALL, "underlying", "GONE", "the file has no price for it"),
    (CALL, "instrument", "ACME", "listed twice"),
    (CALL, "instrument", "A B", "use letters"),
    (CALL, "expiry_utc", "", "write a moment"),
    (CALL, "expiry_utc", "2025-12-20T21:00:00Z", "expired"),
    (CALL, "expiry_utc", "2200-12-20T21:00:00Z", "100 years"),
    (CALL, "strike", "", "missing"),
    (CALL, "strike", "-80", "greater than zero"),
    (CALL, "multiplier", "", "missing"),
    (CALL, "multiplier", "0", "greater than zero"),
    (CALL, "multiplier", "1.5", "write a whole number"),
    (CALL, "multiplier", "10000000", "between 1 and 1000000"),
    (CALL, "price", "-0.01", "zero or more"),
    (CALL, "volatility", "", "missing"),
    (CALL, "volatility", "0", "greater than zero"),
    (CALL, "volatility", "101", "from 0.0001 to 100"),
    (CALL, "rate", "", "missing"),
    (CALL, "rate", "1.1", "from -0.1 to 1"),
    (CALL, "rate", "inf", "finite"),
    (CALL, "dividend_yield", "", "missing"),
    (CALL, "dividend_yield", "-0.01", "from 0 to 1"),
    (FUTURE, "strike", "80", "leave it empty: a row of type future has none"),
    (FUTURE, "price", "0", "greater than zero"),
]


@pytest.mark.parametrize(("row", "column", "value", "told"), REFUSED)
def test_what_is_refused(row: dict[str, str], column: str, value: str, told: str, tmp_path: Path) -> None:
    rows = [{**found, column: value} if found == row else found for found in ROWS]
    with pytest.raises(InputError) as refused:
        read_securities(write(tmp_path / "m.csv", *rows), strict=True)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ((SHARE, SHARE), "listed twice"),
        ((SHARE, INDEX), "nothing is listed on this index"),
        ((CALL,), "the file has no price for it"),
        (
            (SHARE, {**CALL, "rate": "1", "expiry_utc": "2125-01-01T00:00:00Z"}),
            "the forward cannot be computed",
        ),
        ((SHARE, {**CALL, "rate": "1", "expiry_utc": "2065-01-01T00:00:00Z"}), "forward"),
    ],
)
def test_files_that_do_not_fit_together(rows: tuple[dict[str, str], ...], told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_securities(write(tmp_path / "m.csv", *rows), strict=True)
    assert told in str(refused.value)


def test_a_missing_column(tmp_path: Path) -> None:
    short = {name: value for name, value in SHARE.items() if name != "multiplier"}
    with pytest.raises(InputError, match="column: 'multiplier': missing"):
        read_securities(write(tmp_path / "m.csv", short), strict=True)


def made_of(market: Market) -> Snapshot:
    return Snapshot.build(market, domain=64)


def test_a_share_is_priced_at_its_index(market: Market, tmp_path: Path) -> None:
    text = made_of(market).encode().decode()
    (tmp_path / "s.json").write_text(text.replace('["75",null,null,null]', '["76",null,null,null]'))
    with pytest.raises(InputError, match="a share is priced at its index, 75"):
        Snapshot.load(tmp_path / "s.json")


def test_a_future_is_entered_times_its_multiplier(market: Market) -> None:
    made = made_of(market)
    lots = Holdings.of([Position("BIG-20260320", Decimal(-2), Decimal("6831.5"))], made).vector(made)
    assert lots == [2 * 50 * 6_831_500_000, 0, -2, 0, 0]


def test_the_grid_counts_contracts_times_their_multiplier(market: Market) -> None:
    """A call less a put is the discounted forward, a hundred times; shares and futures move with the price."""
    made = made_of(market)
    grid = made.models["grid"]
    assert isinstance(grid, GridTables)
    assert grid.units == ("ACME", "BIG")
    fall = next(
        number for number, cell in enumerate(grid.cells) if cell.label == "spot -16 %, volatility unchanged"
    )
    assert grid.risk[fall].tolist()[1:3] == [-12_000_000, -54_802_000_000]
    put, call = grid.risk[fall].tolist()[4], grid.risk[fall].tolist()[3]
    forward = Decimal(made.inputs.quotes[3].forward or 0)
    discount = to_fraction(
        option_columns(made.universe, made.valuation_time, made.inputs).options.discount[0]
    )
    assert call - put == pytest.approx(float(-16 * 10**6 * Fraction(forward) * discount), abs=2)


def test_rates_per_position(market: Market) -> None:
    cross = made_of(market).models["cross"]
    assert isinstance(cross, RateTables)
    assert cross.long["initial"].tolist()[:3] == [0, 37_500_000, 6_850_250_000]
    assert cross.short["maintenance"].tolist()[:3] == [0, 22_500_000, 3_425_125_000]


def test_sensitivities_count_the_multiplier(market: Market) -> None:
    made = made_of(market)
    held = [Position("ACME-20260220-80-C", Decimal(-3)), Position("ACME", Decimal(200))]
    report = build_report(made, Holdings.of(held, made), model="tims")
    (total,) = report.totals
    options = next(row.greeks for row in report.greeks if row.expiry is not None)
    assert -300 < options.delta < 0
    assert total.greeks.delta == options.delta + 200


def test_every_model_of_the_snapshot_margins(market: Market) -> None:
    made = made_of(market)
    for model in made.models:
        assert requirement(made, [10**11, 100, -1, -1, 1], model=model).requirement > 0


@pytest.mark.parametrize(
    ("slot", "field", "value"),
    [
        (1, "multiplier", 100),
        (3, "multiplier", 0),
        (3, "multiplier", 10**6 + 1),
        (0, "multiplier", 2),
        (1, "security", None),
        (1, "security", "broad-index"),
        (3, "security", "bond"),
        (0, "security", "equity"),
    ],
)
def test_an_instrument_that_is_no_security_is_refused(
    slot: int, field: str, value: Any, market: Market
) -> None:
    with pytest.raises(InputError, match=field):
        replace(market.instruments[slot], **{field: value})
