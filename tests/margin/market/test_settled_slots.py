"""Slots after their expiry: cash or coin at the official settlement, in every model."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import QuantLib
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin import securities
from tests.margin.accounts import MONTH, NOW, holdings
from tests.margin.expiring import (
    AFTER,
    INDEX,
    NEXT,
    SECTIONS,
    SETTLED,
    VENUES,
    across,
    after,
    as_balances,
    earlier_snapshot,
    later_snapshot,
    listings,
    settled_slots,
)
from tests.margin.joint import year
from zkmargin.margin.account.greeks import net_greeks
from zkmargin.margin.account.report import build_report
from zkmargin.margin.account.requirement import account_value, requirement
from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json, digest
from zkmargin.margin.instruments.instrument import Instrument
from zkmargin.margin.market.inputs import ExpiryTerms, Quote
from zkmargin.margin.market.quotes import Listing, assemble, future, option
from zkmargin.margin.market.settled_slots import settlement_value
from zkmargin.margin.market.settlements import Settlements, joined, read_settlements
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.schema import encode_tables
from zkmargin.margin.units import LEVELS

CASES = [(venue, model) for venue in ("", *VENUES) for model in (("grid",) if venue else across()[1].models)]


# What a slot comes to ------------------------------------------------------------------------------


def _option(*, inverse: bool, call: bool, strike: str, multiplier: int = 1) -> Instrument:
    made = option("X", "BTC", inverse=inverse, expiry=MONTH, strike=Decimal(strike), call=call)
    return replace(made, multiplier=multiplier)


@pytest.mark.parametrize(
    ("instrument", "price", "value"),
    [
        (_option(inverse=False, call=True, strike="90", multiplier=100), "100", Fraction(1000)),
        (_option(inverse=False, call=True, strike="110"), "100", Fraction(0)),
        (_option(inverse=False, call=False, strike="110.5"), "100", Fraction(21, 2)),
        (_option(inverse=False, call=False, strike="100"), "100", Fraction(0)),
        (_option(inverse=True, call=True, strike="90"), "120", Fraction(1, 4)),
        (_option(inverse=True, call=False, strike="130"), "120", Fraction(1, 12)),
        (_option(inverse=True, call=False, strike="110"), "120", Fraction(0)),
        (future("X", "BTC", inverse=False, expiry=MONTH), "100.5", Fraction(201, 2)),
        (future("X", "BTC", inverse=True, expiry=MONTH), "120", Fraction(-1, 120)),
    ],
)
def test_what_a_unit_came_to(instrument: Instrument, price: str, value: Fraction) -> None:
    assert settlement_value(instrument, Fraction(price)) == value


@given(
    strike=st.integers(1, 10**6),
    price=st.integers(1, 10**6),
    call=st.booleans(),
    inverse=st.booleans(),
)
def test_what_an_option_came_to_is_the_payoff_of_another_library(
    strike: int, price: int, call: bool, inverse: bool
) -> None:
    payoff = QuantLib.PlainVanillaPayoff(QuantLib.Option.Call if call else QuantLib.Option.Put, strike / 64)
    found = settlement_value(
        _option(inverse=inverse, call=call, strike=canonical_decimal(Decimal(strike) / 64)),
        Fraction(price, 64),
    )
    assert found == Fraction(payoff(price / 64)) / (Fraction(price, 64) if inverse else 1)


def test_marks_are_the_payoff_and_inverse_ones_move_with_the_coin() -> None:
    _, later = across()
    marks = {i.name: int(mark) for i, mark in zip(later.universe.instruments, later.marks, strict=True)}
    assert marks["BTC_USD-near"] == 40000 * 10**6
    assert marks["BTC_USD-near-C"] == marks["BTC_USD-near-C-F"] == 8000 * 10**6
    assert marks["BTC_USD-near-P"] == marks["BTC_USD-near-P-F"] == 12000 * 10**6
    assert marks["BTC-near-C"] == marks["BTC-near-C-F"] == 50000 * 10**6 // 5
    assert marks["BTC-near-P"] == 50000 * 3 * 10**6 // 10
    assert marks["BTC-near"] == -12500 * 10**6  # 10,000 USD at 40,000 are 0.25 coins


def test_what_a_future_gained_by_its_settlement_stays() -> None:
    """Bought at 39,000 and settled at 40,000: 1,000 USD a linear coin; of inverse dollars the coins between."""
    earlier, later = across()
    for made in (earlier, later):
        held = holdings(made, ("USD", "5"), ("BTC_USD-near", "2", "39000"), ("BTC-near", "-78000", "39000"))
        assert held.vector(made) == holdings(earlier, *_rows(held)).vector(earlier)
    lots = held.vector(later)
    assert account_value(later, lots) == later.tick * (5 + 2000) * 10**6 + _coins(later, Fraction(78, 40) - 2)


def _rows(held: Any) -> list[Any]:
    return [
        (p.instrument, str(p.quantity), *([] if p.entry_price is None else [str(p.entry_price)]))
        for p in held.positions
    ]


def _coins(made: Snapshot, coins: Fraction) -> int:
    return int(coins * Fraction(INDEX) * 10**6 * made.tick)


def test_a_short_option_that_settled_is_a_debt() -> None:
    _, later = across()
    for name, owed in (("BTC_USD-near-C", 8000), ("BTC-near-P", 15000)):
        lots = holdings(later, ("USD", "20000"), (name, "-1")).vector(later)
        for model in later.models:
            found = requirement(later, lots, model=model)
            assert found.account_value_ticks == (20000 - owed) * 10**6
            assert found.excess_ticks <= found.account_value_ticks


# As balances, in every model -----------------------------------------------------------------------


@pytest.mark.parametrize(("venue", "model"), CASES)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_a_settled_slot_is_the_balance_it_came_to(venue: str, model: str, data: st.DataObject) -> None:
    """The same account with cash and coins instead has the same value, and the same requirement but for rounding."""
    later = across(venue)[1]
    held = data.draw(
        st.dictionaries(st.integers(0, len(later.universe) - 1), st.integers(-4000, 4000), max_size=12)
    )
    lots = [
        held.get(slot, 0) * (2 if slot in settled_slots(later) else 1) for slot in range(len(later.universe))
    ]
    lots[0], lots[1] = held.get(0, 0) * 10**8, held.get(1, 0) * 10**6
    instead = as_balances(later, lots)
    assert account_value(later, instead) == account_value(later, lots)
    rounding = 4 * sum(abs(lots[slot]) for slot in settled_slots(later)) + 8
    for level in LEVELS:
        found, expected = (requirement(later, each, model=model, level=level) for each in (lots, instead))
        assert abs(found.requirement_ticks - expected.requirement_ticks) <= rounding


@pytest.mark.parametrize(("venue", "model"), CASES)
def test_what_settled_in_cash_asks_for_nothing(venue: str, model: str) -> None:
    """Of futures-style options some venues' rules know none."""
    later = across(venue)[1]
    settled = {"BTC_USD-near-C", "BTC_USD-near", "BTC_USD-near-P-F"}
    names = [instrument.name for instrument in later.universe.instruments if instrument.name in settled]
    assert len(names) >= 2
    for name in names:
        for quantity in (100, -100):
            lots = [0] * len(later.universe)
            lots[later.universe.slot(name)] = quantity
            assert requirement(later, lots, model=model).assessment.amount == 0


