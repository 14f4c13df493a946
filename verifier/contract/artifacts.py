"""The compiled contracts, as they are installed: interfaces, and the code that is deployed.

`zkmargin contract build` writes them from the sources beside this file. How calls, answers and errors are written as
bytes is the contract ABI of Solidity, by eth-abi.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

HERE = Path(__file__).resolve().parent
FILE = HERE / "contracts.json"
SELECTOR = 4


@dataclass(frozen=True)
class Refusal:
    """Why a contract reverted.

    Attributes:
        name: of the custom error; empty if the contract gave no reason that its interface knows.
        arguments: of the error, in order.
    """

    name: str
    arguments: tuple[Any, ...] = ()

    def __str__(self) -> str:
        values = (value.hex() if isinstance(value, bytes) else str(value) for value in self.arguments)
        return f"{self.name}({', '.join(values)})" if self.name else "no reason given"


@dataclass(frozen=True, eq=False)
class Contract:
    """One compiled contract.

    Attributes:
        name: as in the sources.
        abi: its interface.
        code: what creates it, without the constructor's arguments.
        runtime_bytes: the length of its code once it is there.
    """

    name: str
    abi: list[dict[str, Any]]
    code: bytes
    runtime_bytes: int

    def creation(self, *arguments: Any) -> bytes:
        """What is sent to deploy it."""
        entry: dict[str, Any] = next(
            (one for one in self.abi if one["type"] == "constructor"), {"inputs": []}
        )
        return self.code + encode(_types(entry["inputs"]), arguments)

    def call(self, function: str, *arguments: Any) -> bytes:
        """What is sent to call a function. Raises KeyError for one that it has not."""
        entry = self._functions[function]
        return _selector(entry) + encode(_types(entry["inputs"]), arguments)

    def answer(self, function: str, data: bytes) -> tuple[Any, ...]:
        """What a function returned. Raises ValueError if these are not its types."""
        try:
            return decode(_types(self._functions[function]["outputs"]), data)
        except DecodingError as error:
            raise ValueError(f"{self.name}.{function} answered {data.hex() or 'nothing'}: {error}") from None

    def event(self, topics: list[bytes], data: bytes) -> tuple[str, dict[str, Any]] | None:
        """An event of its interface, by name; None if it is another contract's."""
        for entry in self.abi:
            if entry["type"] == "event" and topics and keccak(_signature(entry).encode()) == topics[0]:
                indexed = [one for one in entry["inputs"] if one["indexed"]]
                plain = [one for one in entry["inputs"] if not one["indexed"]]
                values = dict(zip((one["name"] for one in plain), decode(_types(plain), data), strict=True))
                for one, topic in zip(indexed, topics[1:], strict=True):
                    values[one["name"]] = decode([one["type"]], topic)[0]
                return entry["name"], values
        return None

    @cached_property
    def _functions(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.abi if one["type"] == "function"}


@cache
def contracts() -> dict[str, Contract]:
    """All contracts by name."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: Contract(name, one["abi"], bytes.fromhex(one["bytecode"]), one["runtime_bytes"])
        for name, one in document["contracts"].items()
    }


def refusal(data: bytes) -> Refusal:
    """The reason in what a reverted call returned: an error of any of the contracts, since they call each other."""
    for contract in contracts().values():
        for entry in contract.abi:
            if entry["type"] == "error" and _selector(entry) == data[:SELECTOR]:
                return Refusal(entry["name"], decode(_types(entry["inputs"]), data[SELECTOR:]))
    return Refusal("")


def _types(inputs: list[dict[str, Any]]) -> list[str]:
    return [_type(one) for one in inputs]


def _type(entry: dict[str, Any]) -> str:
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_types(entry['components']))}){kind.removeprefix('tuple')}"


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(_types(entry['inputs']))})"


def _selector(entry: dict[str, Any]) -> bytes:
    return bytes(keccak(_signature(entry).encode()))[:SELECTOR]
