"""An EVM over JSON-RPC: read, simulate, and send with a key of one's own."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import Any

import httpx
from eth_account import Account

from zkmargin.attestation.keys import SigningKey
from zkmargin.attestation.signing import address_of
from zkmargin.margin.errors import Finding, InputError
from zkmargin.verifier.contract.artifacts import Contract, Refusal, refusal

POLL_SECONDS = 0.1
GAS_MARGIN = 12
"""Twelfths of the estimate that are given with a transaction: one more than it takes."""


class RevertedError(Exception):
    """A call that the contract refuses.

    Attributes:
        refusal: its reason.
    """

    def __init__(self, reason: Refusal) -> None:
        super().__init__(str(reason))
        self.refusal = reason


@dataclass(frozen=True)
class Receipt:
    """A transaction that was executed.

    Attributes:
        gas: used.
        contract: the address that it created, or None.
        logs: address, topics and data of each event.
    """

    gas: int
    contract: str | None
    logs: tuple[tuple[str, list[bytes], bytes], ...]

    def event(self, contract: Contract, name: str) -> dict[str, Any] | None:
        """The first event of this name, by its members."""
        for _, topics, data in self.logs:
            found = contract.event(topics, data)
            if found and found[0] == name:
                return found[1]
        return None


class Chain:
    """A node that speaks JSON-RPC."""

    def __init__(self, url: str, *, timeout: float = 60.0) -> None:
        self._url, self._timeout = url, timeout
        self._client = httpx.Client(timeout=timeout)
        self._numbers = itertools.count(1)

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def ask(self, method: str, *parameters: Any) -> Any:
        """The result of a method.

        Raises:
            InputError: the node is away, or refuses for another reason than a contract's.
            RevertedError: a contract refuses.
        """
        body = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": parameters}
        try:
            answer = self._client.post(self._url, json=body).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            remedy = "give the address of a node's JSON-RPC that answers"
            raise InputError(self._url, method, Finding(error), remedy) from None
        refused = answer.get("error")
        if refused is None:
            return answer.get("result")
        data = refused.get("data")
        if isinstance(data, dict):
            data = data.get("data")
        if isinstance(data, str) and data.startswith("0x"):
            raise RevertedError(refusal(bytes.fromhex(data[2:])))
        message = str(refused.get("message", refused))
        if "revert" in message.lower():
            raise RevertedError(Refusal(""))
        raise InputError(self._url, method, Finding(message), "see the node's log")

    @property
    def chain_id(self) -> int:
        """The chain's id. Raises InputError."""
        return int(self.ask("eth_chainId"), 16)

    def call(self, to: str, data: bytes, *, sender: str | None = None) -> bytes:
        """What a call would return, without a transaction. Raises InputError and RevertedError."""
        message = {"to": to, "data": "0x" + data.hex(), **({"from": sender} if sender else {})}
        return bytes.fromhex(self.ask("eth_call", message, "latest")[2:])

    def read(self, contract: Contract, to: str, function: str, *arguments: Any) -> Any:
        """A function's answer; its only member if it has one. Raises InputError and RevertedError."""
        data = self.call(to, contract.call(function, *arguments))
        try:
            values = contract.answer(function, data)
        except ValueError as error:
            raise InputError(to, function, Finding(error), f"give the address of a {contract.name}") from None
        return values[0] if len(values) == 1 else values

    def send(self, key: SigningKey, to: str | None, data: bytes) -> Receipt:
        """Sign and send a transaction, and wait until it is executed.

        Raises:
            InputError: the node is away, or the account cannot pay.
            RevertedError: a contract refuses; then nothing was sent.
        """
        message = {"from": key.address, "data": "0x" + data.hex(), **({"to": to} if to else {})}
        gas = int(self.ask("eth_estimateGas", message), 16)
        block = self.ask("eth_getBlockByNumber", "latest", False)
        tip = int(self.ask("eth_maxPriorityFeePerGas"), 16)
        transaction = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": int(self.ask("eth_getTransactionCount", key.address, "pending"), 16),
            "gas": min(gas + gas // GAS_MARGIN, int(block["gasLimit"], 16)),
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": tip + 2 * int(block["baseFeePerGas"], 16),
            "value": 0,
            "data": data,
            **({"to": to} if to else {}),
        }
        raw = Account.sign_transaction(transaction, key.export()).raw_transaction
        return self._receipt(self.ask("eth_sendRawTransaction", "0x" + raw.hex().removeprefix("0x")))

    def _receipt(self, name: str) -> Receipt:
        until = time.monotonic() + self._timeout
        while (found := self.ask("eth_getTransactionReceipt", name)) is None:
            if time.monotonic() > until:
                remedy = "it may still be executed: look for it before you send another"
                raise InputError(self._url, "transaction", name, remedy)
            time.sleep(POLL_SECONDS)
        if int(found["status"], 16) != 1:
            raise RevertedError(Refusal(""))
        logs = tuple(
            (
                log["address"],
                [bytes.fromhex(topic[2:]) for topic in log["topics"]],
                bytes.fromhex(log["data"][2:]),
            )
            for log in found["logs"]
        )
        made = found.get("contractAddress")
        return Receipt(int(found["gasUsed"], 16), address_of(bytes.fromhex(made[2:])) if made else None, logs)
