"""Submissions whose proofs use committed rows: checked by the verifier's own, and not by any others or none."""

import pytest

from tests.attestation.scene import (
    NONCE,
    USD,
    Desk,
    ceremony_setup,
    key,
    market_snapshot,
    now,
    opened,
    policy,
    terms,
)
from zkmargin.argument.rows import commit_rows
from zkmargin.attestation import SubmissionDocument
from zkmargin.circuits import CommittedRows, build_relation
from zkmargin.prover import prove_submission
from zkmargin.verifier import Expected, Policy, VerificationError, verify_submission

STRICT = policy(models={"grid": {"level": "initial", "rows": True}})


@pytest.fixture(scope="module")
def rows() -> CommittedRows:
    return commit_rows(ceremony_setup(), build_relation(market_snapshot()))


@pytest.fixture(scope="module")
def made(rows: CommittedRows, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, SubmissionDocument]:
    """With committed rows, and without."""
    account = Desk.open(tmp_path_factory.mktemp("rows"), "alpha").attest()
    return {
        committed: prove_submission(
            [opened(account)],
            market_snapshot(),
            terms(threshold=100_000 * USD),
            key("trader"),
            ceremony_setup(),
            rows=rows if committed else None,
        )
        for committed in (True, False)
    }


def verify(submission: SubmissionDocument, rows: CommittedRows | None, own: Policy) -> None:
    asked = Expected(NONCE, 0, {})
    verify_submission(submission, market_snapshot(), own, ceremony_setup(), asked, now=now(), rows=rows)


def test_proofs_are_checked_as_they_were_made(
    made: dict[bool, SubmissionDocument], rows: CommittedRows
) -> None:
    verify(made[True], rows, policy())
    verify(made[True], rows, STRICT)
    verify(made[False], None, policy())
    assert made[False].rows is None
    travelled = SubmissionDocument.parse(made[True].encode().decode(), "submission")
    assert travelled.rows == rows.digest.hex()


def test_rows_are_the_verifiers_own_or_none(
    made: dict[bool, SubmissionDocument], rows: CommittedRows
) -> None:
    for submission, own, rules in (
        (made[True], None, policy()),
        (made[False], rows, policy()),
        (made[False], None, STRICT),
    ):
        with pytest.raises(VerificationError) as refused:
            verify(submission, own, rules)
        assert refused.value.code == "rows"
    renamed = made[False].model_copy(update={"rows": rows.digest.hex()})
    with pytest.raises(VerificationError) as refused:
        verify(renamed, rows, policy())
    assert refused.value.code in {"proof-encoding", "subject-signature"}