def test_securities_that_settled_have_no_minimum_and_no_class() -> None:
    market = securities.market(
        securities.Underlying(
            "BIG", "large-broad-index", Decimal(6800),
            (securities.Option(Decimal(6500), True, days=10), securities.Option(Decimal(6500), True, days=90)),
        )
    )  # fmt: skip
    earlier = securities.snapshot(market)
    expiry = market.instruments[1].expiry or 0
    kept = [
        (i, q) for i, q in zip(market.instruments, market.inputs.quotes, strict=True) if i.expiry != expiry
    ]
    instruments, quotes = zip(*kept, strict=True)
    today = replace(
        market,
        valuation_time=expiry,
        instruments=instruments,
        inputs=replace(market.inputs, quotes=quotes),
    )
    later = Snapshot.build(today, universe=earlier.universe, settlements={("BIG", expiry): Decimal(6600)})
    slot = next(s for s, i in enumerate(later.universe.instruments) if i.expiry == expiry)
    for quantity in (3, -3):
        lots = [0] * len(later.universe)
        lots[slot] = quantity
        assert account_value(later, lots) == quantity * 100 * 100 * 10**6 * later.tick
        assert requirement(later, lots, model="tims").assessment.amount == 0
    both = Snapshot.build(
        replace(today, valuation_time=securities.NOW + 91 * securities.DAY, instruments=instruments[:1],
                inputs=replace(today.inputs, quotes=quotes[:1], indices={})),
        universe=earlier.universe,
        settlements={("BIG", i.expiry): Decimal(6600) for i in earlier.universe.instruments if i.expiry},
    )  # fmt: skip
    assert "tims" not in both.models  # nothing but cash is left
    assert both.universe.digest == earlier.universe.digest
    assert (
        Snapshot.parse(both.encode(), "both").id == both.id
    )  # without an index that nothing moves with any more


