"""Columns on a coset of H as ring elements, so that the prover evaluates the same identities as the verifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import final

from zkmargin.algebra.backend import Backend, Vector
from zkmargin.algebra.field import MODULUS
from zkmargin.argument.coefficients import table


@final
@dataclass(frozen=True)
class OnCoset:
    """sum of scalars times vectors, plus a constant, at every point of the coset.

    Sums are collected and computed in one pass when the value is multiplied or read.
    """

    backend: Backend
    size: int
    terms: tuple[tuple[Vector, int], ...] = ()
    constant: int = 0

    @classmethod
    def of(cls, backend: Backend, vector: Vector) -> OnCoset:
        """A column from its values on the coset."""
        return cls(backend, len(vector), ((vector, 1),))

    def vector(self) -> Vector:
        """The values on the coset."""
        if len(self.terms) == 1 and self.terms[0][1] == 1 and self.constant == 0:
            return self.terms[0][0]
        vectors = [vector for vector, _ in self.terms] or [self.backend.zeros(self.size)]
        scalars = [scalar % MODULUS for _, scalar in self.terms] or [1]
        combined = self.backend.combine(vectors, scalars)
        return self.backend.shift(combined, self.constant % MODULUS) if self.constant else combined

    def __add__(self, other: OnCoset | int) -> OnCoset:
        if isinstance(other, int):
            return OnCoset(self.backend, self.size, self.terms, self.constant + other)
        return OnCoset(self.backend, self.size, self.terms + other.terms, self.constant + other.constant)

    def __sub__(self, other: OnCoset | int) -> OnCoset:
        return self + (other * -1)

    def __mul__(self, other: OnCoset | int) -> OnCoset:
        if isinstance(other, int):
            scaled = tuple((vector, scalar * other) for vector, scalar in self.terms)
            return OnCoset(self.backend, self.size, scaled if other else (), self.constant * other)
        if not self.terms:
            return other * self.constant
        if not other.terms:
            return self * other.constant
        return OnCoset.of(self.backend, self.backend.mul(self.vector(), other.vector()))


def total(values: Sequence[OnCoset]) -> OnCoset:
    """The sum of at least one value."""
    first, *rest = values
    for value in rest:
        first = first + value
    return first


@lru_cache(maxsize=16)
def table_on_coset(backend: Backend, n: int, size: int) -> Vector:
    """t(X) on the coset of `size` points."""
    return backend.coset_ntt(backend.intt(table(backend, n)), size)


@lru_cache(maxsize=16)
def inverse_vanishing(backend: Backend, n: int, size: int) -> Vector:
    """1/Z(X) on the coset, where Z has no zero."""
    vanishing = backend.vector([-1, *([0] * (n - 1)), 1])
    return backend.inverse(backend.coset_ntt(vanishing, size))
