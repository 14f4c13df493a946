"""The rows of SPAN against the engine, and against a prover who fills the free rows as he likes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import coo_array

from tests.circuits.law import bound_rows
from tests.margin.span_cases import METHODS, accounts, section, sections, snapshot
from zkmargin.circuits import WitnessError, build_relation
from zkmargin.circuits.relation import Choice, Relation
from zkmargin.circuits.witness import Witness, assign, check
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.market.inputs import Inputs, Quote
from zkmargin.margin.models.span.scenarios import cells
from zkmargin.margin.models.span.tables import (
    LARGEST_CREDIT,
    CommodityTable,
    InterLegTable,
    InterTable,
    IntraTable,
    LegTable,
    Minimum,
    Period,
    Pool,
    SpanTables,
    TierTable,
)
from zkmargin.margin.parameters.span import Side
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level

LAST = "account value less the {} requirement and the threshold"


def prove(made: Snapshot, lots: list[int], level: Level, threshold: int) -> None:
    relation = build_relation(made, model="span", level=level, threshold=threshold)
    check(relation, assign(relation, lots))


def law(made: Snapshot, lots: list[int], level: Level) -> None:
    """The excess proves, one tick more is short."""
    excess = requirement(made, lots, model="span", level=level).excess_ticks
    prove(made, lots, level, excess)
    with pytest.raises(WitnessError) as refused:
        prove(made, lots, level, excess + 1)
    assert refused.value.row == LAST.format(level)


@settings(max_examples=25, deadline=None)
@given(st.data(), sections(), st.sampled_from(LEVELS))
def test_the_law(data: st.DataObject, drawn: dict[str, Any], level: Level) -> None:
    made = snapshot(drawn)
    law(made, data.draw(accounts(made)), level)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_the_law_for_every_method_of_credit(method: str, data: st.DataObject) -> None:
    made = snapshot(section(method))
    law(made, data.draw(accounts(made)), "initial")


@pytest.mark.fuzz
@settings(max_examples=1500, deadline=None)
@given(st.data(), sections(), st.sampled_from(LEVELS))
def test_the_law_at_length(data: st.DataObject, drawn: dict[str, Any], level: Level) -> None:
    made = snapshot(drawn)
    law(made, data.draw(accounts(made)), level)


@pytest.mark.parametrize("method", METHODS)
def test_an_account_at_its_bounds_fits_the_rows(method: str) -> None:
    """No honest account is refused for want of bits."""
    made = snapshot(section(method))
    bounds = [instrument.bound for instrument in made.universe.instruments]
    for signs in ([1] * len(bounds), [-1] * len(bounds), [(-1) ** slot for slot in range(len(bounds))]):
        law(made, [sign * bound for sign, bound in zip(signs, bounds, strict=True)], "initial")


def test_however_finely_the_net_delta_is_rounded_it_can_be_proven() -> None:
    """The rows of price risk are no wider than money, whatever it is divided by."""
    made = snapshot(section("normal", delta_rounding="0.000001"))
    bounds = [instrument.bound for instrument in made.universe.instruments]
    law(made, bounds, "initial")
    law(made, [bound if slot % 2 else -bound // 3 for slot, bound in enumerate(bounds)], "maintenance")


def large_credits(domain: int) -> Snapshot:
    """Four slots, and lots so fine that a credit can pass the largest that counts: 2^100 money units."""
    risk = np.zeros((16, 4), dtype=np.int64)
    risk[10:12, 0] = -(1 << 61)
    first = CommodityTable(
        name="X",
        periods=(Period("near", (1,), (1000,)), Period("far", (2,), (1000,))),
        pools=(Pool("near", (0,), (0, 1), (0, 1)), Pool("far", (1,), (0, 1), (0, 1))),
        spreads=(),
        tiers=(TierTable("near", (0,)),),
        price_risk="normal",
        scan_range=(0, 1),
        delta_step=1,
        minimums=(),
        minimum_method="gross",
        capped_slots=(),
        capped_values=(),
        ratio={"initial": (1, 1), "maintenance": (1, 1)},
    )
    second = replace(
        first,
        name="Y",
        periods=(Period("near", (3,), (1000,)),),
        pools=first.pools[:1],
        price_risk="scan_range",
    )
    spread = InterTable("across", (0, 1), (1, 1), (InterLegTable(0, 0, "A", 1), InterLegTable(1, 0, "B", 1)))
    units = np.array([0, 0, 0, 1], dtype=np.int64)
    tables = SpanTables(cells(), ("X", "Y"), units, risk, (first, second), (spread,), ())
    base = snapshot()
    pattern = base.universe.instruments[base.universe.slot("BTC_USD-2026-03-27")]
    bounds = ((1 << 47) - 1, 511, 511, 511)
    universe = Universe(
        tuple(replace(pattern, name=f"C{k}", lot_exponent=0, bound=b) for k, b in enumerate(bounds)), domain
    )
    inputs = Inputs("fine", {"BTC": "1"}, tuple(Quote("1") for _ in bounds))
    marks = np.zeros(4, dtype=np.int64)
    return replace(base, universe=universe, inputs=inputs, marks=marks, models={"span": tables})


@pytest.mark.parametrize("domain", [64, 1024, 2048])
def test_a_credit_stops_at_the_largest_and_its_account_is_not_refused(domain: int) -> None:
    """However many bits its row has: neither is more proven, nor does what the cap leaves over need more room."""
    made = large_credits(domain)
    for losing in (1 << 40, 1 << 46):
        law(made, [losing, 511, -510, -511], "initial")
    relation = build_relation(made, model="span")
    relation = relation.at(-relation.reach)
    honest = assign(relation, [1 << 46, 511, -510, -511])
    check(relation, honest)
    found = {row.name: index for index, row in enumerate(relation.rows)}
    credit = found["X: credit on price risk"]
    assert honest.rows[credit] == LARGEST_CREDIT
    more = {credit: LARGEST_CREDIT + 1, found["X: weighted price risk"]: LARGEST_CREDIT // 511000 + 2}
    with pytest.raises(WitnessError, match=r"X: credit capped|beyond the row's range"):
        check(relation, refilled(relation, honest, more))


# A prover who fills the free rows as he likes: small tables, and all integers searched --------------------


BOUND = 5
ACROSS: list[tuple[Side, Side]] = [("A", "B"), ("B", "A"), ("A", "A")]
WITHIN: tuple[Side, Side] = ("A", "B")


@st.composite
def small_tables(draw: st.DrawFn) -> tuple[SpanTables, list[int]]:
    """Tables with small numbers for two commodities of three contracts each, and the contracts' marks."""
    names = ("X", "Y")
    small = st.integers(-9, 9)
    risk = [[draw(small) for _ in range(6)] for _ in range(16)]
    commodities = []
    for number, name in enumerate(names):
        slots = range(3 * number, 3 * number + 3)
        periods = tuple(Period(f"month {slot}", (slot,), (draw(st.integers(-3, 3)),)) for slot in slots)
        grouped: Sequence[tuple[int, ...]] = draw(
            st.sampled_from([((0,), (1,), (2,)), ((0, 1), (2,)), ((0,), (1, 2))])
        )
        pools = tuple(
            Pool(f"pool {k}", held, (draw(st.integers(0, 3)), 1), (draw(st.integers(0, 3)), 2))
            for k, held in enumerate(grouped)
        )
        runs = [tuple(range(a, b)) for a in range(len(pools)) for b in range(a + 1, len(pools) + 1)]
        spreads: list[IntraTable] = []
        for _ in range(draw(st.integers(0, 2))):
            legs = [LegTable(side, draw(st.integers(1, 3)), draw(st.sampled_from(runs))) for side in WITHIN]
            spreads.append(IntraTable(f"spread {len(spreads)}", (draw(st.integers(0, 7)), 2), tuple(legs)))
        tiers: Sequence[tuple[int, ...]] = draw(
            st.sampled_from([runs[-1:], [(0,), (1,)], [runs[len(pools) - 1]]])
        )
        options = draw(st.lists(st.sampled_from(list(slots)), unique=True, max_size=2))
        commodities.append(
            CommodityTable(
                name=name,
                periods=periods,
                pools=pools,
                spreads=tuple(spreads),
                tiers=tuple(TierTable(f"tier {k}", held) for k, held in enumerate(tiers)),
                price_risk="scan_range",
                scan_range=(draw(st.integers(0, 5)), 1),
                delta_step=draw(st.integers(1, 3)),
                minimums=(Minimum(tuple(options[:1]), tuple(options[1:]), (4,) * len(options[:1]),
                                  (3,) * len(options[1:])),) if options else (),
                minimum_method=draw(st.sampled_from(["gross", "max"])),
                capped_slots=tuple(options) if draw(st.booleans()) else (),
                capped_values=(),
                ratio={"initial": (11, 10), "maintenance": (1, 1)},
            )
        )  # fmt: skip
    marks = [draw(st.integers(-6, 6)) for _ in range(6)]
    commodities = [
        replace(c, capped_values=tuple(marks[slot] for slot in c.capped_slots)) for c in commodities
    ]
    inter: list[InterTable] = []
    for _ in range(draw(st.integers(0, 2))):
        legs_across = tuple(
            InterLegTable(number, draw(st.integers(0, len(commodities[number].tiers) - 1)), side,
                          draw(st.integers(1, 3)))
            for number, side in enumerate(draw(st.sampled_from(ACROSS)))
        )  # fmt: skip
        if draw(st.booleans()):
            inter.append(
                InterTable(f"across {len(inter)}", (draw(st.integers(0, 4)), 1), (0, 1), legs_across)
            )
        else:
            inter.append(
                InterTable(f"across {len(inter)}", (0, 1), (1, draw(st.integers(1, 2))), legs_across)
            )
    unit_of = np.array([0, 0, 0, 1, 1, 1], dtype=np.int64)
    made = SpanTables(
        cells(), names, unit_of, np.array(risk, dtype=np.int64), tuple(commodities), tuple(inter), ()
    )
    return made, marks


