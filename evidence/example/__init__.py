"""Contracts of our own on a chain of one's own: a token, accounts that list what they hold, and a lending market.

They are there to be read: `build.mjs` compiles `src/` into `contracts.json`.
"""

from zkmargin.evidence.example.contracts import ExampleContract, example_contracts
from zkmargin.evidence.example.local_chain import LocalChain, local_chain

__all__ = ["ExampleContract", "LocalChain", "example_contracts", "local_chain"]
