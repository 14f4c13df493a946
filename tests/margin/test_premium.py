"""Options whose price is paid at once, and options that are margined daily, as futures are."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from pathlib import Path
from typing import get_args

import pytest
import QuantLib
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin import securities
from tests.margin.accounts import MONTH, NOW, holdings
from tests.margin.expiring import across, before, earlier_snapshot
from zkmargin.margin.account.greeks import net_greeks
from zkmargin.margin.account.requirement import account_value, requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import Instrument, Premium
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.market import Market
from zkmargin.margin.market.inputs import Quote
from zkmargin.margin.market.quotes import Listing, assemble, future, option
from zkmargin.margin.market.securities import read_securities
from zkmargin.margin.models.span.tables import SpanTables
from zkmargin.margin.models.tims.tables import TimsTables
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.units import LEVELS

STYLED = "BTC_USD-near-C-F"
PAID = "BTC_USD-near-C"


def made() -> Snapshot:
    return across()[0]


def slots(*names: str) -> list[int]:
    return [made().universe.slot(name) for name in names]


# The instrument ------------------------------------------------------------------------------------


def listed(**changes: object) -> Instrument:
    made = option("X", "BTC", inverse=False, expiry=MONTH, strike=Decimal(50000), call=True)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_only_options_have_a_premium_and_it_is_one_of_two() -> None:
    assert listed().premium == "paid"
    assert not listed().margined_daily
    assert listed(premium="futures-style").margined_daily
    with pytest.raises(InputError, match="premium: 'weekly': use one of paid, futures-style"):
        listed(premium="weekly")
    with pytest.raises(InputError, match="premium: 'futures-style': only an option"):
        replace(future("X", "BTC", inverse=False, expiry=MONTH), premium="futures-style")


def test_the_premium_is_part_of_the_universe_and_the_id() -> None:
    market = before()
    changed = tuple(replace(i, premium="paid") if i.name == STYLED else i for i in market.instruments)
    other = Snapshot.build(replace(market, instruments=changed), domain=64)
    same = Snapshot.build(market, domain=64)
    assert other.universe.digest != same.universe.digest
    assert other.id != same.id
    assert "premium" not in listed().document()
    assert listed(premium="futures-style").document()["premium"] == "futures-style"
    assert Snapshot.parse(same.encode(), "x").universe == same.universe
    assert Universe((listed(),)).digest == Universe((listed(premium="paid"),)).digest


def test_a_rate_is_refused() -> None:
    listing = Listing(
        listed(premium="futures-style"), Decimal(5), "row 3", Decimal("0.5"), Decimal(5), Decimal("0.04")
    )
    with pytest.raises(InputError, match=r"row 3: rate: '0\.04': a futures-style option is not discounted"):
        assemble("x", NOW, {"BTC": Decimal(50000)}, [listing])


# Prices --------------------------------------------------------------------------------------------


def black(
    strike: float, forward: float, vol: float, years: float, *, call: bool, discount: float = 1.0
) -> float:
    side = QuantLib.Option.Call if call else QuantLib.Option.Put
    return float(QuantLib.blackFormula(side, strike, forward, vol * sqrt(years), discount))


def shared(premium: Premium) -> Market:
    """The securities market of a file, its options of one style."""
    market = securities.market(
        securities.Underlying(
            "BIG",
            "large-broad-index",
            Decimal(6800),
            tuple(
                securities.Option(Decimal(strike), strike < 6900, days=200) for strike in (6500, 6800, 7400)
            ),
        )
    )
    instruments = tuple(replace(i, premium=premium) if i.kind == "option" else i for i in market.instruments)
    quotes = tuple(replace(q, rate=None) if premium != "paid" else q for q in market.inputs.quotes)
    return replace(market, instruments=instruments, inputs=replace(market.inputs, quotes=quotes))


@pytest.mark.parametrize("premium", ["paid", "futures-style"])
def test_changes_of_value_are_those_of_black_without_a_discount(premium: Premium) -> None:
    """TIMS moves spot only: V(F (1 + x)) - V(F), discounted by the rate for paid options and not at all for others."""
    snapshot = securities.snapshot(shared(premium))
    tables = snapshot.models["tims"]
    assert isinstance(tables, TimsTables)
    years = 200 / 365
    discount = 2.718281828459045 ** (-0.04 * years) if premium == "paid" else 1.0
    for slot, instrument in enumerate(snapshot.universe.instruments):
        if instrument.kind != "option":
            continue
        strike, call = float(instrument.strike or 0), bool(instrument.call)
        now = black(strike, 6800.0, 0.3, years, call=call, discount=discount)
        for move, entry in zip(tables.classes[0].moves, tables.risk[:, slot].tolist(), strict=True):
            then = black(strike, 6800 * (1 + float(move)), 0.3, years, call=call, discount=discount)
            assert entry == pytest.approx((then - now) * 100 * 10**6, abs=2)


def test_a_column_of_the_securities_file(tmp_path: Path) -> None:
    plain = {**securities.CALL, "premium": ""}
    styled = {**securities.PUT, "premium": "futures-style"}
    rest = [{**row, "premium": ""} for row in (securities.SHARE, securities.INDEX, securities.FUTURE)]
    market = read_securities(securities.write(tmp_path / "m.csv", *rest, plain, styled))
    found = dict(
        zip(
            (i.name for i in market.instruments),
            zip(market.instruments, market.inputs.quotes, strict=True),
            strict=True,
        )
    )
    call, put = found[plain["instrument"]], found[styled["instrument"]]
    assert (call[0].premium, call[1].rate) == ("paid", "0.04")
    assert (put[0].premium, put[1].rate) == ("futures-style", None)
    assert put[1].forward == call[1].forward


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {**securities.CALL, "premium": "later"},
            "premium: 'later': unknown; use one of paid, futures-style",
        ),
        (
            {**securities.FUTURE, "premium": "paid"},
            "premium: 'paid': leave it empty: a row of type future has none",
        ),
        (
            {**securities.SHARE, "premium": "paid"},
            "premium: 'paid': leave it empty: a row of type share has none",
        ),
    ],
)
def test_wrong_premiums_in_the_file(tmp_path: Path, row: Mapping[str, str], reason: str) -> None:
    rows = [{**each, "premium": ""} for each in securities.ROWS if each["instrument"] != row["instrument"]]
    with pytest.raises(InputError, match=reason):
        read_securities(securities.write(tmp_path / "m.csv", *rows, row), strict=True)


# Holdings ------------------------------------------------------------------------------------------


def test_the_entry_is_a_leg_in_cash_or_coin() -> None:
    usd, btc, linear, inverse = slots("USD", "BTC", STYLED, "BTC-near-C-F")
    lots = holdings(made(), (STYLED, "2", "9000.25"), ("BTC-near-C-F", "-3", "0.25")).vector(made())
    assert lots[linear] == 20
    assert lots[usd] == -2 * 9000_250000
    assert lots[inverse] == -30
    assert lots[btc] == 75_000_000  # three quarters of a coin
    assert account_value(made(), lots) == made().tick * 10**6 * (
        2000 - Fraction("0.5") + 48000 * Fraction("0.15")
    )


def test_without_an_entry_there_is_no_profit_and_legs_round_down() -> None:
    assert account_value(made(), holdings(made(), (STYLED, "-7"), ("BTC-near-P-F", "5")).vector(made())) == 0
    market = before()
    odd = replace(market.inputs.quotes[made().universe.slot(STYLED)], price="9999.0000003")
    quotes = tuple(
        odd if i.name == STYLED else q for i, q in zip(market.instruments, market.inputs.quotes, strict=True)
    )
    snapshot = Snapshot.build(replace(market, inputs=replace(market.inputs, quotes=quotes)), domain=64)
    for quantity in ("1", "-1"):
        lots = holdings(snapshot, (STYLED, quantity)).vector(snapshot)
        exact = -Fraction(quantity) * Fraction("9999.0000003") * 10**6
        assert lots[0] == exact.numerator // exact.denominator


def test_an_entry_of_a_paid_option_is_refused() -> None:
    with pytest.raises(InputError, match="entry_price: '9000': leave it empty: what was paid"):
        holdings(made(), (PAID, "1", "9000"))


def test_contracts_of_a_multiplier(tmp_path: Path) -> None:
    snapshot = securities.snapshot(shared("futures-style"))
    lots = holdings(snapshot, ("BIG-0", "3", "2.25")).vector(snapshot)
    assert lots[0] == -3 * 100 * 2_250000


def test_a_settled_option_keeps_its_gain() -> None:
    earlier, later = across()
    held = holdings(later, ("USD", "10000"), (STYLED, "-2", "9000"), ("BTC-near-P-F", "1", "0.25"))
    assert held.vector(later) == held.vector(earlier)
    assert account_value(later, held.vector(later)) == later.tick * 10**6 * (10000 + 2 * 1000 + 50000 // 20)
    # Without an entry it has settled with no profit.
    assert account_value(later, holdings(later, (STYLED, "4"), ("BTC-near-P-F", "-4")).vector(later)) == 0


def test_sensitivities_of_both_styles_are_alike() -> None:
    pairs = [(STYLED, PAID), ("BTC_USD-far-P-F", "BTC_USD-far-P")]
    for styled, paid in pairs:
        found, expected = (
            net_greeks(made(), holdings(made(), (name, "3")).entries(made())) for name in (styled, paid)
        )
        assert found == expected


# Models --------------------------------------------------------------------------------------------


@given(
    quantity=st.integers(-200, 200),
    model=st.sampled_from(sorted(made().models)),
    level=st.sampled_from(LEVELS),
)
@settings(max_examples=60, deadline=None)
def test_without_rates_a_hedge_of_one_style_by_the_other_is_seen(
    quantity: int, model: str, level: str
) -> None:
    """At a rate of zero they move alike: scenario models see no loss of one against the other beyond charges."""
    lots = [0] * len(made().universe)
    styled, paid = slots(STYLED, PAID)
    tables = made().models[model]
    if isinstance(tables, GridTables):
        assert tables.risk[:, styled].tolist() == tables.risk[:, paid].tolist()
    lots[styled], lots[paid] = quantity, -quantity
    found = requirement(made(), lots, model=model, level="initial" if level == "initial" else "maintenance")
    assert found.assessment.amount >= 0
    assert all(unit.loss == 0 for unit in found.assessment.units) or model in ("isolated", "cross", "tiered")


def test_rates_of_long_options_that_are_not_paid() -> None:
    cross, isolated = (made().models[name] for name in ("cross", "isolated"))
    assert isinstance(cross, RateTables)
    assert isinstance(isolated, RateTables)
    linear, inverse, paid = slots(STYLED, "BTC-near-C-F", PAID)
    for level in LEVELS:
        rate = made().parameters.standard.future.at(level)
        for slot in (linear, inverse):
            assert cross.long[level][slot] == min(int(made().marks[slot]), int(48000 * rate * 10**6))
        assert cross.long[level][paid] == 0
    assert isolated.long["initial"][linear] == made().marks[linear]
    assert cross.short["initial"][linear] == cross.short["initial"][paid]


def test_a_long_option_that_is_not_paid_never_asks_for_more_than_its_mark() -> None:
    market = before()
    cheap = Quote("0.5", "0.6", "50400")
    quotes = tuple(
        cheap if i.name == STYLED else q
        for i, q in zip(market.instruments, market.inputs.quotes, strict=True)
    )
    snapshot = Snapshot.build(
        replace(market, inputs=replace(market.inputs, quotes=quotes)), domain=64, only=["cross"]
    )
    tables = snapshot.models["cross"]
    assert isinstance(tables, RateTables)
    assert tables.long["initial"][snapshot.universe.slot(STYLED)] == 500_000


def test_span_caps_the_value_of_paid_options_only() -> None:
    tables = made().models["span"]
    assert isinstance(tables, SpanTables)
    names = {made().universe.instruments[slot].name for slot in tables.commodities[0].capped_slots}
    assert names == {
        i.name for i in made().universe.instruments if i.kind == "option" and i.premium == "paid"
    }
    short = holdings(made(), (STYLED, "-1")).vector(made())
    long_paid = holdings(made(), (PAID, "100")).vector(made())
    assert requirement(made(), short, model="span").requirement_ticks >= 960 * 10**6  # 2 % of the index
    assert requirement(made(), long_paid, model="span").requirement_ticks >= 10**6 * 10**6


def test_minimums_of_tims_are_at_most_the_market_value() -> None:
    for premium in get_args(Premium):
        snapshot = securities.snapshot(shared(premium), {"minimum": "9.5"})
        tables = snapshot.models["tims"]
        assert isinstance(tables, TimsTables)
        slot = snapshot.universe.slot("BIG-0")
        assert tables.minimum_short[slot] == 950 * 10**6
        assert tables.minimum_long[slot] == 250 * 10**6 == snapshot.marks[slot]


def test_a_least_charge_on_both_sides_under_rules_like_okx() -> None:
    snapshot = across("okx")[0]
    tables = snapshot.models["grid"]
    assert isinstance(tables, GridTables)
    (least,) = tables.minimums
    rows = {
        snapshot.universe.instruments[s].name: (long, short)
        for s, long, short in zip(least.slots, least.long, least.short, strict=True)
    }
    mark = int(snapshot.marks[snapshot.universe.slot(PAID)])
    assert rows[PAID][0] == min(mark, rows[PAID][1]) > 0
    assert rows[STYLED] == (rows[PAID][1], rows[PAID][1])


def test_haircuts_count_the_coins_that_are_margined_daily() -> None:
    tables = made().models["grid"]
    assert isinstance(tables, GridTables)
    (haircut,) = tables.collaterals
    names = {made().universe.instruments[slot].name for slot in haircut.slots}
    assert {"BTC", "BTC-PERPETUAL", "BTC-near-C-F"} <= names
    assert not {"BTC-near-C", STYLED} & names
    flat = holdings(made(), ("BTC-near-C-F", "4"), ("BTC", "1")).vector(made())
    alone = holdings(made(), ("BTC", "1")).vector(made())
    assert haircut.money(made().scale, flat, "initial") == haircut.money(made().scale, alone, "initial")


def test_pmrm2_knows_paid_options_only() -> None:
    with pytest.raises(
        InputError, match="premium: 'futures-style': the rules of PMRM 2 are for options that are paid"
    ):
        Snapshot.build(before(), parse_parameters({"pmrm2": {}}, "x"), domain=64)
    assert "grid" in earlier_snapshot("pmrm2", futures_style=False).models
