"""The source "chain": a block that a quorum names, proofs under its state root, and the block still there after."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from typing import Any

from zkmargin.attestation.documents import Source
from zkmargin.attestation.typed_data import SigningDomain
from zkmargin.evidence.chain.accounts import shown
from zkmargin.evidence.chain.blocks import Block, agreed_block, check_still_there, signed_block
from zkmargin.evidence.chain.node import Node
from zkmargin.evidence.chain.plan import ChainPlan
from zkmargin.evidence.chain.proofs import AccountProof
from zkmargin.evidence.chain.record import ChainRecord
from zkmargin.evidence.chain.signed_root import BlockRootDocument
from zkmargin.evidence.chain.state import ProvenState
from zkmargin.evidence.reading import Reading, added_up, check_some
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot

SALT_BYTES = 32


class ChainReader:
    """Reads one account of a chain by a plan."""

    source: Source = "chain"

    def __init__(
        self, plan: ChainPlan, domain: SigningDomain, roots: Sequence[BlockRootDocument] = ()
    ) -> None:
        """`roots` are signed, where the plan has signers; `domain` is that of the verifiers."""
        self._plan, self._domain, self._roots = plan, domain, tuple(roots)
        self.kept: dict[str, Any] = {}
        """After reading: the proofs with their salt, to be kept by the signer. Shows what was read."""

    def read(self, snapshot: Snapshot, subject: str) -> Reading:
        """See `Reader`. Raises InputError also where a block is not agreed on, not deep enough, too old, or was
        reorganised while it was read.
        """
        plan = self._plan
        nodes = [Node(url) for url in plan.endpoints]
        try:
            block = self._block(nodes)
            state = ProvenState(block.state_root, Anyone(nodes, block.number), f"block {block.number}")
            found = shown(plan, state, snapshot, subject)
            if not plan.signers:
                check_still_there(nodes, block, plan.rule)
        finally:
            for node in nodes:
                node.close()
        positions = added_up(found.positions)
        check_some(positions, " ".join(found.identity))
        self.kept = {"salt": secrets.token_hex(SALT_BYTES), "proofs": state.document()}
        return Reading(
            (str(plan.chain_id), *found.identity),
            positions,
            found.complete,
            block.timestamp,
            "none",
            record(block, self.kept),
        )

    def archive(self) -> bytes:
        """See `Reader`."""
        return _encoded(self.kept) + b"\n"

    def _block(self, nodes: Sequence[Node]) -> Block:
        plan, now = self._plan, time.time()
        if plan.signers:
            return signed_block(self._roots, plan.signers, plan.rule, self._domain, now)
        return agreed_block(nodes, plan.rule, now)


class Anyone:
    """Proofs from one node after another: they are checked, so one is as good as another."""

    def __init__(self, nodes: Sequence[Node], number: int) -> None:
        self._nodes, self._number = nodes, number

    def proofs(self, address: bytes, slots: tuple[int, ...]) -> Iterator[AccountProof]:
        """Proofs at the block. Raises InputError if no node has any."""
        failures: list[InputError] = []
        for node in self._nodes:
            try:
                proof = node.proof(address, slots, self._number)
            except InputError as error:
                failures.append(error)
            else:
                yield proof
        if len(failures) == len(self._nodes):
            raise failures[0]


def record(block: Block, kept: dict[str, Any]) -> ChainRecord:
    """What an attestation over this block rests on."""
    return ChainRecord(
        chain=block.chain,
        number=block.number,
        block_hash=block.hash.hex(),
        state_root=block.state_root.hex(),
        timestamp=block.timestamp,
        confirmations=block.confirmations,
        votes=len(block.witnesses),
        witnesses=list(block.witnesses),
        proofs=hashlib.sha256(_encoded(kept)).hexdigest(),
    )


def _encoded(kept: dict[str, Any]) -> bytes:
    return json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()
