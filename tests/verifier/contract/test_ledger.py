"""The ledger's rules: each refusal by its own name, on two EVMs."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.attestation.scene import key
from tests.verifier.contract.evms import RICH, Evm, Outcome, anvil, ethereumjs, stranger
from tests.verifier.contract.stage import AUDIENCE, START, Stage
from tests.verifier.service.world import TICKS, snapshot
from zkmargin.attestation import SigningDomain
from zkmargin.attestation.signing import GROUP_ORDER
from zkmargin.circuits import build_relation
from zkmargin.verifier.contract.ledger import account_key, ledger, publication_call

LEDGER = ledger()


@pytest.fixture(scope="module", params=["anvil", "ethereumjs"])
def evm(request: pytest.FixtureRequest) -> Iterator[Evm]:
    """EVMs of this module's own, since it moves their clocks."""
    with anvil() if request.param == "anvil" else ethereumjs() as made:
        yield made


@pytest.fixture(scope="module")
def stage(evm: Evm) -> Stage:
    made = Stage.deploy(evm)
    made.begin()
    return made


def refused(outcome: Outcome, name: str, *arguments: Any) -> None:
    assert outcome.refused is not None, f"not refused: {name}"
    assert outcome.refused.name == name, outcome.refused
    if arguments:
        assert outcome.refused.arguments[: len(arguments)] == arguments


def test_a_pledge_and_its_receipt(stage: Stage) -> None:
    accounts = [stage.attest(), stage.attest("beta", "b")]
    trader = key("trader").address
    nonce = stage.read("nonces", trader)
    found = stage.submission(accounts, threshold=300_000 * TICKS)
    made = stage.pledge(found)
    assert made.refused is None
    (number,) = LEDGER.answer("pledge", made.data)
    receipt = made.event(LEDGER, "Proven")
    assert receipt["pledge"] == number
    assert receipt["subject"].lower() == trader.lower()
    assert receipt["snapshot"].hex() == found.snapshot
    assert (receipt["threshold"], receipt["amount"]) == (300_000 * TICKS, 100_000 * TICKS)
    assert (receipt["secured"], receipt["renewal"], receipt["nonce"]) == (True, False, nonce)
    assert list(receipt["attestations"]) == [one.digest for one, _ in accounts]
    assert stage.read("statusOf", number) == 1
    subject, amount, expiry = stage.read("pledgeOf", number)
    assert (subject.lower(), amount, expiry) == (trader.lower(), 100_000 * TICKS, found.expiry)
    keys = [account_key("alpha", "a"), account_key("beta", "b")]
    # One pledge on two accounts counts once.
    assert stage.read("covered", keys) == 100_000 * TICKS
    assert stage.read("covered", [account_key("alpha", "nobody's")]) == 0
    # It comes again: its nonce is gone.
    refused(stage.pledge(found), "SubjectSignature")


def test_pledges_that_share_an_account_are_covered_together(stage: Stage) -> None:
    a, b = stage.attest(account="shared"), stage.attest(account="other")
    assert stage.pledge(stage.submission([a])).refused is None
    too_little = stage.submission([a, b], threshold=199_999 * TICKS)
    refused(stage.pledge(too_little), "ThresholdTooLow", 199_999 * TICKS, 200_000 * TICKS)
    both = stage.submission([a, b], threshold=200_000 * TICKS)
    assert stage.pledge(both).refused is None
    assert stage.read("covered", [account_key("alpha", "shared")]) == 200_000 * TICKS
    assert stage.read("covered", [account_key("alpha", "other")]) == 100_000 * TICKS


