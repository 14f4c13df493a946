"""The source "auditor": a venue read twice with a key that can only read; signed only if nothing moved between."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field

from zkmargin.argument.documents import Digest, Document
from zkmargin.attestation import VerifiedMap
from zkmargin.attestation.documents import Seconds, Source
from zkmargin.evidence.auditor.answers import Answer
from zkmargin.evidence.auditor.binance import BINANCE
from zkmargin.evidence.auditor.bybit import BYBIT
from zkmargin.evidence.auditor.deribit import DERIBIT
from zkmargin.evidence.auditor.okx import OKX
from zkmargin.evidence.auditor.plan import AuditPlan, ReadKey
from zkmargin.evidence.auditor.statement import HeldContract, VenueAccount, VenueForm, less
from zkmargin.evidence.reading import Reading, added_up, check_some, lots_below
from zkmargin.margin.account.holdings import Position, mapped
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import parse_json, read_text
from zkmargin.margin.snapshot.snapshot import Snapshot

FORMS: dict[str, VenueForm] = {"deribit": DERIBIT, "okx": OKX, "binance": BINANCE, "bybit": BYBIT}
SALT_BYTES = 32
LONGEST_BETWEEN = 900
"""Seconds that two readings may lie apart."""


class AuditRecord(Document):
    """What an attestation of an auditor rests on.

    Attributes:
        venue: that was read.
        first, second: when, Unix seconds.
        live: whether the auditor asked the venue itself, and saw that the key can only read; False for saved answers.
        answers: SHA-256 of both readings with a random salt, as the auditor keeps them.
    """

    format: Literal["zkmargin/audit-record"] = "zkmargin/audit-record"
    version: Literal[1] = 1
    venue: Annotated[str, Field(min_length=1)]
    first: Seconds
    second: Seconds
    live: bool
    answers: Digest


class Auditor:
    """Reads one account of a venue by a plan."""

    source: Source = "auditor"

    def __init__(self, plan: AuditPlan, contracts: VerifiedMap) -> None:
        """`contracts` is the signed map of the venue's contracts: each that is held needs a row."""
        self._plan, self._contracts = plan, contracts
        self._form = FORMS[plan.venue]
        self._kept: dict[str, Any] = {}

    def read(self, snapshot: Snapshot, subject: str) -> Reading:
        """See `Reader`. Raises InputError also where something moved between both readings, orders are open, or the
        key can do more than read.
        """
        plan = self._plan
        if subject != plan.subject:
            remedy = f"the plan is for an account of {plan.subject}"
            raise InputError(plan.venue, "subject", subject, remedy)
        readings = self._readings()
        first, second = (self._account(one, number) for number, one in enumerate(readings))
        _check_still(first, second, plan.venue)
        if second.orders:
            remedy = (
                "what open orders could cost is not known here; have them cancelled while the account is read"
            )
            raise InputError(plan.venue, "open orders", second.orders, remedy)
        positions = added_up(self._positions(second, snapshot))
        check_some(positions, plan.venue)
        self._kept = {"venue": plan.venue, "salt": secrets.token_hex(SALT_BYTES), "readings": readings}
        record = AuditRecord(
            venue=plan.venue,
            first=readings[0]["at"],
            second=readings[1]["at"],
            live=plan.saved is None,
            answers=hashlib.sha256(_encoded(self._kept)).hexdigest(),
        )
        return Reading((plan.venue, second.number), positions, True, readings[1]["at"], "none", record)

    def archive(self) -> bytes:
        """See `Reader`."""
        return _encoded(self._kept) + b"\n"

    def _readings(self) -> list[dict[str, Any]]:
        """Two readings: `at` and `answers` of each. Raises InputError."""
        plan = self._plan
        if plan.saved is not None:
            return self._saved(plan.saved)
        # A large library, which only this needs.
        from zkmargin.evidence.auditor.asking import Session  # noqa: PLC0415

        key = ReadKey.read(plan.directory / str(plan.key_file))
        session = Session(plan.venue, key, plan.url)
        first = session.read(self._form)
        self._form.check_key(_answers(first, plan.venue, 0), key.key)
        time.sleep(plan.seconds_between)
        return [first, session.read(self._form)]

    def _saved(self, name: str) -> list[dict[str, Any]]:
        path = self._plan.directory / name
        document = parse_json(read_text(path), str(path))
        readings = document.get("readings") if isinstance(document, dict) else None
        if not isinstance(readings, list) or len(readings) != 2 or document.get("venue") != self._plan.venue:
            remedy = f"name what --kept wrote of {self._plan.venue}: two readings"
            raise InputError(str(path), "readings", Finding("not two of this venue"), remedy)
        for one in readings:
            if not isinstance(one, dict) or type(one.get("at")) is not int or one["at"] <= 0:
                raise InputError(
                    str(path), "at", Finding("missing"), "say when each reading was, Unix seconds"
                )
        between = readings[1]["at"] - readings[0]["at"]
        if not 0 <= between <= LONGEST_BETWEEN:
            remedy = f"the second follows the first by at most {LONGEST_BETWEEN} s"
            raise InputError(str(path), "at", readings[1]["at"], remedy)
        return readings

    def _account(self, reading: dict[str, Any], number: int) -> VenueAccount:
        return self._form.account(_answers(reading, self._plan.venue, number))

    def _positions(self, account: VenueAccount, snapshot: Snapshot) -> Iterable[Position]:
        """Every contract and every balance in the universe. Raises InputError for what the map lacks."""
        for held in _by_contract(account.contracts, self._plan.venue):
            yield from self._contract(held, snapshot)
        for currency, amount in account.balances.items():
            where = f"{self._plan.venue}, balance of {currency}"
            if not amount or (currency in self._plan.leave_out and amount > 0):
                continue
            found = self._mapped(Position(currency, amount, where=where), snapshot)
            yield lots_below(Fraction(found.quantity), found.instrument, snapshot, where)

    def _contract(self, held: HeldContract, snapshot: Snapshot) -> Iterable[Position]:
        where = f"{self._plan.venue}, position in {held.contract}"
        if held.contract not in self._contracts.targets:
            raise InputError(
                where, "contract", held.contract, "the map of contracts does not list it; give it a row"
            )
        found = self._mapped(Position(held.contract, held.quantity, where=where), snapshot)
        instrument = snapshot.universe.instruments[snapshot.universe.slot(found.instrument)]
        if instrument.kind == "balance":
            raise InputError(
                where, "instrument", found.instrument, "a contract is no balance; correct the map"
            )
        if not instrument.margined_daily:
            yield found
            return
        if held.mark <= 0:
            raise InputError(
                where, "mark", str(held.mark), "the venue gives it no price; nothing can be signed over it"
            )
        # As if entered at the venue's mark, with what was gained until then in the balance: however the venue settles.
        yield replace(found, entry_price=held.mark)
        yield lots_below(Fraction(held.profit), instrument.settlement, snapshot, where)

    def _mapped(self, position: Position, snapshot: Snapshot) -> Position:
        return mapped(position, self._contracts.targets, snapshot.universe)


