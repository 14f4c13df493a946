"""The signer behind the readers: it has a source read, commits to what was read by itself, and signs.

No function here takes a commitment, an opening or holdings that somebody else made up: what goes in is a reader.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass

from zkmargin.algebra.setup import Setup
from zkmargin.attestation import Hold, SigningDomain, SigningKey, VerifiedMap
from zkmargin.evidence.reading import Reader, Reading, check_collateral
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.venue import Account, Attested, Moment, Register, Venue, attest
from zkmargin.venue.issue import CLOCK_SKEW

PSEUDONYM_DIGITS = 32


@dataclass(frozen=True)
class Issuer:
    """Who signs.

    Attributes:
        name: as policies list it.
        key: signs, and makes pseudonyms.
        domain: chain and contract of the verifiers.
        setup: the ceremony's powers.
        snapshot: names the universe.
        register: sequences and holds.
        contracts: the map that the source's contracts are read by; None where the source needs none.
    """

    name: str
    key: SigningKey
    domain: SigningDomain
    setup: Setup
    snapshot: Snapshot
    register: Register
    contracts: VerifiedMap | None = None


def attest_reading(
    issuer: Issuer, reader: Reader, subject: str, lifetime: int, *, hold: Hold | None = None
) -> tuple[Attested, Reading]:
    """Have an account read, and attest to it.

    Args:
        issuer: who signs.
        reader: of the source.
        subject: address of the key that must sign what is proven.
        lifetime: seconds for which the attestation counts, from the moment that was read.
        hold: what is kept locked, for sources that can.

    Returns:
        Attestation with opening, and what was read.

    Raises:
        InputError: the source cannot be read, the account is not the subject's, holdings do not fit the universe, or
            count for more than the source shows, the moment is of the future, or the issuer refuses.
    """
    reading = reader.read(issuer.snapshot, subject)
    now = int(time.time())
    if reading.as_of > now + CLOCK_SKEW:
        remedy = f"it is Unix second {now} here; correct one of the clocks"
        raise InputError(reader.source, "as_of", reading.as_of, remedy)
    if not reading.complete:
        check_collateral(reading.positions, issuer.snapshot)
    venue = Venue(
        issuer.name,
        issuer.key,
        issuer.domain,
        issuer.setup,
        issuer.snapshot,
        issuer.contracts,
        reader.source,
    )
    account = Account(
        reading.pseudonym or pseudonym(issuer.key, reader.source, reading.identity),
        subject,
        reading.open_orders,
        reading.complete,
        reading.evidence,
    )
    holdings = Holdings.of(reading.positions, issuer.snapshot)
    moment = Moment(reading.as_of, reading.as_of + lifetime)
    return attest(venue, account, holdings, moment, issuer.register, hold=hold), reading


def pseudonym(key: SigningKey, source: str, identity: tuple[str, ...]) -> str:
    """The name of an account in attestations: the same each time, and known to the signer alone what it is of.

    HMAC-SHA256 under the signer's key (RFC 2104); with another key accounts have other names.
    """
    content = json.dumps(["zkmargin account", source, *identity]).encode()
    digest = hmac.new(key.export(), content, hashlib.sha256).hexdigest()
    return f"{source}-{digest[:PSEUDONYM_DIGITS]}"
