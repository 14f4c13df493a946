"""OKX: the trading account, cross margin only; and what the key permits."""

from __future__ import annotations

from zkmargin.evidence.auditor.statement import (
    Answers,
    HeldContract,
    Request,
    VenueAccount,
    VenueForm,
    less,
    refused_key,
    side_of,
)
from zkmargin.margin.errors import InputError

KINDS = ("SWAP", "FUTURES", "OPTION")
PAGE = 100
ALGO = ("conditional", "oco", "trigger", "move_order_stop", "iceberg", "twap")
ORDERS = ("orders", "spread", *(f"algo_{kind}" for kind in ALGO))


def _account(answers: Answers) -> VenueAccount:
    contracts = []
    for row in answers["positions"]["data"]:
        size = row["pos"].number_or_zero()
        if not size:
            continue
        if row["instType"].text() not in KINDS:
            raise InputError(
                row.where, "instType", row["instType"].text(), f"only {', '.join(KINDS)} are read"
            )
        if row["mgnMode"].text() != "cross":
            remedy = "only cross margin is read: isolated margin is not a part of the balances"
            raise InputError(row.where, "mgnMode", row["mgnMode"].text(), remedy)
        side = row["posSide"].text()
        quantity = size if side == "net" else side_of(size, side == "long", row.where)
        numbers = (row[name].number() for name in ("avgPx", "markPx", "upl"))
        contracts.append(HeldContract(row["instId"].text(), quantity, *numbers))
    balances = {
        row["ccy"].text(): less(row["cashBal"].number(), row["interest"].number_or_zero())
        for row in answers["balance"]["data"].only()["details"]
    }
    orders = sum(len(list(answers[name]["data"])) for name in ORDERS)
    return VenueAccount(answers["config"]["data"].only()["uid"].text(), tuple(contracts), balances, orders)


def _check_key(answers: Answers, _: str) -> None:
    permissions = answers["config"]["data"].only()["perm"]
    if permissions.text() != "read_only":
        raise refused_key(permissions.where, "perm", permissions.text())


OKX = VenueForm(
    {
        "config": Request("private_get_account_config", {}),
        "balance": Request("private_get_account_balance", {}),
        "positions": Request("private_get_account_positions", {}),
        "orders": Request("private_get_trade_orders_pending", {"limit": PAGE}),
        **{
            f"algo_{kind}": Request("private_get_trade_orders_algo_pending", {"ordType": kind})
            for kind in ALGO
        },
        "spread": Request("private_get_sprd_orders_pending", {"limit": PAGE}),
    },
    _account,
    _check_key,
)
