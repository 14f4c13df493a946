"""The state of a chain at one block, as far as it was proven; proofs are kept, so that they can be checked again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from zkmargin.attestation.signing import address_bytes, address_of
from zkmargin.evidence.chain.node import account_proof
from zkmargin.evidence.chain.plan import Contract
from zkmargin.evidence.chain.proofs import AccountProof, ProvenAccount, proven_account, proven_words
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.documents import parse_json, read_text

MOST_SLOTS = 256
"""Asked for at once; nodes limit how many they answer."""


class ProofSource(Protocol):
    """Where proofs come from; none is believed."""

    def proofs(self, address: bytes, slots: tuple[int, ...]) -> Iterator[AccountProof]:
        """Proofs of an account and of slots of its storage, one after another. Raises InputError if there are none."""


class ProvenState:
    """Words of contracts under one state root. Raises InputError for whatever is not proven."""

    def __init__(self, root: bytes, source: ProofSource, where: str) -> None:
        """`root` is the state root, 32 bytes; `where` names the block in messages."""
        self._root, self._source, self._where = root, source, where
        self._accounts: dict[bytes, tuple[ProvenAccount, tuple[bytes, ...]]] = {}
        self._storage: dict[bytes, dict[int, tuple[bytes, ...]]] = {}

    def words(self, contract: Contract, slots: Iterable[int]) -> list[int]:
        """The words at slots of a contract, in their order, once its code is known to be the one that is pinned."""
        wanted, address = list(slots), address_bytes(contract.address)
        proxy, found = contract.implementation, dict[int, int]()
        own = [int(proxy.slot, 16)] if proxy else []
        asked = tuple(dict.fromkeys((*own, *wanted)))
        for start in range(0, max(1, len(asked)), MOST_SLOTS):
            found |= self._proven(contract, address, asked[start : start + MOST_SLOTS])
        if proxy is not None:
            implementation = address_of((found[own[0]] % (1 << 160)).to_bytes(20, "big"))
            if implementation != proxy.address:
                remedy = f"the plan is for {proxy.address}; see what was changed, and write a new plan"
                raise InputError(self._where, f"implementation of {contract.address}", implementation, remedy)
        return [found[slot] for slot in wanted]

    def word(self, contract: Contract, slot: int) -> int:
        """The word at one slot."""
        return self.words(contract, [slot])[0]

    def document(self) -> list[dict[str, Any]]:
        """All proofs that were used, as eth_getProof answers them."""
        return [
            {
                "address": address_of(address),
                "accountProof": _hex(self._accounts[address][1]),
                "storageProof": [
                    {"key": f"0x{slot:064x}", "proof": _hex(nodes)} for slot, nodes in sorted(storage.items())
                ],
            }
            for address, storage in sorted(self._storage.items())
        ]

    def _proven(self, contract: Contract, address: bytes, slots: tuple[int, ...]) -> dict[int, int]:
        account, proof, found = self._first(address, slots)
        if account.code_hash.hex() != contract.code_hash:
            remedy = (
                f"the plan is for the code {contract.code_hash}; see what was changed, and write a new plan"
            )
            raise InputError(self._where, f"code of {contract.address}", account.code_hash.hex(), remedy)
        self._accounts[address] = account, proof.account
        self._storage.setdefault(address, {}).update({slot: proof.storage[slot] for slot in slots})
        return found

    def _first(
        self, address: bytes, slots: tuple[int, ...]
    ) -> tuple[ProvenAccount, AccountProof, dict[int, int]]:
        """The first proofs that are some: one source that answers wrongly does not keep others from being asked."""
        failure: InputError | None = None
        for proof in self._source.proofs(address, slots):
            try:
                account = proven_account(self._root, address, proof.account, self._where)
                return account, proof, proven_words(account, slots, proof.storage, self._where)
            except InputError as error:
                failure = failure or error
        remedy = "no proofs of it are there; ask another node"
        raise failure or InputError(self._where, "account", f"0x{address.hex()}", remedy)


class SavedProofs:
    """Proofs that were kept, by address."""

    def __init__(self, entries: Iterable[Mapping[str, Any]], where: str) -> None:
        """`entries` are as eth_getProof answers them. Raises InputError."""
        self._where = where
        self._found: dict[bytes, AccountProof] = {}
        for entry in entries:
            address = entry.get("address") if isinstance(entry, Mapping) else None
            if not isinstance(address, str) or len(address) != 2 + 40:
                raise InputError(where, "address", address, "name the account that the proofs are of")
            self._found[address_bytes(address)] = account_proof(entry, where)

    @classmethod
    def read(cls, path: Path) -> SavedProofs:
        """The proofs in a file that holds a JSON list of them. Raises InputError."""
        document = parse_json(read_text(path), str(path))
        if not isinstance(document, list):
            raise InputError(str(path), "document", document, "write a list of answers to eth_getProof")
        return cls(document, str(path))

    def proofs(self, address: bytes, slots: tuple[int, ...]) -> Iterator[AccountProof]:
        """Those of an account; slots that are missing are found out when they are checked. Raises InputError."""
        if address not in self._found:
            raise InputError(
                self._where, "address", f"0x{address.hex()}", "no proofs of this account are there"
            )
        yield self._found[address]


def _hex(nodes: tuple[bytes, ...]) -> list[str]:
    return [f"0x{node.hex()}" for node in nodes]
