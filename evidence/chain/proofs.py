"""Proofs of accounts and storage under a state root (EIP-1186), checked node by node.

An account lies in the state trie at keccak(address), as RLP of nonce, balance, storage root and code hash; a word lies
in the storage trie at keccak(slot), as RLP of the number without zeros in front (Ethereum Yellow Paper, section 4.1,
appendix D). What a trie does not have at a key is proven by the path that ends before it: an empty slot is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import rlp
from eth_utils.crypto import keccak
from rlp.exceptions import RLPException
from trie.exceptions import MissingTrieNode, TraversedPartialPath
from trie.hexary import HexaryTrie

from zkmargin.margin.errors import Finding, InputError

WORD = 32
LONGEST_PATH = 65
"""Nodes of one proof: a key has 64 nibbles."""
LONGEST_NODE = 1 << 10
"""In bytes; a branch of a trie with hashed children has 532."""

EMPTY_CODE = bytes(keccak(b""))


@dataclass(frozen=True)
class AccountProof:
    """What a node answers to eth_getProof: nothing of it is believed.

    Attributes:
        account: nodes of the state trie, RLP, from the root down.
        storage: nodes of the storage trie by slot, each from the root down.
    """

    account: tuple[bytes, ...]
    storage: Mapping[int, tuple[bytes, ...]]


@dataclass(frozen=True)
class ProvenAccount:
    """An account of a contract, as the state root shows it.

    Attributes:
        address: 20 bytes.
        storage_root: 32 bytes.
        code_hash: Keccak-256 of its code, 32 bytes.
    """

    address: bytes
    storage_root: bytes
    code_hash: bytes


def proven_account(root: bytes, address: bytes, proof: Sequence[bytes], where: str) -> ProvenAccount:
    """The account at an address.

    Args:
        root: the state root, 32 bytes.
        address: 20 bytes.
        proof: nodes, RLP.
        where: names the proof in messages.

    Raises:
        InputError: the proof is not one under this root, or shows that there is no such account.
    """
    named = f"0x{address.hex()}"
    content = _lookup(root, keccak(address), proof, where, f"account {named}")
    if not content:
        remedy = "the state has no account there; correct the address, or wait until it is deployed"
        raise InputError(where, "account", named, remedy)
    fields = _decoded(content, where, named)
    if not (
        isinstance(fields, list)
        and len(fields) == 4
        and all(isinstance(field, bytes) for field in fields)
        and len(fields[2]) == len(fields[3]) == WORD
    ):
        raise InputError(where, "account", named, "the trie has something else than an account there")
    return ProvenAccount(address, fields[2], fields[3])


def proven_words(
    account: ProvenAccount, slots: Iterable[int], storage: Mapping[int, Sequence[bytes]], where: str
) -> dict[int, int]:
    """The words at slots of a proven account, as numbers below 2^256.

    Args:
        account: that was proven under the state root.
        slots: that are asked for.
        storage: the nodes, RLP, by slot.
        where: names the proof in messages.

    Raises:
        InputError: a slot has no proof, or the proof is not one under the account's storage root.
    """
    found: dict[int, int] = {}
    for slot in slots:
        field = f"slot {slot:#x} of 0x{account.address.hex()}"
        if slot not in storage:
            raise InputError(where, field, Finding("no proof"), "ask for a proof of this slot")
        key = keccak(slot.to_bytes(WORD, "big"))
        content = _lookup(account.storage_root, key, storage[slot], where, field)
        found[slot] = _word(content, where, field)
    return found


def _lookup(root: bytes, key: bytes, nodes: Sequence[bytes], where: str, field: str) -> bytes:
    """What the trie of this root has at a key; empty where the proof shows that it has nothing."""
    if len(nodes) > LONGEST_PATH or any(len(node) > LONGEST_NODE for node in nodes):
        raise InputError(where, field, Finding("a proof that is too long"), "ask another node for it")
    # By their hashes: whatever is found from the root on is what the root says.
    trie = HexaryTrie({bytes(keccak(node)): node for node in nodes}, root_hash=root)
    try:
        return bytes(trie.get(key))
    except MissingTrieNode:
        remedy = f"its nodes do not lead from the root {root.hex()}; ask for a proof at this block"
        raise InputError(where, field, Finding("not proven"), remedy) from None
    except (RLPException, TraversedPartialPath, ValueError, TypeError, AttributeError) as error:
        remedy = "its nodes are no nodes of a trie; ask another node for it"
        raise InputError(where, field, Finding(type(error).__name__), remedy) from None


def _word(content: bytes, where: str, field: str) -> int:
    if not content:
        return 0
    word = _decoded(content, where, field)
    if not isinstance(word, bytes) or not 0 < len(word) <= WORD or word[0] == 0:
        raise InputError(where, field, f"0x{content.hex()}", "the trie has something else than a word there")
    return int.from_bytes(word, "big")


def _decoded(content: bytes, where: str, field: str) -> object:
    try:
        return rlp.decode(content)
    except RLPException as error:
        raise InputError(where, field, Finding(error), "the trie has no RLP there") from None
