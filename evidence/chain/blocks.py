"""Which block counts: one that a quorum of nodes or of signers names alike, deep enough, and not too old."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from zkmargin.attestation.typed_data import SigningDomain
from zkmargin.evidence.chain.header import Header
from zkmargin.evidence.chain.node import Node
from zkmargin.evidence.chain.signed_root import BlockRootDocument
from zkmargin.margin.errors import Finding, InputError


@dataclass(frozen=True)
class Quorum:
    """What a block must have to count.

    Attributes:
        chain: id of the chain.
        votes: how many nodes or signers must name the same block.
        confirmations: how many blocks must lie on top of it.
        oldest: seconds that its time may lie back.
    """

    chain: int
    votes: int
    confirmations: int
    oldest: int

    def check_age(self, timestamp: int, now: float, where: str) -> None:
        """Raises InputError for a block that is too old, or of a time that is still to come."""
        if now - timestamp > self.oldest:
            age = int(now) - timestamp
            remedy = f"the block is {age} s old; at most {self.oldest} s are taken: ask nodes that keep up"
            raise InputError(where, "timestamp", timestamp, remedy)
        if timestamp > now + self.oldest:
            raise InputError(where, "timestamp", timestamp, "it is still to come; correct the clock")


@dataclass(frozen=True)
class Block:
    """A block that counts.

    Attributes:
        chain, number: which it is.
        hash, state_root: 32 bytes each.
        timestamp: Unix seconds.
        confirmations: blocks that lay on top of it.
        witnesses: who named it: endpoints, or addresses of signers; sorted.
    """

    chain: int
    number: int
    hash: bytes
    state_root: bytes
    timestamp: int
    confirmations: int
    witnesses: tuple[str, ...]


def agreed_block(nodes: Sequence[Node], quorum: Quorum, now: float) -> Block:
    """The newest block that a quorum of nodes has deep enough, and of which it says the same.

    Nodes that are away or behind do not count; those that name another block are outvoted, which is why a quorum is
    more than half of all.

    Raises:
        InputError: too few nodes answer for this chain, too few agree, or the block is too old.
    """
    heads: list[tuple[int, Node]] = []
    failures: list[str] = []
    for node in nodes:
        try:
            node.check_chain(quorum.chain)
            heads.append((node.head(), node))
        except InputError as error:
            failures.append(str(error))
    if len(heads) < quorum.votes:
        raise _too_few(len(heads), quorum, "answer", failures)
    heads.sort(key=lambda one: -one[0])
    head = heads[quorum.votes - 1][0]
    number = head - quorum.confirmations
    if number < 0:
        remedy = f"wait until {quorum.confirmations} blocks lie on top of the first"
        raise InputError("chain", "head", head, remedy)
    votes: dict[Header, list[str]] = defaultdict(list)
    for own, node in heads:
        if own < head:
            continue
        try:
            votes[node.header(number)].append(node.where)
        except InputError as error:
            failures.append(str(error))
    header, witnesses = max(votes.items(), key=lambda one: len(one[1]), default=(None, []))
    if header is None or len(witnesses) < quorum.votes:
        raise _too_few(len(witnesses), quorum, f"name the same block {number}", failures)
    quorum.check_age(header.timestamp, now, f"block {number}")
    return _block(header, quorum, head - number, witnesses)


def signed_block(
    roots: Sequence[BlockRootDocument],
    signers: Sequence[str],
    quorum: Quorum,
    domain: SigningDomain,
    now: float,
) -> Block:
    """The block that a quorum of signers names.

    Args:
        roots: signed documents about one block, as they came.
        signers: addresses of the keys that count.
        quorum: what it must have.
        domain: chain and contract of the verifiers, which signatures are for.
        now: Unix seconds.

    Raises:
        InputError: a signature of another key, for other verifiers or not over its content; roots that differ; too
            few signers; or a block that is not deep enough, or too old.
    """
    if not roots:
        raise InputError("block roots", "roots", Finding("missing"), "name the signed roots")
    first = roots[0]
    depths: dict[str, int] = {}
    for root in roots:
        where = f"root signed by {root.signer}"
        if root.signer not in signers:
            raise InputError(where, "signer", root.signer, "it is not among the plan's signers")
        if root.signing_domain != domain:
            remedy = f"it is signed for other verifiers than {domain.chain_id}, {domain.verifying_contract}"
            raise InputError(where, "chain_id", root.chain_id, remedy)
        root.check_signature(where)
        if root.chain != quorum.chain:
            raise InputError(where, "chain", root.chain, f"the plan is for chain {quorum.chain}")
        for field in ("number", "block_hash", "state_root", "timestamp"):
            if getattr(root, field) != getattr(first, field):
                remedy = f"another signer says {getattr(first, field)}; one of them has a block that was reorganised"
                raise InputError(where, field, getattr(root, field), remedy)
        if root.head - root.number < quorum.confirmations:
            remedy = f"{quorum.confirmations} blocks must lie on top of it; have a deeper one signed"
            raise InputError(where, "head", root.head, remedy)
        depths[root.signer] = root.head - root.number
    if len(depths) < quorum.votes:
        raise _too_few(len(depths), quorum, "sign the block", [])
    quorum.check_age(first.timestamp, now, f"block {first.number}")
    digests = bytes.fromhex(first.block_hash), bytes.fromhex(first.state_root)
    header = Header(first.number, *digests, first.timestamp)
    return _block(header, quorum, min(depths.values()), sorted(depths))


def check_still_there(nodes: Sequence[Node], block: Block, quorum: Quorum) -> None:
    """Raises InputError unless a quorum of nodes still has the block: it may have been reorganised meanwhile."""
    votes, failures = 0, []
    for node in nodes:
        try:
            votes += node.header(block.number).hash == block.hash
        except InputError as error:
            failures.append(str(error))
    if votes < quorum.votes:
        raise _too_few(votes, quorum, f"still have block {block.number} as it was read", failures)


def _block(header: Header, quorum: Quorum, depth: int, witnesses: Sequence[str]) -> Block:
    return Block(
        quorum.chain,
        header.number,
        header.hash,
        header.state_root,
        header.timestamp,
        depth,
        tuple(sorted(witnesses)),
    )


def _too_few(found: int, quorum: Quorum, what: str, failures: Sequence[str]) -> InputError:
    told = f"; {failures[0]}" if failures else ""
    remedy = f"{quorum.votes} must {what}{told}"
    return InputError(f"chain {quorum.chain}", "quorum", found, remedy)
