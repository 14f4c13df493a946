"""How long a proof is: it follows from the statement."""

import pytest

from tests.argument.exposed import exposed_setup
from tests.argument.toys import Toy, case
from zkmargin.argument import Shape

POINT, SCALAR = 48, 32


@pytest.mark.parametrize(
    ("toy", "points", "scalars", "size"),
    [
        (Toy(1), 8, 2, 448),
        (Toy(2), 10, 3, 576),
        (Toy(3), 12, 4, 704),
        (Toy(4), 13, 5, 784),
        (Toy(4, group=1), 14, 5, 832),
        (Toy(5), 15, 6, 912),
        (Toy(5, group=5), 16, 6, 960),
        (Toy(1, squares=True), 10, 3, 576),
        (Toy(2, squares=True), 12, 4, 704),
        (Toy(1, columns=2), 8, 2, 448),
        (Toy(1, committed=True), 8, 4, 512),
        (Toy(1, columns=3, committed=True), 8, 6, 576),
    ],
)
def test_a_proof_is_as_long_as_its_shape_says(toy: Toy, points: int, scalars: int, size: int) -> None:
    made = case(toy, exposed_setup())
    shape = Shape.of(made.statement)
    assert (shape.points, shape.scalars, shape.size) == (points, scalars, size)
    assert size == POINT * points + SCALAR * scalars
    assert len(made.prove().to_bytes()) == size


def test_the_account_does_not_change_the_shape() -> None:
    toy = Toy(3, squares=True)
    rich, poor = (case(toy, exposed_setup(), threshold=t) for t in (0, toy.excess()))
    assert len(rich.prove().to_bytes()) == len(poor.prove().to_bytes())
