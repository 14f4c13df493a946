"""What the rows of `es` and `var` share: losses over joint scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.matrix import MatrixRow
from zkmargin.margin.scenarios.requirement import account_profits
from zkmargin.margin.scenarios.tables import JointTables


@dataclass(frozen=True)
class LossRows:
    """The losses of an account over all cells, as linear forms.

    Attributes:
        labels: the cells.
        forms: for each cell the profit and loss, in money units per lot.
        reach: for each cell the greatest loss that holdings within their bounds can have.
    """

    labels: tuple[str, ...]
    forms: tuple[MatrixRow, ...]
    reach: tuple[int, ...]

    @classmethod
    def of(cls, account: AccountRows) -> LossRows:
        """The losses by the tables of the account's model."""
        tables: JointTables = account.tables
        matrix = account.money_rows(tables.risk)
        forms = tuple(MatrixRow(matrix, cell) for cell in range(matrix.rows))
        return cls(tables.labels, forms, tuple(account.rows.reach(matrix)))


def losses(tables: JointTables, scale: Sequence[int], lots: Sequence[int]) -> list[int]:
    """The loss of an account in each cell, in money units; negative where it gains."""
    # The relation has a variable for every slot of the domain, the universe an instrument for the first ones.
    return [-profit for profit in account_profits(tables, scale, lots[: len(scale)])]