def small_snapshot(made: SpanTables, marks: Sequence[int]) -> Snapshot:
    """A snapshot of six contracts in lots of one, whose money unit is its quantum."""
    base = snapshot()
    pattern = base.universe.instruments[base.universe.slot("BTC_USD-2026-03-27")]
    universe = Universe(
        tuple(replace(pattern, name=f"C{k}", lot_exponent=0, bound=BOUND) for k in range(6)), 64
    )
    inputs = Inputs("small", {"BTC": "1"}, tuple(Quote("1") for _ in range(6)))
    made.check(6, "small")
    return replace(
        base, universe=universe, inputs=inputs, marks=np.array(marks, dtype=np.int64), models={"span": made}
    )


def greatest(relation: Relation, lots: Sequence[int], row: int, sign: int = 1) -> int:
    """The greatest value of ``sign`` times a row over all witnesses; equations with squares are left out."""
    q = [*lots, *([0] * (relation.domain - len(lots)))]
    base = [a + c for a, c in zip(relation.holdings.times(q), relation.constants, strict=True)]
    squared = [bool(relation.v_terms.row(e)) or t < 0 for e, t in enumerate(relation.defines)]
    entries = [
        (e, s, a)
        for e in range(relation.equations)
        if not squared[e]
        for s, a in relation.row_terms.row(e).items()
    ]
    equations, places, values = zip(*entries, strict=True)
    kept = sorted({e for e, _, _ in entries})
    matrix = coo_array((values, ([kept.index(e) for e in equations], places)),
                       shape=(len(kept), len(relation.rows)))  # fmt: skip
    right = [-base[e] for e in kept]
    top = [min((1 << (relation.bits * r.limbs)) - 1, 10**6) for r in relation.rows]
    cost = np.zeros(len(relation.rows))
    cost[row] = -sign
    found = milp(
        cost,
        constraints=LinearConstraint(matrix.tocsr(), right, right),
        bounds=(np.zeros(len(top)), np.array(top)),
        integrality=np.ones(len(top)),
        options={"mip_rel_gap": 0},
    )
    assert found.status == 0
    value: float = -found.fun
    return round(value)


