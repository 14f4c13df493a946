"""Deribit: positions of all currencies, balances, open orders, and the scope of the key.

What a future has gained since the last daily settlement is not in `balance` yet: it is `floating_profit_loss`.
"""

from __future__ import annotations

from zkmargin.evidence.auditor.statement import (
    Answers,
    HeldContract,
    Request,
    VenueAccount,
    VenueForm,
    refused_key,
    side_of,
)
from zkmargin.margin.errors import InputError

KINDS = ("future", "option")


def _account(answers: Answers) -> VenueAccount:
    summaries = answers["summaries"]["result"]
    contracts = []
    for row in answers["positions"]["result"]:
        size = row["size"].number()
        if not size:
            continue
        if row["kind"].text() not in KINDS:
            raise InputError(row.where, "kind", row["kind"].text(), f"only {' and '.join(KINDS)} are read")
        quantity = side_of(size, row["direction"].text() == "buy", row.where)
        numbers = (row[name].number() for name in ("average_price", "mark_price", "floating_profit_loss"))
        contracts.append(HeldContract(row["instrument_name"].text(), quantity, *numbers))
    balances = {row["currency"].text(): row["balance"].number() for row in summaries["summaries"]}
    orders = len(list(answers["orders"]["result"]))
    return VenueAccount(summaries["id"].text(), tuple(contracts), balances, orders)


def _check_key(answers: Answers, key: str) -> None:
    for row in answers["keys"]["result"]:
        if row["client_id"].text() == key:
            for scope in row["max_scope"].text().split():
                if not scope.endswith((":read", ":none")):
                    raise refused_key(row.where, "max_scope", scope)
            return
    raise refused_key(answers["keys"].where, "client_id", key)


DERIBIT = VenueForm(
    {
        "keys": Request("private_get_list_api_keys", {}),
        "summaries": Request("private_get_get_account_summaries", {"extended": "true"}),
        "positions": Request("private_get_get_positions", {"currency": "any"}),
        "orders": Request("private_get_get_open_orders", {}),
    },
    _account,
    _check_key,
)