def test_an_account_takes_eight_pledges_and_a_released_one_makes_room(stage: Stage) -> None:
    account = stage.attest(account="full")
    numbers = []
    for count in range(1, 9):
        found = stage.submission([account], amount=1, threshold=count)
        made = stage.pledge(found)
        assert made.refused is None
        numbers.append(LEDGER.answer("pledge", made.data)[0])
    ninth = stage.submission([account], amount=1, threshold=9)
    refused(stage.pledge(ninth), "AccountFull", 0)
    assert stage.call("release", numbers[3]).refused is None
    assert stage.pledge(ninth).refused is None


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("AttestationFromFuture", {"as_of": START + 3000}),
        ("AttestationExpired", {"as_of": START - 100, "expiry": START - 50}),
        ("AttestationTooOld", {"as_of": START - 5000}),
        ("SourceNotAccepted", {"source": "chain"}),
        ("VenueKeyUnknown", {"signer": "beta"}),
        ("VenueKeyUnknown", {"venue": "gamma", "signer": "alpha"}),
        ("VenueKeyUnknown", {"complete": False}),
        ("VenueKeyUnknown", {"setup": "ab" * 32}),
        ("VenueKeyUnknown", {"signing_domain": SigningDomain(1, RICH.address)}),
    ],
)
def test_attestations_that_are_refused(stage: Stage, name: str, fields: dict[str, Any]) -> None:
    """What the ledger does not take, and what it takes for granted, such as its setup, when it forms the digest."""
    good = stage.submission([stage.attest(account="good")])
    other, _ = stage.attest(account="good", **fields)
    swapped = good.attestations[0].model_copy(
        update={**other.model_dump(exclude={"hold", "point", "open_orders"}), "hold": other.hold}
    )
    refused(stage.pledge(good.model_copy(update={"attestations": [swapped]})), name)


def test_attestations_as_terms_of_one_sum(stage: Stage) -> None:
    a = stage.attest(account="twice")
    again = stage.attest(account="twice")
    refused(stage.pledge(stage.submission([a, again])), "AccountRepeated", 1)
    good = stage.submission([a, stage.attest(account="else")])
    same = [good.attestations[0]] * 2
    refused(stage.pledge(good.model_copy(update={"attestations": same})), "CommitmentRepeated", 1)
    apart = stage.attest(account="apart", as_of=START - 301)
    refused(stage.pledge(stage.submission([a, apart])), "AttestationsApart", 301, 300)
    many = [stage.attest(account=f"many-{k}") for k in range(5)]
    refused(stage.pledge(stage.submission(many)), "AttestationCount", 5, 4)
    older, newer = stage.attest(account="order"), stage.attest(account="order")
    assert stage.pledge(stage.submission([newer], amount=1, threshold=1)).refused is None
    refused(stage.pledge(stage.submission([older], amount=1, threshold=2)), "SequenceOld", 0)
    contradiction = stage.attest(account="order", sequence=newer[0].sequence)
    refused(stage.pledge(stage.submission([contradiction], amount=1, threshold=2)), "SequenceOld", 0)
    assert stage.pledge(stage.submission([newer], amount=1, threshold=2)).refused is None


def test_terms_that_are_refused(stage: Stage) -> None:
    account = stage.attest(account="terms")
    refused(stage.pledge(stage.submission([account], amount=0)), "AmountIsZero")
    large = stage.submission([account], amount=1_000_001 * TICKS)
    refused(stage.pledge(large), "AmountTooLarge", 1_000_001 * TICKS, 1_000_000 * TICKS)
    refused(stage.pledge(stage.submission([account], expiry=START - 1)), "Expired", START - 1)
    refused(stage.pledge(stage.submission([account], expiry=START + 90_000)), "ExpiryTooFar")
    good = stage.submission([account])
    refused(stage.pledge(good.model_copy(update={"snapshot": "ab" * 32})), "SnapshotUnknown")
    for change in ({"threshold": good.threshold + 1}, {"amount": 1}, {"expiry": good.expiry + 1}):
        refused(stage.pledge(good.model_copy(update=change)), "SubjectSignature")
    refused(stage.pledge(stage.submission([account], nonce="0x0")), "SubjectSignature")
    refused(stage.pledge(stage.submission([account], audience="another vault")), "SubjectSignature")
    refused(stage.pledge(good.model_copy(update={"subject": key("stranger").address})), "VenueKeyUnknown")
    proof = bytearray.fromhex(good.proof)
    proof[-97] ^= 1
    refused(stage.pledge(good.model_copy(update={"proof": proof.hex()})), "NotShown")
    assert stage.pledge(good, keep=False).refused is None


