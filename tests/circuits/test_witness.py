"""The witness in the clear: the first row that fails is named in words, and nothing can be bent unnoticed."""

from dataclasses import replace

import pytest

from tests.argument.toys import DOMAIN, TOYS, Toy
from zkmargin.circuits import Relation, Witness, WitnessError, assign, check
from zkmargin.circuits.builder import RelationBuilder
from zkmargin.circuits.matrix import IntMatrix
from zkmargin.circuits.relation import Unit
from zkmargin.circuits.witness import limbs

SHAPES = {**TOYS, "squares over two columns": Toy(squares=True, columns=2)}
MATRICES = ("holdings", "row_terms", "u_terms", "v_terms")

shapes = pytest.mark.parametrize("toy", SHAPES.values(), ids=SHAPES.keys())


def met(toy: Toy) -> tuple[Relation, Witness]:
    relation = toy.relation(toy.excess())
    witness = assign(relation, toy.account())
    check(relation, witness)
    return relation, witness


def used(relation: Relation) -> list[int]:
    """The variables that some equation speaks of."""
    return sorted({variable for row in relation.holdings.mappings for variable in row})


@shapes
def test_every_bent_cell_is_noticed(toy: Toy) -> None:
    relation, witness = met(toy)
    for name, places in (
        ("rows", range(len(witness.rows))),
        ("holdings", used(relation)),
        ("squares", range(relation.squares)),
    ):
        for place in places:
            for amount in (1, -1, 1 << 70):
                cells = list(getattr(witness, name))
                cells[place] += amount
                with pytest.raises(WitnessError):
                    check(relation, replace(witness, **{name: tuple(cells)}))


@shapes
def test_every_bent_equation_is_noticed(toy: Toy) -> None:
    """Move any coefficient that meets something other than 0, or any constant: some row no longer fits."""
    relation, witness = met(toy)
    values = {
        "holdings": list(witness.holdings),
        "row_terms": list(witness.rows),
        "u_terms": [*witness.squares, *([0] * DOMAIN)],
        "v_terms": [*(u * u for u in witness.squares), *([0] * DOMAIN)],
    }
    for equation in range(relation.equations):
        constants = list(relation.constants)
        constants[equation] += 1
        with pytest.raises(WitnessError):
            check(bent(relation, constants=tuple(constants)), witness)
        for name in MATRICES:
            rows = [dict(row) for row in getattr(relation, name).mappings]
            for place in [p for p, value in enumerate(values[name]) if value]:
                changed = {**rows[equation], place: rows[equation].get(place, 0) + 1}
                matrix = IntMatrix.from_rows(
                    [*rows[:equation], changed, *rows[equation + 1 :]], len_of(relation, name)
                )
                with pytest.raises(WitnessError):
                    check(bent(relation, **{name: matrix}), witness)


def len_of(relation: Relation, name: str) -> int:
    matrix: IntMatrix = getattr(relation, name)
    return matrix.cols


def bent(relation: Relation, **changes: object) -> Relation:
    """A copy without the checks of a relation's own shape."""
    copy = object.__new__(Relation)
    copy.__dict__.update({**relation.__dict__, **changes})
    return copy


@shapes
def test_the_shortage_is_told_in_words(toy: Toy) -> None:
    for short in (1, 250, 123_456):
        relation = toy.relation(toy.excess() + short)
        whole, cents = divmod(short, 100)
        words = f"value less requirement: short by {whole:,}.{cents:02d} USD"
        with pytest.raises(WitnessError) as refusal:
            check(relation, assign(relation, toy.account()))
        assert str(refusal.value) == words
        assert refusal.value.row == "value less requirement"
        assert refusal.value.shortage == short


def test_the_first_row_that_fails_is_named() -> None:
    relation = Toy().relation(10**6)
    with pytest.raises(
        WitnessError, match=r"slot 0: quantity within its bound: short by 4,000 lots"
    ) as refusal:
        check(relation, assign(relation, (-5000,)))
    assert refusal.value.shortage == 4000


def test_an_equation_that_does_not_hold_is_named() -> None:
    toy = Toy(squares=True)
    relation, witness = met(toy)
    for place, row in enumerate(relation.rows):
        if not row.free:
            rows = [*witness.rows[:place], witness.rows[place] ^ 1, *witness.rows[place + 1 :]]
            with pytest.raises(WitnessError, match="the equation does not hold") as refusal:
                check(relation, replace(witness, rows=tuple(rows)))
            assert refusal.value.row in {r.name for r in relation.rows}
            assert refusal.value.shortage is None
    with pytest.raises(WitnessError, match="square cell 0: the equation does not hold"):
        check(relation, replace(witness, squares=(witness.squares[0] + 1,)))


@shapes
def test_free_rows_are_as_small_as_their_closing_rows_allow(toy: Toy) -> None:
    relation, witness = met(toy)
    for place, row in enumerate(relation.rows):
        if row.free:
            closing = [witness.rows[i] for i, r in enumerate(relation.rows) if r.closes == place]
            assert witness.rows[place] == 0 or min(closing) == 0


def test_holdings_fill_up_with_zeros_and_never_spill() -> None:
    relation = Toy(columns=2).relation()
    assert assign(relation, (7, -3)).holdings == (7, -3, *([0] * 126))
    with pytest.raises(WitnessError, match="129 holdings for 128 variables"):
        assign(relation, [0] * 129)


@shapes
def test_limbs_are_the_rows(toy: Toy) -> None:
    relation, witness = met(toy)
    columns = limbs(relation, witness.rows)
    assert [len(column) for column in columns] == [DOMAIN] * relation.limb_columns
    flat = [cell for column in columns for cell in column]
    assert all(0 <= cell < DOMAIN for cell in flat)
    assert not any(flat[relation.cells :])
    assert relation.limb_weights.times(flat) == list(witness.rows)


def test_a_witness_of_another_size_is_no_witness() -> None:
    relation, witness = met(Toy())
    with pytest.raises(ValueError, match="argument"):
        check(relation, replace(witness, rows=witness.rows[:-1]))


@pytest.mark.parametrize(
    ("unit", "amount", "words"),
    [
        (Unit("lots"), 1_234_567, "1,234,567 lots"),
        (Unit("USD", 100), 1, "0.01 USD"),
        (Unit("USD", 10**8), 1, "0.000001 USD"),
        (Unit("USD", 10**8), 10**8, "1.00 USD"),
        (Unit("USD", 3), 1, "0.333334 USD"),
        (Unit("USD", 10**12), 999_999_999_999_999_999, "1,000,000.00 USD"),
    ],
)
def test_an_amount_in_words_is_never_less_than_it_is(unit: Unit, amount: int, words: str) -> None:
    assert unit.show(amount) == words


def test_a_chosen_row_sees_holdings_and_earlier_rows() -> None:
    seen: list[tuple[int, dict[int, int]]] = []
    builder = RelationBuilder(64)
    builder.ranged("range", 0, 31)

    def choice(q: object, rows: object) -> int:
        assert isinstance(q, list)
        assert isinstance(rows, dict)
        seen.append((q[0], dict(rows)))
        return 4

    builder.free("chosen", Unit("lots"), choice=choice, limit=4)
    relation = builder.build()
    assert assign(relation, (5,)).rows == (37, 4)
    assert seen == [(5, {0: 37})]
