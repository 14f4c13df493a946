"""Checking attestations against policy and clock: one by one, and as the terms of one sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zkmargin.attestation.documents import AttestationDocument, SignedDocument
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.universe import Universe
from zkmargin.verifier.errors import PolicyError
from zkmargin.verifier.grades import check_grade, check_kinds
from zkmargin.verifier.policy import Policy

AccountKey = tuple[str, str]
"""(venue, account)."""


@dataclass(frozen=True)
class Newest:
    """The newest attestation of an account that the verifier has seen.

    Attributes:
        sequence: its sequence.
        digest: its digest, 32 bytes.
    """

    sequence: int
    digest: bytes


def check_attestation(
    attestation: AttestationDocument, universe: Universe, policy: Policy, setup: str, now: float
) -> None:
    """Check one attestation by itself.

    Args:
        attestation: as it came.
        universe: of the verifier's snapshot.
        policy: the verifier's.
        setup: digest of the powers of tau.
        now: Unix seconds.

    Raises:
        PolicyError: names the rule that is not met.
    """
    name = f"the attestation of {attestation.account!r} by {attestation.venue!r}"
    _check_binding(attestation, universe, policy, setup, name)
    _check_clock(attestation, policy, now, name)
    if attestation.venue not in policy.venues:
        raise PolicyError("venue-unknown", f"{name}: this venue is not trusted")
    sources = policy.venues[attestation.venue].sources or policy.sources
    if attestation.source not in sources:
        message = f"{name}: its holdings come from {attestation.source}, not from {' or '.join(sources)}"
        raise PolicyError("source", message)
    check_grade(attestation, policy.grades, now, name)
    if attestation.open_orders not in policy.open_orders:
        raise PolicyError("open-orders", f"{name}: open orders are {attestation.open_orders}")
    venue = policy.venues[attestation.venue]
    if attestation.signer not in venue.keys:
        raise PolicyError("venue-key", f"{name}: {attestation.signer} does not sign for it")
    if venue.maps is not None and attestation.contract_map not in venue.maps:
        found = f"map {attestation.contract_map}" if attestation.contract_map else "no map"
        raise PolicyError("contract-map", f"{name}: its ledger was read by {found}")
    check_signer(attestation, policy, name, "signature")


def check_signer(document: SignedDocument, policy: Policy, name: str, rule: str) -> None:
    """Check that a document's key is not revoked, and that the signature is its own.

    Raises:
        PolicyError: names the rule that is not met; `rule` if the signature is wrong.
    """
    if document.signer in policy.revoked:
        raise PolicyError("revoked", f"{name}: the key {document.signer} was revoked")
    try:
        document.check_signature(name)
    except InputError as error:
        raise PolicyError(rule, str(error)) from None


def check_binding(document: SignedDocument, policy: Policy, name: str) -> None:
    """Check that a document was signed for this chain and contract.

    Raises:
        PolicyError: chain or contract.
    """
    if document.chain_id != policy.chain_id:
        raise PolicyError("chain", f"{name}: it is for chain {document.chain_id}, not {policy.chain_id}")
    if document.verifying_contract != policy.verifying_contract:
        message = f"{name}: it is for {document.verifying_contract}, not {policy.verifying_contract}"
        raise PolicyError("contract", message)


def check_sum(
    attestations: Sequence[AttestationDocument],
    subject: str,
    policy: Policy,
    newest: Mapping[AccountKey, Newest],
) -> None:
    """Check attestations as the terms of one sum.

    Args:
        attestations: each checked by itself.
        subject: address of whoever submits.
        policy: the verifier's.
        newest: the newest attestation seen of each account.

    Raises:
        PolicyError: names the rule that is not met.
    """
    if len(attestations) > policy.max_attestations:
        message = f"{len(attestations)} attestations; at most {policy.max_attestations} are taken"
        raise PolicyError("too-many", message)
    seen: set[AccountKey] = set()
    for attestation in attestations:
        venue, account = attestation.key
        if attestation.key in seen:
            raise PolicyError("account-repeated", f"{account!r} at {venue!r} occurs twice in the sum")
        seen.add(attestation.key)
        if attestation.subject != subject:
            message = f"{account!r} at {venue!r} belongs to {attestation.subject}, not to {subject}"
            raise PolicyError("subject", message)
        _check_sequence(attestation, newest.get(attestation.key))
    check_kinds(attestations)
    if len({attestation.point for attestation in attestations}) < len(attestations):
        raise PolicyError("commitment-repeated", "one commitment occurs twice in the sum")
    missing = [name for name in policy.required_venues if name not in {venue for venue, _ in seen}]
    if missing:
        raise PolicyError("venue-missing", f"no account at {', '.join(missing)}")
    moments = [attestation.as_of for attestation in attestations]
    spread = max(moments) - min(moments)
    if spread > policy.as_of_window:
        message = f"the attestations lie {spread} s apart; at most {policy.as_of_window} s are taken"
        raise PolicyError("as-of-window", message)


def held(attestations: Sequence[AttestationDocument], audience: str, until: int) -> bool:
    """Whether every account's collateral stays locked for this audience until this time."""
    return all(
        attestation.hold is not None
        and attestation.hold.audience == audience
        and attestation.hold.until >= until
        for attestation in attestations
    )


def _check_binding(
    attestation: AttestationDocument, universe: Universe, policy: Policy, setup: str, name: str
) -> None:
    check_binding(attestation, policy, name)
    if attestation.setup != setup:
        raise PolicyError("setup", f"{name}: it is under the setup {attestation.setup}, not {setup}")
    if attestation.universe != universe.digest:
        message = f"{name}: it is over the universe {attestation.universe}, not {universe.digest}"
        raise PolicyError("universe", message)
    if attestation.domain != universe.domain:
        message = f"{name}: it commits to {attestation.domain} slots, not {universe.domain}"
        raise PolicyError("domain", message)
    if attestation.bound > universe.largest_bound:
        raise PolicyError(
            "bound", f"{name}: it allows {attestation.bound} lots, beyond {universe.largest_bound}"
        )


def _check_clock(attestation: AttestationDocument, policy: Policy, now: float, name: str) -> None:
    if attestation.as_of > now + policy.clock_skew:
        raise PolicyError("attestation-future", f"{name}: it is of Unix second {attestation.as_of}")
    if now > attestation.expiry:
        raise PolicyError("attestation-expired", f"{name}: it counted until {attestation.expiry}")
    age = now - attestation.as_of
    if age > policy.attestation_age:
        message = f"{name}: it is {age:.0f} s old; at most {policy.attestation_age} s are taken"
        raise PolicyError("attestation-age", message)


def _check_sequence(attestation: AttestationDocument, newest: Newest | None) -> None:
    """A newer attestation replaces an older one, never the reverse; two of one sequence contradict each other."""
    if newest is None or attestation.sequence > newest.sequence:
        return
    if (attestation.sequence, attestation.digest) != (newest.sequence, newest.digest):
        venue, account = attestation.key
        message = (
            f"{account!r} at {venue!r}: sequence {attestation.sequence} is not newer than {newest.sequence}"
        )
        raise PolicyError("sequence", message)