def test_a_signature_has_one_form(stage: Stage) -> None:
    good = stage.submission([stage.attest(account="malleable")])
    data = bytes.fromhex(good.signature[2:])
    high = (GROUP_ORDER - int.from_bytes(data[32:64], "big")).to_bytes(32, "big")
    mirrored = "0x" + (data[:32] + high + bytes([55 - data[64]])).hex()
    refused(stage.pledge(good.model_copy(update={"signature": mirrored})), "ECDSAInvalidSignatureS")
    zero = "0x" + (data[:64] + bytes([0])).hex()
    refused(stage.pledge(good.model_copy(update={"signature": zero})), "ECDSAInvalidSignature")


def test_calldata_is_as_long_as_its_content(stage: Stage) -> None:
    good = stage.calldata(stage.submission([stage.attest(account="length")]))
    trader = key("trader").address
    assert stage.evm.run(stage.address, good, sender=trader, keep=False).refused is None
    for more in (b"\0", bytes(32)):
        refused(stage.evm.run(stage.address, good + more, keep=False), "CalldataLength")
    for short in (good[:-1], good[:-32], good[:4], good[:3], b""):
        assert stage.evm.run(stage.address, short, keep=False).refused is not None


def test_who_may_do_what(stage: Stage) -> None:
    other = stranger()
    for function, arguments in (
        ("setOracle", (other, True)),
        ("setQuorum", (1,)),
        ("setVenueKey", ("alpha", other, True)),
        ("setSource", ("chain", True)),
        ("setLender", (other, True)),
        ("setPaused", (True,)),
        ("transferOwnership", (other,)),
    ):
        refused(stage.call(function, *arguments, sender=other), "OwnableUnauthorizedAccount")
    refused(stage.call("call", 1, sender=other), "NotLender")
    refused(stage.call("release", 1, sender=other), "NotLender")
    refused(stage.call("call", 10**6), "PledgeStatus", 10**6, 0)
    refused(stage.call("setVenueKey", "beta", key("alpha").address, True), "KeyTaken")
    refused(stage.call("setVenueKey", "alpha", key("alpha").address, True), "Unchanged")
    refused(stage.call("setQuorum", 3), "QuorumImpossible", 3, 2)
    refused(stage.call("setOracle", "0x" + "00" * 20, True), "NoAddress")


def test_ownership_passes_in_two_steps(evm: Evm) -> None:
    made = Stage.deploy(evm)
    heir = stranger()
    assert made.call("transferOwnership", heir).refused is None
    assert made.read("owner").lower() == RICH.address.lower()
    refused(made.call("acceptOwnership", sender=RICH.address), "OwnableUnauthorizedAccount")
    assert made.call("acceptOwnership", sender=heir).refused is None
    assert made.read("owner").lower() == heir.lower()


def test_a_pause_is_of_new_pledges_only(stage: Stage) -> None:
    account = stage.attest(account="paused")
    made = stage.pledge(stage.submission([account]))
    (number,) = LEDGER.answer("pledge", made.data)
    assert stage.call("setPaused", True).refused is None
    refused(stage.pledge(stage.submission([account], threshold=200_000 * TICKS)), "NewPledgesArePaused")
    assert stage.pledge(stage.submission([account]), renews=number).refused is None
    assert stage.call("call", number).refused is None
    refused(stage.call("call", number), "PledgeStatus", number, 3)
    # A called pledge can be proven again, and stays called.
    assert stage.pledge(stage.submission([account]), renews=number).refused is None
    assert stage.read("statusOf", number) == 3
    assert stage.call("release", number).refused is None
    refused(stage.call("release", number), "PledgeStatus", number, 4)
    refused(stage.pledge(stage.submission([account]), renews=number), "PledgeStatus", number, 4)
    assert stage.call("setPaused", False).refused is None


def test_a_renewal_keeps_what_was_pledged(stage: Stage) -> None:
    a, b = stage.attest(account="renewed"), stage.attest(account="not-in-it")
    made = stage.pledge(stage.submission([a]))
    (number,) = LEDGER.answer("pledge", made.data)
    refused(stage.pledge(stage.submission([a], amount=1), renews=number), "RenewalDiffers")
    refused(stage.pledge(stage.submission([b]), renews=number), "RenewalDiffers")
    refused(stage.pledge(stage.submission([a, b]), renews=number), "RenewalDiffers")
    refused(stage.pledge(stage.submission([a], expiry=START + 900), renews=number), "RenewalDiffers")
    later = stage.submission([a], expiry=START + 2000)
    again = stage.pledge(later, renews=number)
    assert again.refused is None
    assert again.event(LEDGER, "Proven")["renewal"] is True
    assert stage.read("pledgeOf", number)[2] == START + 2000


