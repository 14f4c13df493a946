"""The tables of the ledger, the same on SQLite and PostgreSQL.

Money is text: ticks have up to 255 bits. Moments are Unix seconds as integers, valuation times Unix microseconds.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

# SQLite numbers rows by itself only where the key is INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")

POLICIES = Table(
    "policies",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)
"""Every policy that was ever in force; the greatest version is now."""

SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("universe", String(64), nullable=False),
    Column("valuation_time", BigInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("oracle", String(128), nullable=False),
    Column("signature", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("snapshots_by_time", "valuation_time"),
)

ROWS = Table(
    "committed_rows",
    METADATA,
    Column("snapshot", String(64), ForeignKey("snapshots.id"), primary_key=True),
    Column("model", String(128), primary_key=True),
    Column("level", String(16), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""Commitments to the rows of a snapshot's models, recomputed before they were written."""

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("venue", String(128), nullable=False),
    Column("account", String(128), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    UniqueConstraint("venue", "account"),
)
"""The newest attestation of each account; its row is the lock on everything pledged out of it."""

PLEDGES = Table(
    "pledges",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("subject", String(42), nullable=False),
    Column("status", String(10), nullable=False),
    Column("amount", Text, nullable=False),
    Column("threshold", Text, nullable=False),
    Column("secured", Boolean, nullable=False),
    Column("snapshot", String(64), nullable=False),
    Column("valuation_time", BigInteger, nullable=False),
    Column("model", String(128), nullable=False),
    Column("level", String(16), nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("proven", BigInteger, nullable=False),
    Column("expiry", BigInteger, nullable=False),
    Column("receipt", Text, nullable=False),
    Index("pledges_by_status", "status", "expiry"),
    Index("pledges_by_subject", "subject"),
    Index("pledges_by_valuation", "status", "valuation_time"),
)

BACKING = Table(
    "backing",
    METADATA,
    Column("pledge", String(40), ForeignKey("pledges.id"), primary_key=True),
    Column("account", _Id, ForeignKey("accounts.id"), primary_key=True),
    Column("attestation", String(64), nullable=False),
    Column("signer", String(42), nullable=False),
    Index("backing_by_account", "account"),
)
"""Which accounts are behind which pledge, by which attestation, signed by whom."""

NONCES = Table(
    "nonces",
    METADATA,
    Column("nonce", String(256), primary_key=True),
    Column("pledge", String(40), nullable=False),
    Column("until", BigInteger, nullable=False),
    Index("nonces_by_end", "until"),
)
"""Nonces that have worked; they are forgotten some time after they would have run out."""

EVENTS = Table(
    "events",
    METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""The log: a row is written once, and chained to the one before."""

HEAD = Table(
    "head",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""One row: the end of the log, and the lock on it."""

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
)

WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("salt", String(64), nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("leased", BigInteger, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("finding", Text, nullable=False),
)
"""Where events are delivered to, and how far each has got."""
