"""The law that ties engine and rows, for any model, and fillings of rows by provers who choose as they like."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from zkmargin.circuits import WitnessError, build_relation
from zkmargin.circuits.relation import Choice, Relation
from zkmargin.circuits.witness import Witness, assign, check
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level

LAST = "account value less the {} requirement and the threshold"


def bound_rows(relation: Relation) -> int:
    """How many rows say that each quantity is within its bound."""
    return sum("quantity within its bound" in row.name for row in relation.rows)


def satisfied(made: Snapshot, lots: list[int], model: str, level: Level, threshold: int) -> None:
    """Raises WitnessError unless an honest prover can fill every row."""
    relation = build_relation(made, model=model, level=level, threshold=threshold)
    check(relation, assign(relation, lots))


def law(made: Snapshot, lots: list[int], model: str, level: Level) -> None:
    """The excess proves; one tick more is short in the last row."""
    excess = requirement(made, lots, model=model, level=level).excess_ticks
    satisfied(made, lots, model, level, excess)
    with pytest.raises(WitnessError) as refused:
        satisfied(made, lots, model, level, excess + 1)
    assert refused.value.row == LAST.format(level)


def at_the_bounds(made: Snapshot, model: str) -> None:
    """No honest account is refused for want of bits, up to the bounds of all slots."""
    bounds = [instrument.bound for instrument in made.universe.instruments]
    for signs in ([1] * len(bounds), [-1] * len(bounds), [(-1) ** slot for slot in range(len(bounds))]):
        law(made, [sign * bound for sign, bound in zip(signs, bounds, strict=True)], model, "initial")


def free_rows(relation: Relation) -> dict[str, int]:
    """The rows that a prover chooses, by name."""
    return {row.name: index for index, row in enumerate(relation.rows) if row.free}


def refilled(relation: Relation, lots: list[int], chosen: Mapping[int, int]) -> Witness:
    """The witness with some free rows chosen, the others as an honest prover fills them."""
    rows = [replace(row, closes=None) if row.closes in chosen else row for row in relation.rows]
    for index, value in chosen.items():
        rows[index] = replace(rows[index], closes=None, choice=_constant(value))
    return assign(replace(relation, rows=tuple(rows)), lots)


def _constant(value: int) -> Choice:
    return lambda _holdings, _rows: value
