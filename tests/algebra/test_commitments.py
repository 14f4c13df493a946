"""Sums of scalars times points: both backends, and independent implementations on the ceremony's points."""

import secrets
from importlib.util import find_spec
from pathlib import Path

import ckzg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_arkworks_bls12381 import G1Point, Scalar

from zkmargin.algebra import MODULUS, Backend, Setup, get_backend
from zkmargin.algebra.setup import CEREMONY_FILE

EDGES = [0, 1, -1, 2, -2, 2**10, -(2**10), 2**11 - 1, MODULUS - 1, MODULUS // 2, MODULUS // 2 + 1, MODULUS]
SCALARS = st.one_of(st.sampled_from(EDGES), st.integers(-(2**11), 2**11), st.integers(0, MODULUS - 1))


@given(st.lists(st.tuples(st.integers(-4, 4), SCALARS), max_size=12))
@settings(max_examples=25, deadline=None)
@pytest.mark.usefixtures("native")
def test_small_sums_agree(terms: list[tuple[int, int]]) -> None:
    """Few distinct points, of either sign and the identity: doublings and cancellations occur."""
    total = sum(k * s for k, s in terms)
    for backend in (get_backend("native"), get_backend("reference")):
        g = backend.generator()
        multiples = {k: backend.msm([g], [k]) for k in range(-4, 5)}
        points, scalars = [multiples[k] for k, _ in terms], [s for _, s in terms]
        expected = backend.msm([g], [total])
        assert backend.msm(points, scalars) == expected
        assert backend.commit(backend.table(points), backend.vector(scalars)) == expected


def kinds(n: int) -> dict[str, list[int]]:
    return {
        "zeros": [0] * n,
        "ones": [1] * n,
        "minus ones": [-1] * n,
        "equal": [MODULUS // 3] * n,
        "bits": [secrets.randbits(1) for _ in range(n)],
        "limbs": [secrets.randbits(11) for _ in range(n)],
        "signed limbs": [secrets.randbits(12) - 2048 for _ in range(n)],
        "holdings": [secrets.randbits(55) - 2**54 for _ in range(n)],
        "full": [secrets.randbelow(MODULUS) for _ in range(n)],
        "one full": [secrets.randbelow(MODULUS)] + [0] * (n - 1),
        "mixed": [secrets.randbelow(MODULUS) >> secrets.randbelow(256) for _ in range(n)],
    }


@pytest.mark.parametrize("kind", kinds(1))
@pytest.mark.parametrize("n", [1, 3, 50, 700, 2048])
def test_commitments_equal_those_of_arkworks(
    setups: tuple[Setup, Setup], arkworks: list[G1Point], kind: str, n: int
) -> None:
    native = setups[0]
    values = kinds(n)[kind]
    scalars = [Scalar.from_le_bytes((value % MODULUS).to_bytes(32, "little")) for value in values]
    expected = bytes(G1Point.multiexp_unchecked(arkworks[:n], scalars).to_compressed_bytes())
    backend = native.backend
    assert backend.encode(native.commit_coefficients(backend.vector(values))) == expected
    assert backend.encode(backend.msm(native.powers(n), values)) == expected


@pytest.fixture(scope="module")
def arkworks(setups: tuple[Setup, Setup]) -> list[G1Point]:
    backend = setups[0].backend
    return [G1Point.from_compressed_bytes(backend.encode(point)) for point in setups[0].powers(2048)]


def test_every_point_the_same(native: Backend) -> None:
    """Buckets that meet their own point must double it."""
    g = native.generator()
    values = [secrets.randbelow(MODULUS) for _ in range(300)]
    assert native.msm([g] * 300, values) == native.msm([g], [sum(values)])
    minus = native.msm([g], [-1])
    assert native.msm([g, minus] * 150, [values[0]] * 300) == native.identity()
    assert native.msm([native.identity()] * 300, values) == native.identity()


@pytest.mark.parametrize("kind", kinds(1))
def test_reference_agrees(setups: tuple[Setup, Setup], kind: str) -> None:
    values = kinds(24)[kind]
    native, reference = (
        setup.backend.encode(setup.commit_coefficients(setup.backend.vector(values))) for setup in setups
    )
    assert native == reference


def test_commitments_equal_those_of_ckzg(setups: tuple[Setup, Setup]) -> None:
    setup = setups[0]
    evaluations = [secrets.randbelow(MODULUS) for _ in range(4096)]
    package = find_spec("eth_account")
    assert package is not None
    assert package.origin is not None
    trusted = ckzg.load_trusted_setup(str(Path(package.origin).parent / CEREMONY_FILE), 0)
    reversed_bits = [int(f"{i:012b}"[::-1], 2) for i in range(4096)]
    blob = b"".join(evaluations[i].to_bytes(32, "big") for i in reversed_bits)
    coefficients = setup.backend.intt(setup.backend.vector(evaluations))
    assert setup.backend.encode(setup.commit_coefficients(coefficients)) == ckzg.blob_to_kzg_commitment(
        blob, trusted
    )


def test_offsets_reach_into_the_table(backend: Backend) -> None:
    g = backend.generator()
    table = backend.table([backend.msm([g], [10**k]) for k in range(4)])
    assert len(table) == 4
    assert backend.commit(table, backend.vector([3, 4]), 1) == backend.msm([g], [430])
    assert backend.commit(table, backend.vector([]), 4) == backend.identity()
    for size, offset in ((2, 3), (5, 0), (0, 5), (1, -1)):
        with pytest.raises(ValueError, match="reach past"):
            backend.commit(table, backend.vector([1] * size), offset)


def test_one_scalar_a_point(backend: Backend) -> None:
    with pytest.raises(ValueError, match="lengths differ"):
        backend.msm([backend.generator()], [1, 2])
    assert backend.msm([], []) == backend.identity()


@pytest.mark.parametrize("n", [1, 2, 8])
def test_lagrange_points_of_a_known_tau(backend: Backend, n: int) -> None:
    tau, g = 98765, backend.generator()
    powers = [backend.msm([g], [tau**k]) for k in range(n)]
    values = backend.integers(backend.lagrange(n, tau))
    assert backend.lagrange_points(powers) == [backend.msm([g], [value]) for value in values]
    with pytest.raises(ValueError, match="power of two"):
        backend.lagrange_points(powers + [g] * (3 - n % 2))
