"""Submissions: what is good is admitted, and every forgery is refused under its own code."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attestation.scene import (
    AUDIENCE,
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
from zkmargin.attestation import (
    AttestationDocument,
    Hold,
    SigningDomain,
    SnapshotSignature,
    SubmissionDocument,
    SubmissionTerms,
    consent_digest,
    portfolio_statements,
)
from zkmargin.attestation.signing import GROUP_ORDER
from zkmargin.circuits import WitnessError, build_relation
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import ProverError
from zkmargin.venue import Attested
from zkmargin.verifier import (
    AccountKey,
    Expected,
    Newest,
    Policy,
    PolicyError,
    PreparedSubmission,
    VerificationError,
    check_snapshot,
    prepare_submission,
    verify_submission,
)


@dataclass(frozen=True)
class Cast:
    """Two venues that attested to the trader's accounts, and what he made of it."""

    alpha: Attested
    beta: Attested
    submission: SubmissionDocument

    @property
    def accounts(self) -> tuple[Attested, Attested]:
        return self.alpha, self.beta


HOLD = Hold(until=now() + 7200, audience=AUDIENCE)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registers")


@pytest.fixture(scope="module")
def desks(directory: Path) -> dict[str, Desk]:
    return {name: Desk.open(directory, name) for name in ("alpha", "beta", "gamma")}


@pytest.fixture(scope="module")
def cast(desks: dict[str, Desk]) -> Cast:
    alpha, beta = (desks[name].attest(hold=HOLD) for name in ("alpha", "beta"))
    return Cast(alpha, beta, submit([alpha, beta]))


def judge(
    submission: SubmissionDocument,
    own: Policy | None = None,
    *,
    verify: bool = False,
    at: float | None = None,
    nonce: str = NONCE,
    covered: int = 0,
    newest: Mapping[AccountKey, Newest] | None = None,
    snapshot: Snapshot | None = None,
) -> PreparedSubmission:
    check = verify_submission if verify else prepare_submission
    return check(
        submission,
        snapshot or market_snapshot(),
        own or policy(),
        ceremony_setup(),
        Expected(nonce, covered, newest or {}),
        now=now() if at is None else at,
    )


def refused(
    code: str, submission: SubmissionDocument, own: Policy | None = None, **asked: Any
) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        judge(submission, own, **asked)
    assert caught.value.code == code, str(caught.value)
    return caught.value


def signed_again(submission: SubmissionDocument, owner: str = "trader", **changes: Any) -> SubmissionDocument:
    """The submission with other content, signed by its subject as it then is; its proofs stay."""
    changed = submission.model_copy(update={"subject": key(owner).address, **changes})
    each_venue = bool(changed.venue_proofs)
    statements = portfolio_statements(
        market_snapshot(), changed.attestations, SubmissionTerms.of(changed), DOMAIN, each_venue=each_venue
    )
    signature = key(owner).sign(consent_digest(statements, SubmissionTerms.of(changed), DOMAIN))
    return changed.model_copy(update={"signature": signature})


def reissued(
    attested: Attested, signer: str = "alpha", of: SigningDomain = DOMAIN, **changes: Any
) -> AttestationDocument:
    """The attestation with other content, signed by a venue that would sign anything."""
    own = set(AttestationDocument.model_fields) - {"signer", "signature", "chain_id", "verifying_contract"}
    content = attested.attestation.model_dump(mode="json", include=own)
    return AttestationDocument.sign(key(signer), of, **(content | changes))


# --- what is good


def test_a_good_submission_verifies(cast: Cast) -> None:
    read = SubmissionDocument.parse(cast.submission.encode().decode(), "submission.json")
    assert read.encode() == cast.submission.encode()
    prepared = judge(read, verify=True, covered=300_000 * USD)
    assert prepared.secured
    assert len(prepared.items) == 1
    total = prepared.statements.total
    assert [term.attestation for term in total.commitments] == [
        made.attestation.digest for made in cast.accounts
    ]
    assert (total.chain, total.subject.hex()) == (1, key("trader").address[2:].lower())


