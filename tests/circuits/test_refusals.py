"""Relations that say nothing, say it twice, or could wrap around in the field are never built."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from tests.argument.toys import Toy
from zkmargin.algebra import MODULUS
from zkmargin.circuits import Relation, RelationError
from zkmargin.circuits.builder import RelationBuilder
from zkmargin.circuits.matrix import IntMatrix
from zkmargin.circuits.relation import SQUARE_BOUND, Unit

USD = Unit("USD")


def builder(limit: int = 100) -> RelationBuilder:
    fresh = RelationBuilder(64)
    fresh.bounded(0, limit)
    return fresh


def refused(words: str, build: Callable[[], object]) -> None:
    with pytest.raises(RelationError, match=words):
        build()


def test_an_empty_relation_says_nothing() -> None:
    refused("says nothing", RelationBuilder(64).build)
    only_squares = builder()
    only_squares.square({0: 1})
    refused("says nothing", only_squares.build)
    free = builder()
    free.free("chosen", USD, choice=lambda q, rows: 0, limit=1)
    refused("says nothing", free.build)


@pytest.mark.parametrize("domain", [2, 32, 63, 96, 4096])
def test_a_domain_is_a_power_of_two_within_limits(domain: int) -> None:
    wrong = RelationBuilder(domain)
    wrong.honest[0] = 1
    wrong.row("row", USD, {0: 1})
    refused("power of two", wrong.build)


def test_every_variable_in_use_is_bounded() -> None:
    wrong = builder()
    wrong.row("row", USD, {1: 1})
    refused("variable 1 is used but nothing bounds it", wrong.build)
    square = builder()
    square.square({2: 1})
    square.row("row", USD, {0: 1}, u={0: 1})
    refused("variable 2 is used but nothing bounds it", square.build)


def test_a_variable_has_one_bound() -> None:
    refused("variable 0 needs one bound", lambda: builder().bounded(0, 5))
    refused("variable 0 needs one bound", lambda: builder().ranged("range", 0, 5))
    refused("variable 1 needs one bound, which is not negative", lambda: builder().bounded(1, -1))
    for variable in (-1, 64):
        refused("lies outside the 64 slots", partial(builder().bounded, variable, 1))


def test_a_free_row_is_closed_or_chosen() -> None:
    refused("needs its greatest value", lambda: builder().free("f", USD, choice=lambda q, rows: 0))
    wrong = builder()
    slack, row = wrong.free("slack", USD), wrong.row("row", USD, {0: 1})
    chosen = wrong.free("chosen", USD, choice=lambda q, rows: 0, limit=1)
    for rows, closes in (({slack: -1}, slack), ({}, slack), ({row: 1}, row), ({chosen: 1}, chosen)):
        refused("can be closed", partial(wrong.row, "closing", USD, {0: 1}, rows, closes=closes))
    refused("slack: a free row that nothing closes", wrong.build)


def test_an_equation_speaks_of_what_is_there() -> None:
    wrong = builder()
    for rows in ({0: 1}, {5: 1}, {-1: 1}):
        refused("not there yet", partial(wrong.row, "itself", USD, {0: 1}, rows))
        refused("not there yet", partial(wrong.square, {0: 1}, rows))
    for cells in ({0: 1}, {-1: 1}):
        refused("not there yet", partial(wrong.row, "row", USD, {0: 1}, u=cells))
        refused("not there yet", partial(wrong.row, "row", USD, {0: 1}, v=cells))


def test_slacks_that_depend_on_each_other_are_refused() -> None:
    wrong = builder()
    first, second = wrong.free("first", USD), wrong.free("second", USD)
    wrong.row("closes first", USD, {0: 1}, {first: 1, second: -1}, closes=first)
    wrong.row("closes second", USD, {0: -1}, {second: 1, first: -1}, closes=second)
    refused("depends on itself", wrong.build)


def relation(**changes: object) -> Relation:
    """One row y = q0 + constant over |q0| <= 5, with fields of our choice."""
    simple = RelationBuilder(64)
    simple.bounded(0, 5)
    simple.row("row", USD, {0: 1}, constant=100)
    return replace(simple.build(), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_bound_against_wrapping_around_is_tight(sign: int) -> None:
    """(2^12 - 1) + 5 + |constant| < r, to the unit."""
    row = 2**12 - 1
    relation(constants=(sign * (MODULUS - row - 5 - 1),))
    with pytest.raises(RelationError, match="row: the equation could wrap around"):
        relation(constants=(sign * (MODULUS - row - 5),))
    with pytest.raises(RelationError, match="could wrap around"):
        relation(holding_bounds=(MODULUS, *([0] * 63)))


def test_a_square_stays_below_its_bound() -> None:
    for limit, fits in ((SQUARE_BOUND - 1, True), (SQUARE_BOUND, False)):
        made = RelationBuilder(64)
        made.bounded(0, limit)
        cell = made.square({0: 1})
        chosen = made.free("chosen", USD, choice=lambda q, rows: 0, limit=1)
        made.row("row", USD, {}, {chosen: 1}, u={cell: 0}, v={cell: 0})
        if fits:
            made.build()
        else:
            refused("squared cell can reach", made.build)


def test_the_reach_of_a_square_counts_with_its_coefficient() -> None:
    made = RelationBuilder(64)
    made.bounded(0, (1 << 120) - 1)
    cell = made.square({0: 1})
    made.row("row", USD, {}, v={cell: -(1 << 15)}, constant=1)
    refused("row: the equation could wrap around", made.build)


def test_a_row_too_wide_for_its_weights_is_refused() -> None:
    """A free row, and one that others use, are not written as two."""
    made = builder()
    made.free("wide", USD, choice=lambda q, rows: 0, limit=1 << 132)
    made.row("row", USD, {0: 1})
    refused("wide: 23 limbs of 6 bits are too many", made.build)
    used = builder()
    row = used.row("wide", USD, {0: 1}, constant=1 << 132)
    used.row("uses it", USD, {}, {row: 1})
    refused("wide: 23 limbs of 6 bits are too many", used.build)
    fits = builder()
    fits.row("wide", USD, {0: 1}, constant=(1 << 132) - 101)
    assert fits.build().limb_weights.row(0)[21] == 1 << 126


TOY = Toy(squares=True).relation()
NOTHING = IntMatrix.from_rows([{}] * TOY.equations, 64)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rows": ()}, "says nothing"),
        ({"constants": ()}, "says nothing"),
        ({"columns": 0}, "needs a holdings column"),
        ({"squares": 65}, "at most n squares"),
        ({"group": 0}, "at least one limb column"),
        ({"group": -1}, "at least one limb column"),
        ({"domain": 96}, "power of two"),
        ({"defines": (*TOY.defines[:-1], TOY.defines[0])}, "exactly one equation"),
        ({"defines": (*TOY.defines[:-1], -2)}, "exactly one equation"),
        ({"squares": 0}, "each square cell needs exactly one equation"),
        ({"squares": 2}, "each square cell needs exactly one equation"),
        (
            {"row_terms": IntMatrix.from_rows([{}] * TOY.equations, len(TOY.rows))},
            "does not define what it should",
        ),
        ({"u_terms": NOTHING}, "does not define what it should"),
        ({"rows": tuple(replace(row, limbs=0) for row in TOY.rows)}, "limbs of 6 bits"),
        ({"rows": tuple(replace(row, free=True) for row in TOY.rows)}, "exactly one equation"),
    ],
)
def test_a_relation_put_together_by_hand_is_checked_too(changes: dict[str, object], words: str) -> None:
    with pytest.raises(RelationError, match=words):
        replace(TOY, **changes)  # type: ignore[arg-type]


def test_a_square_in_use_is_defined() -> None:
    rows = list(TOY.v_terms.mappings)
    wrong = IntMatrix.from_rows([*rows[:-1], {**rows[-1], 1: 1}], 64)
    with pytest.raises(RelationError, match="uses a square cell that nothing defines"):
        replace(TOY, v_terms=wrong)


def test_a_square_is_defined_without_squares() -> None:
    place = TOY.defines.index(-1)
    rows = list(TOY.v_terms.mappings)
    wrong = IntMatrix.from_rows([*rows[:place], {0: 1}, *rows[place + 1 :]], 64)
    with pytest.raises(RelationError, match="by holdings, rows and constants only"):
        replace(TOY, v_terms=wrong)
