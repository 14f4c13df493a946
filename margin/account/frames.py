"""Accounts and results as Arrow tables, and so as pandas or Polars frames.

A table of positions has the columns `account`, `instrument`, `quantity` and, if it matters, `entry_price`; an account
is every row with its name. Quantities are strings, decimals or integers; floating-point numbers are refused unless
they are whole, since what they mean in lots would be a rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from zkmargin.margin.account.book import Accounts, Excesses
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.arithmetic.decimals import parse_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot.snapshot import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("account", "instrument", "quantity")
ENTRY = "entry_price"


@dataclass(frozen=True)
class NamedAccounts:
    """Accounts with their names, in the same order.

    Attributes:
        names: (A,) the accounts' names, each once, in the order in which they first occur.
        accounts: The accounts in lots, the entries' legs included.
    """

    names: tuple[str, ...]
    accounts: Accounts


def accounts_from_arrow(table: Any, snapshot: Snapshot) -> NamedAccounts:
    """The accounts of a table of positions.

    Args:
        table: A pyarrow Table, or whatever has the Arrow PyCapsule interface, such as a pandas or Polars frame.
        snapshot: Gives the universe, and the mark at which a position without an entry price counts as entered.

    Raises:
        InputError: a column is missing, or a row cannot be used; it names the row.
    """
    import pyarrow as pa  # noqa: PLC0415 - only who has frames needs the library

    rows = pa.table(table)
    missing = [name for name in COLUMNS if name not in rows.column_names]
    if missing:
        known = ", ".join((*COLUMNS, ENTRY))
        raise InputError("table", "column", missing[0], f"missing; the columns are {known}")
    held: dict[str, list[Position]] = {}
    for account, position in _positions(rows):
        held.setdefault(account, []).append(position)
    vectors = [Holdings.of(positions, snapshot).vector(snapshot) for positions in held.values()]
    return NamedAccounts(tuple(held), Accounts.of(vectors))


def excesses_to_arrow(names: Sequence[str], found: Excesses, quantum_decimals: int) -> pa.Table:
    """A table with the columns account, account_value, requirement and excess, in exact decimals of USD.

    Args:
        names: (A,) the accounts' names.
        found: Their values and excesses in ticks.
        quantum_decimals: The snapshot's; a tick is 10^-quantum_decimals USD.
    """
    import pyarrow as pa  # noqa: PLC0415 - only who has frames needs the library

    money = pa.decimal128(38, quantum_decimals)
    values, excesses = found.account_values.tolist(), found.excesses.tolist()
    required = [value - excess for value, excess in zip(values, excesses, strict=True)]

    def column(ticks: Sequence[int]) -> Any:
        return pa.array([Decimal(amount).scaleb(-quantum_decimals) for amount in ticks], money)

    return pa.table(
        {
            "account": pa.array(list(names), pa.string()),
            "account_value": column(values),
            "requirement": column(required),
            "excess": column(excesses),
        }
    )


def _positions(rows: Any) -> Iterator[tuple[str, Position]]:
    names = [name for name in (*COLUMNS, ENTRY) if name in rows.column_names]
    for number, row in enumerate(rows.select(names).to_pylist(), start=1):
        where = f"table, row {number}"
        for name in ("account", "instrument"):
            if not isinstance(row[name], str) or not row[name]:
                raise InputError(where, name, row[name], "write a name")
        quantity = _number(row["quantity"], where, "quantity")
        entry = row.get(ENTRY)
        price = None if entry in (None, "") else _number(entry, where, ENTRY)
        yield row["account"], Position(row["instrument"], quantity, price, where)


def _number(value: Any, where: str, field: str) -> Decimal:
    if isinstance(value, float) and not value.is_integer():
        raise InputError(
            where, field, Finding(repr(value)), "floating point is a rounding; give a string or decimal"
        )
    return parse_decimal(int(value) if isinstance(value, float) else value, where, field)
