"""What an attestation of chain state rests on, without what was read: for whoever wants to know how it came about."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from zkmargin.argument.documents import Digest, Document
from zkmargin.attestation.documents import ChainId, Seconds


class ChainRecord(Document):
    """The block behind an attestation.

    Attributes:
        chain: id of the chain.
        number, block_hash, state_root: of the block.
        timestamp: of the block, Unix seconds.
        confirmations: blocks that lay on top of it.
        votes: how many named it.
        witnesses: endpoints or addresses of signers that did.
        proofs: SHA-256 of the kept proofs, which hold a random salt: nothing of the account can be guessed from it.
    """

    format: Literal["zkmargin/chain-record"] = "zkmargin/chain-record"
    version: Literal[1] = 1
    chain: ChainId
    number: Annotated[int, Field(ge=0)]
    block_hash: Digest
    state_root: Digest
    timestamp: Seconds
    confirmations: Annotated[int, Field(ge=0)]
    votes: Annotated[int, Field(ge=1)]
    witnesses: list[str]
    proofs: Digest
