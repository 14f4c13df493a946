"""The whole story: a snapshot is published, a loan is taken on a proof, prices fall, the renewal fails, the pledge is
called and released."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.attestation.scene import key
from tests.verifier.contract.evms import RICH, Evm, Outcome, anvil, deployed, ethereumjs
from tests.verifier.contract.stage import START, Stage
from tests.verifier.service.world import TICKS, setup, snapshot
from zkmargin.attestation import AttestationDocument
from zkmargin.circuits import WitnessError
from zkmargin.prover import commit_holdings
from zkmargin.verifier.contract.artifacts import contracts
from zkmargin.verifier.contract.ledger import ledger

VAULT, DOLLAR = contracts()["LendingVault"], contracts()["DemoDollar"]
LOAN = 20_000 * 10**6


@pytest.fixture(params=["anvil", "ethereumjs"])
def evm(request: pytest.FixtureRequest) -> Iterator[Evm]:
    with anvil() if request.param == "anvil" else ethereumjs() as made:
        yield made


def refused(outcome: Outcome, name: str) -> None:
    assert outcome.refused is not None, f"not refused: {name}"
    assert outcome.refused.name == name, outcome.refused


def coins(stage: Stage, coins: int) -> Any:
    """An account with coins alone, whose worth follows the price."""
    document, _ = stage.attest(account="coins")
    universe = stage.taken.universe
    lots = [0] * len(universe)
    slot = universe.slot("BTC")
    lots[slot] = coins * 10 ** abs(universe.instruments[slot].lot_exponent)
    opening = commit_holdings(setup(), universe, tuple(lots))
    content = document.model_dump(
        mode="json", exclude={"signer", "signature", "chain_id", "verifying_contract"}
    )
    signed = AttestationDocument.sign(key("alpha"), stage.domain, **(content | {"point": opening.point}))
    return signed, opening.opening(universe, "opening")


def test_the_whole_story(evm: Evm) -> None:
    stage = Stage.deploy(evm, snapshot_age=600)
    trader = key("trader").address
    dollar = deployed(evm, "DemoDollar", 10**12)
    vault = deployed(evm, "LendingVault", stage.address, dollar, 1)
    assert evm.run(dollar, DOLLAR.call("transfer", vault, 10**11)).refused is None
    assert stage.call("setLender", vault, True).refused is None

    def owed() -> int:
        found = evm.run(vault, VAULT.call("debtOf", number), keep=False)
        return int(VAULT.answer("debtOf", found.data)[0])

    # Prices, and a pledge of what the account is worth over its requirement.
    stage.begin()
    account = coins(stage, 1)
    made = stage.pledge(stage.submission([account], amount=50_000 * TICKS, threshold=50_000 * TICKS))
    assert made.refused is None
    (number,) = ledger().answer("pledge", made.data)

    # A loan on it: the subject alone, and no more than is pledged.
    refused(evm.run(vault, VAULT.call("borrow", number, LOAN)), "NotSubject")
    refused(evm.run(vault, VAULT.call("borrow", number, 50_001 * 10**6), sender=trader), "BeyondPledge")
    assert evm.run(vault, VAULT.call("borrow", number, LOAN), sender=trader).refused is None
    assert owed() == LOAN
    refused(evm.run(vault, VAULT.call("claim", number)), "PledgeInStatus")

    # Prices fall. The account no longer covers it: neither a proof of what is so helps, nor the old one.
    fallen = START + 300
    stage.evm.at(fallen + 1)
    stage.taken = snapshot(fallen, "50000")
    assert stage.publish(stage.taken).refused is None
    with pytest.raises(WitnessError):
        stage.submission([account], amount=50_000 * TICKS, threshold=50_000 * TICKS)
    short = stage.submission([account], amount=50_000 * TICKS, threshold=30_000 * TICKS)
    refused(stage.pledge(short, renews=number), "ThresholdTooLow")
    lied = short.model_copy(update={"threshold": 50_000 * TICKS})
    refused(stage.pledge(lied, renews=number), "SubjectSignature")

    # It is stale once the time for a renewal is over, and then anyone calls it.
    assert stage.read("statusOf", number) == 1
    stage.evm.at(fallen + 130)
    assert stage.read("statusOf", number) == 2
    refused(evm.run(vault, VAULT.call("borrow", number, 1), sender=trader), "PledgeInStatus")
    assert evm.run(vault, VAULT.call("claim", number), sender=trader).refused is None
    assert stage.read("statusOf", number) == 3

    # A called pledge does not lapse; once the debt is paid it is released.
    stage.evm.at(START + 10_000)
    assert stage.read("statusOf", number) == 3
    assert evm.run(dollar, DOLLAR.call("transfer", RICH.address, 0), sender=trader).refused is None
    assert evm.run(dollar, DOLLAR.call("approve", vault, LOAN), sender=trader).refused is None
    assert evm.run(vault, VAULT.call("repay", number, LOAN // 2), sender=trader).refused is None
    assert stage.read("statusOf", number) == 3
    assert evm.run(vault, VAULT.call("repay", number, LOAN), sender=trader).refused is None
    assert owed() == 0
    assert stage.read("statusOf", number) == 4


def test_a_pledge_that_is_proven_in_time_goes_on_and_one_that_is_not_lapses(evm: Evm) -> None:
    stage = Stage.deploy(evm)
    stage.begin()
    account = stage.attest(account="steady", expiry=START + 3600)
    made = stage.pledge(stage.submission([account], expiry=START + 1000))
    (number,) = ledger().answer("pledge", made.data)
    old = stage.submission([account], expiry=START + 1000)
    stage.evm.at(START + 301)
    stage.taken = snapshot(START + 300, "80000")
    assert stage.publish(stage.taken).refused is None
    renewal = stage.submission([account], expiry=START + 1000)
    assert stage.pledge(renewal, renews=number).refused is None
    # The older snapshot still counts for new pledges, but no renewal goes back.
    back = replace(stage)
    back.taken = snapshot(START)
    refused(back.pledge(back.submission([account], expiry=START + 1000), renews=number), "RenewalDiffers")
    assert old.nonce != renewal.nonce or old.snapshot != renewal.snapshot
    stage.evm.at(START + 500)
    assert stage.read("statusOf", number) == 1
    # The policy's clock skew after the expiry it has lapsed, and nothing can be done with it.
    stage.evm.at(START + 1030)
    assert stage.read("statusOf", number) == 1
    stage.evm.at(START + 1031)
    assert stage.read("statusOf", number) == 5
    refused(stage.call("call", number), "PledgeStatus")
    refused(stage.call("release", number), "PledgeStatus")
    stage.begin(START + 1100)
    again = stage.attest(account="steady")
    made = stage.pledge(stage.submission([again]))
    assert made.refused is None, "what has lapsed no longer has to be covered"


def test_a_snapshot_grows_old(evm: Evm) -> None:
    stage = Stage.deploy(evm)
    stage.begin()
    good = stage.submission([stage.attest()])
    stage.evm.at(START + 600)
    assert stage.pledge(good, keep=False).refused is None
    stage.evm.at(START + 601)
    refused(stage.pledge(good), "SnapshotTooOld")
