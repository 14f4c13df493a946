"""Commitments to sparse columns: both backends, and the dense commitment that they must equal."""

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.algebra import MODULUS, Backend, Setup, get_backend

EDGES = [0, 1, -1, 7, -8, 9, 2**54 - 1, 2**63 - 1, 1 - 2**63]
VALUES = st.one_of(st.sampled_from(EDGES), st.integers(-(2**11), 2**11), st.integers(1 - 2**63, 2**63 - 1))


@given(st.lists(st.tuples(st.integers(0, 8), VALUES), max_size=12))
@settings(max_examples=25, deadline=None)
@pytest.mark.usefixtures("native")
def test_sparse_sums_agree(terms: list[tuple[int, int]]) -> None:
    """Places repeat, bases are small multiples of one point and the identity: doublings and cancellations occur."""
    total = sum((place - 4) * value for place, value in terms)
    for backend in (get_backend("native"), get_backend("reference")):
        g = backend.generator()
        table = backend.sparse_table([backend.msm([g], [k]) for k in range(-4, 5)])
        assert len(table) == 9
        places, values = [place for place, _ in terms], [value for _, value in terms]
        assert backend.commit_sparse(table, places, values) == backend.msm([g], [total])


@pytest.mark.parametrize("count", [0, 1, 20])
def test_a_sparse_column_is_committed_to_as_a_dense_one(setups: tuple[Setup, Setup], count: int) -> None:
    n = 64
    places = list(range(0, 3 * count, 3))
    values = [secrets.randbits(40) - 2**39 for _ in places]
    blinder = secrets.randbelow(MODULUS)
    column = [0] * n
    for place, value in zip(places, values, strict=True):
        column[place] = value
    encodings = set()
    for setup in setups:
        backend = setup.backend
        holdings = setup.commit_evaluations(n, backend.vector(column))
        dense = backend.msm([holdings, setup.blinding_point(n, 0)], [1, blinder])
        assert setup.commit_sparse(n, places, values, blinder) == dense
        encodings.add(backend.encode(dense))
    assert len(encodings) == 1


@pytest.mark.parametrize("blinder", [0, 1, 255, 256, MODULUS - 1])
def test_every_blinder_has_its_digits(setups: tuple[Setup, Setup], blinder: int) -> None:
    setup = setups[0]
    wanted = setup.backend.msm([setup.blinding_point(64, 0)], [blinder])
    assert setup.commit_sparse(64, [], [], blinder) == wanted


def test_what_does_not_fit_is_refused(backend: Backend, setups: tuple[Setup, Setup]) -> None:
    table = backend.sparse_table([backend.generator()] * 3)
    for places, values in (([0], []), ([3], [1]), ([-1], [1]), ([0], [1 << 63]), ([0], [-(1 << 63)])):
        with pytest.raises(ValueError, match=r"lengths differ|outside|2\^63"):
            backend.commit_sparse(table, places, values)
    with pytest.raises(ValueError, match="outside a domain"):
        setups[0].commit_sparse(64, [64], [1], 0)
