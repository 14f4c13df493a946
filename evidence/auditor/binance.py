"""Binance: a portfolio margin account, where spot, loans and both kinds of futures are one."""

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

POSITIONS = ("um_positions", "cm_positions")
ORDERS = ("um_orders", "cm_orders", "margin_orders", "um_conditional", "cm_conditional")
PERMISSIONS = ("enable", "permits")


def _account(answers: Answers) -> VenueAccount:
    contracts = []
    for name in POSITIONS:
        for row in answers[name]:
            size = row["positionAmt"].number()
            if not size:
                continue
            side = row["positionSide"].text()
            quantity = size if side == "BOTH" else side_of(size, side == "LONG", row.where)
            numbers = (row[field].number() for field in ("entryPrice", "markPrice", "unRealizedProfit"))
            contracts.append(HeldContract(row["symbol"].text(), quantity, *numbers))
    balances = {
        row["asset"].text(): less(
            row["totalWalletBalance"].number(),
            row["crossMarginBorrowed"].number(),
            row["crossMarginInterest"].number(),
        )
        for row in answers["balance"]
    }
    orders = sum(len(list(answers[name])) for name in ORDERS)
    return VenueAccount(answers["spot"]["uid"].text(), tuple(contracts), balances, orders)


def _check_key(answers: Answers, _: str) -> None:
    restrictions = answers["restrictions"]
    for name in restrictions.value if isinstance(restrictions.value, dict) else ():
        if name.startswith(PERMISSIONS) and restrictions[name].flag() != (name == "enableReading"):
            raise refused_key(restrictions.where, name, restrictions[name].value)
    if not restrictions["enableReading"].flag():
        raise refused_key(restrictions.where, "enableReading", restrictions["enableReading"].value)


BINANCE = VenueForm(
    {
        "restrictions": Request("sapi_get_account_apirestrictions", {}),
        "spot": Request("private_get_account", {}),
        "balance": Request("papi_get_balance", {}),
        "um_positions": Request("papi_get_um_positionrisk", {}),
        "cm_positions": Request("papi_get_cm_positionrisk", {}),
        "um_orders": Request("papi_get_um_openorders", {}),
        "cm_orders": Request("papi_get_cm_openorders", {}),
        "margin_orders": Request("papi_get_margin_openorders", {}),
        "um_conditional": Request("papi_get_um_conditional_openorders", {}),
        "cm_conditional": Request("papi_get_cm_conditional_openorders", {}),
    },
    _account,
    _check_key,
)