def unbeaten(tables: SpanTables, marks: Sequence[int], lots: list[int], level: Level) -> None:
    made = small_snapshot(tables, marks)
    found = requirement(made, lots, model="span", level=level)
    relation = build_relation(made, model="span", level=level, threshold=found.excess_ticks - 1000)
    witness = assign(relation, lots)
    check(relation, witness)
    denominator = Fraction(witness.rows[-1]) / (found.excess - found.excess_ticks + 1000)
    assert denominator.denominator == 1
    assert greatest(relation, lots, len(relation.rows) - 1) == witness.rows[-1]


small_accounts = st.lists(st.integers(-BOUND, BOUND), min_size=6, max_size=6)


@settings(max_examples=25, deadline=None)
@given(small_tables(), small_accounts, st.sampled_from(LEVELS))
def test_no_choice_of_rows_proves_more(
    drawn: tuple[SpanTables, list[int]], lots: list[int], level: Level
) -> None:
    """Integer programming over every row finds no better excess than the engine's: spreads are what they are."""
    unbeaten(*drawn, lots, level)


@pytest.mark.fuzz
@settings(max_examples=1500, deadline=None)
@given(small_tables(), small_accounts, st.sampled_from(LEVELS))
def test_no_choice_of_rows_proves_more_at_length(
    drawn: tuple[SpanTables, list[int]], lots: list[int], level: Level
) -> None:
    unbeaten(*drawn, lots, level)


