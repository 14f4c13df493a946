"""Two EVMs with nothing in common: anvil (revm, blst) over JSON-RPC, and ethereumjs (noble's curves) in a process."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from tests.attestation.scene import ceremony_setup, key
from zkmargin.attestation import SigningKey
from zkmargin.attestation.signing import address_of
from zkmargin.verifier.contract.artifacts import Contract, Refusal, contracts, refusal
from zkmargin.verifier.contract.chain import Chain

FOLDER = Path(__file__).resolve().parents[3] / "verifier/contract"
MODULES = FOLDER / "node_modules"
CHAIN_ID = 31337
RICH = SigningKey(bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
"""The first of the accounts that anvil gives money to; its key is published for that."""


@dataclass(frozen=True)
class Outcome:
    """What a call came to.

    Attributes:
        refused: the reason, or None if it was executed.
        data: what it returned.
        gas: used, as each EVM counts it.
        logs: topics and data of events.
        address: what it created.
    """

    refused: Refusal | None
    data: bytes
    gas: int
    logs: tuple[tuple[list[bytes], bytes], ...]
    address: str

    def event(self, contract: Contract, name: str) -> dict[str, Any]:
        found = [contract.event(topics, data) for topics, data in self.logs]
        return next(one[1] for one in found if one and one[0] == name)


class Evm(Protocol):
    """What both can do. A call without `keep` leaves no trace."""

    def at(self, timestamp: int) -> None: ...

    def run(self, to: str | None, data: bytes, *, sender: str = ..., keep: bool = ...) -> Outcome: ...


def required(tool: Path) -> Path:
    """A file that npm ci puts there. Without it tests are skipped on a machine of one's own, and fail in CI."""
    if not tool.exists() or shutil.which("node") is None:
        message = "the contracts' tools are not here: run npm ci in verifier/contract"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return tool


@dataclass
class Ethereumjs:
    """One process that reads a request a line."""

    process: subprocess.Popen[str]

    def at(self, timestamp: int) -> None:
        self._ask({"timestamp": timestamp})

    def run(self, to: str | None, data: bytes, *, sender: str = RICH.address, keep: bool = True) -> Outcome:
        request = {"to": to, "data": "0x" + data.hex(), "from": sender.lower(), "static": not keep}
        found = self._ask(request)
        body = bytes.fromhex(found.get("data", "0x")[2:])
        if "error" in found:
            assert found["error"] == "revert" or not body, found
            return Outcome(refusal(body), body, 0, (), "")
        logs = tuple(
            ([bytes.fromhex(topic[2:]) for topic in log["topics"]], bytes.fromhex(log["data"][2:]))
            for log in found["logs"]
        )
        made = found.get("address")
        return Outcome(None, body, found["gas"], logs, address_of(bytes.fromhex(made[2:])) if made else "")

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def ethereumjs(chain_id: int = CHAIN_ID) -> Iterator[Ethereumjs]:
    required(MODULES / "@ethereumjs/evm")
    setup = ceremony_setup()
    tau = setup.backend.encode_g2(setup.g2_tau).hex()
    command = ["node", str(FOLDER / "evm.mjs"), tau, str(chain_id)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Ethereumjs(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)


@dataclass
class Anvil:
    """A node on loopback. Its clock stands where `at` sets it, which is never back."""

    url: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=120))

    def at(self, timestamp: int) -> None:
        self.ask("evm_setNextBlockTimestamp", timestamp)
        self.ask("evm_mine")
        self.ask("anvil_setBlockTimestampInterval", 0)

    def run(self, to: str | None, data: bytes, *, sender: str = RICH.address, keep: bool = True) -> Outcome:
        message = {
            "data": "0x" + data.hex(),
            "from": sender,
            "gas": hex(25_000_000),
            **({"to": to} if to else {}),
        }
        answer = self._call("eth_call", message, "latest")
        if "error" in answer:
            body = answer["error"].get("data") or "0x"
            return Outcome(refusal(bytes.fromhex(body[2:])), bytes.fromhex(body[2:]), 0, (), "")
        body = bytes.fromhex(answer["result"][2:])
        if not keep:
            return Outcome(None, body, 0, (), "")
        self.ask("anvil_impersonateAccount", sender)
        self.ask("anvil_setBalance", sender, hex(10**20))
        name = self.ask("eth_sendTransaction", message)
        while (found := self.ask("eth_getTransactionReceipt", name)) is None:
            time.sleep(0.02)
        assert int(found["status"], 16) == 1
        logs = tuple(
            ([bytes.fromhex(topic[2:]) for topic in log["topics"]], bytes.fromhex(log["data"][2:]))
            for log in found["logs"]
        )
        made = found.get("contractAddress")
        address = address_of(bytes.fromhex(made[2:])) if made else ""
        return Outcome(None, body, int(found["gasUsed"], 16), logs, address)

    def ask(self, method: str, *parameters: Any) -> Any:
        answer = self._call(method, *parameters)
        assert "error" not in answer, answer
        return answer["result"]

    def _call(self, method: str, *parameters: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        return self.client.post(self.url, json=body).json()

    def chain(self) -> Chain:
        """The product's own client."""
        return Chain(self.url)


@contextmanager
def anvil(chain_id: int = CHAIN_ID, hardfork: str = "prague") -> Iterator[Anvil]:
    tool = required(MODULES / ".bin/anvil")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    options = ["--port", str(port), "--chain-id", str(chain_id), "--hardfork", hardfork, "--silent"]
    limits = ["--gas-limit", "40000000", "--timestamp", "1", "--threads", "1"]
    with subprocess.Popen([str(tool), *options, *limits]) as process:
        try:
            node = Anvil(f"http://127.0.0.1:{port}")
            for _ in range(600):
                try:
                    node.ask("eth_chainId")
                    break
                except httpx.HTTPError:
                    assert process.poll() is None
                    time.sleep(0.1)
            yield node
            node.client.close()
        finally:
            process.terminate()
            process.wait(20)


def deployed(evm: Evm, name: str, *arguments: Any) -> str:
    """The address of a new contract."""
    made = evm.run(None, contracts()[name].creation(*arguments))
    assert made.refused is None, made.refused
    return made.address


def stranger() -> str:
    return key("stranger").address
