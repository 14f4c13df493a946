"""The verifier on an EVM: its contracts, and what is sent to them."""
