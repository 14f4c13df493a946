"""The database under the ledger: SQLite or PostgreSQL, transactions that are tried again where that can help.

On SQLite a transaction that writes takes the write lock at its beginning, so that nothing it has read can change under
it. On PostgreSQL it locks the rows that it decides about, in one order (see `ledger`).
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from zkmargin.attestation.secret_file import own_database
from zkmargin.margin.errors import Finding, InputError
from zkmargin.verifier.service.problems import UnavailableError

T = TypeVar("T")

ATTEMPTS = 8
LONGEST_WAIT = 0.25
LOCK_SECONDS = 15
AGAIN = {"40001", "40P01", "55P03"}
"""SQLSTATEs of serialization failures, deadlocks and lock time-outs."""
DIALECTS = ("sqlite", "postgresql")
KEPT_ALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
}
"""Of PostgreSQL's connections: a server that is cut off is noticed within half a minute."""
MIGRATION_LOCK = 0x7A6B6D61
_ONE_ROW = "UPDATE alembic_version SET version_num = version_num"
_NO_ROW = "UPDATE alembic_version SET version_num = version_num WHERE 1 = 0"


class Database:
    """A pool of connections, and transactions on them.

    Attributes:
        engine: SQLAlchemy's.
        dialect: sqlite or postgresql.
    """

    def __init__(self, url: str, pool: int = 8, lock_seconds: float = LOCK_SECONDS) -> None:
        """Raises InputError for a URL of neither database; its password is never shown.

        A change waits for others that are in its way for about `lock_seconds`.
        """
        self._lock_seconds = lock_seconds
        self._failed = False
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise InputError("settings", "database", Finding("no URL"), "write sqlite:///file.db") from None
        self.dialect = parsed.get_backend_name()
        if self.dialect not in DIALECTS:
            remedy = "write sqlite:///file.db or postgresql://user@host/name"
            raise InputError("settings", "database", self.dialect, remedy)
        if self.dialect == "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                remedy = "name a file: several connections share the ledger"
                raise InputError("settings", "database", Finding("in memory"), remedy)
            own_database(Path(parsed.database), "ledger")
            self.engine = create_engine(parsed, connect_args={"timeout": lock_seconds}, pool_size=pool)
            _prepare_sqlite(self.engine)
        else:
            options = (
                f"-c lock_timeout={round(1000 * lock_seconds)}ms -c idle_in_transaction_session_timeout=60s"
            )
            self.engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_size=pool,
                pool_pre_ping=True,
                pool_timeout=lock_seconds,
                connect_args={"connect_timeout": 5, "options": options, **KEPT_ALIVE},
            )

    def write(self, change: Callable[[Connection], T]) -> T:
        """Run a change in one transaction; when others are in its way, again from its beginning.

        Raises:
            UnavailableError: the database is away, full, or others were in the way too often.
        """
        deadline = time.monotonic() + self._lock_seconds
        for attempt in range(ATTEMPTS):
            try:
                with self.engine.connect() as connection:
                    if self.dialect == "sqlite":
                        connection.exec_driver_sql("BEGIN IMMEDIATE")
                    result = change(connection)
                    connection.commit()
                    self._failed = False
                    return result
            except SQLAlchemyError as error:
                last = attempt == ATTEMPTS - 1 or time.monotonic() > deadline
                self._failed = self._failed or not _in_the_way(error)
                if last or not _in_the_way(error):
                    raise UnavailableError(_cause(error)) from None
            # Drawn at random, so that two that met do not meet again.
            time.sleep(LONGEST_WAIT * (1 + secrets.randbelow(1000)) / 1000 * (attempt + 1) / ATTEMPTS)
        raise AssertionError("the last attempt returns or raises")

    def read(self, question: Callable[[Connection], T]) -> T:
        """Ask in one transaction that changes nothing. Raises UnavailableError."""
        try:
            with self.engine.connect() as connection:
                result = question(connection)
                connection.rollback()
                return result
        except SQLAlchemyError as error:
            raise UnavailableError(_cause(error)) from None

    def migrate(self, to: str = "head") -> None:
        """Bring the tables forward to a version; replicas that start together wait for each other.

        Raises:
            InputError: the tables are of a version that is newer than this program.
            UnavailableError: the database does not answer.
        """
        try:
            with self.engine.connect() as connection:
                if self.dialect == "sqlite":
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                else:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
                config = _alembic()
                config.attributes["connection"] = connection
                command.upgrade(config, to)
                connection.commit()
        except SQLAlchemyError as error:
            raise UnavailableError(_cause(error)) from None
        except CommandError:
            remedy = (
                "run the newer version, or restore a copy from before it: tables are only brought forward"
            )
            raise InputError("settings", "database", Finding("made by a newer version"), remedy) from None

    def check(self) -> None:
        """Raises UnavailableError unless it answers and takes writes, with the tables of this version."""
        wanted = ScriptDirectory.from_config(_alembic()).get_current_head()
        found = self.read(lambda c: c.execute(text("SELECT version_num FROM alembic_version")).scalar())
        if found != wanted:
            raise UnavailableError(f"the tables are of version {found}, not {wanted}")
        self._check_writes()

    def _check_writes(self) -> None:
        """Raises UnavailableError where a change would be refused.

        A file or server that is read-only refuses a change of no row, too; a full disk only one that is committed,
        which is tried once a change has failed, until one succeeds.
        """
        change = _ONE_ROW if self._failed else _NO_ROW
        try:
            with self.engine.connect() as connection:
                if self.dialect == "sqlite":
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                connection.execute(text(change))
                connection.commit()
                self._failed = False
        except SQLAlchemyError as error:
            # Another's change under way is no sign that none would be taken.
            if not _in_the_way(error):
                raise UnavailableError(_cause(error)) from None

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        with contextlib.closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute("PRAGMA foreign_keys = ON")


def _in_the_way(error: SQLAlchemyError) -> bool:
    """Whether another transaction caused it, so that it may not happen again."""
    if isinstance(error, IntegrityError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return state in AGAIN or "database is locked" in str(error.orig)


def _cause(error: SQLAlchemyError) -> str:
    """What the driver says in one line, without statement and parameters."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else ''}"


def _alembic() -> Config:
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%")
    )
    return config


@contextlib.contextmanager
def opened(url: str) -> Iterator[Database]:
    """A database, migrated, closed at the end."""
    database = Database(url)
    try:
        database.migrate()
        yield database
    finally:
        database.close()