@settings(max_examples=15, deadline=None)
@given(small_tables(), small_accounts)
def test_no_choice_of_rows_gives_more_price_risk(
    drawn: tuple[SpanTables, list[int]], lots: list[int]
) -> None:
    """The worst scenario is the first that loses most, whatever the prover would like it to be."""
    tables, marks = drawn
    legs = (InterLegTable(0, 0, "A", 1), InterLegTable(1, 0, "B", 1))
    spread = InterTable("across", (0, 1), (1, 2), legs)
    commodities = tuple(replace(c, price_risk="normal", spreads=()) for c in tables.commodities)
    made = small_snapshot(replace(tables, commodities=commodities, spreads=(spread,)), marks)
    excess = requirement(made, lots, model="span").excess_ticks
    relation = build_relation(made, model="span", threshold=excess - 1000)
    honest = assign(relation, lots)
    check(relation, honest)
    for index, row in enumerate(relation.rows):
        if row.name.endswith("twice the price risk"):
            assert greatest(relation, lots, index) == honest.rows[index]
        if row.name.endswith("rounded net delta"):
            assert greatest(relation, lots, index) == honest.rows[index]
            assert -greatest(relation, lots, index, -1) == honest.rows[index]


def test_a_commodity_without_net_delta_earns_no_price_risk() -> None:
    """Its deltas are in spreads, and dividing by nothing must not give anything."""
    made = snapshot(section("normal", intra_spreads=[], delivery=[]))
    lots = [0] * len(made.universe)
    for name, quantity in (
        ("BTC_USD-2026-03-27", 1),
        ("BTC_USD-2026-04-24", -1),
        ("ETH_USD-2026-03-27", -30),
    ):
        lots[made.universe.slot(name)] = quantity * 1000
    law(made, lots, "initial")
    relation = build_relation(made, model="span", threshold=-(10**12))
    honest = assign(relation, lots)
    found = {row.name: index for index, row in enumerate(relation.rows)}
    assert honest.rows[found["BTC: rounded net delta"]] == 0
    assert any(honest.rows[index] for name, index in found.items() if name.endswith("way 1: spreads"))
    check(relation, honest)
    chosen = {found["BTC: weighted price risk"]: 1, found["BTC: credit on price risk"]: 0}
    with pytest.raises(WitnessError, match="no price risk without a net delta"):
        check(relation, refilled(relation, honest, chosen))


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_one_step_in_any_free_row_gains_nothing(method: str, data: st.DataObject) -> None:
    """With one free row moved and all others filled to fit, a row fails or the last row is no larger."""
    made = snapshot(section(method))
    lots = data.draw(accounts(made))
    excess = requirement(made, lots, model="span").excess_ticks
    relation = build_relation(made, model="span", threshold=excess - 10**9)
    honest = assign(relation, lots)
    free = [index for index, row in enumerate(relation.rows) if row.free]
    for index in data.draw(st.lists(st.sampled_from(free), min_size=6, max_size=6)):
        for step in (-1, 1):
            moved = refilled(relation, honest, {index: honest.rows[index] + step})
            if stands(relation, moved):
                assert moved.rows[-1] <= honest.rows[-1], relation.rows[index].name


def stands(relation: Relation, witness: Witness) -> bool:
    try:
        check(relation, witness)
    except WitnessError:
        return False
    return True


def _always(value: int) -> Choice:
    return lambda _q, _rows: value


def refilled(relation: Relation, honest: Witness, chosen: Mapping[int, int]) -> Witness:
    """The witness with some free rows chosen, and the other free rows filled as an honest prover would."""
    rows = tuple(
        replace(row, closes=None, choice=_always(chosen[index]))
        if index in chosen
        else replace(row, closes=None)
        if row.closes in chosen
        else row
        for index, row in enumerate(relation.rows)
    )
    return assign(replace(relation, rows=rows), honest.holdings)


# Shape ----------------------------------------------------------------------------------------------


def test_how_many_rows_it_takes() -> None:
    """17 for scanning, 5 a period and tier, 6 a direction of a spread, 5 more where a leg has another pool."""
    bare: dict[str, Any] = {"intra_spreads": [], "delivery": [], "short_option_minimum": "0"}
    without = {**section(**bare), "inter_spreads": []}
    made = snapshot(without)
    own = bound_rows(build_relation(made, model="span"))
    haircuts = 2 * 2
    scanning = 2 * (17 + 2)
    assert len(build_relation(made, model="span").rows) == own + scanning + haircuts + 1
    across = {**section(**bare), "inter_spreads": section()["inter_spreads"][:1]}
    made = snapshot(across)
    tables: Any = made.models["span"]
    periods = sum(len(pool.periods) for c in tables.commodities for pool in c.pools)
    tiers = sum(len(c.tiers) for c in tables.commodities)
    assert len(build_relation(made, model="span").rows) == (
        own + scanning + haircuts + 1 + 5 * (periods + tiers) + 2 * 6
    )