def test_haircuts_count_coins_that_options_came_to() -> None:
    later = across()[1]
    tables = later.models["grid"]
    assert isinstance(tables, GridTables)
    (haircut,) = tables.collaterals
    names = [later.universe.instruments[slot].name for slot in haircut.slots]
    assert names[0] == "BTC"
    assert {"BTC-near", "BTC-near-C", "BTC-near-P", "BTC-far", "BTC-far-C-F"} <= set(names)
    assert not {"BTC-far-C", "BTC_USD-near-C"} & set(names)


def test_sensitivities_are_those_of_the_coin() -> None:
    later = across()[1]
    held = holdings(later, ("BTC-near-P", "-2"), ("BTC_USD-near-C", "7"), ("BTC-near", "-40000", "40000"))
    (bucket,) = net_greeks(later, held.entries(later)).items()
    assert bucket[0] == ("BTC", None)
    assert bucket[1].delta == Fraction(-6, 10) + 1 - 1
    assert not any((bucket[1].gamma, bucket[1].vega, bucket[1].theta))
    report = build_report(later, held)
    assert [position.value for position in report.positions] == [-30000 * 10**6, 56000 * 10**6, 0]


# The later snapshot --------------------------------------------------------------------------------


def test_the_universe_stays_and_what_is_new_is_left_out() -> None:
    earlier = earlier_snapshot()
    newly = listings(NEXT + 10**12, "new")
    later = Snapshot.build(
        after(more=newly),
        universe=earlier.universe,
        settlements={("BTC", MONTH): SETTLED, ("BTC", 7): SETTLED},
    )
    assert later.universe.digest == earlier.universe.digest
    assert later.universe.domain == 64
    assert later.valuation_time == AFTER
    assert later.settlements == {("BTC", MONTH, "BTC"): SETTLED, ("BTC", MONTH, "USD"): SETTLED}
    assert earlier.settlements == {}


def test_a_snapshot_with_settlements_is_read_and_derived_again(tmp_path: Path) -> None:
    later = across()[1]
    later.dump(tmp_path / "s.json")
    again = Snapshot.load(tmp_path / "s.json")
    again.reproduce()
    assert again.id == later.id
    assert again.inputs == later.inputs
    assert again.settlements == later.settlements


def test_the_settlement_is_part_of_the_id_and_not_of_the_universe() -> None:
    earlier, later = across()
    other = later_snapshot(earlier, SETTLED + Decimal("0.01"))
    assert other.id != later.id
    assert other.universe.digest == later.universe.digest


def test_settlements_are_handed_on() -> None:
    earlier, later = across()
    market = after()
    third = Snapshot.build(
        replace(market, valuation_time=AFTER + 10**9), universe=later.universe, settlements=later.settlements
    )
    assert third.settlements == later.settlements
    assert third.universe.digest == earlier.universe.digest


def test_linear_and_inverse_contracts_may_settle_at_different_indices() -> None:
    earlier = across()[0]
    settlements: Settlements = {("BTC", MONTH): SETTLED, ("BTC", MONTH, "USD"): SETTLED + 10}
    made = Snapshot.build(after(), universe=earlier.universe, settlements=settlements)
    assert made.settlements == {("BTC", MONTH, "BTC"): SETTLED, ("BTC", MONTH, "USD"): SETTLED + 10}
    assert made.marks[made.universe.slot("BTC_USD-near")] == 40010 * 10**6
    assert made.marks[made.universe.slot("BTC-near")] == -12500 * 10**6
    assert Snapshot.parse(made.encode(), "x").settlements == made.settlements


