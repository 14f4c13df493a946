"""Attestations from before and after a settlement add up, and are verified against the later snapshot."""

from pathlib import Path

import pytest

from tests.attestation.scene import AUDIENCE, DOMAIN, NONCE, ceremony_setup, key, policy
from tests.margin.accounts import holdings
from tests.margin.expiring import across
from zkmargin.attestation import AttestationDocument, Hold, SubmissionDocument, SubmissionTerms
from zkmargin.circuits import WitnessError
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import Opening, prove_submission
from zkmargin.venue import Account, Moment, Register, Venue, attest
from zkmargin.verifier import Expected, PolicyError, verify_submission

BEFORE = (
    ("USD", "90000"),
    ("BTC_USD-near-C", "-2"),
    ("BTC-near-P", "-0.5"),
    ("BTC_USD-near-P-F", "1", "9000"),
)
AFTER = (("USD", "20000"), ("BTC", "0.4"), ("BTC_USD-far-P", "1"), ("BTC-near", "-10000", "41000"))


def attested(
    directory: Path, name: str, taken: Snapshot, rows: tuple[tuple[str, str] | tuple[str, str, str], ...]
) -> tuple[AttestationDocument, Opening]:
    """What a venue says under the snapshot of its moment."""
    venue = Venue(name, key(name), DOMAIN, ceremony_setup(), taken)
    start = taken.valuation_time // 10**6 + 10
    late = across()[1].valuation_time // 10**6
    made = attest(
        venue,
        Account("alice", key("trader").address),
        holdings(taken, *rows),
        Moment(start, late + 7200),
        Register(directory / f"{name}.db"),
        hold=Hold(until=late + 14400, audience=AUDIENCE),
    )
    return made.attestation, made.opening.opening(taken.universe, "opening")


def submitted(
    accounts: list[tuple[AttestationDocument, Opening]], taken: Snapshot, threshold: int
) -> SubmissionDocument:
    terms = SubmissionTerms(
        model="grid",
        level="initial",
        threshold=threshold,
        amount=threshold,
        audience=AUDIENCE,
        nonce=NONCE,
        expiry=taken.valuation_time // 10**6 + 1800,
    )
    return prove_submission(accounts, taken, terms, key("trader"), ceremony_setup())


def test_a_sum_over_venues_on_either_side_of_an_expiry(tmp_path: Path) -> None:
    earlier, later = across()
    accounts = [
        attested(tmp_path, "alpha", earlier, BEFORE),
        attested(tmp_path, "beta", later, AFTER),
    ]
    vectors = (holdings(earlier, *BEFORE).vector(earlier), holdings(later, *AFTER).vector(later))
    lots = [sum(pair) for pair in zip(*vectors, strict=True)]
    excess = requirement(later, lots, model="grid").excess_ticks
    assert excess > 0
    with pytest.raises(WitnessError, match="the threshold"):
        submitted(accounts, later, excess + 1)
    submission = submitted(accounts, later, excess)
    lasting = {"attestation_age": 60 * 86400, "as_of_window": 60 * 86400}
    arguments = (later, policy(**lasting), ceremony_setup(), Expected(NONCE, 0, {}))
    moment = later.valuation_time // 10**6 + 60
    verify_submission(submission, *arguments, now=moment)
    with pytest.raises(PolicyError):
        verify_submission(submission, earlier, *arguments[1:], now=moment)
