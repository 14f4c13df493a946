"""Two venues, a trader and a verifier on the example market, for the tests of everything attested."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from zkmargin.algebra import Setup, ceremony, get_backend
from zkmargin.attestation import (
    AttestationDocument,
    Hold,
    SigningDomain,
    SigningKey,
    SubmissionDocument,
    SubmissionTerms,
)
from zkmargin.attestation.signing import address_of
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.market import example_market
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import Opening, prove_submission
from zkmargin.venue import Account, Attested, Moment, Register, Venue, attest
from zkmargin.verifier import Policy

CONTRACT = address_of(bytes(19) + b"\x42")
DOMAIN = SigningDomain(1, CONTRACT)
AUDIENCE, NONCE = "lender", "asked at noon"
USD = 10**6
"""Ticks."""


@cache
def key(name: str) -> SigningKey:
    """The same key for a name, in every process."""
    return SigningKey(hashlib.sha256(f"a key of the tests: {name}".encode()).digest())


@cache
def market_snapshot() -> Snapshot:
    return Snapshot.build(example_market())


@cache
def ceremony_setup() -> Setup:
    return ceremony(get_backend())


def now() -> int:
    """A moment just after the snapshot's."""
    return market_snapshot().valuation_time // 10**6 + 10


def holdings(**quantities: str) -> Holdings:
    """Holdings by instrument; underscores stand for what a Python name cannot have."""
    positions = [Position(name.replace("_", "-"), Decimal(q)) for name, q in quantities.items()]
    return Holdings.of(positions, market_snapshot())


@dataclass(frozen=True)
class Desk:
    """A venue with its register."""

    venue: Venue
    register: Register

    @classmethod
    def open(cls, directory: Path, name: str, domain: SigningDomain = DOMAIN) -> "Desk":
        venue = Venue(name, key(name), domain, ceremony_setup(), market_snapshot())
        return cls(venue, Register(directory / f"{name}.db"))

    def attest(
        self,
        account: str = "alice",
        owner: str = "trader",
        held: Holdings | None = None,
        *,
        as_of: int | None = None,
        lifetime: int = 3600,
        hold: Hold | None = None,
    ) -> Attested:
        start = now() if as_of is None else as_of
        moment = Moment(start, start + lifetime)
        account_of = Account(account, key(owner).address)
        held = held or holdings(USD="250000")
        return attest(self.venue, account_of, held, moment, self.register, hold=hold)


def opened(made: Attested) -> tuple[AttestationDocument, Opening]:
    """What prove_submission takes."""
    return made.attestation, made.opening.opening(market_snapshot().universe, "opening")


def terms(**changes: Any) -> SubmissionTerms:
    fields: dict[str, Any] = {
        "model": "grid",
        "level": "initial",
        "threshold": 400_000 * USD,
        "amount": 100_000 * USD,
        "audience": AUDIENCE,
        "nonce": NONCE,
        "expiry": now() + 1800,
    }
    return SubmissionTerms(**(fields | changes))


def submit(
    accounts: Sequence[Attested], owner: str = "trader", *, each_venue: bool = False, **changes: Any
) -> SubmissionDocument:
    """A submission of these accounts."""
    return prove_submission(
        [opened(made) for made in accounts],
        market_snapshot(),
        terms(**changes),
        key(owner),
        ceremony_setup(),
        each_venue=each_venue,
    )


def policy(**changes: Any) -> Policy:
    content: Mapping[str, Any] = {
        "audience": AUDIENCE,
        "chain_id": DOMAIN.chain_id,
        "verifying_contract": DOMAIN.verifying_contract,
        "venues": {name: {"keys": [key(name).address]} for name in ("alpha", "beta")},
        "oracles": {"pyx": {"keys": [key("oracle").address]}},
        "models": {"grid": {"level": "initial"}},
    }
    return Policy.accept({**content, **changes}, "policy")