def _answers(reading: dict[str, Any], venue: str, number: int) -> dict[str, Answer]:
    found = Answer(reading, f"{venue}, reading {number + 1}")["answers"]
    return {name: found[name] for name in FORMS[venue].requests}


def _check_still(first: VenueAccount, second: VenueAccount, venue: str) -> None:
    if first.still != second.still:
        remedy = "the account moved between two readings; read it again when nothing is traded or paid"
        raise InputError(venue, "account", Finding("changed"), remedy)


def _by_contract(contracts: Iterable[HeldContract], venue: str) -> Iterable[HeldContract]:
    """One of each contract: long and short of it, where a venue keeps them apart, are one position."""
    found: dict[str, HeldContract] = {}
    for held in contracts:
        before = found.get(held.contract)
        if before is None:
            found[held.contract] = held
            continue
        if before.mark != held.mark:
            remedy = "two positions in it have different marks; read the account again"
            raise InputError(venue, held.contract, str(held.mark), remedy)
        found[held.contract] = replace(
            before,
            quantity=less(before.quantity, -held.quantity),
            profit=less(before.profit, -held.profit),
        )
    return list(found.values())


def _encoded(kept: dict[str, Any]) -> bytes:
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> str:
    """Numbers of saved answers are exact, and stay so as text."""
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
