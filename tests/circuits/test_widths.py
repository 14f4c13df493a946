"""Widths: whatever an honest account holds within its bounds, every row has bits enough and no limb too many."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.algebra.field import MODULUS
from zkmargin.circuits import Relation, WitnessError, assign, check
from zkmargin.circuits.builder import SPLIT, RelationBuilder, shortest_group
from zkmargin.circuits.errors import RelationError
from zkmargin.circuits.relation import Unit

USD, LOTS = Unit("USD", 100), Unit("lots")
SLOTS = 3


@dataclass(frozen=True)
class Plan:
    """A relation in numbers: the bounds, then rows of every kind, each as coefficients."""

    bounds: tuple[int, ...]
    slacks: tuple[tuple[tuple[int, ...], ...], ...]
    squares: tuple[tuple[int, ...], ...]
    rows: tuple[tuple[tuple[int, ...], int, int, int, int], ...]

    def build(self) -> Relation:
        builder = RelationBuilder(64)
        for variable, bound in enumerate(self.bounds):
            if variable % 2:
                builder.bounded(variable, bound)
            else:
                builder.ranged(f"range {variable}", variable, bound)
        slacks: list[int] = []
        for number, forms in enumerate(self.slacks):
            slack = builder.free(f"slack {number}", USD)
            for place, form in enumerate(forms):
                earlier = dict.fromkeys(slacks, -1 - place)
                builder.row(f"closes {number}.{place}", USD, held(form), {slack: 1, **earlier}, closes=slack)
            slacks.append(slack)
        cells = []
        for number, form in enumerate(self.squares):
            rows = {slacks[0]: 1} if slacks and number else {}
            cells.append(builder.square(held(form), rows, constant=number - 1))
        for number, (form, on_slack, on_u, on_v, constant) in enumerate(self.rows):
            builder.row(
                f"row {number}",
                USD,
                held(form),
                dict.fromkeys(slacks, on_slack),
                u=dict.fromkeys(cells, on_u),
                v=dict.fromkeys(cells, on_v),
                constant=constant,
            )
        return builder.build()


def held(form: tuple[int, ...]) -> dict[int, int]:
    return dict(enumerate(form))


small = st.integers(-50, 50)
forms = st.tuples(*[small] * SLOTS)
plans = st.builds(
    Plan,
    bounds=st.tuples(*[st.integers(0, 200)] * SLOTS),
    slacks=st.lists(st.lists(forms, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple),
    squares=st.lists(forms, max_size=2).map(tuple),
    rows=st.lists(
        st.tuples(forms, small, small, small, st.integers(-9999, 9999)), min_size=1, max_size=3
    ).map(tuple),
)


def no_row_overflows(relation: Relation, account: list[int]) -> None:
    """An honest account may fail to meet a row, but never for want of bits."""
    witness = assign(relation, account)
    for row, value in zip(relation.rows, witness.rows, strict=True):
        assert value < 1 << (relation.bits * row.limbs), row.name
        if row.free:
            assert value >= 0
    if min(witness.rows) >= 0:
        check(relation, witness)
    else:
        with pytest.raises(WitnessError, match="short by") as refusal:
            check(relation, witness)
        assert refusal.value.shortage == -next(value for value in witness.rows if value < 0)


@settings(max_examples=60, deadline=None)
@given(plans, st.data())
def test_every_honest_account_fits(plan: Plan, data: st.DataObject) -> None:
    relation = plan.build()
    account = [data.draw(st.sampled_from([-b, b]) | st.integers(-b, b)) for b in plan.bounds]
    no_row_overflows(relation, account)


@pytest.mark.fuzz
@settings(max_examples=3000, deadline=None)
@given(plans, st.data())
def test_every_honest_account_fits_at_length(plan: Plan, data: st.DataObject) -> None:
    relation = plan.build()
    for _ in range(4):
        account = [data.draw(st.sampled_from([-b, b]) | st.integers(-b, b)) for b in plan.bounds]
        no_row_overflows(relation, account)


@pytest.mark.parametrize(
    ("domain", "limit", "limbs"),
    [
        (64, 0, [1, 1]),
        (64, 31, [1]),
        (64, 32, [2, 2]),
        (64, 63, [1, 1, 1]),
        (64, 127, [1, 1, 1]),
        (64, 2047, [2]),
        (64, 2048, [3, 3]),
        (64, (1 << 21) - 1, [1, 3, 1]),
        (64, (1 << 53) - 1, [9]),
        (64, 3 * 2048 - 1, [1, 2, 1]),
        (1024, (1 << 21) - 1, [1, 2, 1]),
        (2048, (1 << 21) - 1, [2]),
        (2048, (1 << 32) - 1, [3]),
        (2048, (1 << 54) - 1, [5]),
    ],
)
def test_a_quantity_is_proven_to_lie_within_its_bound_on_either_side(
    domain: int, limit: int, limbs: list[int]
) -> None:
    builder = RelationBuilder(domain)
    builder.ranged("range", 0, limit)
    relation = builder.build()
    assert [row.limbs for row in relation.rows] == limbs
    spare = len(set(limbs)) > 1 or len(limbs) != 2
    assert relation.holding_bounds[0] == limit + spare
    for quantity in (-limit - spare, -limit, 0, limit):
        check(relation, assign(relation, [quantity]))
    for quantity in (-limit - spare - 1, limit + 1, limit + 2, 3 * limit + 3, 64 * limit + 64, MODULUS - 1):
        with pytest.raises(WitnessError, match=r"short by|beyond the row's range"):
            check(relation, assign(relation, [quantity]))


@pytest.mark.parametrize("limit", [0, 5, 31, 63, 127, 2047, 6143])
def test_no_filling_of_the_rows_shows_a_quantity_beyond_its_bound(limit: int) -> None:
    """Every value of every row: those that satisfy the equations are the quantities within the bound."""
    builder = RelationBuilder(64)
    builder.ranged("range", 0, limit)
    relation = builder.build()
    free = [index for index, row in enumerate(relation.rows) if row.free]
    for quantity in range(-2 * limit - 70, 2 * limit + 70):
        base = [
            a + c
            for a, c in zip(relation.holdings.times([quantity, *[0] * 63]), relation.constants, strict=True)
        ]
        possible = any(
            all(
                0 <= base[e] + sum(a * top for s, a in relation.row_terms.row(e).items() if s in free)
                < 1 << relation.bits * relation.rows[target].limbs
                for e, target in enumerate(relation.defines)
            )
            for top in (range(64) if free else (0,))
        )  # fmt: skip
        assert possible == (-relation.holding_bounds[0] <= quantity <= limit)


def test_a_slack_that_one_row_closes_costs_that_row_no_bits() -> None:
    """The row is max(0, form), and as wide as the form."""
    builder = RelationBuilder(64)
    builder.bounded(0, 63)
    slack = builder.free("long side", LOTS)
    builder.row("covers it", LOTS, {0: -1}, {slack: 1}, closes=slack)
    relation = builder.build()
    assert [row.limbs for row in relation.rows] == [1, 1]
    for quantity in (-63, 0, 63):
        check(relation, assign(relation, [quantity]))


def test_a_slack_that_two_rows_close_is_wide_enough_for_both() -> None:
    builder = RelationBuilder(64)
    builder.bounded(0, 63)
    slack = builder.free("worst", LOTS)
    for sign in (1, -1):
        builder.row(f"covers {sign}", LOTS, {0: sign}, {slack: 1}, closes=slack)
    relation = builder.build()
    assert [row.limbs for row in relation.rows] == [1, 2, 2]
    for quantity in (-63, 63):
        witness = assign(relation, [quantity])
        check(relation, witness)
        assert sorted(witness.rows[1:]) == [0, 126]


def test_a_slack_in_whole_steps_is_rounded_up() -> None:
    """3 slack >= 2 q: the least that covers it, and the row holds what the rounding leaves, 0 to 2."""
    builder = RelationBuilder(64)
    builder.bounded(0, 90)
    slack = builder.free("two thirds", LOTS)
    builder.row("covers them", LOTS, {0: -2}, {slack: 3}, closes=slack)
    relation = builder.build()
    assert [row.limbs for row in relation.rows] == [1, 2]
    for quantity, least, left in ((-90, 0, 180), (0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 2, 0), (90, 60, 0)):
        witness = assign(relation, [quantity])
        check(relation, witness)
        assert witness.rows == (least, left)
        if least:
            short = replace(witness, rows=(least - 1, left - 3))
            with pytest.raises(WitnessError, match="covers them: short by"):
                check(relation, short)


@pytest.mark.parametrize(
    ("exponent", "split"), [(70, False), (90, False), (91, True), (110, True), (126, True)]
)
def test_a_row_that_is_too_wide_is_written_as_two(exponent: int, split: bool) -> None:
    """What lies above 120 bits is a row of its own."""
    builder = RelationBuilder(64)
    builder.bounded(0, 1 << 40)
    slack = builder.free("at least twice as much", LOTS)
    builder.row("twice", LOTS, {0: 2}, {slack: 1}, closes=slack)
    builder.row("wide", USD, {0: 1 << exponent}, {slack: 1 << exponent})
    relation = builder.build()
    assert [row.upper_of for row in relation.rows] == [None, None, None, *[2] * split]
    assert all(row.free for row in relation.rows[3:])
    for quantity in (-(1 << 40), -1, 0, 1 << 40):
        witness = assign(relation, [quantity])
        check(relation, witness)
        value = quantity + max(0, -2 * quantity) << exponent
        assert witness.rows[2] + sum(high << SPLIT for high in witness.rows[3:]) == value


def test_no_upper_bits_make_up_for_a_row_below_zero() -> None:
    builder = RelationBuilder(64)
    builder.bounded(0, 1 << 40)
    builder.row("covered", USD, {0: 1 << 100})
    relation = builder.build()
    assert [row.upper_of for row in relation.rows] == [None, 0]
    witness = assign(relation, [-1])
    assert witness.rows == (-(1 << 100), 0)
    for high in (0, 1, 5):
        forged = replace(witness, rows=(-(1 << 100) - (high << SPLIT), high))
        with pytest.raises(WitnessError, match="covered: short by"):
            check(relation, forged)


def test_a_chosen_row_is_as_wide_as_it_is_said_to_be() -> None:
    """A bit, by a free row and the row 1 - bit."""
    builder = RelationBuilder(64)
    builder.bounded(0, 5)
    bit = builder.free("is long", LOTS, choice=lambda q, rows: int(q[0] > 0), limit=1)
    builder.row("is a bit", LOTS, {}, {bit: -1}, constant=1)
    relation = builder.build()
    assert [row.limbs for row in relation.rows] == [1, 1]
    for quantity in (-5, 0, 5):
        witness = assign(relation, [quantity])
        check(relation, witness)
        assert witness.rows == (int(quantity > 0), int(quantity <= 0))


def test_a_square_may_depend_on_rows_that_depend_on_squares() -> None:
    builder = RelationBuilder(64)
    builder.bounded(0, 10)
    first = builder.square({0: 1})
    row = builder.row("square", USD, {}, v={first: 1})
    second = builder.square({}, {row: 1}, constant=-7)
    builder.row("fourth power", USD, {}, v={second: 1})
    relation = builder.build()
    for quantity in (-10, 0, 3, 10):
        witness = assign(relation, [quantity])
        check(relation, witness)
        assert witness.rows == (quantity**2, (quantity**2 - 7) ** 2)


def test_the_group_makes_the_proof_short() -> None:
    """One commitment more than the least is the most that a smaller domain for the quotient may cost."""

    def points(columns: int, group: int) -> int:
        return -(-columns // group) + group

    for columns in range(1, 200):
        group = shortest_group(columns)
        assert 1 <= group <= columns
        assert points(columns, group) <= 1 + min(points(columns, g) for g in range(1, columns + 1))


def test_a_limit_may_be_too_small_for_its_own_rows() -> None:
    """A stated limit is taken at its word; an account that needs more is told so, in words."""
    builder = RelationBuilder(64)
    builder.bounded(0, 1000)
    slack = builder.free("loss", USD, limit=63)
    builder.row("covers", USD, {0: 1}, {slack: 1}, closes=slack)
    relation = builder.build()
    with pytest.raises(WitnessError, match=r"loss: 9\.00 USD is beyond the row's range"):
        check(relation, assign(relation, [-900]))


def test_a_slack_without_a_closing_row_is_refused_even_with_a_limit() -> None:
    for limit in (None, 5):
        builder = RelationBuilder(64)
        builder.free("loose", USD, limit=limit)
        with pytest.raises(RelationError, match="loose: a free row that nothing closes"):
            builder.build()
