"""The rows of TIMS against the engine, and against a prover who fills the free rows as he likes."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tests.circuits.law import bound_rows
from tests.margin.securities import NESTED, SECTIONS, accounts, sections, snapshot, wide_market
from zkmargin.circuits import CommitmentTerm, Statement, WitnessError, build_relation
from zkmargin.circuits.account_rows import FINEST_FACTOR
from zkmargin.circuits.relation import Choice, Relation
from zkmargin.circuits.witness import Witness, assign, check
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.models.tims.tables import TimsTables
from zkmargin.margin.parameters.tims import TimsParameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level

LAST = "account value less the {} requirement and the threshold"


def prove(made: Snapshot, lots: list[int], level: Level, threshold: int) -> None:
    relation = build_relation(made, model="tims", level=level, threshold=threshold)
    check(relation, assign(relation, lots))


def law(made: Snapshot, lots: list[int], level: Level) -> None:
    """The excess proves; one tick more is short by at most that tick."""
    excess = requirement(made, lots, model="tims", level=level).excess_ticks
    prove(made, lots, level, excess)
    with pytest.raises(WitnessError) as refused:
        prove(made, lots, level, excess + 1)
    assert refused.value.row == LAST.format(level)


@settings(max_examples=20, deadline=None)
@given(st.data(), sections(), st.sampled_from(LEVELS))
def test_the_law(data: st.DataObject, section: dict[str, Any], level: Level) -> None:
    made = snapshot(wide_market(5), section)
    law(made, data.draw(accounts(made)), level)


@pytest.mark.parametrize("name", SECTIONS)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_the_law_for_sixty_positions(name: str, data: st.DataObject) -> None:
    made = wide(name)
    law(made, data.draw(accounts(made)), "initial")


@pytest.mark.fuzz
@settings(max_examples=600, deadline=None)
@given(st.data(), sections(), st.sampled_from(LEVELS))
def test_the_law_at_length(data: st.DataObject, section: dict[str, Any], level: Level) -> None:
    made = snapshot(wide_market(), section)
    law(made, data.draw(accounts(made)), level)


_WIDE: dict[str, Snapshot] = {}


def wide(name: str) -> Snapshot:
    if name not in _WIDE:
        _WIDE[name] = snapshot(wide_market(), SECTIONS[name])
    return _WIDE[name]


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_an_account_at_its_bounds_fits_the_rows(section: Mapping[str, Any]) -> None:
    """No honest account is refused for want of bits."""
    made = snapshot(wide_market(3), section)
    bounds = [instrument.bound for instrument in made.universe.instruments]
    for signs in ([1] * len(bounds), [-1] * len(bounds), [(-1) ** slot for slot in range(len(bounds))]):
        law(made, [sign * bound for sign, bound in zip(signs, bounds, strict=True)], "initial")


def test_what_is_in_no_class_has_no_minimum() -> None:
    """Rows and engine agree on it, whatever rates the tables have there."""
    made = snapshot(wide_market(3), NESTED)
    tables, cash = tables_of(made), made.universe.slot("USD")
    rates = np.array([10**6 if slot == cash else 0 for slot in range(len(made.universe))])
    rated = replace(
        tables, minimum_long=tables.minimum_long + rates, minimum_short=tables.minimum_short + rates
    )
    stated = replace(made, models={"tims": rated})
    for held in (-(10**10), 10**10):
        lots = [held if slot == cash else 0 for slot in range(len(made.universe))]
        assert requirement(stated, lots, model="tims").requirement == 0
        law(stated, lots, "initial")


# A prover who fills the free rows as he likes -------------------------------------------------------


def most(relation: Relation, lots: list[int]) -> Fraction:
    """The greatest value of the last row over all real free rows >= 0 that leave no other row below zero.

    Free rows are searched by linear programming, at the scale of what an honest prover writes.
    """
    honest = assign(relation, lots).rows
    free = [index for index, row in enumerate(relation.rows) if row.free]
    place = {index: column for column, index in enumerate(free)}
    scale = [max(1, honest[index]) for index in free]
    base = [
        a + c
        for a, c in zip(
            relation.holdings.times([*lots, *([0] * (relation.domain - len(lots)))]),
            relation.constants,
            strict=True,
        )
    ]
    # Every defined row as a form of free rows; no row of this model speaks of another defined one.
    forms, constants = [], []
    for equation, target in enumerate(relation.defines):
        terms = {s: a for s, a in relation.row_terms.mappings[equation].items() if s != target}
        assert set(terms) <= set(free)
        norm = max(1, abs(base[equation]), *(abs(a) * scale[place[s]] for s, a in terms.items()))
        form = np.zeros(len(free))
        for s, a in terms.items():
            form[place[s]] = float(Fraction(a * scale[place[s]], norm))
        forms.append(form)
        constants.append((base[equation], norm))
    last, (constant, norm) = forms.pop(), constants.pop()
    found = linprog(
        -last,
        A_ub=-np.array(forms),
        b_ub=[float(Fraction(c, n)) for c, n in constants],
        bounds=[(0, None)] * len(free),
        method="highs",
        # The default tolerances of 1e-7 on each row add up to more than that in the last one.
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert found.status == 0
    return Fraction(-found.fun) * norm + constant


@pytest.mark.parametrize("name", SECTIONS)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_no_choice_of_free_rows_proves_more(name: str, data: st.DataObject) -> None:
    """The optimum over the free rows is what the engine finds: nesting and the minimum lose nothing and give
    nothing away.
    """
    made = wide(name)
    free_choice(made, data.draw(accounts(made)), "initial")


@pytest.mark.fuzz
@settings(max_examples=300, deadline=None)
@given(st.data(), sections(), st.sampled_from(LEVELS))
def test_no_choice_of_free_rows_proves_more_at_length(
    data: st.DataObject, section: dict[str, Any], level: Level
) -> None:
    made = snapshot(wide_market(5), section)
    free_choice(made, data.draw(accounts(made)), level)


def tables_of(made: Snapshot) -> TimsTables:
    tables = made.models["tims"]
    assert isinstance(tables, TimsTables)
    return tables


def free_choice(made: Snapshot, lots: list[int], level: Level) -> None:
    relation = build_relation(made, model="tims", level=level)
    honest = assign(relation, lots)
    found = requirement(made, lots, model="tims", level=level)
    denominator = tables_of(made).factor[level][1]
    if denominator > FINEST_FACTOR:
        # What the losses count is a row of its own, rounded up to a whole money unit.
        denominator = 1
    assert honest.rows[-1] == floor(denominator * found.excess)
    size = abs(found.account_value) + found.requirement + 1
    # Gains count in whole money units; the linear program may take fractions, less than a unit in each row.
    rounding = Fraction(len(relation.rows)) / size
    gap = (most(relation, lots) / denominator - found.excess) / size
    assert float(gap) == pytest.approx(0, abs=1e-7 + float(rounding))


def test_a_larger_slack_only_harms() -> None:
    """One step more in any free row leaves the last row where it is, or lowers it."""
    made = wide("nested")
    lots = [10**13] + [(-1) ** slot * (3 + slot % 5) for slot in range(1, len(made.universe))]
    relation = build_relation(made, model="tims")
    honest = assign(relation, lots)
    for index, row in enumerate(relation.rows):
        if row.free:
            greedy = refilled(relation, honest, {index: honest.rows[index] + 10**6})
            assert greedy.rows[-1] <= honest.rows[-1], row.name


def test_a_smaller_slack_leaves_a_row_below_zero() -> None:
    made = wide("nested, minimum by node")
    lots = [10**13] + [(-1) ** slot * (3 + slot % 5) for slot in range(1, len(made.universe))]
    relation = build_relation(made, model="tims")
    honest = assign(relation, lots)
    for index, row in enumerate(relation.rows):
        if row.free and honest.rows[index]:
            with pytest.raises(WitnessError):
                check(relation, refilled(relation, honest, {index: honest.rows[index] - 1}))


def refilled(relation: Relation, honest: Witness, chosen: Mapping[int, int]) -> Witness:
    """The witness with some free rows chosen, the other free rows as small as that allows."""
    rows = [replace(row, closes=None) if row.closes in chosen else row for row in relation.rows]
    for index, value in chosen.items():
        rows[index] = replace(rows[index], closes=None, choice=constant(value))
    return assign(replace(relation, rows=tuple(rows)), honest.holdings)


def constant(value: int) -> Choice:
    return lambda _holdings, _rows: value


# Shape ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SECTIONS)
def test_how_many_rows_it_takes(name: str) -> None:
    """20 for each class or group in a group, 11 for each in none, 2 for each contract, 2 for the minimum.

    A factor of many decimals takes 2 more.
    """
    made = wide(name)
    tables = tables_of(made)
    top, contracts = len(tables.top()), int(np.count_nonzero(tables.minimum_short))
    inner = len(tables.classes) + len(tables.groups) - top
    minimum = 2 if tables.minimum_scope == "account" else top
    fine = 2 * (tables.factor["initial"][1] > FINEST_FACTOR)
    own = 20 * inner + 11 * top + 2 * contracts + minimum + fine
    relation = build_relation(made, model="tims")
    assert len(relation.rows) == bound_rows(relation) + own + 1


def test_gains_that_count_in_full_need_no_rows() -> None:
    groups = {"broad": {"members": ["BIG", "SMALL"], "offset": "1"}}
    made = snapshot(wide_market(2), {"groups": groups, "minimum": "0"})
    names = [row.name for row in build_relation(made, model="tims").rows]
    assert not any("gain" in name or "minimum" in name or "long side" in name for name in names)


# Parameters -----------------------------------------------------------------------------------------


def mutations(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every leaf of the parameters, changed a little."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in mutations(inner, (*path, key))]
    if isinstance(value, list):
        return [(path, value[:-1])] if len(value) > 1 else []
    other = {"account": "group", "large-broad-index": "broad-index", None: "equity"}
    return [(path, other[value] if value in other else str(Decimal(value) * Decimal("0.99")))]


def test_every_parameter_changes_the_statement() -> None:
    section = TimsParameters.model_validate(NESTED).model_dump(mode="json")
    changed = mutations(section)
    assert len(changed) > 15
    digests = {stated(section)}
    for path, value in changed:
        document = json.loads(json.dumps(section))
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        digest = stated(document)
        assert digest not in digests, path
        digests.add(digest)


def stated(section: Mapping[str, Any]) -> bytes:
    made = snapshot(wide_market(2), section)
    terms = (CommitmentTerm(bytes(48)),)
    return Statement.about(made, terms, audience="bank", nonce="1", model="tims").digest