def test_each_venue_alone_beside_the_sum(cast: Cast) -> None:
    submission = submit(cast.accounts, each_venue=True)
    assert list(submission.venue_proofs) == ["alpha", "beta"]
    prepared = judge(submission, policy(each_venue=True), verify=True)
    assert [statement.threshold for statement in prepared.statements.all()] == [400_000 * USD, 0, 0]
    refused("venue-proofs", submission)
    refused("venue-proofs", cast.submission, policy(each_venue=True))


def test_a_venue_in_debt_is_seen_where_each_is_asked_for(desks: dict[str, Desk]) -> None:
    """One venue's collateral does not meet another's call."""
    accounts = [
        desks["alpha"].attest("rich", held=holdings(USD="900000")),
        desks["beta"].attest("debt", held=holdings(USD="-100")),
    ]
    judge(submit(accounts), verify=True)
    with pytest.raises(WitnessError):
        submit(accounts, each_venue=True)


def test_one_venue_alone_needs_no_second_proof(cast: Cast) -> None:
    submission = submit([cast.alpha], each_venue=True, threshold=200_000 * USD)
    assert submission.venue_proofs == {}
    judge(submission, policy(each_venue=True), verify=True)


def test_several_accounts_at_one_venue_are_proven_together(cast: Cast, desks: dict[str, Desk]) -> None:
    second = desks["alpha"].attest("second")
    submission = submit([cast.alpha, cast.beta, second], each_venue=True)
    prepared = judge(submission, policy(each_venue=True), verify=True)
    assert len(prepared.statements.venues["alpha"].commitments) == 2


@given(st.lists(st.integers(-40, 40), min_size=4, max_size=4), st.integers(-3, 2))
@settings(max_examples=6, deadline=None)
def test_the_sum_of_venues_is_the_account_with_all_holdings(
    desks: dict[str, Desk], quantities: list[int], beyond: int
) -> None:
    """What is proven over two venues is what one account with all of it could prove, to the tick."""
    a, b, c, d = quantities
    first = holdings(USD="200000", BTC=str(a), BTC_PERPETUAL=str(1000 * c))
    second = holdings(USD="150000", BTC=str(b), BTC_PERPETUAL=str(1000 * d))
    lots = [x + y for x, y in zip(*(held.vector(market_snapshot()) for held in (first, second)), strict=True)]
    excess = requirement(market_snapshot(), lots).excess_ticks
    accounts = [desks["alpha"].attest(held=first), desks["beta"].attest(held=second)]
    threshold = excess + beyond
    if beyond > 0 or threshold < 0:
        with pytest.raises((WitnessError, ValueError)):
            submit(accounts, threshold=threshold, amount=0)
    else:
        judge(submit(accounts, threshold=threshold, amount=0), verify=True)


# --- forgeries


def test_a_commitment_that_takes_an_account_out_of_the_sum(cast: Cast) -> None:
    """C_B = C_X - C_A: a venue never signs it, and without its signature it is worth nothing."""
    backend = ceremony_setup().backend
    account, wanted = (backend.decode(bytes.fromhex(made.attestation.point)) for made in cast.accounts)
    forged = backend.encode(backend.msm([wanted, account], [1, -1])).hex()
    attestation = cast.beta.attestation.model_copy(update={"point": forged})
    refused("signature", signed_again(cast.submission, attestations=[cast.alpha.attestation, attestation]))


def test_the_same_attestation_twice(cast: Cast) -> None:
    attestation = cast.alpha.attestation
    twice = cast.submission.model_copy(update={"attestations": [attestation, attestation]})
    refused("account-repeated", twice)


def test_two_attestations_of_one_account(cast: Cast, desks: dict[str, Desk]) -> None:
    refused("account-repeated", submit([cast.alpha, desks["alpha"].attest()]))


