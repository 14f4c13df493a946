"""An account as four venues state it, in the form of each API, and a server that answers so.

All say the same: 100,000 dollars less 250 of debt, two bitcoins, a short inverse perpetual of 50,000 USD that has
gained 0.01 bitcoins until now, and three calls.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Table = dict[str, Any]
"""Answers by path, or by path and one parameter."""

MARK = "88000"

DERIBIT: Table = {
    "/api/v2/private/list_api_keys": {
        "jsonrpc": "2.0",
        "result": [
            {
                "client_id": "public name",
                "max_scope": "account:read block_trade:none trade:read wallet:read",
                "enabled": True,
            }
        ],
    },
    "/api/v2/private/get_account_summaries": {
        "jsonrpc": "2.0",
        "result": {
            "id": 71,
            "email": "somebody@example.org",
            "summaries": [
                {"currency": "USDC", "balance": 99750.0, "equity": 99750.0},
                {"currency": "BTC", "balance": 2.0, "equity": 2.3},
                {"currency": "ETH", "balance": 0.0, "equity": 0.0},
            ],
        },
    },
    "/api/v2/private/get_positions": {
        "jsonrpc": "2.0",
        "result": [
            {
                "instrument_name": "BTC-PERPETUAL",
                "kind": "future",
                "direction": "sell",
                "size": -50000.0,
                "average_price": 89584.5,
                "mark_price": 88000.0,
                "settlement_price": 89000.0,
                "floating_profit_loss": 0.01,
            },
            {
                "instrument_name": "BTC-30JAN26-88000-C",
                "kind": "option",
                "direction": "buy",
                "size": 3.0,
                "average_price": 0.05,
                "mark_price": 0.06,
                "floating_profit_loss": 0.03,
            },
        ],
    },
    "/api/v2/private/get_open_orders": {"jsonrpc": "2.0", "result": []},
}

OKX: Table = {
    "/api/v5/account/config": {
        "code": "0",
        "data": [{"uid": "72", "perm": "read_only", "posMode": "net_mode"}],
    },
    "/api/v5/account/balance": {
        "code": "0",
        "data": [
            {
                "details": [
                    {"ccy": "USDC", "cashBal": "99800", "interest": "50", "liab": ""},
                    {"ccy": "BTC", "cashBal": "2", "interest": "", "liab": ""},
                ]
            }
        ],
    },
    "/api/v5/account/positions": {
        "code": "0",
        "data": [
            {
                "instId": "BTC-USD-SWAP",
                "instType": "SWAP",
                "mgnMode": "cross",
                "posSide": "net",
                "pos": "-500",
                "avgPx": "89584.5",
                "markPx": MARK,
                "upl": "0.01",
            },
            {
                "instId": "BTC-USD-260130-88000-C",
                "instType": "OPTION",
                "mgnMode": "cross",
                "posSide": "net",
                "pos": "300",
                "avgPx": "0.05",
                "markPx": "0.06",
                "upl": "0.03",
            },
        ],
    },
    "/api/v5/trade/orders-pending": {"code": "0", "data": []},
    "/api/v5/trade/orders-algo-pending": {"code": "0", "data": []},
    "/api/v5/sprd/orders-pending": {"code": "0", "data": []},
}

BINANCE: Table = {
    "/sapi/v1/account/apiRestrictions": {
        "ipRestrict": False,
        "createTime": 1698645219000,
        "enableReading": True,
        "enableWithdrawals": False,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableSpotAndMarginTrading": False,
        "enablePortfolioMarginTrading": False,
    },
    "/api/v3/account": {"uid": 73, "balances": []},
    "/papi/v1/balance": [
        {
            "asset": "USDC",
            "totalWalletBalance": "100000",
            "crossMarginBorrowed": "200",
            "crossMarginInterest": "50",
        },
        {"asset": "BTC", "totalWalletBalance": "2", "crossMarginBorrowed": "0", "crossMarginInterest": "0"},
    ],
    "/papi/v1/um/positionRisk": [],
    "/papi/v1/cm/positionRisk": [
        {
            "symbol": "BTCUSD_PERP",
            "positionAmt": "-500",
            "positionSide": "BOTH",
            "entryPrice": "89584.5",
            "markPrice": MARK,
            "unRealizedProfit": "0.01",
        },
        {
            "symbol": "ETHUSD_PERP",
            "positionAmt": "0",
            "positionSide": "BOTH",
            "entryPrice": "0.0",
            "markPrice": "3000",
            "unRealizedProfit": "0",
        },
    ],
    "/papi/v1/um/openOrders": [],
    "/papi/v1/cm/openOrders": [],
    "/papi/v1/margin/openOrders": [],
    "/papi/v1/um/conditional/openOrders": [],
    "/papi/v1/cm/conditional/openOrders": [],
}

EMPTY: dict[str, Any] = {"retCode": 0, "result": {"list": [], "nextPageCursor": ""}}
BYBIT: Table = {
    "/v5/user/query-api": {"retCode": 0, "result": {"userID": 74, "readOnly": 1}},
    "/v5/account/wallet-balance": {
        "retCode": 0,
        "result": {
            "list": [
                {
                    "accountType": "UNIFIED",
                    "coin": [
                        {
                            "coin": "USDC",
                            "walletBalance": "100000",
                            "spotBorrow": "200",
                            "accruedInterest": "50",
                        },
                        {"coin": "BTC", "walletBalance": "2", "spotBorrow": "0", "accruedInterest": ""},
                    ],
                }
            ]
        },
    },
    "/v5/position/list?category=linear": EMPTY,
    "/v5/position/list?category=inverse": {
        "retCode": 0,
        "result": {
            "nextPageCursor": "",
            "list": [
                {
                    "symbol": "BTCUSD",
                    "side": "Sell",
                    "size": "50000",
                    "avgPrice": "89584.5",
                    "markPrice": MARK,
                    "unrealisedPnl": "0.01",
                },
                {
                    "symbol": "ETHUSD",
                    "side": "",
                    "size": "0",
                    "avgPrice": "",
                    "markPrice": "",
                    "unrealisedPnl": "",
                },
            ],
        },
    },
    "/v5/position/list?category=option": {
        "retCode": 0,
        "result": {
            "nextPageCursor": "",
            "list": [
                {
                    "symbol": "BTC-30JAN26-88000-C",
                    "side": "Buy",
                    "size": "3",
                    "avgPrice": "0.05",
                    "markPrice": "0.06",
                    "unrealisedPnl": "0.03",
                }
            ],
        },
    },
    "/v5/order/realtime": EMPTY,
}

TABLES: dict[str, Table] = {"deribit": DERIBIT, "okx": OKX, "binance": BINANCE, "bybit": BYBIT}
CONTRACTS = {
    "deribit": ("BTC-PERPETUAL,BTC-PERPETUAL,1,BTC", "BTC-30JAN26-88000-C,{call},1,BTC"),
    "okx": ("BTC-USD-SWAP,BTC-PERPETUAL,100,BTC", "BTC-USD-260130-88000-C,{call},0.01,BTC"),
    "binance": ("BTCUSD_PERP,BTC-PERPETUAL,100,BTC",),
    "bybit": ("BTCUSD,BTC-PERPETUAL,1,BTC", "BTC-30JAN26-88000-C,{call},1,BTC"),
}
KEY, SECRET, PHRASE = "public name", "what signs requests", "pass phrase"


@dataclass
class Venue:
    """A venue's server.

    Attributes:
        table: what it answers; may be changed between readings.
        later: what it answers from the second time on that a path is asked.
        asked: method, path and headers of each request.
    """

    table: Table
    later: Table = field(default_factory=dict)
    url: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def answer(self, path: str) -> Any:
        parts = urlsplit(path)
        names = [f"{parts.path}?{name}={value}" for name, value in parse_qsl(parts.query)]
        before = [one for _, one, _ in self.asked[:-1] if one == parts.path]
        for name in (*names, parts.path):
            if before and name in self.later:
                return self.later[name]
            if name in self.table:
                return self.table[name]
        return None


@contextmanager
def answering(venue: Venue) -> Iterator[str]:
    """The address of a server that answers as the venue does."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            venue.asked.append((self.command, urlsplit(self.path).path, dict(self.headers.items())))
            found = venue.answer(self.path)
            body = json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def table_of(venue: str) -> Table:
    # Nothing of it shared.
    copied: Table = json.loads(json.dumps(TABLES[venue]))
    return copied
