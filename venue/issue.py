"""Attesting to one account: the venue commits to its own ledger's holdings, and signs what it committed to.

There is no way to have a commitment signed that was computed elsewhere: C_X - C_A, signed blindly, would take account A
out of a sum. What goes in is holdings, what comes out is an attestation and its opening.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zkmargin.algebra.setup import Setup
from zkmargin.attestation import AttestationDocument, Hold, SigningDomain, SigningKey, VerifiedMap
from zkmargin.attestation.documents import OpenOrders, Source
from zkmargin.attestation.names import REMEDY, is_canonical
from zkmargin.margin.account.contract_map import Target
from zkmargin.margin.account.holdings import Holdings, reserved_in
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover.opening import OpeningDocument, commit_slots
from zkmargin.venue.register import Grant, Register

CLOCK_SKEW = 30
"""Seconds by which another clock, such as that of the ledger's computer, may be ahead of this one."""


@dataclass(frozen=True)
class Venue:
    """The issuer of attestations, and the deployment that they are for.

    Attributes:
        name: as policies list it.
        key: signs for it.
        domain: chain and contract of the verifiers.
        setup: the ceremony's powers.
        snapshot: names the universe; prices matter only for positions without an entry price.
        contracts: the map that its ledger is read by; None if that has the universe's names and sizes.
        source: where it reads holdings; "ledger" for its own books.
    """

    name: str
    key: SigningKey
    domain: SigningDomain
    setup: Setup
    snapshot: Snapshot
    contracts: VerifiedMap | None = None
    source: Source = "ledger"

    def __post_init__(self) -> None:
        """Raises InputError if the map is another venue's, or for other verifiers."""
        if self.contracts is None:
            return
        for field, found, own in (
            ("venue", self.contracts.venue, self.name),
            ("chain_id", self.contracts.domain.chain_id, self.domain.chain_id),
            ("verifying_contract", self.contracts.domain.verifying_contract, self.domain.verifying_contract),
        ):
            if found != own:
                raise InputError(
                    "map of contracts", field, found, f"sign a map for {own}, which is attested for"
                )

    @property
    def targets(self) -> Mapping[str, Target] | None:
        """The slot and multiplier of each contract, to read the ledger by."""
        return None if self.contracts is None else self.contracts.targets

    def holdings(self, path: Path) -> Holdings:
        """The holdings of an account in a file of the ledger. Raises InputError as Holdings.read does."""
        return Holdings.read(path, self.snapshot, self.targets)


@dataclass(frozen=True)
class Account:
    """Whose account it is.

    Attributes:
        name: the pseudonym, the same in every attestation of the account.
        subject: address of the key that must sign what is proven.
        open_orders: none, or reserved in the balances.
        complete: whether nothing of the account is left out.
        evidence: digest of what its holdings rest on, hex; None for the signer's word alone.
    """

    name: str
    subject: str
    open_orders: OpenOrders = "none"
    complete: bool = True
    evidence: str | None = None

    def __post_init__(self) -> None:
        """Raises InputError for a confusable account name, or a subject address that has no private key."""
        if not is_canonical(self.name):
            raise InputError(
                f"account {self.name!r}", "account", self.name, f"{REMEDY}; another would look like it"
            )
        if not self.subject.removeprefix("0x").strip("0"):
            remedy = "this address has no known private key; write that of the account's owner"
            raise InputError(f"account {self.name!r}", "subject", self.subject, remedy)


@dataclass(frozen=True)
class Attested:
    """An attestation with its opening.

    Attributes:
        attestation: public.
        opening: secret.
    """

    attestation: AttestationDocument
    opening: OpeningDocument