def test_one_commitment_under_two_accounts(cast: Cast) -> None:
    """A venue that would sign so is not stopped, but one commitment is still no two accounts."""
    twin = reissued(cast.alpha, account="twin")
    same = cast.submission.model_copy(update={"attestations": [cast.alpha.attestation, twin]})
    refused("commitment-repeated", same)


def test_another_persons_account(desks: dict[str, Desk], cast: Cast) -> None:
    stranger = desks["beta"].attest("bob", "stranger")
    mixed = cast.submission.model_copy(
        update={"attestations": [cast.alpha.attestation, stranger.attestation]}
    )
    refused("subject", signed_again(mixed))
    with pytest.raises(InputError, match="subject"):
        submit([cast.alpha, stranger])


def test_somebody_else_submits_them(cast: Cast) -> None:
    refused("subject", signed_again(cast.submission, "stranger"))
    refused(
        "subject-signature", cast.submission.model_copy(update={"signature": key("stranger").sign(bytes(32))})
    )


def test_another_opening_proves_nothing(cast: Cast) -> None:
    with pytest.raises(ProverError, match="opening 1"):
        submit([replace(cast.alpha, opening=cast.beta.opening), cast.beta])


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("universe", {"universe": "ab" * 32}),
        ("domain", {"domain": 512}),
        ("domain", {"domain": 128}),
        ("setup", {"setup": "ab" * 32}),
        ("bound", {"bound": (1 << 62) + 1}),
        ("venue-unknown", {"venue": "gamma"}),
        ("venue-key", {"venue": "beta"}),
        ("attestation-future", {"as_of": now() + 31}),
        ("attestation-age", {"as_of": now() - 86_401}),
        ("attestation-expired", {"expiry": now() - 1}),
        ("as-of-window", {"as_of": now() - 301}),
    ],
)
def test_what_a_venue_may_sign_and_the_verifier_refuses(
    cast: Cast, code: str, changes: dict[str, Any]
) -> None:
    forged = reissued(cast.alpha, **changes)
    refused(code, signed_again(cast.submission, attestations=[forged, cast.beta.attestation]))


@pytest.mark.parametrize(
    ("code", "domain"),
    [
        ("chain", SigningDomain(5, DOMAIN.verifying_contract)),
        ("contract", SigningDomain(1, key("x").address)),
    ],
)
def test_attestations_for_another_chain_or_contract(cast: Cast, code: str, domain: SigningDomain) -> None:
    forged = reissued(cast.alpha, of=domain)
    refused(code, signed_again(cast.submission, attestations=[forged, cast.beta.attestation]))


def test_maps_of_contracts_that_a_policy_knows(cast: Cast) -> None:
    known, other = "12" * 32, "34" * 32
    own = policy(
        venues={
            "alpha": {"keys": [key("alpha").address], "maps": [known]},
            "beta": {"keys": [key("beta").address]},
        }
    )
    by = {
        digest: signed_again(
            cast.submission,
            attestations=[
                reissued(cast.alpha, contract_map=digest),
                reissued(cast.beta, "beta", contract_map=other),
            ],
        )
        for digest in (known, other, None)
    }
    judge(by[known], own)
    judge(by[None])
    assert f"read by map {other}" in str(refused("contract-map", by[other], own))
    assert "read by no map" in str(refused("contract-map", by[None], own))


