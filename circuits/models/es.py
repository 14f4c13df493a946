"""Expected shortfall, as rows: the minimum over a threshold eta of what lies beyond it.

With S cells, m = S (1 - confidence) = p / q in lowest terms, and eta = eta+ - eta- of either sign:

    eta+ >= 0,  eta- >= 0                     free: where the tail begins, a gain or a loss
    z_s >= 0,  z_s + eta+ - eta- + PnL_s >= 0   for every cell s: z_s is at least the loss beyond eta
    R >= 0,  p R - p (eta+ - eta-) - q sum z >= 0  R is at least the expected shortfall, and at least 0
    A - R - charges - threshold >= 0

All rows are convex: for any eta, eta + sum max(0, loss_s - eta) / m is at least the mean of the worst m losses,
fractions included (Rockafellar and Uryasev), so a prover who takes another eta, or larger z or R, only harms
himself. An honest one takes for eta the loss at which the tail begins, where the two are equal. R is rounded up to a
whole money unit; all else in the last row is whole, so that nothing is lost by that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.gadgets.contingencies import contingencies
from zkmargin.circuits.gadgets.joint_losses import LossRows, losses
from zkmargin.circuits.relation import Unit
from zkmargin.margin.scenarios.tables import JointTables
from zkmargin.margin.scenarios.tail import tail


def build(account: AccountRows) -> int:
    """Add the rows of expected shortfall; the requirement is collected as it is (denominator 1)."""
    tables: JointTables = account.tables
    confidence = Fraction(*tables.confidence[account.level])
    p, q = tables.tail_weight(account.level).as_integer_ratio()
    cells, rows, scale = LossRows.of(account), account.rows, account.snapshot.scale
    first = rows.rows

    def begins(lots: Sequence[int], _: Mapping[int, int]) -> Mapping[int, int]:
        eta = tail(losses(tables, scale, lots), confidence).quantile
        return {first: max(0, eta), first + 1: max(0, -eta)}

    limit = max(cells.reach)
    up = rows.free("tail begins at a loss of", account.usd, choice=begins, limit=limit)
    down = rows.free("tail begins at a gain of", account.usd, choice=begins, limit=limit)
    beyond = []
    for label, form in zip(cells.labels, cells.forms, strict=True):
        z = rows.free(f"{label}: loss beyond the tail's beginning", account.usd)
        rows.row(f"{label}: no less than that", account.usd, form, {z: 1, up: 1, down: -1}, closes=z)
        beyond.append(z)
    unit = Unit("USD", p * account.usd.scale)
    # The mean of the worst losses is no more than the greatest.
    shortfall = rows.free("expected shortfall", account.usd, limit=limit)
    terms = {shortfall: p, up: -p, down: p, **dict.fromkeys(beyond, -q)}
    rows.row("expected shortfall covered", unit, {}, terms, closes=shortfall)
    account.require({}, {shortfall: 1})
    contingencies(account, 1)
    account.haircuts(tables.collaterals, 1)
    return 1
