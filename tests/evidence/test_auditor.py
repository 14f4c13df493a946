"""An auditor at four venues: every contract is mapped or refused, nothing may move, and the key can only read."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.attestation.scene import DOMAIN, key, market_snapshot
from tests.evidence.stage import STRANGER, TRADER, issuer
from tests.evidence.venue_answers import CONTRACTS, KEY, PHRASE, SECRET, Table, Venue, answering, table_of
from zkmargin.attestation import VerifiedMap, sign_map
from zkmargin.evidence import attest_reading
from zkmargin.evidence.auditor import Auditor, AuditPlan
from zkmargin.evidence.reading import Reading
from zkmargin.margin.account.contract_map import read_contract_map
from zkmargin.margin.errors import InputError

VENUES = tuple(CONTRACTS)


def call_name() -> str:
    """A call on bitcoin of the example market, paid at once."""
    return next(
        one.name
        for one in market_snapshot().universe.instruments
        if one.kind == "option" and one.underlying == "BTC" and one.call
    )


def contract_map(folder: Path, venue: str, *more: str) -> VerifiedMap:
    universe = market_snapshot().universe
    path = folder / "contracts.csv"
    settlement = universe.instruments[universe.slot(call_name())].settlement
    rows = [row.format(call=call_name()) for row in CONTRACTS[venue]]
    rows = [f"{row.rpartition(',')[0]},{settlement}" if call_name() in row else row for row in rows]
    path.write_text("\n".join(["contract,instrument,multiplier,settlement", *rows, "USDC,USD,1,USD", *more]))
    targets = read_contract_map(path, universe)
    signed = sign_map(key("auditor"), DOMAIN, targets, universe, venue="auditor", as_of=1)
    return signed.verified(universe, key("auditor").address, "map")


def plan(folder: Path, venue: str, url: str, **changes: Any) -> AuditPlan:
    secret = folder / "venue.key"
    if not secret.exists():
        secret.write_text(json.dumps({"key": KEY, "secret": SECRET, "passphrase": PHRASE}))
        secret.chmod(0o600)
    lines = {"venue": venue, "subject": TRADER, "key_file": "venue.key", "url": url, "seconds_between": 0}
    path = folder / "plan.toml"
    path.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in (lines | changes).items()))
    return AuditPlan.read(path)


@contextmanager
def audited(
    folder: Path, venue: str, table: Table, later: Table | None = None
) -> Iterator[tuple[Auditor, Venue]]:
    server = Venue(table, later or {})
    with answering(server) as url:
        yield Auditor(plan(folder, venue, url), contract_map(folder, venue)), server


def read(folder: Path, venue: str, table: Table, later: Table | None = None) -> Reading:
    with audited(folder, venue, table, later) as (auditor, _):
        return auditor.read(market_snapshot(), TRADER)


@pytest.mark.parametrize("venue", VENUES)
def test_every_venue_says_the_same(tmp_path: Path, venue: str) -> None:
    with audited(tmp_path, venue, table_of(venue)) as (auditor, server):
        found = auditor.read(market_snapshot(), TRADER)
    assert found.complete
    held = {one.instrument: (one.quantity, one.entry_price) for one in found.positions}
    calls = {} if venue == "binance" else {call_name(): (Decimal(3), None)}
    assert held == {
        "USD": (Decimal(99750), None),
        # What the perpetual has gained until the mark is in the balance; from the mark on the position counts.
        "BTC": (Decimal("2.01"), None),
        "BTC-PERPETUAL": (Decimal(-50000), Decimal(88000)),
        **calls,
    }
    assert {method for method, _, _ in server.asked} == {"GET"}
    told = json.dumps([headers for _, _, headers in server.asked])
    assert SECRET not in told


@pytest.mark.parametrize("venue", VENUES)
def test_what_is_signed(tmp_path: Path, venue: str) -> None:
    signer = issuer(tmp_path, "auditor")
    with audited(tmp_path, venue, table_of(venue)) as (auditor, _):
        made, reading = attest_reading(signer, auditor, TRADER, 3600)
    assert made.attestation.source == "auditor"
    assert made.attestation.complete
    assert made.attestation.evidence == reading.evidence
    assert SECRET.encode() not in auditor.archive()


Change = Callable[[Table], None]


def set_to(*path: Any, to: Any) -> Change:
    def change(table: Table) -> None:
        part = table
        for name in path[:-1]:
            part = part[name]
        part[path[-1]] = to

    return change


KEYS = {
    "deribit": set_to(
        "/api/v2/private/list_api_keys", "result", 0, "max_scope", to="account:read trade:read_write"
    ),
    "okx": set_to("/api/v5/account/config", "data", 0, "perm", to="read_only,trade"),
    "binance": set_to("/sapi/v1/account/apiRestrictions", "enableWithdrawals", to=True),
    "bybit": set_to("/v5/user/query-api", "result", "readOnly", to=0),
}
MOVES = {
    "deribit": set_to("/api/v2/private/get_positions", "result", 0, "size", to=-49990.0),
    "okx": set_to("/api/v5/account/balance", "data", 0, "details", 0, "cashBal", to="99799"),
    "binance": set_to("/papi/v1/cm/positionRisk", 0, "entryPrice", to="89584.4"),
    "bybit": set_to("/v5/account/wallet-balance", "result", "list", 0, "coin", 1, "walletBalance", to="1.99"),
}
ORDERS = {
    "deribit": set_to("/api/v2/private/get_open_orders", "result", to=[{"order_id": "1"}]),
    "okx": set_to("/api/v5/trade/orders-pending", "data", to=[{"ordId": "1"}]),
    "binance": set_to("/papi/v1/um/conditional/openOrders", to=[{"strategyId": 1}]),
    "bybit": set_to("/v5/order/realtime", "result", "list", to=[{"orderId": "1"}]),
}
UNKNOWN = {
    "deribit": set_to("/api/v2/private/get_positions", "result", 1, "instrument_name", to="SOL-PERPETUAL"),
    "okx": set_to("/api/v5/account/positions", "data", 1, "instId", to="SOL-USD-SWAP"),
    "binance": set_to("/papi/v1/cm/positionRisk", 0, "symbol", to="SOLUSD_PERP"),
    "bybit": set_to("/v5/position/list?category=option", "result", "list", 0, "symbol", to="SOL-1"),
}
MISSING = {
    "deribit": set_to("/api/v2/private/get_positions", "result", 0, to={"size": -1, "kind": "future"}),
    "okx": set_to("/api/v5/account/positions", "data", to={}),
    "binance": set_to("/papi/v1/balance", 0, "crossMarginBorrowed", to=None),
    "bybit": set_to("/v5/account/wallet-balance", "result", "list", to=[]),
}


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (KEYS, "can do more than read"),
        (ORDERS, "have them cancelled"),
        (UNKNOWN, "the map of contracts does not list it"),
        (MISSING, "not of the form that is known"),
    ],
    ids=["key", "orders", "unknown", "missing"],
)
def test_what_cannot_be_signed_is_refused(
    tmp_path: Path, venue: str, changes: dict[str, Change], message: str
) -> None:
    table = table_of(venue)
    changes[venue](table)
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, venue, table)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("venue", VENUES)
def test_nothing_moves_between_two_readings(tmp_path: Path, venue: str) -> None:
    later = table_of(venue)
    MOVES[venue](later)
    with pytest.raises(InputError, match="the account moved between two readings"):
        read(tmp_path, venue, table_of(venue), later)


@pytest.mark.parametrize("venue", VENUES)
def test_a_venue_that_refuses(tmp_path: Path, venue: str) -> None:
    with pytest.raises(InputError, match="see that the venue answers") as caught:
        read(tmp_path, venue, {})
    assert SECRET not in str(caught.value)


def test_saved_answers_are_read_alike(tmp_path: Path) -> None:
    with audited(tmp_path, "okx", table_of("okx")) as (auditor, _):
        found = auditor.read(market_snapshot(), TRADER)
        (tmp_path / "saved.json").write_bytes(auditor.archive())
    saved = tmp_path / "saved.toml"
    saved.write_text(f'venue = "okx"\nsubject = "{TRADER}"\nsaved = "saved.json"\n')
    again = Auditor(AuditPlan.read(saved), contract_map(tmp_path, "okx")).read(market_snapshot(), TRADER)
    assert again.positions == found.positions
    assert again.as_of == found.as_of
    assert again.evidence != found.evidence


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with audited(tmp_path, "okx", table_of("okx")) as (auditor, server):
        os.chmod(tmp_path / "venue.key", 0o644)
        with pytest.raises(InputError, match="others can reach this key"):
            auditor.read(market_snapshot(), TRADER)
    assert not server.asked


def test_a_file_that_is_no_key_is_not_shown(tmp_path: Path) -> None:
    with audited(tmp_path, "okx", table_of("okx")) as (auditor, _):
        (tmp_path / "venue.key").write_text('{"key": "k", "secrets": "hush"}')
        with pytest.raises(InputError, match="write a JSON object with key, secret") as caught:
            auditor.read(market_snapshot(), TRADER)
    assert "hush" not in str(caught.value)


def test_an_account_is_its_owners(tmp_path: Path) -> None:
    with (
        audited(tmp_path, "okx", table_of("okx")) as (auditor, _),
        pytest.raises(InputError, match="an account of"),
    ):
        auditor.read(market_snapshot(), STRANGER)


def test_a_currency_that_the_universe_lacks(tmp_path: Path) -> None:
    table = table_of("okx")
    table["/api/v5/account/balance"]["data"][0]["details"].append(
        {"ccy": "DOGE", "cashBal": "1", "interest": ""}
    )
    with pytest.raises(InputError, match="DOGE"):
        read(tmp_path, "okx", table)
    server = Venue(table)
    with answering(server) as url:
        leaving = plan(tmp_path, "okx", url, leave_out=["DOGE"])
        assert Auditor(leaving, contract_map(tmp_path, "okx")).read(market_snapshot(), TRADER).positions
        table["/api/v5/account/balance"]["data"][0]["details"][-1]["cashBal"] = "-1"
        with pytest.raises(InputError, match="DOGE"):
            Auditor(leaving, contract_map(tmp_path, "okx")).read(market_snapshot(), TRADER)


@pytest.mark.parametrize("url", ["http://example.org", "http://localhost.example.org", "ftp://127.0.0.1"])
def test_answers_do_not_travel_in_the_clear(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="url begins with https"):
        plan(tmp_path, "okx", url)
