"""Grades of sources: what is not shown to be all counts alone, less a haircut, and never meets another venue's call."""

from pathlib import Path
from typing import Any

import pytest

from tests.attestation.scene import (
    DOMAIN,
    NONCE,
    USD,
    Desk,
    ceremony_setup,
    holdings,
    key,
    market_snapshot,
    now,
    policy,
    submit,
)
from zkmargin.attestation import SubmissionDocument
from zkmargin.circuits import WitnessError
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.errors import InputError
from zkmargin.venue import Account, Attested, Moment, Venue, attest
from zkmargin.verifier import Expected, Policy, PolicyError, PreparedSubmission, verify_submission

GRADE: dict[str, Any] = {"complete": False, "haircut": "0.25", "age": 600}


def attested(
    directory: Path, name: str, held: Holdings, source: str = "ledger", *, complete: bool = True
) -> Attested:
    register = Desk.open(directory, name).register
    venue = Venue(name, key(name), DOMAIN, ceremony_setup(), market_snapshot(), source=source)
    account = Account(f"{name}-account", key("trader").address, complete=complete)
    return attest(venue, account, held, Moment(now(), now() + 3600), register)


@pytest.fixture
def alpha(tmp_path: Path) -> Attested:
    """An account of 100,000 USD."""
    return attested(tmp_path, "alpha", holdings(USD="100000"))


@pytest.fixture
def wallet(tmp_path: Path) -> Attested:
    """400,000 USD that are not shown to be all."""
    return attested(tmp_path, "beta", holdings(USD="400000"), "chain", complete=False)


def graded(grade: dict[str, Any] | None = None, **changes: Any) -> Policy:
    return policy(sources=["ledger", "chain"], grades={"chain": grade or GRADE}, **changes)


def judge(
    submission: SubmissionDocument, own: Policy, *, later: float = 0, covered: int = 0
) -> PreparedSubmission:
    expected = Expected(NONCE, covered, {})
    return verify_submission(
        submission, market_snapshot(), own, ceremony_setup(), expected, now=now() + later
    )


def submitted(*made: Attested, **changes: Any) -> SubmissionDocument:
    content: dict[str, Any] = {
        "threshold": 100_000 * USD,
        "amount": 300_000 * USD,
        "collateral": {"beta": 400_000 * USD},
    }
    return submit(made, **(content | changes))


def test_collateral_counts_less_its_haircut(alpha: Attested, wallet: Attested) -> None:
    prepared = judge(submitted(alpha, wallet, amount=400_000 * USD), graded())
    assert prepared.collateral == 300_000 * USD
    assert set(prepared.statements.venues) == {"beta"}
    assert len(prepared.statements.total.commitments) == 1


def test_no_more_than_that_counts(alpha: Attested, wallet: Attested) -> None:
    with pytest.raises(PolicyError, match="threshold"):
        judge(submitted(alpha, wallet, amount=400_000 * USD + 1), graded())
    with pytest.raises(PolicyError, match="threshold"):
        judge(submitted(alpha, wallet, amount=400_000 * USD), graded(), covered=1)


def test_no_more_than_is_there_can_be_proven(alpha: Attested, wallet: Attested) -> None:
    with pytest.raises(WitnessError):
        submitted(alpha, wallet, collateral={"beta": 400_000 * USD + 1})


def test_it_never_meets_another_venues_call(tmp_path: Path, wallet: Attested) -> None:
    short = attested(tmp_path, "alpha", holdings(USD="-1000"))
    with pytest.raises(WitnessError):
        submitted(short, wallet, threshold=0, amount=0)


def test_without_a_grade_it_is_refused(alpha: Attested, wallet: Attested) -> None:
    with pytest.raises(PolicyError) as caught:
        judge(submitted(alpha, wallet), policy(sources=["ledger", "chain"]))
    assert caught.value.code == "complete"


def test_a_source_that_is_not_taken_is_refused(alpha: Attested, wallet: Attested) -> None:
    with pytest.raises(PolicyError) as caught:
        judge(submitted(alpha, wallet), policy())
    assert caught.value.code == "source"


def test_a_source_can_have_a_shorter_age(alpha: Attested, wallet: Attested) -> None:
    submission = submitted(alpha, wallet)
    judge(submission, graded(snapshot_age=3600), later=600)
    with pytest.raises(PolicyError) as caught:
        judge(submission, graded(snapshot_age=3600), later=601)
    assert caught.value.code == "source-age"


def test_evidence_can_be_asked_for(alpha: Attested, wallet: Attested) -> None:
    with pytest.raises(PolicyError) as caught:
        judge(submitted(alpha, wallet), graded(GRADE | {"evidence": True}))
    assert caught.value.code == "evidence"


def test_collateral_alone_proves_nothing(wallet: Attested) -> None:
    with pytest.raises(InputError, match="collateral alone proves nothing"):
        submitted(wallet)


def test_collateral_is_not_claimed_of_what_is_netted(alpha: Attested, wallet: Attested) -> None:
    submission = submitted(alpha, wallet)
    claimed = submission.model_copy(update={"collateral": {"alpha": 400_000 * USD}})
    with pytest.raises(PolicyError) as caught:
        judge(claimed, graded())
    assert caught.value.code == "collateral"


def test_what_is_claimed_is_what_is_proven(alpha: Attested, wallet: Attested) -> None:
    submission = submitted(alpha, wallet)
    more = submission.model_copy(update={"collateral": {"beta": 500_000 * USD}})
    with pytest.raises(PolicyError) as caught:
        judge(more, graded())
    assert caught.value.code == "subject-signature"


def test_a_venue_is_netted_or_collateral_not_both(tmp_path: Path, wallet: Attested) -> None:
    whole = attested(tmp_path, "beta", holdings(USD="1"))
    with pytest.raises(InputError, match="of two kinds"):
        submitted(whole, wallet)


@pytest.mark.parametrize("haircut", ["-0.1", "1.01", "half"])
def test_a_haircut_is_a_part_of_one(haircut: str) -> None:
    with pytest.raises(InputError, match="haircut"):
        graded(GRADE | {"haircut": haircut})
