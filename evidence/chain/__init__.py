"""Holdings that a chain's state shows: proofs of EIP-1186 under the state root of a block that several say is there."""

from zkmargin.evidence.chain.blocks import Block, Quorum, agreed_block, signed_block
from zkmargin.evidence.chain.node import Node
from zkmargin.evidence.chain.plan import ChainPlan
from zkmargin.evidence.chain.reader import ChainReader
from zkmargin.evidence.chain.signed_root import BlockRootDocument

__all__ = [
    "Block",
    "BlockRootDocument",
    "ChainPlan",
    "ChainReader",
    "Node",
    "Quorum",
    "agreed_block",
    "signed_block",
]