def test_everything_may_have_settled() -> None:
    earlier = across()[0]
    market = after()
    kept = [(i, q) for i, q in zip(market.instruments, market.inputs.quotes, strict=True) if i.expiry is None]
    instruments, quotes = zip(*kept, strict=True)
    last = replace(
        market,
        valuation_time=NEXT,
        instruments=instruments,
        inputs=replace(market.inputs, quotes=quotes),
    )
    settlements: Settlements = {("BTC", MONTH): SETTLED, ("BTC", NEXT): Decimal(52000)}
    made = Snapshot.build(
        last, earlier.parameters, universe=earlier.universe, settlements=settlements, history=year()
    )
    assert set(made.models) == set(earlier.models)
    lots = [17] * len(made.universe)
    for model in made.models:
        assert requirement(made, lots, model=model).requirement_ticks > 0


@pytest.mark.parametrize("venue", ["okx", "deribit"])
def test_dropped_contracts_have_no_exposures(venue: str) -> None:
    tables = across(venue)[1].models["grid"]
    assert isinstance(tables, GridTables)
    gone = set(settled_slots(across(venue)[1]))
    named = [part.slots for part in tables.exposures]
    named += [part.slots for part in tables.minimums]
    named += [part.slots for part in tables.buckets]
    assert named
    assert not gone & {slot for slots in named for slot in slots}


def test_wrong_builds_are_told_in_words() -> None:
    earlier = across()[0]
    with pytest.raises(
        InputError, match=r"instrument: 'BTC-near': expired.*add the row BTC,2026-01-31T08:00:00Z,PRICE"
    ):
        Snapshot.build(after(), universe=earlier.universe)
    with pytest.raises(InputError, match="domain: 128: the universe has a domain of 64"):
        Snapshot.build(after(), universe=earlier.universe, domain=128, settlements={("BTC", MONTH): SETTLED})
    with pytest.raises(
        InputError, match="'BTC-far-C-F': the earlier universe lists it and it has not expired"
    ):
        Snapshot.build(
            after(futures_style=False), universe=earlier.universe, settlements={("BTC", MONTH): SETTLED}
        )
    with pytest.raises(InputError, match="settled: '-1': write a number from"):
        Snapshot.build(after(), universe=earlier.universe, settlements={("BTC", MONTH): Decimal(-1)})
    market = after()
    adjusted = tuple(replace(i, strike="33000") if i.name == "BTC-far-C" else i for i in market.instruments)
    with pytest.raises(
        InputError, match=r"instrument BTC-far-C: strike: 33000: .* has 32000: another contract"
    ):
        Snapshot.build(
            replace(market, instruments=adjusted),
            universe=earlier.universe,
            settlements={("BTC", MONTH): SETTLED},
        )


def test_lots_and_bounds_are_those_of_the_earlier_universe() -> None:
    earlier = across()[0]
    market = after()
    counted = tuple(
        replace(i, lot_exponent=-2, bound=77) if i.name == "BTC-far-C" else i for i in market.instruments
    )
    made = Snapshot.build(
        replace(market, instruments=counted), universe=earlier.universe, settlements={("BTC", MONTH): SETTLED}
    )
    assert made.universe.digest == earlier.universe.digest


def test_terms_and_confidences_of_what_is_gone_are_left_out() -> None:
    earlier = across()[0]
    market = after()
    inputs = replace(
        market.inputs,
        terms=(ExpiryTerms("BTC", NEXT, "0.9"), ExpiryTerms("BTC", NEXT + 1, "0.8")),
        confidences={"BTC": "0.9", "ELSEWHERE": "0.1"},
    )
    made = Snapshot.build(
        replace(market, inputs=inputs), universe=earlier.universe, settlements={("BTC", MONTH): SETTLED}
    )
    assert [terms.expiry for terms in made.inputs.terms] == [NEXT]
    assert made.inputs.confidences == {"BTC": "0.9"}


# Documents -----------------------------------------------------------------------------------------


def _reload(tmp_path: Path, change: Callable[[dict[str, Any], Snapshot], object]) -> Snapshot:
    later = across()[1]
    document = json.loads(later.encode())
    change(document, later)
    document["id"] = digest({key: value for key, value in document.items() if key != "id"})
    (tmp_path / "changed.json").write_bytes(canonical_json(document))
    return Snapshot.load(tmp_path / "changed.json")


