"""A block's state root with the signature of somebody who follows the chain: what stands in for asking nodes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from zkmargin.argument.documents import Digest
from zkmargin.attestation.documents import ChainId, Seconds, SignedDocument
from zkmargin.attestation.typed_data import Struct

BLOCK_ROOT = Struct(
    "BlockRoot",
    (
        ("uint64", "chain"),
        ("uint64", "number"),
        ("bytes32", "blockHash"),
        ("bytes32", "stateRoot"),
        ("uint64", "timestamp"),
        ("uint64", "head"),
    ),
)
"""Signed by whoever follows a chain: this block is part of it, with so many on top when this was signed."""

Number = Annotated[int, Field(ge=0, lt=1 << 62)]


class BlockRootDocument(SignedDocument):
    """A follower's word for a block.

    Attributes:
        chain: id of the chain that the block is of; chain_id and verifying_contract are those of the verifiers.
        number, block_hash, state_root: of the block.
        timestamp: of the block, Unix seconds.
        head: number of the newest block that the signer had then.
        signer: address of the follower's key.
    """

    STRUCT: ClassVar[Struct] = BLOCK_ROOT

    format: Literal["zkmargin/block-root"] = "zkmargin/block-root"
    version: Literal[1] = 1
    chain: ChainId
    number: Number
    block_hash: Digest
    state_root: Digest
    timestamp: Seconds
    head: Number

    def message(self) -> dict[str, Any]:
        return {
            "chain": self.chain,
            "number": self.number,
            "blockHash": bytes.fromhex(self.block_hash),
            "stateRoot": bytes.fromhex(self.state_root),
            "timestamp": self.timestamp,
            "head": self.head,
        }
