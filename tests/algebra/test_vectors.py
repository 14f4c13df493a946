"""Both backends agree with each other, and the reference with the definitions."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.algebra import MODULUS, Backend, Matrix, Vector, get_backend
from zkmargin.algebra.field import GENERATOR, root_of_unity

pytestmark = pytest.mark.usefixtures("native")

EDGES = [0, 1, -1, MODULUS - 1, MODULUS, MODULUS + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 2**255]
INTEGERS = st.one_of(
    st.sampled_from(EDGES),
    st.integers(-(2**11), 2**11),
    st.integers(-(2**300), 2**300),
    st.integers(0, MODULUS),
)
VECTORS = st.lists(INTEGERS, max_size=20)


def agree(operation: Callable[[Backend], Vector]) -> list[int]:
    """Return what both backends make of an operation."""
    native, reference = get_backend("native"), get_backend("reference")
    result = reference.integers(operation(reference))
    assert native.integers(operation(native)) == result
    return result


@given(VECTORS)
@settings(max_examples=60, deadline=None)
def test_integers_are_the_residues(values: list[int]) -> None:
    assert agree(lambda b: b.vector(values)) == [value % MODULUS for value in values]


def test_arrays_are_taken_by_value() -> None:
    signed = np.array([-5, 2**62, -(2**63)], dtype=np.int64)
    assert agree(lambda b: b.vector(signed)) == [int(value) % MODULUS for value in signed]
    unsigned = np.array([2**64 - 1, 3], dtype=np.uint64)
    assert agree(lambda b: b.vector(unsigned.tolist())) == [2**64 - 1, 3]
    for name in ("native", "reference"):
        with pytest.raises(TypeError):
            get_backend(name).vector([1.5])  # type: ignore[list-item]


@given(st.lists(st.tuples(INTEGERS, INTEGERS), max_size=20), INTEGERS)
@settings(max_examples=60, deadline=None)
def test_element_by_element(pairs: list[tuple[int, int]], s: int) -> None:
    x, y = [a for a, _ in pairs], [b for _, b in pairs]
    assert agree(lambda b: b.add(b.vector(x), b.vector(y))) == [(a + b) % MODULUS for a, b in pairs]
    assert agree(lambda b: b.sub(b.vector(x), b.vector(y))) == [(a - b) % MODULUS for a, b in pairs]
    assert agree(lambda b: b.mul(b.vector(x), b.vector(y))) == [a * b % MODULUS for a, b in pairs]
    assert agree(lambda b: b.scale(b.vector(x), s)) == [a * s % MODULUS for a in x]
    assert agree(lambda b: b.shift(b.vector(x), s)) == [(a + s) % MODULUS for a in x]
    assert agree(lambda b: b.prefix_sum(b.vector(x))) == [sum(x[:i]) % MODULUS for i in range(len(x))]
    for b in (get_backend("native"), get_backend("reference")):
        assert b.dot(b.vector(x), b.vector(y)) == sum(a * c for a, c in pairs) % MODULUS


@given(st.lists(st.tuples(VECTORS, INTEGERS), max_size=5))
@settings(max_examples=40, deadline=None)
def test_combine_pads_with_zeros(terms: list[tuple[list[int], int]]) -> None:
    vectors, scalars = [v for v, _ in terms], [s for _, s in terms]
    size = max(map(len, vectors), default=0)
    expected = [sum(s * v[i] for v, s in terms if i < len(v)) % MODULUS for i in range(size)]
    assert agree(lambda b: b.combine([b.vector(v) for v in vectors], scalars)) == expected
    assert agree(lambda b: b.concat([b.vector(v) for v in vectors])) == [
        x % MODULUS for v in vectors for x in v
    ]


@given(VECTORS, st.integers(-50, 50), st.data())
@settings(max_examples=40, deadline=None)
def test_slices_and_rotations(values: list[int], turn: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(values)))
    stop = data.draw(st.integers(start, len(values)))
    residues = [value % MODULUS for value in values]
    assert agree(lambda b: b.slice(b.vector(values), start, stop)) == residues[start:stop]
    n = len(values)
    expected = [residues[(i + turn) % n] for i in range(n)]
    assert agree(lambda b: b.rotate(b.vector(values), turn)) == expected


@given(st.lists(INTEGERS.filter(lambda x: x % MODULUS != 0), max_size=20))
@settings(max_examples=40, deadline=None)
def test_inverse(values: list[int]) -> None:
    inverses = agree(lambda b: b.inverse(b.vector(values)))
    assert all(a * b % MODULUS == 1 for a, b in zip(values, inverses, strict=True))


def test_long_vectors_cross_the_chunks_of_both_cores() -> None:
    values = [pow(3, i, MODULUS) for i in range(3000)]
    agree(lambda b: b.inverse(b.vector(values)))
    agree(lambda b: b.combine([b.vector(values), b.vector(values[:1500])], [-7, 1 << 200]))
    native, reference = get_backend("native"), get_backend("reference")
    assert native.evaluate(native.vector(values), -9) == reference.evaluate(reference.vector(values), -9)


@given(st.integers(0, 6), st.data())
@settings(max_examples=30, deadline=None)
def test_transforms_evaluate(log_size: int, data: st.DataObject) -> None:
    size = 1 << log_size
    coefficients = data.draw(st.lists(INTEGERS, max_size=size))
    root = root_of_unity(size)

    def values(first: int) -> list[int]:
        points = [first * pow(root, i, MODULUS) for i in range(size)]
        return [sum(c * pow(x, k, MODULUS) for k, c in enumerate(coefficients)) % MODULUS for x in points]

    assert agree(lambda b: b.ntt(b.vector(coefficients), size)) == values(1)
    assert agree(lambda b: b.coset_ntt(b.vector(coefficients), size)) == values(GENERATOR)
    padded = [c % MODULUS for c in coefficients] + [0] * (size - len(coefficients))
    assert agree(lambda b: b.intt(b.vector(values(1)))) == padded
    assert agree(lambda b: b.coset_intt(b.vector(values(GENERATOR)))) == padded


@pytest.mark.parametrize("size", [2048, 4096, 8192])
def test_large_transforms_agree(size: int) -> None:
    coefficients = [pow(5, i, MODULUS) for i in range(size)]
    values = agree(lambda b: b.ntt(b.vector(coefficients), size))
    assert agree(lambda b: b.intt(b.vector(values))) == coefficients


@given(VECTORS, INTEGERS)
@settings(max_examples=40, deadline=None)
def test_evaluate_and_divide(coefficients: list[int], z: int) -> None:
    value = sum(c * pow(z, k, MODULUS) for k, c in enumerate(coefficients)) % MODULUS
    for b in (get_backend("native"), get_backend("reference")):
        assert b.evaluate(b.vector(coefficients), z) == value
    quotient = agree(lambda b: b.divide(b.vector(coefficients), z))
    assert len(quotient) == max(0, len(coefficients) - 1)
    # (X - z) q(X) + p(z) = p(X), coefficient by coefficient.
    shifted, scaled = [0, *quotient], [*quotient, 0]
    product = [(a - z * b) % MODULUS for a, b in zip(shifted, scaled, strict=True)]
    product[0] = (product[0] + value) % MODULUS
    assert product == ([c % MODULUS for c in coefficients] or [0])


@pytest.mark.parametrize("n", [1, 2, 8, 64])
def test_lagrange(n: int) -> None:
    x = 123456789
    values = agree(lambda b: b.lagrange(n, x))
    polynomial = [pow(11, k, MODULUS) for k in range(n)]
    b = get_backend("reference")
    evaluations = b.ntt(b.vector(polynomial), n)
    assert b.dot(evaluations, b.vector(values)) == b.evaluate(b.vector(polynomial), x)


def test_powers_and_zeros() -> None:
    assert agree(lambda b: b.powers(-2, 5)) == [x % MODULUS for x in (1, -2, 4, -8, 16)]
    assert agree(lambda b: b.powers(0, 3)) == [1, 0, 0]
    assert agree(lambda b: b.powers(5, 0)) == []
    assert agree(lambda b: b.zeros(3)) == [0, 0, 0]


def test_wrong_shapes_are_refused(backend: Backend) -> None:
    two, three = backend.vector([1, 2]), backend.vector([1, 2, 3])
    refused: list[Callable[[], object]] = [
        lambda: backend.add(two, three),
        lambda: backend.sub(two, three),
        lambda: backend.mul(two, three),
        lambda: backend.dot(two, three),
        lambda: backend.combine([two], [1, 2]),
        lambda: backend.slice(two, 1, 3),
        lambda: backend.slice(two, 2, 1),
        lambda: backend.slice(two, -1, 1),
        lambda: backend.ntt(three, 2),
        lambda: backend.ntt(three, 6),
        lambda: backend.intt(three),
        lambda: backend.coset_ntt(three, 2),
        lambda: backend.coset_intt(three),
        lambda: backend.lagrange(3, 5),
        lambda: backend.lagrange(8, root_of_unity(8)),
        lambda: backend.lagrange(8, 1),
    ]
    for operation in refused:
        with pytest.raises(ValueError):
            operation()
    with pytest.raises(ZeroDivisionError):
        backend.inverse(backend.vector([1, MODULUS, 2]))


def test_backends_do_not_mix(native: Backend, reference: Backend) -> None:
    for b, other in ((native, reference), (reference, native)):
        foreign = other.vector([1])
        with pytest.raises(TypeError, match="another backend"):
            b.add(b.vector([1]), foreign)
        with pytest.raises(TypeError, match="another backend"):
            b.encode(other.generator())
        with pytest.raises(TypeError, match="another backend"):
            b.encode_g2(other.generator_g2())
        with pytest.raises(TypeError, match="another backend"):
            b.commit(other.table([]), b.vector([]))
        with pytest.raises(TypeError, match="another backend"):
            b.fold(empty_matrix(other), b.vector([]))


def empty_matrix(backend: Backend) -> Matrix:
    no_entries = np.array([], dtype=np.int64)
    starts = np.array([0], dtype=np.int64)
    return backend.matrix(starts, no_entries.astype(np.int32), no_entries.astype(np.uint64), no_entries, 1)


def test_secrets_stay_out_of_representations(backend: Backend) -> None:
    secret = 987654321987654321
    assert repr(backend.vector([secret, secret])) == "<vector of 2>"
