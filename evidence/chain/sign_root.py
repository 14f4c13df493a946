"""Signing a block's state root: by whoever runs a node, and believes nobody else's."""

from __future__ import annotations

from zkmargin.attestation import SigningDomain, SigningKey
from zkmargin.evidence.chain.node import Node
from zkmargin.evidence.chain.signed_root import BlockRootDocument
from zkmargin.margin.errors import InputError


def signed_root(
    url: str, chain: int, confirmations: int, number: int | None, *, key: SigningKey, domain: SigningDomain
) -> BlockRootDocument:
    """The signed root of a block that the signer's own node has.

    Args:
        url: of the node's JSON-RPC.
        chain: id of the chain that it must follow.
        confirmations: blocks that must lie on top.
        number: of the block; the newest that is deep enough if left out.
        key: the signer's.
        domain: chain and contract of the verifiers.

    Raises:
        InputError: the node is away, follows another chain, or the block is not deep enough.
    """
    node = Node(url)
    try:
        node.check_chain(chain)
        head = node.head()
        wanted = head - confirmations if number is None else number
        if not 0 <= wanted <= head - confirmations:
            remedy = f"{confirmations} blocks must lie on top, and the newest block is {head}"
            raise InputError(node.where, "number", wanted, remedy)
        header = node.header(wanted)
    finally:
        node.close()
    return BlockRootDocument.sign(
        key,
        domain,
        chain=chain,
        number=header.number,
        block_hash=header.hash.hex(),
        state_root=header.state_root.hex(),
        timestamp=header.timestamp,
        head=head,
    )
