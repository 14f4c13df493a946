"""Correlation margin, as rows. x_u are the exposures, linear in the holdings; L the factors of covariance in 2^-s.

    U_k = sum_u L[u, k] x_u                      square cells, for every factor L
    K >= 0                                       the loss; once more as a square cell
    4^s K^2 - sum_k U_k^2 >= 0                   for every factor: K is at least the norm of L' x
    P_u >= 0,  P_u - x_u >= 0,  P_u + x_u >= 0   P_u is at least |x_u|
    2^s K - sum_u undiversified_u P_u >= 0       K is at least the stress without offsets
    A - K - charges - threshold >= 0

Every inequality holds over the integers: what enters a square is below 2^121, as the relation checks. K and P are
convex slacks: they enter the last row with a negative sign, K at once and P through K, so a larger one only harms the
prover. A K that is negative, whose square would be large as well, cannot be written: it is a row. Where the
difference of squares takes more bits than a row has, a free row H takes the upper ones: H >= 0 and
4^s K^2 - sum U^2 - 2^120 H >= 0 together say no less, whatever H is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zkmargin.circuits.contingencies import contingencies
from zkmargin.circuits.ledger import Ledger
from zkmargin.circuits.relation import Unit
from zkmargin.margin.models.correlation.tables import CorrelationTables, CovarianceFactor, rounded_up

_SPLIT = 120
"""Bits of a row that holds a difference of squares, if it has more."""


def build(ledger: Ledger) -> int:
    """Add the rows of correlation margin; the requirement is collected as it is (denominator 1)."""
    tables: CorrelationTables = ledger.tables
    exposures = [
        ledger.money(tables.delta, (tables.unit_of == unit).nonzero()[0]) for unit in range(len(tables.units))
    ]
    reach = [sum(abs(each) * ledger.rows.honest[slot] for slot, each in form.items()) for form in exposures]
    most = 1 + rounded_up(sum(map(int.__mul__, tables.steepest(), reach)), tables.bits)

    def least(lots: Sequence[int], _: Mapping[int, int]) -> int:
        found = tables.measures(tables.exposures(ledger.snapshot.scale, lots), ledger.level)
        return max(amount for _, amount in found)

    loss = ledger.rows.free("correlated loss", ledger.usd, choice=least, limit=most)
    squared = ledger.rows.square({}, {loss: 1})
    for factor in tables.factors:
        _covers(ledger, factor, exposures, squared, most)
    _undiversified(ledger, tables, exposures, loss)
    ledger.require({}, {loss: 1})
    contingencies(ledger, 1)
    ledger.haircuts(tables.collaterals, 1)
    return 1


def _covers(
    ledger: Ledger,
    factor: CovarianceFactor,
    exposures: Sequence[Mapping[int, int]],
    squared: int,
    most: int,
) -> None:
    """The square of the loss is at least the variance under one factor."""
    tables: CorrelationTables = ledger.tables
    lower, rows = factor.lower[ledger.level].tolist(), ledger.rows
    cells = [
        rows.square(form)
        for column in range(len(lower))
        if (form := _combined([row[column] for row in lower], exposures))
    ]
    unit = Unit("square units")
    terms = {squared: 1 << 2 * tables.bits, **dict.fromkeys(cells, -1)}
    name = f"correlated loss, {factor.label}"
    greatest = (most << tables.bits) ** 2
    if greatest >> _SPLIT == 0:
        rows.row(name, unit, {}, v=terms)
        return

    def upper(lots: Sequence[int], _: Mapping[int, int]) -> int:
        found = tables.exposures(ledger.snapshot.scale, lots)
        loss = max(amount for _, amount in tables.measures(found, ledger.level))
        return (loss << tables.bits) ** 2 - factor.norm_square(found, ledger.level) >> _SPLIT

    high = rows.free(f"{name}: upper bits", unit, choice=upper, limit=greatest >> _SPLIT)
    rows.row(name, unit, {}, {high: -1 << _SPLIT}, v=terms, limit=(1 << _SPLIT) - 1)


def _combined(weights: Sequence[int], exposures: Sequence[Mapping[int, int]]) -> dict[int, int]:
    """sum_u weight_u x_u as a linear form of the holdings."""
    return {
        slot: weight * each
        for weight, form in zip(weights, exposures, strict=True)
        if weight
        for slot, each in form.items()
    }


def _undiversified(
    ledger: Ledger, tables: CorrelationTables, exposures: Sequence[Mapping[int, int]], loss: int
) -> None:
    terms = {loss: 1 << tables.bits}
    for name, form, each in zip(tables.units, exposures, tables.undiversified[ledger.level], strict=True):
        if form and each:
            size = ledger.rows.free(f"{name}: size of the exposure", ledger.usd)
            negative = {slot: -value for slot, value in form.items()}
            ledger.rows.row(f"{name}: covers a long exposure", ledger.usd, negative, {size: 1}, closes=size)
            ledger.rows.row(f"{name}: covers a short exposure", ledger.usd, form, {size: 1}, closes=size)
            terms[size] = -each
    if len(terms) > 1:
        ledger.rows.row("correlated loss, no offsets", ledger.usd, {}, terms)
