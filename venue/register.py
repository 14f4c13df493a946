"""The register of a venue: its current sequence and the newest attestation of each account.

One SQLite file for one venue. Numbers only go up, a hold that was granted is never shortened or given to somebody else
while it lasts, an account's moment never goes back, and neither does the map that ledgers are read by. Whatever is
handed out is recorded first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import SQLAlchemyError

from zkmargin.attestation import AttestationDocument, Hold
from zkmargin.attestation.secret_file import own_database
from zkmargin.margin.errors import Finding, InputError

SECONDS_TO_WAIT = 30
"""For another process that writes to the same file."""

_METADATA = MetaData()

COUNTER = Table("counter", _METADATA, Column("sequence", BigInteger, nullable=False))

OWNER = Table(
    "owner",
    _METADATA,
    Column("venue", String, nullable=False),
    Column("map_as_of", BigInteger, nullable=False),
)

ACCOUNTS = Table(
    "accounts",
    _METADATA,
    Column("account", String, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("hold_until", BigInteger, nullable=False),
    Column("hold_audience", String, nullable=False),
)

_CHANGING = ("sequence", "digest", "as_of", "hold_until", "hold_audience")


@dataclass(frozen=True)
class Grant:
    """The sequence and hold of an account's next attestation.

    Attributes:
        sequence: never used before.
        hold: the one asked for, or the one that still lasts.
    """

    sequence: int
    hold: Hold | None


@dataclass(frozen=True)
class Issued:
    """The stored fields of an attestation."""

    account: str
    sequence: int
    digest: bytes
    as_of: int
    hold_until: int
    hold_audience: str

    @classmethod
    def of(cls, attestation: AttestationDocument) -> Issued:
        """The fields to store; without a hold, a hold until 0."""
        hold = attestation.hold
        return cls(
            attestation.account,
            attestation.sequence,
            attestation.digest,
            attestation.as_of,
            hold.until if hold else 0,
            hold.audience if hold else "",
        )


class Register:
    """The register of one venue, in one file."""

    def __init__(self, path: Path) -> None:
        """Open it, or begin it. Raises InputError if the file is no register or cannot be written."""
        self._path = path
        own_database(path, "register")
        self._engine = _engine(path)
        with self._writing() as connection:
            _METADATA.create_all(connection)
            if connection.execute(select(func.count()).select_from(COUNTER)).scalar_one() == 0:
                connection.execute(insert(COUNTER).values(sequence=0))

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def claim(self, venue: str, map_as_of: int) -> None:
        """Make the register this venue's, and note the map that its ledger is read by.

        Args:
            venue: its name.
            map_as_of: from when its map of contracts holds, Unix seconds; 0 for none.

        Raises InputError if the register is another venue's, or a newer map was used already.
        """
        with self._writing() as connection:
            row = connection.execute(select(OWNER)).first()
            if row is None:
                connection.execute(insert(OWNER).values(venue=venue, map_as_of=map_as_of))
                return
            if row.venue != venue:
                raise InputError(
                    str(self._path), "venue", venue, f"the register is that of {row.venue!r}; name another"
                )
            if map_as_of < row.map_as_of:
                found = map_as_of or Finding("none")
                remedy = f"the ledger was read by the map of Unix second {row.map_as_of}; name that, or a newer one"
                raise InputError(str(self._path), "map of contracts", found, remedy)
            if map_as_of > row.map_as_of:
                connection.execute(update(OWNER).values(map_as_of=map_as_of))

    def newest(self, account: str) -> int:
        """The sequence of the newest attestation of an account; 0 if there is none."""
        with self._writing() as connection:
            row = connection.execute(select(ACCOUNTS.c.sequence).where(ACCOUNTS.c.account == account)).first()
        return 0 if row is None else int(row.sequence)

    @contextmanager
    def issue(self, account: str, as_of: int, hold: Hold | None) -> Iterator[Issue]:
        """Issue one attestation: the block signs it and records it, or nothing has happened.

        Raises InputError if the ledger's moment is older than the account's newest, or the hold contradicts one
        that lasts.
        """
        with self._writing() as connection:
            row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.account == account)).first()
            granted = _granted(account, as_of, hold, row)
            yield Issue(connection, Grant(_next(connection), granted))

    def begin_book(self, as_of: int) -> int:
        """A sequence for a whole book. Raises InputError if an account has a newer attestation already."""
        with self._writing() as connection:
            newest = connection.execute(select(func.max(ACCOUNTS.c.as_of))).scalar()
            if newest is not None and newest > as_of:
                remedy = (
                    f"an attestation of Unix second {newest} is out already; take the book of a later moment"
                )
                raise InputError(str(self._path), "as_of", as_of, remedy)
            return _next(connection)

    def check_begun(self, sequence: int) -> None:
        """Raises InputError unless this sequence was given out here."""
        with self._writing() as connection:
            given = int(connection.execute(select(COUNTER.c.sequence)).scalar_one())
        if sequence > given:
            remedy = f"the run has sequence {sequence}; name the register that it was begun with"
            raise InputError(str(self._path), "sequence", given, remedy)

    def live_holds(self, now: int) -> dict[str, Hold]:
        """The holds that last beyond this moment, by account."""
        columns = (ACCOUNTS.c.account, ACCOUNTS.c.hold_until, ACCOUNTS.c.hold_audience)
        with self._writing() as connection:
            rows = connection.execute(select(*columns).where(ACCOUNTS.c.hold_until > now)).all()
        return {row.account: Hold(until=row.hold_until, audience=row.hold_audience) for row in rows}

    def record(self, issued: Sequence[Issued]) -> None:
        """Record attestations of a book, unless newer ones of their accounts are there."""
        with self._writing() as connection:
            _record(connection, issued)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction; failures of the database become InputError."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            remedy = "name a register that venue attest began, on a disk with room"
            raise InputError(str(self._path), "register", Finding(cause), remedy) from None


@dataclass(frozen=True)
class Issue:
    """One attestation in the making.

    Attributes:
        grant: sequence and hold that it must carry.
    """

    _connection: Connection
    grant: Grant

    def record(self, attestation: AttestationDocument) -> None:
        """Record what was signed."""
        _record(self._connection, [Issued.of(attestation)])


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": SECONDS_TO_WAIT})

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def write_lock_at_once(connection: Connection) -> None:
        # Two that read the same sequence before either writes must not be possible.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _next(connection: Connection) -> int:
    connection.execute(update(COUNTER).values(sequence=COUNTER.c.sequence + 1))
    return int(connection.execute(select(COUNTER.c.sequence)).scalar_one())


def _granted(account: str, as_of: int, hold: Hold | None, row: Any) -> Hold | None:
    """The hold that the next attestation carries."""
    if row is None:
        return hold
    where = f"account {account!r}"
    if as_of < row.as_of:
        remedy = f"an attestation of Unix second {row.as_of} is out already; attest a later moment"
        raise InputError(where, "as_of", as_of, remedy)
    if row.hold_until <= as_of:
        return hold
    lasting = Hold(until=row.hold_until, audience=row.hold_audience)
    if hold is None:
        return lasting
    if hold.audience != lasting.audience:
        remedy = f"the account is held for {lasting.audience!r} until Unix second {lasting.until}"
        raise InputError(where, "hold audience", hold.audience, remedy)
    return hold if hold.until >= lasting.until else lasting


def _record(connection: Connection, issued: Sequence[Issued]) -> None:
    statement = upsert(ACCOUNTS)
    changed = {name: statement.excluded[name] for name in _CHANGING}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[ACCOUNTS.c.account],
            set_=changed,
            where=ACCOUNTS.c.sequence <= statement.excluded.sequence,
        ),
        [vars(one) for one in issued],
    )
