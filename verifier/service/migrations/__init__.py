"""The ledger's tables, version by version, in Alembic's form."""
