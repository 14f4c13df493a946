"""The scalar field of BLS12-381 and its multiplicative subgroups, in plain integers."""

from functools import cache

MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""r, the order of the groups G1 and G2 and of the field in which all statements are proven."""

GENERATOR = 7
"""A generator of the multiplicative group of the field; 7 H_n is the coset used to divide by X^n - 1."""

TWO_ADICITY = 32
"""2^32 divides r - 1 and 2^33 does not: the largest domain has 2^32 points."""

SCALAR_BYTES = 32


@cache
def root_of_unity(n: int) -> int:
    """Return the primitive n-th root of unity 7^((r-1)/n), the generator of the domain H_n.

    Raises ValueError unless n is a power of two of at most 2^32.

    >>> pow(root_of_unity(8), 4, MODULUS) == MODULUS - 1
    True
    """
    if n < 1 or n & (n - 1) or n > 1 << TWO_ADICITY:
        raise ValueError(f"domain size {n}: expected a power of two between 1 and 2^{TWO_ADICITY}")
    return pow(GENERATOR, (MODULUS - 1) // n, MODULUS)


def inverse(x: int) -> int:
    """Return 1/x modulo r, in 1..r-1. Raises ZeroDivisionError if x is 0 modulo r.

    >>> inverse(2) * 2 % MODULUS
    1
    """
    if x % MODULUS == 0:
        raise ZeroDivisionError("0 has no inverse in the scalar field")
    return pow(x, -1, MODULUS)


def scalar_bytes(x: int) -> bytes:
    """Return the 32-byte big-endian encoding of a canonical scalar. Raises ValueError unless 0 <= x < r."""
    if not 0 <= x < MODULUS:
        raise ValueError("scalar is not canonical: expected an integer in 0..r-1")
    return x.to_bytes(SCALAR_BYTES, "big")
