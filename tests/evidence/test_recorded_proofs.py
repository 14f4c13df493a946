"""Proofs recorded from a chain: each part of them is needed, and nothing else passes for them."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.attestation.scene import key, market_snapshot
from tests.evidence.stage import STRANGER, TRADER
from zkmargin.attestation.signing import address_bytes
from zkmargin.evidence.chain import ChainPlan
from zkmargin.evidence.chain.accounts import shown
from zkmargin.evidence.chain.header import Header
from zkmargin.evidence.chain.node import account_proof
from zkmargin.evidence.chain.proofs import proven_account, proven_words
from zkmargin.evidence.chain.state import ProvenState, SavedProofs
from zkmargin.margin.errors import InputError

RECORDED = json.loads((Path(__file__).parent / "recorded/state.json").read_text())
HEADER = Header.of(RECORDED["header"], "header")
PARTS = tuple(RECORDED["plans"])


def read(part: str, proofs: Any, root: bytes = HEADER.state_root) -> dict[str, str]:
    plan = ChainPlan.model_validate(RECORDED["plans"][part]["plan"])
    state = ProvenState(root, SavedProofs(proofs, "proofs"), "block")
    positions = shown(plan, state, market_snapshot(), TRADER).positions
    return {one.instrument: str(one.quantity) for one in positions}


@pytest.mark.parametrize("part", PARTS)
def test_what_was_recorded_is_read_again(part: str) -> None:
    assert read(part, RECORDED["plans"][part]["proofs"]) == RECORDED["plans"][part]["positions"]


@pytest.mark.parametrize("part", PARTS)
def test_a_wrong_root(part: str) -> None:
    with pytest.raises(InputError, match="do not lead from the root"):
        read(part, RECORDED["plans"][part]["proofs"], bytes(32))


def nodes(proofs: Any) -> Iterator[tuple[list[str], int]]:
    for entry in proofs:
        for path in (entry["accountProof"], *(one["proof"] for one in entry["storageProof"])):
            yield from ((path, index) for index in range(len(path)))


@pytest.mark.parametrize("part", PARTS)
def test_every_node_of_every_proof_counts(part: str) -> None:
    count = len(list(nodes(RECORDED["plans"][part]["proofs"])))
    assert count > 4
    for number in range(count):
        for change in ("flip", "drop", "nothing"):
            proofs = deepcopy(RECORDED["plans"][part]["proofs"])
            path, index = list(nodes(proofs))[number]
            if change == "flip":
                path[index] = path[index][:-1] + ("0" if path[index][-1] != "0" else "1")
            elif change == "drop":
                del path[index]
            else:
                path[index] = "0x"
            with pytest.raises(InputError):
                read(part, proofs)


def test_a_proof_of_another_slot_passes_for_none() -> None:
    proofs = deepcopy(RECORDED["plans"]["account"]["proofs"])
    one, other = proofs[0]["storageProof"][:2]
    one["proof"], other["proof"] = other["proof"], one["proof"]
    with pytest.raises(InputError, match="not proven"):
        read("account", proofs)


def test_a_slot_without_a_proof() -> None:
    proofs = deepcopy(RECORDED["plans"]["account"]["proofs"])
    del proofs[0]["storageProof"][0]
    with pytest.raises(InputError, match="no proof"):
        read("account", proofs)


def test_a_proof_of_another_contract_passes_for_none() -> None:
    proofs = deepcopy(RECORDED["plans"]["wallet"]["proofs"])
    other = RECORDED["plans"]["lending"]["proofs"][0]
    proofs[0]["accountProof"] = other["accountProof"]
    with pytest.raises(InputError, match=r"not proven|no account"):
        read("wallet", proofs)


def test_an_account_that_is_not_there_is_not_empty() -> None:
    entry = RECORDED["plans"]["wallet"]["proofs"][0]
    proof = account_proof(entry, "proof")
    with pytest.raises(InputError, match=r"no account there|not proven"):
        proven_account(HEADER.state_root, address_bytes(key("nowhere").address), proof.account, "proof")


def test_an_empty_slot_is_zero_where_that_is_proven() -> None:
    """A wallet of nobody's: the path that is there ends before its slot, or is not its path."""
    entry = RECORDED["plans"]["wallet"]["proofs"][0]
    proof = account_proof(entry, "proof")
    account = proven_account(HEADER.state_root, address_bytes(entry["address"]), proof.account, "proof")
    (path,) = proof.storage.values()
    outcomes: set[int | None] = set()
    for slot in range(64):
        try:
            outcomes.add(proven_words(account, [slot], {slot: path}, "proof")[slot])
        except InputError:
            outcomes.add(None)
    assert outcomes <= {0, None}
    assert None in outcomes


def test_a_header_is_bound_by_its_hash() -> None:
    for name in RECORDED["header"]:
        changed = dict(RECORDED["header"])
        value = changed[name]
        if not isinstance(value, str) or name in ("totalDifficulty", "size"):
            continue
        changed[name] = value[:-1] + ("1" if value[-1] != "1" else "2")
        with pytest.raises(InputError):
            Header.of(changed, "header")


@pytest.mark.parametrize(
    "name", ["baseFeePerGas", "withdrawalsRoot", "parentBeaconBlockRoot", "requestsHash", "nonce"]
)
def test_no_field_of_a_header_is_left_out(name: str) -> None:
    with pytest.raises(InputError):
        Header.of({**RECORDED["header"], name: None}, "header")


def test_another_owner() -> None:
    plan = ChainPlan.model_validate(RECORDED["plans"]["account"]["plan"])
    state = ProvenState(
        HEADER.state_root, SavedProofs(RECORDED["plans"]["account"]["proofs"], "proofs"), "block"
    )
    with pytest.raises(InputError, match="belongs to another"):
        shown(plan, state, market_snapshot(), STRANGER)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"accountProof": "0x"},
        {"accountProof": ["zz"], "storageProof": []},
        {"accountProof": [], "storageProof": [1]},
    ],
)
def test_what_is_no_proof(answer: object) -> None:
    with pytest.raises(InputError):
        account_proof(answer, "node")