def test_holds_where_they_are_required(evm: Evm) -> None:
    made = Stage.deploy(evm, require_hold=True)
    made.begin(START + 100)
    for hold in (
        None,
        {"until": START + 200, "audience": AUDIENCE},
        {"until": START + 9000, "audience": "another"},
    ):
        refused(made.pledge(made.submission([made.attest(hold=hold)])), "HoldMissing")
    assert made.pledge(made.submission([made.attest()])).refused is None


def test_replays_on_another_chain_or_at_another_ledger(stage: Stage, evm: Evm) -> None:
    good = stage.submission([stage.attest(account="replayed")])
    twin = Stage.deploy(evm, verifier=stage.verifier)
    twin.begin(START + 100)
    refused(twin.pledge(good.model_copy(update={"snapshot": twin.taken.id})), "VenueKeyUnknown")
    on_another = Stage(evm, stage.verifier, stage.address, chain_id=1)
    on_another.taken = stage.taken
    refused(stage.pledge(on_another.submission([on_another.attest(account="replayed")])), "VenueKeyUnknown")


def test_a_quorum_of_oracles(evm: Evm) -> None:
    made = Stage.deploy(evm, quorum=2)
    evm.at(START + 201)
    taken = snapshot(START + 200)
    refused(made.publish(taken), "QuorumMissed", 1, 2)
    refused(made.publish(taken, ("oracle", "oracle")), "SignersNotAscending")
    refused(made.publish(taken, ("oracle", "stranger")), "OracleUnknown", key("stranger").address.lower())
    assert made.publish(taken, ("oracle", "oracle 2")).refused is None
    assert made.read("newest").hex() == taken.id


def test_snapshots_that_are_refused(stage: Stage) -> None:
    taken = stage.taken
    refused(stage.publish(taken), "SnapshotKnown")
    refused(stage.publish(snapshot(START - 50)), "SnapshotNotNewer")
    other = snapshot(START + 50)
    chunks = stage.chunks(other)
    cases: list[tuple[str, dict[str, Any]]] = [
        ("OracleUnknown", {"model": "cross"}),
        ("OracleUnknown", {"level": "maintenance"}),
        ("OracleUnknown", {"quantum_decimals": 8}),
        ("OracleUnknown", {"domain": SigningDomain(1, stage.address)}),
        ("ProgramDiffers", {"program": "ab" * 32}),
        ("SnapshotFromFuture", {"valuation_time": (START + 100_000) * 10**6}),
    ]
    for name, changes in cases:
        call = publication_call([stage.signed_program(other, **changes)], chunks)
        refused(stage.evm.run(stage.address, call, keep=False), name)
    good = publication_call([stage.signed_program(other)], chunks)
    refused(stage.evm.run(stage.address, good + bytes(32), keep=False), "CalldataLength")
    elsewhere = publication_call([stage.signed_program(other)], [stage.verifier])
    refused(stage.evm.run(stage.address, elsewhere, keep=False), "ProgramUnsupported")
    for size in (0, 24_576):
        refused(stage.call("store", bytes(size)), "ChunkLength", size)


def test_the_ledger_counts_attestations_as_python_signs_them(stage: Stage) -> None:
    """Every field in its place, with a hold and without, with digests and without."""
    for changes in (
        {"hold": None},
        {"open_orders": "reserved"},
        {"evidence": "12" * 32, "contract_map": "34" * 32},
        {"bound": 5},
    ):
        account = stage.attest(account="fields-" + "-".join(sorted(changes)), **changes)
        assert stage.pledge(stage.submission([account]), keep=False).refused is None


def test_the_program_is_as_long_as_it_was_stored(stage: Stage) -> None:
    record = stage.read("snapshotOf", bytes.fromhex(stage.taken.id))
    assert record[1] == build_relation(stage.taken).digest
