"""The verifier as an HTTP service: proofs verified in batches, and a ledger in which nothing is pledged twice."""
