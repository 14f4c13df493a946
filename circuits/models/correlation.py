"""Correlation margin, as rows. x_u are the exposures, linear in the holdings; L the factors of covariance.

    U_k = sum_i C_ki q_i                         square cells, for every factor L: L' x in units of 2^-s of a money unit
    K >= 0                                       the loss, in money units or in steps of 2^-s; a square cell as well
    4^s K^2 - sum_k U_k^2 >= 0                   for every factor: K is at least the norm of L' x  (K^2, where s < 0)
    P_u >= 0,  P_u - x_u >= 0,  P_u + x_u >= 0   P_u is at least |x_u|
    2^52 K - sum_u undiversified_u P_u >= 0      K is at least the stress without offsets
    A - K - charges - threshold >= 0

Every inequality holds over the integers: what enters a square is below 2^121, as the relation checks. K and P are
convex slacks: they enter the last row with a negative sign, K at once and P through K, so a larger one only harms the
prover. A K that is negative, whose square would be large as well, cannot be written: it is a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.gadgets.contingencies import contingencies
from zkmargin.circuits.relation import Unit
from zkmargin.margin.models.correlation.tables import FACTOR_BITS, CorrelationTables, CovarianceFactor


def build(account: AccountRows) -> int:
    """Add the rows of correlation margin; the requirement is collected as it is (denominator 1)."""
    tables: CorrelationTables = account.tables
    scale, level = account.snapshot.scale, account.level
    exposures = [
        account.money(tables.delta, (tables.unit_of == unit).nonzero()[0])
        for unit in range(len(tables.units))
    ]
    sums = [_sums(account, factor) for factor in tables.factors]
    most = max(
        _apart(account, tables, exposures), *(_norm(account, forms) >> max(0, tables.bits) for forms in sums)
    )

    def least(lots: Sequence[int], _: Mapping[int, int]) -> int:
        return max(amount for _, amount in tables.measures(scale, lots, level)) // tables.step

    unit = Unit("USD", account.usd.scale // tables.step or 1)
    loss = account.rows.free("correlated loss", unit, choice=least, limit=1 + most)
    squared = account.rows.square({}, {loss: 1})
    for factor, forms in zip(tables.factors, sums, strict=True):
        cells = [account.rows.square(form) for form in forms if form]
        terms = {squared: 1 << 2 * max(0, tables.bits), **dict.fromkeys(cells, -1)}
        account.rows.row(f"correlated loss, {factor.label}", Unit("square units"), {}, v=terms)
    _undiversified(account, tables, exposures, loss)
    account.require({}, {loss: tables.step})
    contingencies(account, 1)
    account.haircuts(tables.collaterals, 1)
    return 1


def _sums(account: AccountRows, factor: CovarianceFactor) -> list[dict[int, int]]:
    """L' x as linear forms of the holdings, in units of 2^-bits."""
    tables: CorrelationTables = account.tables
    forms: list[dict[int, int]] = [{} for _ in tables.units]
    for slot, scale in enumerate(account.snapshot.scale):
        for form, entry in zip(forms, tables.entries(factor, account.level, slot, scale), strict=False):
            if entry:
                form[slot] = entry
    return forms


def _norm(account: AccountRows, forms: Sequence[Mapping[int, int]]) -> int:
    """The greatest norm of the sums that an account within its bounds can have: no more than all of them together."""
    honest = account.rows.honest
    return sum(abs(entry) * honest[slot] for form in forms for slot, entry in form.items())


def _apart(account: AccountRows, tables: CorrelationTables, exposures: Sequence[Mapping[int, int]]) -> int:
    """The greatest loss without offsets, in steps."""
    pairs = zip(tables.undiversified[account.level], exposures, strict=True)
    return sum(each * _norm(account, [form]) for each, form in pairs) // (tables.step << FACTOR_BITS)


def _undiversified(
    account: AccountRows, tables: CorrelationTables, exposures: Sequence[Mapping[int, int]], loss: int
) -> None:
    terms = {loss: tables.step << FACTOR_BITS}
    for name, form, each in zip(tables.units, exposures, tables.undiversified[account.level], strict=True):
        if form and each:
            size = account.rows.free(f"{name}: size of the exposure", account.usd)
            negative = {slot: -value for slot, value in form.items()}
            account.rows.row(f"{name}: covers a long exposure", account.usd, negative, {size: 1}, closes=size)
            account.rows.row(f"{name}: covers a short exposure", account.usd, form, {size: 1}, closes=size)
            terms[size] = -each
    if len(terms) > 1:
        account.rows.row("correlated loss, no offsets", account.usd, {}, terms)
