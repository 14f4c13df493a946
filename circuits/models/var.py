"""Value at risk, as rows: the least V that covers all cells but k, which bits excuse.

With S cells, k = floor(S (1 - confidence)), and B_s the greatest loss that any account within its bounds can have:

    b_s >= 0,  1 - b_s >= 0                  for every cell s: a bit
    V >= 0,  V + PnL_s + B_s b_s >= 0        V covers the loss, unless the cell is excused
    k - sum b >= 0                           at most k cells are excused
    A - V - charges - threshold >= 0

The bits are exact: whatever cells a prover excuses, at least one of the k + 1 with the largest losses is not, so V
is at least the (k+1)-th largest loss. V itself is convex: a larger one only harms him.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.gadgets.contingencies import contingencies
from zkmargin.circuits.gadgets.joint_losses import LossRows, losses
from zkmargin.circuits.relation import Unit
from zkmargin.margin.arithmetic.decimals import floor_div
from zkmargin.margin.scenarios.tables import JointTables

CELLS = Unit("scenarios")


def build(account: AccountRows) -> int:
    """Add the rows of value at risk; the requirement is collected as it is (denominator 1)."""
    tables: JointTables = account.tables
    excused = floor_div(tables.tail_weight(account.level))
    cells, rows, scale = LossRows.of(account), account.rows, account.snapshot.scale
    first, count = rows.rows, len(cells.labels)

    def worst(lots: Sequence[int], _: Mapping[int, int]) -> Mapping[int, int]:
        found = losses(tables, scale, lots)
        chosen = set(sorted(range(count), key=found.__getitem__, reverse=True)[:excused])
        return {first + cell: int(cell in chosen) for cell in range(count)}

    bits = [rows.free(f"{label}: excused", CELLS, choice=worst, limit=1) for label in cells.labels]
    value = rows.free("value at risk", account.usd)
    for label, bit, form, reach in zip(cells.labels, bits, cells.forms, cells.reach, strict=True):
        rows.row(f"{label}: excused at most once", CELLS, {}, {bit: -1}, constant=1)
        name = f"{label}: loss covered unless excused"
        rows.row(name, account.usd, form, {value: 1, bit: reach}, closes=value)
    rows.row(f"at most {excused} scenarios excused", CELLS, {}, dict.fromkeys(bits, -1), constant=excused)
    account.require({}, {value: 1})
    contingencies(account, 1)
    account.haircuts(tables.collaterals, 1)
    return 1
