"""Norms among the rows of a relation: 2^s K >= |U| over square cells U, and the half spaces that they lie between.

A norm is the greatest of its linear measures: root K >= w U for every w with |w| <= 1. A linear program holds some of
these, and is given the one that its answer breaks until it breaks none (the outer approximation of a convex set).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt

from zkmargin.planning.linear.program import Program

WEIGHT_BITS = 40
"""A cut's weights are whole multiples of 2^-40."""


@dataclass(frozen=True)
class Norm:
    """root K >= |U|.

    Attributes:
        row: K.
        cells: of U.
        root: 2^s.
        scale: steps of a cell to one USD of K.
    """

    row: int
    cells: tuple[int, ...]
    root: int
    scale: float


@dataclass(frozen=True)
class Cut:
    """One direction in which a norm is measured: sum weights U <= root K, weights in multiples of 2^-40.

    Attributes:
        equation: of the norm.
        weights: by square cell; the sum of their squares is at most 2^80.
    """

    equation: int
    weights: Mapping[int, int]


def unit_cut(equation: int, weights: Mapping[int, float]) -> Cut:
    """Weights of norm 1, rounded towards zero to multiples of 2^-40, so that their norm is at most 1."""
    whole = {cell: int(weight * (1 - 2.0**-50) * 2**WEIGHT_BITS) for cell, weight in weights.items()}
    return Cut(equation, whole)


def first_cuts(norms: Mapping[int, Norm]) -> list[Cut]:
    """The norm is at least each of its components."""
    return [
        unit_cut(e, {cell: sign}) for e, norm in norms.items() for cell in norm.cells for sign in (1.0, -1.0)
    ]


def find_norms(program: Program) -> tuple[dict[int, Norm], tuple[int, ...]]:
    """The equations that say a norm, and those with other products."""
    norms: dict[int, Norm] = {}
    products: list[int] = []
    for e in program.nonlinear:
        found = _norm(program, e)
        if found is None:
            products.append(e)
        else:
            norms[e] = found
    return norms, tuple(products)


def _norm(program: Program, equation: int) -> Norm | None:
    relation = program.relation
    terms = relation.v_terms.row(equation)
    above = [cell for cell, value in terms.items() if value > 0]
    below = [cell for cell, value in terms.items() if value < 0]
    if len(above) != 1 or any(terms[cell] != -1 for cell in below) or relation.holdings.row(equation):
        return None
    named = dict(relation.row_terms.row(relation.defines.index(-1 - above[0])))
    root = isqrt(terms[above[0]])
    if root * root != terms[above[0]] or list(named.values()) != [1]:
        return None
    (row,) = named
    return Norm(row, tuple(below), root, float(root) * relation.rows[row].unit.scale)


def credits_of(program: Program, products: Sequence[int]) -> tuple[int, ...]:
    """The free rows that products bound from above."""
    relation = program.relation
    return tuple(
        s
        for e in products
        for s, value in relation.row_terms.row(e).items()
        if value < 0 and relation.rows[s].free and relation.rows[s].upper_of is None
    )
