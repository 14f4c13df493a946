"""A chain on this machine (anvil), with the example's contracts: started, written to, and ended."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from zkmargin.attestation.signing import address_of
from zkmargin.evidence.chain.node import Node
from zkmargin.evidence.example.contracts import ExampleContract
from zkmargin.margin.errors import Finding, InputError

INSTALLED = Path(__file__).resolve().parents[2] / "verifier/contract/node_modules/.bin/anvil"
START_SECONDS, STOP_SECONDS = 60.0, 20.0
GAS = 10_000_000
WEALTH = 10**20
"""Wei, for whoever sends a transaction."""


@dataclass(frozen=True)
class LocalChain:
    """A running chain.

    Attributes:
        url: of its JSON-RPC.
        node: that asks it.
    """

    url: str
    node: Node

    def deploy(self, contract: ExampleContract, *arguments: Any) -> str:
        """A new contract's address, EIP-55."""
        receipt = self._transact(
            {"data": f"0x{contract.creation(*arguments).hex()}"}, address_of(bytes(19) + b"\1")
        )
        return address_of(bytes.fromhex(str(receipt["contractAddress"])[2:]))

    def send(self, sender: str, to: str, data: bytes) -> None:
        """A transaction of any sender's: the chain lets everybody sign for everybody."""
        self._transact({"to": to, "data": f"0x{data.hex()}"}, sender)

    def mine(self, blocks: int = 1) -> None:
        """So many blocks on top."""
        self.node.ask("anvil_mine", hex(blocks))

    def code_hash(self, address: str) -> str:
        """Keccak-256 of a contract's code, hex."""
        return bytes(keccak(bytes.fromhex(self.node.ask("eth_getCode", address, "latest")[2:]))).hex()

    def _transact(self, message: dict[str, Any], sender: str) -> dict[str, Any]:
        self.node.ask("anvil_impersonateAccount", sender)
        self.node.ask("anvil_setBalance", sender, hex(WEALTH))
        name = self.node.ask("eth_sendTransaction", {**message, "from": sender, "gas": hex(GAS)})
        while (receipt := self.node.ask("eth_getTransactionReceipt", name)) is None:
            time.sleep(0.02)
        if int(receipt["status"], 16) != 1:
            raise InputError(self.url, "transaction", name, "the contract refused it")
        found: dict[str, Any] = receipt
        return found


def anvil_command() -> Path:
    """The program. Raises InputError if it is not installed."""
    on_path = shutil.which("anvil")
    if on_path:
        return Path(on_path)
    if not INSTALLED.exists() or not shutil.which("node"):
        remedy = "install anvil, or run npm ci in verifier/contract"
        raise InputError("local chain", "anvil", Finding("not installed"), remedy)
    return INSTALLED


@contextmanager
def local_chain(chain_id: int = 31337) -> Iterator[LocalChain]:
    """A chain on a free port of this machine, ended with the block. Raises InputError if it does not start."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    options = [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--chain-id",
        str(chain_id),
        "--hardfork",
        "prague",
    ]
    command = [str(anvil_command()), *options, "--silent", "--threads", "1", "--accounts", "1"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        node = Node(f"http://127.0.0.1:{port}")
        try:
            _wait(node, process)
            yield LocalChain(node.url, node)
        finally:
            node.close()
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(node: Node, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            node.chain_id()
        except InputError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
