"""What a verifier accepts: whom he trusts, under which models, how old, how much. Read strictly from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from zkmargin.argument.documents import Digest
from zkmargin.attestation.documents import (
    MOST_ATTESTATIONS,
    ChainId,
    MapDigest,
    Name,
    OpenOrders,
    Source,
    Text,
)
from zkmargin.attestation.names import PartyName
from zkmargin.attestation.signing import Address
from zkmargin.attestation.typed_data import SigningDomain
from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text
from zkmargin.margin.files.literals import PlainLiterals
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.models import MODELS
from zkmargin.margin.parameters.document import Parameters
from zkmargin.margin.units import LEVELS, Level
from zkmargin.verifier.grades import Grade
from zkmargin.verifier.parameter_floor import least_parameters, normalised

Duration = Annotated[int, Field(ge=0, le=10 * 366 * 86400)]
"""Seconds."""


def _amount(value: str) -> str:
    try:
        number = parse_decimal(value, "policy", "amount")
    except InputError as error:
        raise ValueError(error.remedy) from None
    if number < 0:
        raise ValueError("write an amount that is not negative")
    return canonical_decimal(number)


Dollars = Annotated[str, AfterValidator(_amount)]
"""USD as a decimal in quotes, in its canonical form."""


def _known(accepted: Mapping[str, Accepted]) -> Mapping[str, Accepted]:
    for name, how in accepted.items():
        if name not in MODELS:
            raise ValueError(f"there is no model {name}; name some of {', '.join(MODELS)}")
        if how.least is None:
            continue
        try:
            least_parameters(name, how.least)
        except InputError as error:
            field = f"{name}.minimum.{error.field}"
            raise InputError("policy", field, error.value, error.remedy) from None
    return accepted


Sources = Annotated[tuple[Source, ...], Field(min_length=1, max_length=16, strict=False)]


class _Strict(PlainLiterals):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Signers(_Strict):
    """The keys that sign for a venue or an oracle; more than one while they are being changed."""

    keys: Annotated[tuple[Address, ...], Field(min_length=1, max_length=16, strict=False)]


class TrustedVenue(Signers):
    """Who signs for a venue, by which maps of its contracts its ledger may have been read, and where its holdings.

    Attributes:
        maps: digests of signed maps; None to leave that to the venue.
        sources: where its holdings may have been read; None for the policy's own list.
    """

    maps: Annotated[tuple[MapDigest, ...], Field(min_length=1, max_length=64, strict=False)] | None = None
    sources: Sources | None = None


class Accepted(_Strict):
    """How a model is accepted.

    Attributes:
        level: the least level: initial admits initial only, maintenance admits both.
        minimum: the least parameters of the snapshot, by section and name as in a parameter file; what it leaves out of
            all that prices the model has its default. See `zkmargin.verifier.parameter_floor`.
        pins: digests of parameters (see `zkmargin.verifier.floors.pins`); a snapshot has those of one of them, at the
            level of the submission. None: any that ask no less than the least ones.
        rows: whether proofs must use committed rows, so that checking one takes no longer for thousands of scenarios.
    """

    level: Level = "initial"
    minimum: Annotated[Mapping[str, Any], AfterValidator(normalised)] | None = None
    pins: Annotated[tuple[Digest, ...], Field(min_length=1, max_length=64, strict=False)] | None = None
    rows: bool = False

    @property
    def least(self) -> Mapping[str, Any] | None:
        """The minimum; the defaults where neither it nor pins are stated, nothing beside pins alone."""
        return {} if self.minimum is None and self.pins is None else self.minimum

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that it admits."""
        return tuple(level for level in LEVELS if self.admits(level))

    def admits(self, level: Level) -> bool:
        """Whether the level is at least the one asked for."""
        return level in ("initial", self.level)