def _quote(name: str, quote: list[str | None]) -> Callable[[dict[str, Any], Snapshot], object]:
    def change(document: dict[str, Any], made: Snapshot) -> None:
        document["inputs"]["quotes"][made.universe.slot(name)] = quote

    return change


def _settled(price: str) -> Callable[[dict[str, Any], Snapshot], object]:
    """Another price for everything that has settled."""

    def change(document: dict[str, Any], _: Snapshot) -> None:
        for quote in document["inputs"]["quotes"]:
            quote[4:] = [price for _ in quote[4:]]

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_quote("BTC-near-C", [None, None, None, None]), "expiry: 'BTC-near-C': expired.*--settlements"),
        (
            _quote("BTC-near-C", ["0.2", None, None, None, "40000"]),
            "price: '0.2': what has settled has no market",
        ),
        (_quote("BTC-near-C", [None, "0.5", None, None, "40000"]), "volatility: '0.5': what has settled"),
        (_settled("40000.0"), "settled: '40000.0': write 40000"),
        (_settled("0"), "settled: '0': write a number from"),
        (_settled("x"), "settled: 'x'"),
        (_quote("BTC-near-C", [None, None, None, None, "40001"]), "an expiry settles at one price"),
        (_quote("BTC-far-C", [None, None, None, None, "40000"]), "expires after the valuation"),
        (_quote("BTC-PERPETUAL", [None, None, None, None, "40000"]), "only futures and options settle"),
        (_quote("BTC", [None, None, None, None, "40000"]), "only futures and options settle"),
        (_quote("BTC-far-C", ["0.2", "0.6", "50400", None, None]), "the file was changed"),
        (_quote("BTC-near-C", [None] * 6), "inputs.quotes"),
        (lambda d, _: d["inputs"]["indices"].clear(), "inputs.indices"),
        (
            lambda d, _: d["inputs"].update(
                terms=[{"underlying": "BTC", "expiry": MONTH, "confidence": "1", "fixed": None}]
            ),
            "no option expires then",
        ),
    ],
)
def test_wrong_settlements_of_a_document(
    tmp_path: Path, change: Callable[[dict[str, Any], Snapshot], object], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        _reload(tmp_path, change)


def test_a_settlement_that_was_changed_throughout_has_other_tables(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mark: 'BTC-near'"):
        _reload(tmp_path, _settled("39000")).reproduce()


def test_a_quote_says_one_thing() -> None:
    assert Quote(settled="5").document() == [None, None, None, None, "5"]
    assert Quote("1", "0.5", "2", "0").document() == ["1", "0.5", "2", "0"]


# The file ------------------------------------------------------------------------------------------

HEADER = "underlying,expiry_utc,price\n"
ROW = "BTC,2026-01-31T08:00:00Z,40000\n"


def test_a_file_of_settlements(tmp_path: Path) -> None:
    path = tmp_path / "settled.csv"
    path.write_text(HEADER + ROW + "BTC,2026-02-01T09:00:00+01:00,40100.50\nETH,2026-01-31T08:00:00Z,3e3\n")
    found = read_settlements(path)
    assert found["BTC", MONTH] == 40000
    assert found["BTC", MONTH + 86_400_000_000] == Decimal("40100.5")
    assert found["ETH", MONTH] == 3000
    path.write_text(
        "settlement,underlying,expiry_utc,price\nUSD,BTC,2026-01-31T08:00:00Z,5\n,BTC,2026-01-31T08:00:00Z,6\n"
    )
    assert read_settlements(path) == {("BTC", MONTH, "USD"): 5, ("BTC", MONTH): 6}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (HEADER, "rows: none"),
        ("underlying,price\nBTC,1\n", "column: 'expiry_utc': missing"),
        (HEADER.replace("price", "price,setlement") + ROW, "is settlement meant"),
        (
            HEADER + ROW + "BTC,2026-01-31T09:00:00+01:00,40000\n",
            "line 3: expiry_utc: .*a row of this expiry already",
        ),
        (
            "underlying,expiry_utc,price,settlement\nBTC,2026-01-31T08:00:00Z,5,ETH\n",
            "line 2: settlement: 'ETH': write USD for linear contracts, BTC for inverse ones",
        ),
        (HEADER + ",2026-01-31T08:00:00Z,1\n", "line 2: underlying: '': write what"),
        (HEADER + "BTC,2026-01-31,1\n", "line 2: expiry_utc: .*the zone is missing"),
        (HEADER + "BTC,tomorrow,1\n", "line 2: expiry_utc"),
        (HEADER + "BTC,2026-01-31T08:00:00Z,0\n", "line 2: price: '0': write a number from"),
        (HEADER + "BTC,2026-01-31T08:00:00Z,nan\n", "line 2: price"),
        (HEADER + "BTC,2026-01-31T08:00:00Z,1e10\n", "line 2: price"),
    ],
)
def test_wrong_files_of_settlements(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "settled.csv").write_text(content)
    with pytest.raises(InputError, match=reason):
        read_settlements(tmp_path / "settled.csv")