@dataclass(frozen=True)
class Moment:
    """When.

    Attributes:
        as_of: the ledger's moment, Unix seconds.
        expiry: Unix seconds until which the attestation counts.
    """

    as_of: int
    expiry: int

    def __post_init__(self) -> None:
        """Raises InputError unless it lasts at all."""
        if self.expiry <= self.as_of:
            remedy = f"write a time after the attestation's moment, Unix second {self.as_of}"
            raise InputError("attestation", "expiry", self.expiry, remedy)

    @classmethod
    def lasting(cls, seconds: int, as_of: int | None = None) -> Moment:
        """From a moment, now if left out, for so many seconds.

        Raises InputError unless it lasts at all, and for a moment that this computer's clock has not reached.
        """
        if seconds <= 0:
            raise InputError("attestation", "lifetime", seconds, "write at least one second")
        now = int(time.time())
        start = now if as_of is None else as_of
        if start > now + CLOCK_SKEW:
            remedy = f"the clock is at Unix second {now}; the ledger of a later moment is not known yet"
            raise InputError("attestation", "as_of", start, remedy)
        return cls(start, start + seconds)


def attest(
    venue: Venue,
    account: Account,
    holdings: Holdings,
    moment: Moment,
    register: Register,
    *,
    hold: Hold | None = None,
) -> Attested:
    """Attest to an account out of the venue's ledger, with fresh randomness and the next sequence.

    Args:
        venue: who attests.
        account: whose account it is.
        holdings: all of the account, from the venue's own ledger.
        moment: as-of time and expiry.
        register: of the venue; holds and sequences are kept there.
        hold: what the venue locks; one that still lasts is carried on if left out.

    Raises:
        InputError: holdings that the universe does not allow, open orders that there should be none of, a moment before
            the account's newest attestation, a hold that contradicts one that lasts, another venue's register, a map
            that was replaced, or a name or address that is not one.
    """
    if hold is not None and hold.until <= moment.as_of:
        raise InputError("attestation", "hold until", hold.until, "write a time after the attestation's")
    check_ledger(account.open_orders, holdings)
    begin(venue, moment, register)
    with register.issue(account.name, moment.as_of, hold) as issue:
        # Whoever asks may measure how long it takes.
        attested = sign(venue, account, holdings, moment, issue.grant, masked=True)
        issue.record(attested.attestation)
    return attested


def begin(venue: Venue, moment: Moment, register: Register) -> None:
    """Make sure that register and map are those of the venue at this moment.

    Raises InputError for another venue's register, a map that holds from a later moment on only, one that a newer has
    replaced, and for none where the register has seen one.
    """
    map_as_of = 0
    if venue.contracts is not None:
        map_as_of = venue.contracts.as_of
        if map_as_of > moment.as_of:
            remedy = f"the attestation is of Unix second {moment.as_of}; use the map that held then"
            raise InputError("map of contracts", "as_of", map_as_of, remedy)
    register.claim(venue.name, map_as_of)


def check_ledger(open_orders: OpenOrders, holdings: Holdings) -> None:
    """Raises InputError if there are open orders in a ledger that is said to have none."""
    for position in holdings.positions:
        if reserved_in(position.instrument) is not None and open_orders == "none":
            remedy = "the ledger reserves margin for open orders; say that they are reserved, not that there are none"
            raise InputError(position.where, "open_orders", open_orders, remedy)


def sign(
    venue: Venue,
    account: Account,
    holdings: Holdings,
    moment: Moment,
    grant: Grant,
    *,
    masked: bool = False,
) -> Attested:
    """Commit and sign under a sequence that the register granted; `masked`: see `commit_masked`.

    Raises InputError as `attest` does.
    """
    universe = venue.snapshot.universe
    opening = commit_slots(venue.setup, universe, holdings.held(venue.snapshot), masked=masked)
    attestation = AttestationDocument.sign(
        venue.key,
        venue.domain,
        setup=opening.setup,
        universe=opening.universe,
        domain=opening.domain,
        point=opening.point,
        bound=universe.largest_bound,
        venue=venue.name,
        account=account.name,
        subject=account.subject,
        complete=account.complete,
        source=venue.source,
        evidence=account.evidence,
        open_orders=account.open_orders,
        contract_map=None if venue.contracts is None else venue.contracts.digest,
        as_of=moment.as_of,
        expiry=moment.expiry,
        sequence=grant.sequence,
        hold=None if grant.hold is None else grant.hold.model_dump(),
    )
    return Attested(attestation, opening)
