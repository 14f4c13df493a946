"""Bybit: the unified account with its linear, inverse and option positions; and what the key permits."""

from __future__ import annotations

from zkmargin.evidence.auditor.answers import Answer
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

KINDS: dict[str, dict[str, str]] = {
    "usdt": {"category": "linear", "settleCoin": "USDT"},
    "usdc": {"category": "linear", "settleCoin": "USDC"},
    "inverse": {"category": "inverse"},
    "option": {"category": "option"},
}
PAGE = {"limit": "200"}


def _rows(answer: Answer) -> list[Answer]:
    """The rows of a list that is whole. Raises InputError where it goes on."""
    found = answer["result"]
    if (
        (cursor := found.get("nextPageCursor")) is not None
        and cursor.value != ""
        and len(list(found["list"])) > 199
    ):
        raise InputError(
            answer.where, "nextPageCursor", cursor.text(), "the account has more rows than are read"
        )
    return list(found["list"])


def _account(answers: Answers) -> VenueAccount:
    contracts = []
    for kind in KINDS:
        for row in _rows(answers[f"positions_{kind}"]):
            size = row["size"].number_or_zero()
            if not size:
                continue
            quantity = side_of(size, row["side"].text() == "Buy", row.where)
            numbers = (row[name].number() for name in ("avgPrice", "markPrice", "unrealisedPnl"))
            contracts.append(HeldContract(row["symbol"].text(), quantity, *numbers))
    balances = {
        row["coin"].text(): less(
            *(row[name].number_or_zero() for name in ("walletBalance", "spotBorrow", "accruedInterest"))
        )
        for row in answers["balance"]["result"]["list"].only()["coin"]
    }
    orders = sum(len(_rows(answers[f"orders_{kind}"])) for kind in (*KINDS, "spot"))
    return VenueAccount(answers["key"]["result"]["userID"].text(), tuple(contracts), balances, orders)


def _check_key(answers: Answers, _: str) -> None:
    flag = answers["key"]["result"]["readOnly"]
    if flag.text() != "1":
        raise refused_key(flag.where, "readOnly", flag.text())


BYBIT = VenueForm(
    {
        "key": Request("private_get_v5_user_query_api", {}),
        "balance": Request("private_get_v5_account_wallet_balance", {"accountType": "UNIFIED"}),
        **{
            f"positions_{kind}": Request("private_get_v5_position_list", {**asked, **PAGE})
            for kind, asked in KINDS.items()
        },
        **{
            f"orders_{kind}": Request("private_get_v5_order_realtime", dict(asked))
            for kind, asked in KINDS.items()
        },
        "orders_spot": Request("private_get_v5_order_realtime", {"category": "spot"}),
    },
    _account,
    _check_key,
)