def test_an_expiry_settles_once() -> None:
    earlier: Settlements = {("BTC", MONTH, "USD"): Decimal(40000)}
    more: Settlements = {("BTC", MONTH): Decimal("40000.0"), ("ETH", 1): Decimal(2)}
    assert joined(earlier, more, "x") == {**earlier, **more}
    apart: Settlements = {("BTC", MONTH): Decimal(1), ("BTC", MONTH, "USD"): Decimal(40000)}
    assert joined(earlier, apart, "x") == apart
    with pytest.raises(
        InputError, match=r"x: price: '41000': the earlier snapshot has settled BTC of .* at 40000"
    ):
        joined(earlier, {("BTC", MONTH): Decimal(41000)}, "x")


def test_an_expired_listing_says_what_to_do() -> None:
    stale = Listing(future("BTC_USD-old", "BTC", inverse=False, expiry=AFTER), Decimal(50000), "row 7")
    with pytest.raises(InputError, match=r"row 7: expiry: 'BTC_USD-old': expired.*--universe, --settlements"):
        after(more=[stale])


def test_a_published_array_ends_with_its_contract() -> None:
    earlier = across()[0]
    section = json.loads(json.dumps(SECTIONS["span"]))
    section["arrays"] = {"BTC-near-C": {"losses": ["1"] * 16, "delta": "0.5", "period": "2026-01"}}
    market = after()
    settlements: Settlements = {("BTC", MONTH): SETTLED}
    plain, published = (
        Snapshot.build(
            market,
            parse_parameters({"span": each}, "x"),
            universe=earlier.universe,
            settlements=settlements,
            only=["span"],
        )
        for each in (SECTIONS["span"], section)
    )
    assert encode_tables(published.models["span"]) == encode_tables(plain.models["span"])


def test_a_commodity_that_nothing_moves_with_is_named() -> None:
    section = json.loads(json.dumps(SECTIONS["span"]))
    section["commodities"].append(section["commodities"][0] | {"name": "GONE"})
    with pytest.raises(
        InputError, match="commodities: 'GONE': nothing of the universe moves with GONE; leave"
    ):
        Snapshot.build(after(), parse_parameters({"span": section}, "x"), only=["span"])


def test_all_missing_settlements_are_named_at_once() -> None:
    """One error has every row that the file of settlements lacks."""
    days = [NOW + day * 86_400_000_000 for day in (10, 20, 30, 40)]
    listings = [
        Listing(future(f"BTC-{day}", "BTC", inverse=True, expiry=day), Decimal(50000), "row") for day in days
    ]
    perpetual = Listing(future("BTC-PERPETUAL", "BTC", inverse=True, expiry=None), Decimal(50000), "row")
    earlier = Snapshot.build(
        assemble("then", NOW, {"BTC": Decimal(50000)}, [perpetual, *listings]), domain=64
    )
    today = assemble("now", days[2] + 1, {"BTC": Decimal(50000)}, [perpetual, listings[3]])
    with pytest.raises(InputError) as caught:
        Snapshot.build(today, universe=earlier.universe, settlements={("BTC", days[1]): Decimal(49000)})
    told = str(caught.value)
    assert told.count("PRICE") == 2
    assert "BTC,2026-01-11" in told
    assert "BTC,2026-01-31" in told
    assert "BTC,2026-01-21" not in told
