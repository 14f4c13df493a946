"""Accounts from Arrow tables, results as Arrow tables, and many accounts under every model."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.margin.accounts import example
from zkmargin.margin.account.book import Accounts, excesses
from zkmargin.margin.account.frames import accounts_from_arrow, excesses_to_arrow
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError

ROWS: dict[str, list[Any]] = {
    "account": ["alice", "bob", "alice", "bob"],
    "instrument": ["USD", "BTC", "BTC-PERPETUAL", "USD"],
    "quantity": ["250000", "1.5", "-50000", "10"],
    "entry_price": [None, None, "88000", None],
}


class Frame:
    """As pandas and Polars frames hand their columns on."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("form", [lambda table: table, Frame])
def test_accounts_come_in_and_results_go_out(form: Any) -> None:
    snapshot = example()
    named = accounts_from_arrow(form(pa.table(ROWS)), snapshot)
    assert named.names == ("alice", "bob")
    found = excesses(snapshot, named.accounts)
    table = excesses_to_arrow(named.names, found, snapshot.quantum_decimals)
    for place, row in enumerate(table.to_pylist()):
        one = requirement(snapshot, named.accounts.dense(place, len(snapshot.universe)))
        assert row["account"] == named.names[place]
        assert row["excess"] == one.excess_usd
        assert row["account_value"] == one.account_value_usd
        assert row["requirement"] == one.requirement_usd == row["account_value"] - row["excess"]
        assert isinstance(row["excess"], Decimal)


def test_every_model_takes_many_accounts() -> None:
    snapshot = example()
    accounts = accounts_from_arrow(pa.table(ROWS), snapshot).accounts
    for model in snapshot.models:
        found = excesses(snapshot, accounts, model=model, level="maintenance")
        one = requirement(
            snapshot, accounts.dense(0, len(snapshot.universe)), model=model, level="maintenance"
        )
        assert found.excesses[0] == one.excess_ticks
    with pytest.raises(InputError, match="did you mean grid"):
        excesses(snapshot, Accounts.of([]), model="girt")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("quantity", 1.5, "table, row 1: quantity: 1.5: floating point"),
        ("quantity", "much", "table, row 1: quantity"),
        ("account", None, "table, row 1: account"),
        ("instrument", "", "table, row 1: instrument"),
    ],
)
def test_rows_that_cannot_be_used_are_named(column: str, value: Any, words: str) -> None:
    rows = {name: [entries[0]] for name, entries in ROWS.items()} | {column: [value]}
    with pytest.raises(InputError, match=words):
        accounts_from_arrow(pa.table(rows), example())


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="quantity"):
        accounts_from_arrow(pa.table({"account": ["a"], "instrument": ["USD"]}), example())
    whole = accounts_from_arrow(
        pa.table({"account": ["a"], "instrument": ["USD"], "quantity": [3.0]}), example()
    )
    assert whole.accounts.lots.tolist() == [3_000_000]
