"""A proof shows nothing but itself: its parts depend one to one on as many uniform blinders.

With the challenges fixed, all points (as logarithms) and scalars of a proof before its openings are a function of the
blinders. If the derivative of that function has full rank, and there are as many blinders as parts, then uniform
blinders make uniform parts. Adding one to the blinders of one column after another moves the parts triangularly, so
differences serve as derivatives.
"""

from collections.abc import Iterator
from types import MappingProxyType

import pytest

from tests.argument.exposed import exposed_setup
from tests.argument.toys import DOMAIN, TOYS, Case, Toy, case, curve_setup, drawn, play
from zkmargin.algebra import MODULUS, Transcript
from zkmargin.algebra.field import inverse
from zkmargin.argument import Proof, Shape, blinding
from zkmargin.argument.blinding import FIXED_AT, blinders
from zkmargin.prover.rounds import Rounds
from zkmargin.verifier import verify

SHAPES = {
    **TOYS,
    "one group of four": Toy(4, group=4),
    "groups of two with squares": Toy(4, group=2, squares=True),
}

shapes = pytest.mark.parametrize("toy", SHAPES.values(), ids=SHAPES.keys())
FIXED = {
    name: drawn("challenges")() + k
    for k, name in enumerate(("alpha", "beta", "gamma", "delta", "zeta", "nu"))
}


@pytest.fixture
def _fixed_challenges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transcript, "challenge", lambda _, label: FIXED.get(label, 1))


def parts(proof: Proof) -> list[int]:
    """All that is sent before the openings and is not public, as integers."""
    points = [int.from_bytes(point, "big") for point in proof.points()[:-2]]
    return [*points, *proof.limb_values, *proof.square_value, proof.shifted_sum]


def proven(made: Case, tape: list[int]) -> list[int]:
    source = iter(tape)
    rounds = Rounds(made.setup, made.statement, made.witness(), made.blinders, lambda: next(source))
    proof = play(rounds)
    assert next(source, None) is None
    return parts(proof)


def count(made: Case) -> int:
    """How many blinders a proof draws."""
    drawn_: list[int] = []

    def draw() -> int:
        drawn_.append(1)
        return 1

    play(Rounds(made.setup, made.statement, made.witness(), made.blinders, draw))
    return len(drawn_)


def rank(rows: list[list[int]]) -> int:
    """The rank modulo r, by elimination."""
    rows, found = [list(row) for row in rows], 0
    for column in range(len(rows[0])):
        pivot = next((k for k in range(found, len(rows)) if rows[k][column] % MODULUS), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        scale = inverse(rows[found][column])
        for k in range(found + 1, len(rows)):
            factor = rows[k][column] * scale % MODULUS
            rows[k] = [(x - factor * y) % MODULUS for x, y in zip(rows[k], rows[found], strict=True)]
        found += 1
    return found


def differences(made: Case) -> list[list[int]]:
    """For each blinder, how the parts move when it alone moves by one."""
    tape = [drawn(f"tape {k}")() for k in range(count(made))]
    base = proven(made, tape)

    def moved() -> Iterator[list[int]]:
        for k in range(len(tape)):
            after = proven(made, [*tape[:k], tape[k] + 1, *tape[k + 1 :]])
            yield [(x - y) % MODULUS for x, y in zip(after, base, strict=True)]

    return list(moved())


@pytest.mark.usefixtures("_fixed_challenges")
@shapes
def test_as_many_independent_blinders_as_parts(toy: Toy) -> None:
    made = case(toy, exposed_setup())
    shape = Shape.of(made.statement)
    moved = differences(made)
    sent = shape.points - 2 + shape.limbs + shape.squares + 1
    assert len(moved) == len(moved[0]) == sent
    assert rank(moved) == sent


@pytest.mark.usefixtures("_fixed_challenges")
@pytest.mark.parametrize("column", [name for name in FIXED_AT if name != "holdings"])
def test_one_blinder_less_is_one_too_few(column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rank sees it: with a blinder missing anywhere, some combination of the parts is fixed by the secrets."""
    fewer = {name: fixed[: len(fixed) - (name == column)] for name, fixed in FIXED_AT.items()}
    monkeypatch.setattr(blinding, "FIXED_AT", MappingProxyType(fewer))
    made = case(Toy(2, squares=True), exposed_setup())
    moved = differences(made)
    assert rank(moved) < len(moved[0])


@shapes
def test_columns_carry_their_blinders(toy: Toy) -> None:
    """A column's polynomial is its values plus so many random multiples of Z."""
    made = case(toy, exposed_setup())
    rounds = Rounds(made.setup, made.statement, made.witness(), made.blinders)
    play(rounds)
    backend = made.setup.backend
    columns = {
        "limbs": rounds._limbs,
        "multiplicity": [rounds._m],
        "u": rounds._squares[:1],
        "v": rounds._squares[1:],
        "helper": rounds._helpers,
        "table helper": [rounds._table_helper],
        "running sum": [rounds._phi],
    }
    assert {*columns, "holdings"} == set(FIXED_AT)
    seen: list[int] = []
    for name, several in columns.items():
        for column in several:
            coefficients = backend.integers(column.polynomial)
            high = coefficients[DOMAIN:]
            assert len(high) == blinders(name)
            low = [c + (high[k] if k < len(high) else 0) for k, c in enumerate(coefficients[:DOMAIN])]
            assert backend.integers(backend.ntt(backend.vector(low), DOMAIN)) == backend.integers(
                column.values
            )
            seen += high
    for polynomial, blinder in zip(rounds._q_polynomials, made.blinders, strict=True):
        assert backend.integers(polynomial)[DOMAIN:] == [blinder]
        assert blinders("holdings") == 1
    assert len(set(seen)) == len(seen)
    assert min(seen) > 1 << 128


@pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS.keys())
def test_two_proofs_of_one_statement_share_nothing(toy: Toy) -> None:
    made = case(toy, curve_setup())
    first, second = made.prove(), made.prove()
    for proof in (first, second):
        verify(made.statement, proof, made.setup)
    assert not set(parts(first)) & set(parts(second))
    assert {first.opening, first.shifted_opening}.isdisjoint({second.opening, second.shifted_opening})


def test_blinders_come_from_the_operating_system(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def noted(bound: int) -> int:
        asked.append(bound)
        return 1 + len(asked)

    made = case(Toy(), exposed_setup())
    monkeypatch.setattr("zkmargin.prover.rounds.secrets.randbelow", noted)
    made.prove()
    assert asked == [MODULUS] * count(made)
