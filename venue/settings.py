"""Settings of the venue's service: a TOML file, read strictly. Keys are in files, tokens are hashes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from zkmargin.attestation import Address
from zkmargin.attestation.documents import ChainId, OpenOrders
from zkmargin.attestation.names import PartyName
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text
from zkmargin.margin.files.literals import PlainLiterals
from zkmargin.margin.files.validation import input_error

File = Annotated[str, Field(min_length=1)]
"""A path, from the settings file's directory if it is relative."""

Lifetime = Annotated[int, Field(gt=0, le=366 * 86400)]
"""Seconds."""


class _Strict(PlainLiterals):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AccountSettings(_Strict):
    """One account that may be attested to.

    Attributes:
        subject: address of the key that must sign what is proven.
        holdings: the ledger's file, CSV or JSON, read anew for each attestation.
        token_sha256: SHA-256, hex, of the token that its owner presents.
        open_orders: none, or reserved in the balances.
    """

    subject: Address
    holdings: File
    token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    open_orders: OpenOrders = "none"


class VenueSettings(_Strict):
    """The service of one venue.

    Attributes:
        name: the venue's, as policies list it.
        chain_id, verifying_contract: of the verifiers that it attests for.
        snapshot, register, key: files.
        map: the signed map of contracts that the ledger's files are read by, if they have the venue's own names.
        map_signer: address of the key that signed it; the service's own if left out.
        passphrase_file: of the key, if it is a keystore and the environment does not give it.
        lifetime: of an attestation, seconds.
        answer_step: seconds; answers leave after a whole number of them, so that their time does not tell how much
            there was to read and to commit to. 0: as soon as they are ready.
        longest_hold: seconds that collateral may be locked for at a trader's wish.
        accounts: by pseudonym.
    """

    version: Literal[1] = 1
    name: PartyName
    chain_id: ChainId
    verifying_contract: Address
    snapshot: File
    register_file: File = Field(alias="register")
    key: File
    map: File | None = None
    map_signer: Address | None = None
    passphrase_file: File | None = None
    lifetime: Lifetime = 3600
    longest_hold: Lifetime = 7 * 86400
    answer_step: Annotated[float, Field(ge=0, le=10, strict=False)] = 0.05
    accounts: Annotated[Mapping[PartyName, AccountSettings], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        tokens = [account.token_sha256 for account in self.accounts.values()]
        if len(set(tokens)) < len(tokens):
            raise ValueError("two accounts have the same token; give each its own")
        if self.map_signer is not None and self.map is None:
            raise ValueError("map_signer names who signed a map, but there is none; name it as map")
        return self

    @classmethod
    def read(cls, path: Path) -> VenueSettings:
        """The settings in a TOML file. Raises InputError naming file, field and value."""
        try:
            document: Any = tomllib.loads(read_text(path))
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(str(path), "document", Finding(error), "write valid TOML") from None
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise input_error(str(path), error) from None
