"""The ledger: policies, snapshots, accounts, pledges, nonces, the log of events, keys and webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GENESIS = "0" * 64

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER events_no_{verb} BEFORE {verb.upper()} ON events "
        "BEGIN SELECT RAISE(ABORT, 'the log of events is append-only'); END"
        for verb in ("update", "delete")
    ],
    "postgresql": [
        "CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the log of events is append-only'; END $$",
        "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()",
    ],
}


def upgrade() -> None:
    """Create all tables, and the beginning of the log."""
    op.create_table(
        "policies",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "snapshots",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("universe", sa.String(64), nullable=False),
        sa.Column("valuation_time", sa.BigInteger, nullable=False),
        sa.Column("accepted", sa.BigInteger, nullable=False),
        sa.Column("oracle", sa.String(128), nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("snapshots_by_time", "snapshots", ["valuation_time"])
    op.create_table(
        "accounts",
        sa.Column("id", ID, primary_key=True),
        sa.Column("venue", sa.String(128), nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.UniqueConstraint("venue", "account"),
    )
    _pledges()
    _log()
    op.create_table(
        "api_keys",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("created", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "webhooks",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("delivered", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("leased", sa.BigInteger, nullable=False),
        sa.Column("suspended", sa.Boolean, nullable=False),
        sa.Column("finding", sa.Text, nullable=False),
    )


def _pledges() -> None:
    op.create_table(
        "pledges",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("subject", sa.String(42), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("amount", sa.Text, nullable=False),
        sa.Column("threshold", sa.Text, nullable=False),
        sa.Column("secured", sa.Boolean, nullable=False),
        sa.Column("snapshot", sa.String(64), nullable=False),
        sa.Column("valuation_time", sa.BigInteger, nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("opened", sa.BigInteger, nullable=False),
        sa.Column("proven", sa.BigInteger, nullable=False),
        sa.Column("expiry", sa.BigInteger, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
    )
    op.create_index("pledges_by_status", "pledges", ["status", "expiry"])
    op.create_index("pledges_by_subject", "pledges", ["subject"])
    op.create_index("pledges_by_valuation", "pledges", ["status", "valuation_time"])
    op.create_table(
        "backing",
        sa.Column("pledge", sa.String(40), sa.ForeignKey("pledges.id"), primary_key=True),
        sa.Column("account", ID, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("attestation", sa.String(64), nullable=False),
        sa.Column("signer", sa.String(42), nullable=False),
    )
    op.create_index("backing_by_account", "backing", ["account"])
    op.create_table(
        "nonces",
        sa.Column("nonce", sa.String(256), primary_key=True),
        sa.Column("pledge", sa.String(40), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_index("nonces_by_end", "nonces", ["until"])


def _log() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    head = op.create_table(
        "head",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"one": 1, "sequence": 0, "hash": GENESIS}])
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
