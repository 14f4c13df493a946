"""The example's compiled contracts: code, calls, and the slots of their variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

FILE = Path(__file__).resolve().parent / "contracts.json"


@dataclass(frozen=True, eq=False)
class ExampleContract:
    """One contract.

    Attributes:
        name: as in the sources.
        abi: its interface.
        code: what creates it, without the constructor's arguments.
        layout: the slot of each state variable, as the compiler says.
    """

    name: str
    abi: list[dict[str, Any]]
    code: bytes
    layout: Mapping[str, int]

    def creation(self, *arguments: Any) -> bytes:
        """What is sent to deploy it."""
        inputs: list[dict[str, Any]] = next(
            (one["inputs"] for one in self.abi if one["type"] == "constructor"), []
        )
        return self.code + encode([one["type"] for one in inputs], arguments)

    def call(self, function: str, *arguments: Any) -> bytes:
        """What is sent to call a function. Raises StopIteration for one that it has not."""
        entry = next(one for one in self.abi if one["type"] == "function" and one["name"] == function)
        types = [one["type"] for one in entry["inputs"]]
        return bytes(keccak(f"{function}({','.join(types)})".encode()))[:4] + encode(types, arguments)


@cache
def example_contracts() -> Mapping[str, ExampleContract]:
    """All contracts by name."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: ExampleContract(name, one["abi"], bytes.fromhex(one["bytecode"]), one["layout"])
        for name, one in document["contracts"].items()
    }
