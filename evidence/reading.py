"""What every source answers: positions of one account at one moment, whether they are all, and what they rest on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import MAX_PREC, Context, Decimal, Inexact
from fractions import Fraction
from typing import Protocol

from zkmargin.argument.documents import Document
from zkmargin.attestation.documents import OpenOrders, Source
from zkmargin.margin.account.holdings import Position
from zkmargin.margin.arithmetic.decimals import canonical_decimal, floor_div
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot.snapshot import Snapshot

_EXACT = Context(prec=MAX_PREC, traps=[Inexact])

COLLATERAL = ("balance", "share")
"""Kinds of instruments that count where it is not shown that nothing is left out."""


@dataclass(frozen=True)
class Reading:
    """One account, read.

    Attributes:
        identity: what the account is in the world, such as a chain, a contract and a number: the same for every way to
            read it. Its pseudonym is made from this, so that it cannot be counted twice under two names.
        positions: in the names of the universe.
        complete: whether it is shown that nothing of the account is left out.
        as_of: the moment that was read, Unix seconds.
        open_orders: none, or reserved in the balances.
        record: what the holdings rest on, without showing them; its digest is signed. None for the signer's word alone.
        pseudonym: the account's name in attestations, where the source gives it one itself.
    """

    identity: tuple[str, ...]
    positions: tuple[Position, ...]
    complete: bool
    as_of: int
    open_orders: OpenOrders
    record: Document | None
    pseudonym: str | None = None

    @property
    def evidence(self) -> str | None:
        """The digest of the record's canonical encoding: SHA-256, hex; None where there is no record."""
        return None if self.record is None else hashlib.sha256(self.record.encode()).hexdigest()


class Reader(Protocol):
    """A source of holdings. A notary of TLS sessions or an enclave would fill this as well."""

    @property
    def source(self) -> Source:
        """Its word in attestations, which policies grade."""

    def read(self, snapshot: Snapshot, subject: str) -> Reading:
        """The account, in the universe of the snapshot.

        Args:
            snapshot: whose universe the positions are in.
            subject: address of the key that is to sign what is proven: the source must say that the account is its.

        Raises:
            InputError: the account cannot be read, is not the subject's, or has something that the universe lacks.
        """

    def archive(self) -> bytes:
        """What was read last, for the signer to keep: it shows the account."""


def lots_below(amount: Fraction, instrument: str, snapshot: Snapshot, where: str) -> Position:
    """A position of so much, rounded down to a lot: what is held counts less by it, and what is owed more."""
    lot = snapshot.universe.instruments[snapshot.universe.slot(instrument)].lot
    quantity = _EXACT.multiply(Decimal(floor_div(amount / Fraction(lot))), lot)
    return Position(instrument, quantity, where=where)


def added_up(positions: Iterable[Position]) -> tuple[Position, ...]:
    """Each instrument once: quantities without an entry price are added up, and what comes to zero is left out.

    Raises:
        InputError: an instrument occurs twice with an entry price; the two cannot be one position.
    """
    found: dict[str, Position] = {}
    for position in positions:
        before = found.get(position.instrument)
        if before is None:
            found[position.instrument] = position
            continue
        if before.entry_price is not None or position.entry_price is not None:
            remedy = "two contracts of the source are this slot, each with an entry price; give each a slot of its own"
            raise InputError(position.where, "instrument", position.instrument, remedy)
        quantity = _EXACT.add(before.quantity, position.quantity)
        found[position.instrument] = replace(before, quantity=quantity)
    return tuple(position for position in found.values() if position.quantity)


def check_collateral(positions: Iterable[Position], snapshot: Snapshot) -> None:
    """Raises InputError unless all of these are balances or shares, none below zero.

    That is all that counts of an account which may have debts that are not shown: it cannot hedge another.
    """
    for position in positions:
        instrument = snapshot.universe.instruments[snapshot.universe.slot(position.instrument)]
        if instrument.kind not in COLLATERAL:
            remedy = "the source does not show that nothing is left out, so only balances and shares count"
            raise InputError(position.where, "instrument", position.instrument, remedy)
        if position.quantity < 0:
            remedy = "the source does not show that nothing is left out, so a debt cannot be a part of it"
            raise InputError(position.where, "quantity", canonical_decimal(position.quantity), remedy)


def check_some(positions: tuple[Position, ...], where: str) -> None:
    """Raises InputError where nothing is held: an attestation of nothing serves nobody."""
    if not positions:
        raise InputError(where, "holdings", Finding("none"), "there is nothing to attest to in this account")
