"""One part of a book, made in a process of its own: whole accounts in, lines of attestations and openings out."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, field
from multiprocessing import parent_process
from multiprocessing.connection import wait

import pyarrow as pa

from zkmargin.algebra import ceremony, get_backend
from zkmargin.attestation import Hold, SigningDomain, SigningKey, VerifiedMap
from zkmargin.attestation.documents import OpenOrders
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.venue.book_rows import holdings_of
from zkmargin.venue.issue import Account, Moment, Venue, check_ledger, sign
from zkmargin.venue.register import Grant, Issued

_PROCESS: dict[str, Venue] = {}
"""The venue of this process, from its start on."""


@dataclass(frozen=True)
class Carried:
    """A venue on its way into a process of its own; the key travels in memory only."""

    name: str
    secret: bytes = field(repr=False)
    domain: SigningDomain
    backend: str
    snapshot: Snapshot = field(repr=False)
    contracts: VerifiedMap | None = field(repr=False)

    @classmethod
    def of(cls, venue: Venue) -> Carried:
        """The arguments of the worker process; it uses the ceremony's setup."""
        key, backend = venue.key.export(), venue.setup.backend.name
        return cls(venue.name, key, venue.domain, backend, venue.snapshot, venue.contracts)

    def venue(self) -> Venue:
        """The venue again."""
        setup = ceremony(get_backend(self.backend))
        key = SigningKey(self.secret)
        return Venue(self.name, key, self.domain, setup, self.snapshot, self.contracts)


@dataclass(frozen=True)
class Task:
    """One part of a book to attest to.

    Attributes:
        rows: positions of whole accounts, an Arrow stream.
        book: the file they are from, for messages.
        moment, sequence, open_orders: of every attestation.
        holds: that last, by account.
    """

    rows: bytes = field(repr=False)
    book: str
    moment: Moment
    sequence: int
    open_orders: OpenOrders
    holds: dict[str, Hold]


@dataclass(frozen=True)
class Made:
    """The attestations of one part.

    Attributes:
        attestations: one a line.
        openings: of the same accounts, line for line. Secret.
        issued: for the register.
    """

    attestations: bytes
    openings: bytes = field(repr=False)
    issued: list[Issued]


def begin_process(carried: Carried) -> None:
    """Initialise a worker process."""
    # An interrupt is the parent's to handle; and a parent that was killed must not leave its processes behind.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare(carried)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def prepare(carried: Carried) -> None:
    """Make this process ready: the venue in memory, the bases of commitments in place."""
    venue = carried.venue()
    warm(venue)
    _PROCESS["venue"] = venue


def warm(venue: Venue) -> None:
    """Bring the powers of tau into the form that commitments need."""
    venue.setup.commit_sparse(venue.snapshot.universe.domain, [], [], 0)


def make_part(task: Task) -> Made:
    """Attest to each account of a stretch. Raises InputError naming the row for what cannot be held."""
    venue = _PROCESS["venue"]
    with pa.ipc.open_stream(task.rows) as reader:
        rows = reader.read_all()
    attestations, openings, issued = [], [], []
    for (name, subject), holdings in holdings_of(rows, venue.snapshot, task.book, venue.targets):
        check_ledger(task.open_orders, holdings)
        grant = Grant(task.sequence, task.holds.get(name))
        try:
            account = Account(name, subject, task.open_orders)
            made = sign(venue, account, holdings, task.moment, grant)
        except InputError as error:
            where = f"{task.book}, account {name!r}"
            raise InputError(where, error.field, error.value, error.remedy) from None
        attestations.append(made.attestation.encode())
        openings.append(made.opening.encode())
        issued.append(Issued.of(made.attestation))
    return Made(b"".join(attestations), b"".join(openings), issued)