def test_every_field_that_is_tampered_with(cast: Cast) -> None:
    """A changed field breaks the venue's signature, unless an earlier rule refuses it."""
    original = cast.alpha.attestation
    changes: dict[str, Any] = {
        "setup": "ab" * 32,
        "universe": "ab" * 32,
        "domain": 512,
        "point": cast.beta.attestation.point,
        "bound": original.bound - 1,
        "venue": "beta",
        "account": "mallory",
        "subject": key("stranger").address,
        "open_orders": "reserved",
        "contract_map": "12" * 32,
        "complete": False,
        "source": "chain",
        "evidence": "12" * 32,
        "as_of": original.as_of - 1,
        "expiry": original.expiry + 1,
        "sequence": original.sequence + 1,
        "hold": Hold(until=HOLD.until + 1, audience=AUDIENCE),
        "chain_id": 2,
        "verifying_contract": key("x").address,
        "signer": key("beta").address,
        "signature": cast.beta.attestation.signature,
    }
    fixed = {"format", "version", "curve"}
    assert changes.keys() | fixed == set(AttestationDocument.model_fields)
    for name, value in changes.items():
        forged = original.model_copy(update={name: value})
        submission = cast.submission.model_copy(update={"attestations": [forged, cast.beta.attestation]})
        with pytest.raises(PolicyError) as caught:
            judge(submission)
        early = {"setup", "universe", "domain", "chain_id", "verifying_contract", "venue", "signer"}
        early |= {"complete", "source"}
        assert (caught.value.code == "signature") == (name not in early), name


def high_s(signature: str) -> str:
    data = bytes.fromhex(signature[2:])
    s = GROUP_ORDER - int.from_bytes(data[32:64], "big")
    return "0x" + (data[:32] + s.to_bytes(32, "big") + bytes([55 - data[64]])).hex()


def test_high_s_signatures(cast: Cast) -> None:
    original = cast.alpha.attestation
    forged = original.model_copy(update={"signature": high_s(original.signature)})
    refused("signature", cast.submission.model_copy(update={"attestations": [forged, cast.beta.attestation]}))
    twin = cast.submission.model_copy(update={"signature": high_s(cast.submission.signature)})
    refused("subject-signature", twin)


def test_an_older_sequence(cast: Cast) -> None:
    attestation = cast.alpha.attestation
    same = Newest(attestation.sequence, attestation.digest)
    judge(cast.submission, newest={attestation.key: same})
    judge(cast.submission, newest={attestation.key: Newest(attestation.sequence - 1, bytes(32))})
    for newer in (Newest(attestation.sequence + 1, bytes(32)), Newest(attestation.sequence, bytes(32))):
        refused("sequence", cast.submission, newest={attestation.key: newer})


def test_revoked_keys(cast: Cast) -> None:
    for name in ("alpha", "trader"):
        refused("revoked", cast.submission, policy(revoked=[key(name).address]))


def test_a_venue_may_have_two_keys_while_it_changes_them(cast: Cast) -> None:
    old_and_new = {
        "alpha": {"keys": [key("new").address, key("alpha").address]},
        "beta": {"keys": [key("beta").address]},
    }
    judge(cast.submission, policy(venues=old_and_new))


def test_venues_that_are_required(cast: Cast) -> None:
    alone = submit([cast.alpha], threshold=100_000 * USD)
    judge(alone)
    refused("venue-missing", alone, policy(required_venues=["alpha", "beta"]))


def test_too_many_and_open_orders(cast: Cast) -> None:
    refused("too-many", cast.submission, policy(max_attestations=1))
    refused("open-orders", cast.submission, policy(open_orders=["reserved"]))


def test_sources_and_what_is_not_complete(cast: Cast) -> None:
    """The policy's list holds for venues that have none of their own."""
    refused("source", cast.submission, policy(sources=["chain", "custodian"]))
    venues = {name: {"keys": [key(name).address], "sources": ["ledger"]} for name in ("alpha", "beta")}
    judge(cast.submission, policy(sources=["chain"], venues=venues))
    partial = [reissued(cast.alpha, complete=False), cast.beta.attestation]
    refused("complete", cast.submission.model_copy(update={"attestations": partial}))
    elsewhere = [reissued(cast.alpha, source="chain", evidence="12" * 32), cast.beta.attestation]
    refused("source", cast.submission.model_copy(update={"attestations": elsewhere}))


