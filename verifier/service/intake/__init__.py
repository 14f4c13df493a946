"""Intake: snapshots, rows, policies, keys and proofs on their way into the ledger."""
