"""The tables that a snapshot publishes: integers per contract on which requirements and proofs depend."""