# --- terms and clock


@pytest.mark.parametrize(
    ("code", "changes", "asked"),
    [
        ("nonce", {}, {"nonce": "another"}),
        ("threshold", {}, {"covered": 300_000 * USD + 1}),
        ("expiry", {}, {"at": now() + 1801}),
        ("snapshot-age", {}, {"at": now() + 300}),
        ("snapshot-future", {}, {"at": now() - 50}),
        ("snapshot", {"snapshot": "ab" * 32}, {}),
        ("setup", {"setup": "ab" * 32}, {}),
        ("audience", {"audience": "another"}, {}),
        ("expiry", {"expiry": now() + 31 * 86_400}, {}),
        ("threshold", {"threshold": 99_999 * USD}, {}),
        ("model", {"model": "cross"}, {}),
        ("model", {"model": "nonsense"}, {}),
        ("model", {"level": "maintenance"}, {}),
    ],
)
def test_terms(cast: Cast, code: str, changes: dict[str, Any], asked: dict[str, Any]) -> None:
    refused(code, cast.submission.model_copy(update=changes), **asked)


def test_limits_of_the_policy(cast: Cast) -> None:
    judge(cast.submission, policy(max_pledge="100000"))
    found = refused("pledge-limit", cast.submission, policy(max_pledge="99999.999999"))
    assert "100000.000000 USD are pledged; at most 99999.999999 USD are taken" in str(found)
    found = refused("threshold", cast.submission, covered=300_000 * USD + 1)
    assert "400000.000000 USD is shown" in str(found)
    assert "come to 400000.000001 USD" in str(found)
    strict = {"grid": {"minimum": {"grid": {"perpetual": {"initial": "0.5"}}}}}
    refused("parameters", cast.submission, policy(models=strict))
    judge(cast.submission, policy(models={"grid": {"minimum": {"grid": {"perpetual": {"initial": "0.02"}}}}}))


def test_the_clocks_of_others_may_be_ahead_by_the_skew(cast: Cast) -> None:
    attestation = reissued(cast.alpha, as_of=now() + 30)
    within = signed_again(cast.submission, attestations=[attestation, cast.beta.attestation])
    judge(within)
    refused("attestation-future", within, policy(clock_skew=29))


def test_without_a_hold_a_pledge_is_informational(cast: Cast) -> None:
    for hold in (
        None,
        {"until": now() + 1799, "audience": AUDIENCE},
        {"until": HOLD.until, "audience": "another"},
    ):
        forged = reissued(cast.alpha, hold=hold)
        submission = signed_again(cast.submission, attestations=[forged, cast.beta.attestation])
        assert not judge(submission).secured
        refused("hold", submission, policy(require_hold=True))
    assert judge(cast.submission, policy(require_hold=True)).secured


@pytest.mark.parametrize(
    "changes",
    [{"amount": 1}, {"threshold": 400_001 * USD}, {"expiry": now() + 1799}],
)
def test_what_the_subject_signed_cannot_be_changed(cast: Cast, changes: dict[str, Any]) -> None:
    refused("subject-signature", cast.submission.model_copy(update=changes))


def test_an_order_that_the_subject_did_not_sign(cast: Cast) -> None:
    turned = cast.submission.attestations[::-1]
    refused("subject-signature", cast.submission.model_copy(update={"attestations": turned}))


# --- proofs


def test_a_proof_of_something_else(cast: Cast) -> None:
    other = submit(cast.accounts, nonce="another nonce")
    with pytest.raises(VerificationError) as caught:
        judge(cast.submission.model_copy(update={"proof": other.proof}), verify=True)
    assert caught.value.check == "pairing"


def test_a_higher_threshold_signed_over_the_same_proof(cast: Cast) -> None:
    with pytest.raises(VerificationError) as caught:
        judge(signed_again(cast.submission, threshold=400_001 * USD), verify=True)
    assert caught.value.code == "pairing"


