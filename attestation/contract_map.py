"""A venue's signed map of its contracts: which slot of the universe each is, and how many units of it.

A ledger read by a map is only as right as the map: a multiplier that is wrong by ten makes ten times the position. So
a map counts only as signed by the key that one expects, and an attestation names the digest of the map it was made by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from zkmargin.argument.documents import Digest, Document
from zkmargin.attestation.documents import Name, Seconds, SignedDocument
from zkmargin.attestation.keys import SigningKey
from zkmargin.attestation.names import PartyName
from zkmargin.attestation.typed_data import CONTRACT_MAP, SigningDomain, Struct
from zkmargin.margin.account.contract_map import Target, target
from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.universe import Universe

MOST_CONTRACTS = 1 << 14


def _canonical(multiplier: str) -> str:
    try:
        number = parse_decimal(multiplier, "map", "multiplier")
    except InputError as error:
        raise ValueError(error.remedy) from None
    if canonical_decimal(number) != multiplier:
        raise ValueError(f"write {canonical_decimal(number)}: no exponent, no plus, no zeros at the end")
    return multiplier


class MappedContract(Document):
    """One row of a map.

    Attributes:
        contract: what the venue calls it.
        instrument: the slot.
        multiplier: units of the slot's quantity to one contract, a canonical decimal.
        settlement: what the contract settles in, as the slot does.
    """

    contract: Name
    instrument: Name
    multiplier: Annotated[str, AfterValidator(_canonical)]
    settlement: Name


def _ascending(contracts: list[MappedContract]) -> list[MappedContract]:
    for one, next_one in pairwise(contracts):
        if one.contract >= next_one.contract:
            raise ValueError(f"sort by contract, each once; {next_one.contract!r} follows {one.contract!r}")
    return contracts


@dataclass(frozen=True)
class VerifiedMap:
    """A signed map that was checked: what reads a ledger.

    Attributes:
        targets: the slots by contract.
        digest: of the signed document, 32 bytes in hex.
        as_of: from when it holds, Unix seconds.
        venue: whose contracts they are.
        domain: chain and contract that it was signed for.
    """

    targets: Mapping[str, Target]
    digest: str
    as_of: int
    venue: str
    domain: SigningDomain


class ContractMapDocument(SignedDocument):
    """A venue's word for what its contracts are.

    Attributes:
        venue: the venue's name.
        universe: digest of the slots and lots that the contracts are mapped to.
        as_of: from when the map holds, Unix seconds; the later of two replaces the other.
        contracts: the rows, sorted by contract.
        signer: address of the venue's key.
    """

    STRUCT: ClassVar[Struct] = CONTRACT_MAP

    format: Literal["zkmargin/contract-map"] = "zkmargin/contract-map"
    version: Literal[1] = 1
    venue: PartyName
    universe: Digest
    as_of: Seconds
    contracts: Annotated[
        list[MappedContract], Field(min_length=1, max_length=MOST_CONTRACTS), AfterValidator(_ascending)
    ]

    def message(self) -> dict[str, Any]:
        return {
            "venue": self.venue,
            "universe": bytes.fromhex(self.universe),
            "asOf": self.as_of,
            "contracts": [vars(contract) for contract in self.contracts],
        }

    def verified(self, universe: Universe, signer: str, where: str) -> VerifiedMap:
        """The map's contents, after its signature is checked.

        Args:
            universe: that ledgers are read into.
            signer: address of the key that is expected, from where it is trusted.
            where: the document, for messages.

        Raises:
            InputError: another key signed, the signature is not over this content, the map is of another universe, or
                a row does not fit its slot.
        """
        if self.signer != signer:
            remedy = f"{signer} is expected; get the map that this key signed"
            raise InputError(where, "signer", self.signer, remedy)
        self.check_signature(where)
        return self._on(universe, where)

    def _on(self, universe: Universe, where: str) -> VerifiedMap:
        if self.universe != universe.digest:
            remedy = (
                f"the map is of another universe than the snapshot's, {universe.digest}; sign one for this"
            )
            raise InputError(where, "universe", self.universe, remedy)
        targets = {
            row.contract: target(
                row.instrument, row.multiplier, row.settlement, universe, f"{where}, contracts[{number}]"
            )
            for number, row in enumerate(self.contracts)
        }
        return VerifiedMap(targets, self.digest.hex(), self.as_of, self.venue, self.signing_domain)


def sign_map(
    key: SigningKey,
    domain: SigningDomain,
    targets: Mapping[str, Target],
    universe: Universe,
    *,
    venue: str,
    as_of: int,
) -> ContractMapDocument:
    """The signed document of a map.

    Args:
        key: the venue's.
        domain: chain and contract of the verifiers that it is for.
        targets: the slots by contract.
        universe: that they are slots of.
        venue: the venue's name.
        as_of: from when the map holds, Unix seconds.

    Raises:
        InputError: a name that is not printable, too many rows, or a row that does not fit its slot.
    """
    contracts = [
        {
            "contract": contract,
            "instrument": found.instrument,
            "multiplier": canonical_decimal(found.multiplier),
            "settlement": universe.instruments[universe.slot(found.instrument)].settlement,
        }
        for contract, found in sorted(targets.items())
    ]
    fields = {"venue": venue, "universe": universe.digest, "as_of": as_of, "contracts": contracts}
    return ContractMapDocument.sign(key, domain, **fields)