class Policy(_Strict):
    """All that a verifier decides beside the proof.

    Attributes:
        audience: the verifier's name, which statements and holds are for.
        chain_id, verifying_contract: the EIP-712 domain of everything signed.
        venues: by name, who signs for each trusted venue, and by which maps of contracts.
        oracles: by name, who signs snapshots. Empty: the verifier's own snapshots only.
        revoked: keys that sign for nobody any more.
        required_venues: must each be in a submission.
        models: by name, how each accepted model is accepted.
        snapshot_age: seconds from a snapshot's valuation.
        attestation_age: seconds from an attestation's moment.
        as_of_window: seconds between the oldest and the newest moment of a submission's attestations.
        clock_skew: seconds by which other clocks may be ahead of this one.
        longest_expiry: seconds that a submission may reach ahead.
        max_pledge: the greatest amount of one pledge, USD; None for no limit.
        sources: where holdings may have been read, unless a venue has its own list.
        grades: by source, how its holdings count; those without a grade must be complete.
        open_orders: how open orders may be treated.
        max_attestations: of one submission.
        each_venue: whether each venue's accounts alone must have an excess of at least 0, too.
        require_hold: whether a pledge without a hold on every account is refused, not merely unsecured.
    """

    version: Literal[1] = 1
    audience: Text
    chain_id: ChainId
    verifying_contract: Address
    venues: Annotated[Mapping[PartyName, TrustedVenue], Field(min_length=1)]
    oracles: Mapping[PartyName, Signers] = Field(default_factory=dict)
    revoked: Annotated[tuple[Address, ...], Field(strict=False)] = ()
    required_venues: Annotated[tuple[PartyName, ...], Field(strict=False)] = ()
    models: Annotated[Mapping[Name, Accepted], Field(min_length=1), AfterValidator(_known)]
    snapshot_age: Duration = 300
    attestation_age: Duration = 86400
    as_of_window: Duration = 300
    clock_skew: Duration = 30
    longest_expiry: Duration = 30 * 86400
    max_pledge: Dollars | None = None
    sources: Sources = ("ledger",)
    grades: Mapping[Source, Grade] = Field(default_factory=dict)
    open_orders: Annotated[tuple[OpenOrders, ...], Field(min_length=1, strict=False)] = ("none", "reserved")
    max_attestations: Annotated[int, Field(ge=1, le=MOST_ATTESTATIONS)] = 16
    each_venue: bool = False
    require_hold: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in self.required_venues:
            if name not in self.venues:
                raise ValueError(f"required_venues names {name}, which venues does not list")
        owners: dict[str, str] = {}
        for name, signers in self.venues.items():
            for key in signers.keys:
                if owners.setdefault(key, name) != name:
                    raise ValueError(
                        f"the key {key} signs for both {owners[key]} and {name}; give each its own"
                    )
        return self

    @cached_property
    def least_parameters(self) -> Mapping[str, Parameters]:
        """By model, the least parameters; none for models of which the policy states pins alone."""
        stated = ((name, accepted.least) for name, accepted in self.models.items())
        return {name: least_parameters(name, minimum) for name, minimum in stated if minimum is not None}

    def max_pledge_ticks(self, quantum_decimals: int) -> int | None:
        """The greatest amount in ticks of 10^-quantum_decimals USD, rounded down; None for no limit."""
        if self.max_pledge is None:
            return None
        return int(Decimal(self.max_pledge).scaleb(quantum_decimals))

    @property
    def domain(self) -> SigningDomain:
        """The EIP-712 domain."""
        return SigningDomain(self.chain_id, self.verifying_contract)

    @classmethod
    def read(cls, path: Path) -> Policy:
        """The policy in a TOML file. Raises InputError naming file, field and value."""
        return cls.parse(read_text(path), str(path))

    @classmethod
    def parse(cls, text: str, where: str) -> Policy:
        """The policy in a TOML text. Raises InputError."""
        try:
            document = tomllib.loads(text, parse_float=Decimal)
        except ValueError as error:
            raise InputError(where, "document", Finding(error), "write valid TOML") from None
        return cls.accept(document, where)

    @classmethod
    def accept(cls, content: Any, where: str) -> Policy:
        """The policy with this content. Raises InputError."""
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise input_error(where, error) from None
