"""Committed rows, beside the snapshots that they belong to."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their table."""
    op.create_table(
        "committed_rows",
        sa.Column("snapshot", sa.String(64), sa.ForeignKey("snapshots.id"), primary_key=True),
        sa.Column("model", sa.String(128), primary_key=True),
        sa.Column("level", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("accepted", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
