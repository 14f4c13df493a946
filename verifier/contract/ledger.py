"""What is sent to a pledge ledger: submissions, snapshots, and the policy that it is deployed with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_utils.crypto import keccak

from zkmargin.attestation.documents import AttestationDocument, SubmissionDocument
from zkmargin.attestation.program import ProgramSignature
from zkmargin.circuits.relation import Relation
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.units import Level
from zkmargin.verifier.contract.artifacts import Contract, contracts
from zkmargin.verifier.contract.encoding import encode_points, encode_proof, read_proof
from zkmargin.verifier.policy import Policy

MOST_PLEDGED = (1 << 96) - 1
STATUSES = ("none", "active", "stale", "called", "released", "lapsed")


def ledger() -> Contract:
    """The ledger's interface and code."""
    return contracts()["PledgeLedger"]


def verifier() -> Contract:
    """The verifier's interface and code."""
    return contracts()["MarginVerifier"]


def account_key(venue: str, account: str) -> bytes:
    """The ledger's key of an account: keccak256 over the hashes of both names."""
    return keccak(keccak(venue.encode()) + keccak(account.encode()))


def signature_words(signature: str) -> tuple[bytes, bytes, int]:
    """r, s and v of a signature in hex."""
    data = bytes.fromhex(signature.removeprefix("0x"))
    return data[:32], data[32:64], data[64]


def submission_call(submission: SubmissionDocument, relation: Relation, renews: int | None = None) -> bytes:
    """The calldata that pledges, or renews a pledge.

    Args:
        submission: as it was made for the ledger's chain and address.
        relation: of its snapshot, model and level, at any threshold.
        renews: the number of the pledge that is proven again; None for a new one.

    Raises:
        InputError: the ledger takes no submission of this kind.
        ValueError: the proof has another shape, or a point is none.
    """
    if submission.rows is not None:
        remedy = "prove without --rows: on a chain the matrix is cheaper than its commitments"
        raise InputError("submission", "rows", submission.rows, remedy)
    if submission.venue_proofs:
        remedy = "prove without --each-venue: a ledger on a chain takes one proof about the sum"
        raise InputError("submission", "venue_proofs", len(submission.venue_proofs), remedy)
    words = (
        bytes.fromhex(submission.snapshot),
        submission.threshold,
        submission.amount,
        submission.expiry,
        submission.subject,
        *signature_words(submission.signature),
        [attestation_words(attestation) for attestation in submission.attestations],
        encode_points(bytes.fromhex(attestation.point) for attestation in submission.attestations),
        encode_proof(read_proof(relation, bytes.fromhex(submission.proof))),
    )
    if renews is None:
        return ledger().call("pledge", words)
    return ledger().call("renew", renews, words)


def attestation_words(attestation: AttestationDocument) -> tuple[Any, ...]:
    """An attestation as the ledger takes it: what it does not know already, texts by their hashes."""
    hold = attestation.hold

    def text(value: str) -> bytes:
        return keccak(value.encode())

    def digest(value: str | None) -> bytes:
        return bytes.fromhex(value) if value else bytes(32)

    return (
        text(attestation.venue),
        text(attestation.account),
        text(attestation.source),
        digest(attestation.evidence),
        digest(attestation.contract_map),
        text(hold.audience if hold else ""),
        attestation.bound,
        attestation.as_of,
        attestation.expiry,
        attestation.sequence,
        hold.until if hold else 0,
        attestation.open_orders == "reserved",
        *signature_words(attestation.signature),
    )


def publication_call(signatures: Sequence[ProgramSignature], chunks: Sequence[str]) -> bytes:
    """The calldata that publishes a snapshot.

    Args:
        signatures: of one or more oracles, all over the same.
        chunks: addresses of the accounts whose code is the program.
    """
    first = signatures[0]
    message = first.message()
    for other in signatures[1:]:
        if other.message() != message or other.signing_domain != first.signing_domain:
            raise InputError(
                "program signature", "signer", other.signer, "it signed something else than the first"
            )
    ordered = sorted(signatures, key=lambda one: int(one.signer, 16))
    words = (message["snapshot"], message["universe"], message["valuationTime"], message["program"])
    return ledger().call("publish", words, list(chunks), [signature_words(one.signature) for one in ordered])


def deployment(
    owner: str, verifier_address: str, policy: Policy, quantum_decimals: int, renew_seconds: int
) -> bytes:
    """What is sent to deploy a ledger with a policy.

    Raises:
        InputError: the policy asks for what a contract cannot check.
    """
    model, level = the_model(policy)
    most = policy.max_pledge_ticks(quantum_decimals)
    words = (
        policy.audience,
        model,
        level,
        quantum_decimals,
        policy.snapshot_age,
        policy.attestation_age,
        policy.as_of_window,
        policy.clock_skew,
        policy.longest_expiry,
        renew_seconds,
        MOST_PLEDGED if most is None else min(most, MOST_PLEDGED),
        policy.max_attestations,
        policy.require_hold,
    )
    return ledger().creation(owner, verifier_address, words)


def owner_calls(policy: Policy, lenders: Sequence[str], quorum: int) -> list[bytes]:
    """The owner's calls that name the policy's keys and sources, and the lenders."""
    calls = [
        ledger().call("setVenueKey", name, key, True)
        for name, one in policy.venues.items()
        for key in one.keys
    ]
    oracles = [key for one in policy.oracles.values() for key in one.keys]
    calls += [ledger().call("setOracle", key, True) for key in oracles]
    if not 1 <= quorum <= len(oracles):
        raise InputError(
            "command line", "--quorum", quorum, f"the policy names {len(oracles)} keys of oracles"
        )
    if quorum > 1:
        calls.append(ledger().call("setQuorum", quorum))
    calls += [ledger().call("setSource", one, True) for one in policy.sources if one != "ledger"]
    if "ledger" not in policy.sources:
        calls.append(ledger().call("setSource", "ledger", False))
    return calls + [ledger().call("setLender", lender, True) for lender in lenders]


def the_model(policy: Policy) -> tuple[str, Level]:
    """The one model of a policy, and its level.

    Raises:
        InputError: there are several, or the policy has a rule that a contract does not check.
    """
    if len(policy.models) != 1:
        raise InputError("policy", "models", len(policy.models), "name one: a ledger on a chain takes one")
    ((name, accepted),) = policy.models.items()
    beyond = {
        "each_venue": policy.each_venue,
        "required_venues": policy.required_venues,
        f"models.{name}.rows": accepted.rows,
        f"models.{name}.minimum": accepted.minimum,
        f"models.{name}.pins": accepted.pins,
        "open_orders": set(policy.open_orders) != {"none", "reserved"},
        "venues.maps": any(venue.maps is not None for venue in policy.venues.values()),
        "venues.sources": any(venue.sources is not None for venue in policy.venues.values()),
    }
    for field, asked in beyond.items():
        if asked:
            remedy = "leave it out: no contract checks this rule, and what signs has to be trusted for it"
            raise InputError("policy", field, Finding("set"), remedy)
    return name, accepted.level
