import pytest

from zkmargin.algebra.field import MODULUS, TWO_ADICITY, inverse, root_of_unity, scalar_bytes


def test_roots_of_unity_are_primitive() -> None:
    assert root_of_unity(1) == 1
    for log_size in range(1, TWO_ADICITY + 1):
        root = root_of_unity(1 << log_size)
        assert pow(root, 1 << (log_size - 1), MODULUS) == MODULUS - 1


@pytest.mark.parametrize("size", [0, -1, 3, 12, 1 << 33])
def test_other_domain_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        root_of_unity(size)


def test_inverse() -> None:
    assert inverse(-3) * -3 % MODULUS == 1
    for zero in (0, MODULUS, -MODULUS):
        with pytest.raises(ZeroDivisionError):
            inverse(zero)


def test_scalar_encoding_is_canonical() -> None:
    assert scalar_bytes(258) == bytes(30) + b"\x01\x02"
    for wrong in (-1, MODULUS):
        with pytest.raises(ValueError, match="canonical"):
            scalar_bytes(wrong)
