"""The law: an account proves exactly what it has. Excess 0 proves, one step more does not."""

import pytest

from tests.argument.toys import TOYS, Case, Toy, Unchecked, case, play, setups
from zkmargin.algebra import MODULUS, Setup
from zkmargin.circuits import WitnessError
from zkmargin.prover import Opening, random_blinder
from zkmargin.verifier import VerificationError, verify, verify_bytes

SHAPES = {
    **TOYS,
    **{f"{k} limb columns": Toy(limb_columns=k) for k in range(1, 6)},
    "all in one group": Toy(limb_columns=4, group=4),
    "each in its own group": Toy(limb_columns=4, group=1),
    "an uneven last group": Toy(limb_columns=5, group=3),
    "more chunks than columns": Toy(limb_columns=2, group=3),
    "squares over five columns": Toy(limb_columns=5, squares=True),
    "three holdings columns with squares": Toy(squares=True, columns=3),
}

shapes = pytest.mark.parametrize("toy", SHAPES.values(), ids=SHAPES.keys())


@pytest.fixture(params=setups())
def setup(request: pytest.FixtureRequest) -> Setup:
    return setups()[request.param]


def forced(made: Case) -> None:
    """Prove without asking whether the account meets the statement, and check."""
    verify(
        made.statement, play(Unchecked(made.setup, made.statement, made.witness(), made.blinders)), made.setup
    )


@shapes
def test_the_excess_proves(toy: Toy, setup: Setup) -> None:
    made = case(toy, setup, threshold=toy.excess())
    verify_bytes(made.statement, made.prove().to_bytes(), setup)


@shapes
def test_one_step_more_is_refused_by_the_prover_in_words(toy: Toy, setup: Setup) -> None:
    made = case(toy, setup, threshold=toy.excess() + 1)
    with pytest.raises(WitnessError, match=r"value less requirement: short by 0\.01 USD") as refusal:
        made.prove()
    assert refusal.value.row == "value less requirement"
    assert refusal.value.shortage == 1


@shapes
def test_one_step_more_is_rejected_if_the_prover_goes_on_all_the_same(toy: Toy, setup: Setup) -> None:
    with pytest.raises(VerificationError, match="pairing"):
        forced(case(toy, setup, threshold=toy.excess() + 1))


def test_less_than_the_excess_proves(setup: Setup) -> None:
    made = case(Toy(), setup, threshold=-5)
    verify(made.statement, made.prove(), setup)


def test_several_openings_of_one_column_are_summed(setup: Setup) -> None:
    toy = Toy(columns=2)
    parts = ((3, 1), (4, -4)), ((9, -5), (-1, 0))
    openings = [Opening(lots, random_blinder(), j) for j, pair in enumerate(parts) for lots in pair]
    made = case(toy, setup, threshold=toy.excess(), openings=openings)
    assert made.account == toy.account()
    verify(made.statement, made.prove(), setup)


def test_a_commitment_serves_several_proofs(setup: Setup) -> None:
    made = case(Toy(), setup)
    for k in (1, 2):
        other = made.about(Toy(limb_columns=k).relation(threshold=k))
        verify(other.statement, other.prove(), setup)


def test_a_slot_beyond_its_range_is_rejected(setup: Setup) -> None:
    toy = Toy()
    made = case(toy, setup, openings=[Opening((5000, 0), random_blinder())])
    with pytest.raises(WitnessError, match="slot 0: quantity within its bound: 6,000 lots is beyond"):
        made.prove()
    with pytest.raises(VerificationError, match="pairing"):
        forced(made)


def test_a_quantity_that_wrapped_around_is_no_quantity(setup: Setup) -> None:
    """-1/100 of a lot in the field: worth an integer amount, and no integer."""
    made = case(Toy(), setup, openings=[Opening((pow(100, -1, MODULUS), 0), random_blinder())])
    with pytest.raises(VerificationError, match="pairing"):
        forced(made)


@pytest.mark.fuzz
@pytest.mark.parametrize("group", range(1, 8))
@pytest.mark.parametrize("limb_columns", range(1, 9))
@pytest.mark.parametrize("squares", [False, True])
def test_every_grouping_is_complete(limb_columns: int, group: int, squares: bool, setup: Setup) -> None:
    toy = Toy(limb_columns, squares, 1, group)
    made = case(toy, setup, threshold=toy.excess())
    verify(made.statement, made.prove(), setup)
    with pytest.raises(VerificationError):
        forced(case(toy, setup, threshold=toy.excess() + 1))
