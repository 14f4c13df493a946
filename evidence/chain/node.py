"""A node's JSON-RPC, asked for blocks and proofs. Nothing that it answers is believed for its own sake."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from pydantic_core import from_json

from zkmargin.evidence.chain.header import Header, hex_bytes, hex_number
from zkmargin.evidence.chain.proofs import WORD, AccountProof
from zkmargin.margin.errors import Finding, InputError

LARGEST_ANSWER = 16 << 20
"""In bytes."""
MOST_NODES = 1 << 7
SECONDS = 20.0


class Node:
    """One endpoint.

    Attributes:
        url: where it answers.
    """

    def __init__(self, url: str, *, timeout: float = SECONDS) -> None:
        self.url = url
        self._client = httpx.Client(timeout=timeout, follow_redirects=False)
        self._numbers = itertools.count(1)

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    @property
    def where(self) -> str:
        """The endpoint in messages: without path and query, which may hold a key."""
        return str(httpx.URL(self.url).copy_with(path="/", query=None, userinfo=b""))

    def chain_id(self) -> int:
        """The chain's id. Raises InputError."""
        return hex_number(self.ask("eth_chainId"), "eth_chainId", self.where)

    def check_chain(self, expected: int) -> None:
        """Raises InputError unless the node follows the chain of this id."""
        found = self.chain_id()
        if found != expected:
            raise InputError(self.where, "chain", found, f"it follows another chain than {expected}")

    def head(self) -> int:
        """The number of its newest block. Raises InputError."""
        return hex_number(self.ask("eth_blockNumber"), "eth_blockNumber", self.where)

    def header(self, number: int) -> Header:
        """The header of a block. Raises InputError if the node does not have it, or its hash is not its own."""
        block = self.ask("eth_getBlockByNumber", hex(number), False)
        if not isinstance(block, dict):
            raise InputError(self.where, "block", number, "the node does not have it; ask another")
        header = Header.of(block, f"{self.where}, block {number}")
        if header.number != number:
            raise InputError(self.where, "block", header.number, f"block {number} was asked for")
        return header

    def proof(self, address: bytes, slots: Sequence[int], number: int) -> AccountProof:
        """Account and storage proofs at a block. Raises InputError if the answer is none."""
        keys = [f"0x{slot:064x}" for slot in slots]
        answer = self.ask("eth_getProof", f"0x{address.hex()}", keys, hex(number))
        return account_proof(answer, f"{self.where}, block {number}")

    def ask(self, method: str, *parameters: Any) -> Any:
        """The result of a method. Raises InputError if the node is away, refuses, or answers no JSON-RPC."""
        number = next(self._numbers)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": list(parameters)}
        remedy = "give the address of a node's JSON-RPC that answers"
        try:
            with self._client.stream("POST", self.url, json=body) as response:
                response.raise_for_status()
                content = short_enough(response, LARGEST_ANSWER)
            from_json(content)
            answer = json.loads(content)
        except (httpx.HTTPError, ValueError) as error:
            raise InputError(self.where, method, Finding(type(error).__name__), remedy) from None
        if not isinstance(answer, dict) or answer.get("id") != number:
            raise InputError(self.where, method, Finding("no answer to this request"), remedy)
        if answer.get("error") is not None:
            raise InputError(self.where, method, Finding(answer["error"]), "see the node's log")
        return answer.get("result")


def short_enough(response: httpx.Response, most: int) -> bytes:
    """The body of an answer. Raises ValueError if it has more bytes than `most`."""
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        if len(content) > most:
            raise ValueError(f"more than {most} bytes")
    return bytes(content)


def account_proof(answer: object, where: str) -> AccountProof:
    """The proofs in what eth_getProof answers; all else in it is left aside. Raises InputError."""
    if not isinstance(answer, Mapping):
        raise InputError(where, "proof", Finding("missing"), "ask a node that has the state of this block")
    storage: dict[int, tuple[bytes, ...]] = {}
    for entry in _list(answer.get("storageProof"), "storageProof", where):
        if not isinstance(entry, Mapping):
            raise InputError(where, "storageProof", entry, "list objects with key and proof")
        slot = hex_number(entry.get("key"), "key", where)
        if slot >= 1 << (8 * WORD):
            raise InputError(where, "key", entry.get("key"), "a slot has 32 bytes")
        storage[slot] = _nodes(entry.get("proof"), where)
    return AccountProof(_nodes(answer.get("accountProof"), where), storage)


def _nodes(value: object, where: str) -> tuple[bytes, ...]:
    return tuple(hex_bytes(node, "proof", where) for node in _list(value, "proof", where))


def _list(value: object, name: str, where: str) -> Sequence[object]:
    if not isinstance(value, list) or len(value) > (MOST_NODES if name == "proof" else 1 << 16):
        raise InputError(where, name, Finding("no list of its size"), "ask another node")
    return value
