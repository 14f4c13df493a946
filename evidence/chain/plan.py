"""What to read of a chain, and how sure to be of the block: a TOML file, read strictly.

One plan is about one account: a wallet's tokens, an account of a contract that lists what its accounts hold, or what
one holder has and owes in one lending market. Contracts are pinned by the hash of their code, since slots mean
something only under the code that fills them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zkmargin.argument.documents import Digest
from zkmargin.attestation.documents import ChainId
from zkmargin.attestation.signing import Address
from zkmargin.evidence.chain.blocks import Quorum
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text
from zkmargin.margin.files.validation import input_error

MOST_ASSETS = 256

Slot = Annotated[int, Field(ge=0, lt=1 << 63)]
Decimals = Annotated[int, Field(ge=0, le=77)]
Instrument = Annotated[str, Field(min_length=1, max_length=64)]
Url = Annotated[str, Field(pattern=r"^https?://", max_length=1024)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Implementation(_Strict):
    """What a proxy calls: ERC-1967 keeps it at keccak("eip1967.proxy.implementation") - 1.

    Attributes:
        slot: 32 bytes, hex.
        address: that must stand there.
    """

    slot: Digest
    address: Address


class Contract(_Strict):
    """A contract whose storage is read.

    Attributes:
        address: of the contract that has the storage.
        code_hash: Keccak-256 of the code that is there, hex.
        implementation: where it is a proxy, the slot that names its implementation, and the address that this must be.
    """

    address: Address
    code_hash: Digest
    implementation: Implementation | None = None


class Amount(_Strict):
    """A mapping from holder to an amount, and what one unit of it is.

    Attributes:
        slot: of the mapping.
        instrument: of the universe; USD or a coin for a balance.
        decimals: 10^-decimals of the instrument is one unit, after the price.
        price_slot: of the word that a share is multiplied by; None where amounts are no shares.
        price_decimals: 10^-price_decimals is one unit of that price.
    """

    slot: Slot
    instrument: Instrument
    decimals: Decimals
    price_slot: Slot | None = None
    price_decimals: Decimals = 0


class Token(Contract, Amount):
    """A token and where its balances are (ERC-20)."""


class Wallet(_Strict):
    """Tokens of one holder. Never complete: what the holder owes elsewhere is not shown.

    Attributes:
        holder: an address, which must be the subject's.
        tokens: that are read.
    """

    holder: Address
    tokens: Annotated[tuple[Token, ...], Field(min_length=1, max_length=MOST_ASSETS, strict=False)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        _refuse_twice([token.address for token in self.tokens], "token")
        return self


class Asset(_Strict):
    """What one asset of a contract's accounts is.

    Attributes:
        asset, sub_id: the pair that the contract knows it by.
        instrument: of the universe; none that is margined daily, since its entry is not in its balance.
        decimals: 10^-decimals of the instrument is one unit.
    """

    asset: Address
    sub_id: Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,28})$")]
    instrument: Instrument
    decimals: Decimals = 18


class SubAccount(Contract):
    """One account of a contract that lists what each holds: complete, since the list and its length are shown.

    Attributes:
        account: its number.
        owners: slot of the mapping from number to owner, who must be the subject.
        balances: slot of the mapping from number, asset and sub-id to a word: balance in the low 240 bits, signed, and
            index in the list in the high 16.
        held: slot of the mapping from number to the list: asset in the low 160 bits of a word, sub-id in the high 96.
        assets: that can be held; any other is refused.
    """

    account: Annotated[int, Field(ge=0, lt=1 << 63)]
    owners: Slot
    balances: Slot
    held: Slot
    assets: Annotated[tuple[Asset, ...], Field(min_length=1, max_length=1 << 14, strict=False)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        _refuse_twice([(asset.asset, asset.sub_id) for asset in self.assets], "asset")
        return self


class Market(Contract):
    """What one holder has and owes in a lending market: complete if these are all mappings that it counts holders by.

    Attributes:
        holder: an address, which must be the subject's.
        collateral: what the holder has.
        debts: what the holder owes.
        complete: whether these are all; False if the market has other assets, and then debts cannot be a part.
    """

    holder: Address
    collateral: Annotated[tuple[Amount, ...], Field(max_length=MOST_ASSETS, strict=False)]
    debts: Annotated[tuple[Amount, ...], Field(max_length=MOST_ASSETS, strict=False)] = ()
    complete: bool

    @model_validator(mode="after")
    def _once(self) -> Self:
        _refuse_twice([one.slot for one in (*self.collateral, *self.debts)], "slot")
        return self


def _refuse_twice(names: Sequence[Hashable], what: str) -> None:
    """Raises ValueError for what would be counted twice."""
    if len(set(names)) < len(names):
        raise ValueError(f"a {what} is listed twice and would count twice; list each once")


class ChainPlan(_Strict):
    """What to read, and how sure to be of the block.

    Attributes:
        chain_id: of the chain that is read.
        endpoints: of nodes, http or https.
        signers: addresses whose signed roots count, instead of asking nodes which block it is.
        quorum: how many endpoints, or signers, must name the same block: more than half.
        confirmations: blocks that must lie on top of it.
        oldest: seconds that its time may lie back.
        wallet, account, market: what is read; one of them.
    """

    version: Literal[1] = 1
    chain_id: ChainId
    endpoints: Annotated[tuple[Url, ...], Field(min_length=1, max_length=16, strict=False)]
    signers: Annotated[tuple[Address, ...], Field(max_length=16, strict=False)] = ()
    quorum: Annotated[int, Field(ge=1, le=16)]
    confirmations: Annotated[int, Field(ge=0, le=1 << 20)]
    oldest: Annotated[int, Field(gt=0, le=86400)] = 300
    wallet: Wallet | None = None
    account: SubAccount | None = None
    market: Market | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if sum(part is not None for part in (self.wallet, self.account, self.market)) != 1:
            raise ValueError(
                "describe one of wallet, account and market: each account has an attestation of its own"
            )
        voters, kind = (self.signers, "signers") if self.signers else (self.endpoints, "endpoints")
        if len(set(self.signers)) < len(self.signers):
            raise ValueError("a signer is listed twice; each counts once")
        hosts = {(url.host, url.port) for url in map(httpx.URL, self.endpoints)}
        if len(hosts) < len(self.endpoints):
            raise ValueError("two endpoints are the same host and port; each counts once")
        if not len(voters) < 2 * self.quorum <= 2 * len(voters):
            raise ValueError(
                f"a quorum is more than half of the {len(voters)} {kind}, and at most all of them"
            )
        return self

    @property
    def rule(self) -> Quorum:
        """What a block must have."""
        return Quorum(self.chain_id, self.quorum, self.confirmations, self.oldest)

    @classmethod
    def read(cls, path: Path) -> ChainPlan:
        """The plan in a TOML file. Raises InputError naming file, field and value."""
        return cls.parse(read_text(path), str(path))

    @classmethod
    def parse(cls, text: str, where: str) -> ChainPlan:
        """The plan in a TOML text. Raises InputError."""
        try:
            document = tomllib.loads(text)
        except ValueError as error:
            raise InputError(where, "document", Finding(error), "write valid TOML") from None
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise input_error(where, error) from None