@pytest.mark.parametrize("proof", ["00", "{}00", "{}ff"])
def test_a_proof_that_is_malformed(cast: Cast, proof: str) -> None:
    forged = proof.format(cast.submission.proof)
    with pytest.raises(VerificationError) as caught:
        judge(cast.submission.model_copy(update={"proof": forged}), verify=True)
    assert caught.value.code == "proof-encoding"


def test_proofs_of_venues_exchanged(cast: Cast) -> None:
    submission = submit(cast.accounts, each_venue=True)
    alpha, beta = submission.venue_proofs.values()
    exchanged = submission.model_copy(update={"venue_proofs": {"alpha": beta, "beta": alpha}})
    with pytest.raises(VerificationError):
        judge(exchanged, policy(each_venue=True), verify=True)


def test_more_than_the_excess_has_no_proof(cast: Cast) -> None:
    with pytest.raises(WitnessError):
        submit(cast.accounts, threshold=500_001 * USD)


def test_relations_can_be_kept_by_a_service(cast: Cast) -> None:
    built: list[int] = []

    def relation_of(snapshot: Snapshot, model: str, level: Any, threshold: int) -> Any:
        built.append(threshold)
        return build_relation(snapshot, model=model, level=level, threshold=threshold)

    expected = Expected(NONCE, 0, {})
    arguments = (cast.submission, market_snapshot(), policy(), ceremony_setup(), expected)
    verify_submission(*arguments, now=now(), relation_of=relation_of)
    assert built == [400_000 * USD]


# --- the oracle


def signed_snapshot(
    signer: str = "oracle", domain: SigningDomain = DOMAIN, **changes: Any
) -> SnapshotSignature:
    snapshot = market_snapshot()
    content = {
        "snapshot": snapshot.id,
        "universe": snapshot.universe.digest,
        "valuation_time": snapshot.valuation_time,
    }
    return SnapshotSignature.sign(key(signer), domain, **(content | changes))


def test_a_snapshot_that_an_oracle_signed() -> None:
    assert check_snapshot(market_snapshot(), signed_snapshot(), policy(), now()) == "pyx"


@pytest.mark.parametrize(
    ("code", "signature", "changes", "at"),
    [
        ("oracle-unknown", signed_snapshot("alpha"), {}, 0),
        ("oracle-unknown", signed_snapshot(), {"oracles": {}}, 0),
        ("oracle-signature", signed_snapshot(snapshot="ab" * 32), {}, 0),
        ("oracle-signature", signed_snapshot(valuation_time=5), {}, 0),
        (
            "oracle-signature",
            signed_snapshot().model_copy(update={"signature": signed_snapshot("x").signature}),
            {},
            0,
        ),
        ("chain", signed_snapshot(domain=SigningDomain(2, DOMAIN.verifying_contract)), {}, 0),
        ("contract", signed_snapshot(domain=SigningDomain(1, key("x").address)), {}, 0),
        ("revoked", signed_snapshot(), {"revoked": [key("oracle").address]}, 0),
        ("snapshot-age", signed_snapshot(), {}, 300),
        ("snapshot-future", signed_snapshot(), {}, -60),
    ],
)
def test_snapshots_that_are_not_accepted(
    code: str, signature: SnapshotSignature, changes: dict[str, Any], at: int
) -> None:
    with pytest.raises(PolicyError) as caught:
        check_snapshot(market_snapshot(), signature, policy(**changes), now() + at)
    assert caught.value.code == code


def test_a_signed_snapshot_is_still_recomputed() -> None:
    """An oracle is trusted for prices, not for tables."""
    honest = market_snapshot()
    marks = honest.marks.copy()
    marks[1] += 1
    doctored = replace(honest, marks=marks)
    with pytest.raises(InputError, match="do not trust this snapshot"):
        check_snapshot(doctored, signed_snapshot(), policy(), now())
