"""Storage: the ledger, its event log, the database and its schema."""
