"""An oracle's snapshot with weak parameters lets nobody pledge what an account does not have."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.attestation import scene
from tests.attestation.scene import DOMAIN, USD, Desk, ceremony_setup, key, now, policy, submit
from tests.verifier.floors.search import coins
from zkmargin.attestation import SnapshotSignature
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market import example_market
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.verifier import Expected, Policy, PolicyError, check_snapshot, verify_submission
from zkmargin.verifier.floors.pins import pricing_pin

FLOORS = {
    "grid": {
        "minimum": {"grid": {"spot_shocks": ["-0.16", "0.16"]}, "haircuts": {"BTC": {"initial": "0.05"}}}
    }
}
NO_CHARGE = {
    "spot_shocks": ["0"],
    "classes": [],
    "extreme_moves": [],
    "future_cost": "0",
    "option_cost": "0",
    "annual_move": "0",
}
WEAK: dict[str, dict[str, Any]] = {
    "weak rules of a venue": {"okx": NO_CHARGE},
    "a venue's own numbers": {"okx": {}},
    "a share of no shock": {"grid": {"currencies": {"ETH": "0"}}},
    "losses that do not count": {"grid": {"loss_factor": {"initial": "0", "maintenance": "0"}}},
    "coins without a haircut": {"deribit": {}},
    "one coin without a haircut": {"haircuts": {"ETH": {"initial": "0", "maintenance": "0"}}},
}


def signed(snapshot: Snapshot) -> SnapshotSignature:
    content = {"snapshot": snapshot.id, "universe": snapshot.universe.digest}
    return SnapshotSignature.sign(
        key("oracle"),
        DOMAIN,
        **content,
        valuation_time=snapshot.valuation_time,
    )


def refused(snapshot: Snapshot, accepting: Policy) -> str:
    with pytest.raises(PolicyError) as error:
        check_snapshot(snapshot, signed(snapshot), accepting, now())
    assert error.value.code == "parameters"
    return str(error.value)


@pytest.mark.parametrize("name", WEAK)
@pytest.mark.parametrize("models", [FLOORS, {"grid": {}}], ids=["floors", "defaults"])
def test_a_weak_snapshot_is_refused_whoever_signed_it(name: str, models: Any) -> None:
    weak = Snapshot.build(coins(), parse_parameters(WEAK[name], "test"), only=("grid",), domain=64)
    found = refused(weak, policy(models=models))
    assert "grid" in found or "haircuts" in found


def test_a_pinned_snapshot_is_taken_and_no_other() -> None:
    own = Snapshot.build(coins(), parse_parameters({"okx": {}}, "test"), only=("grid",), domain=64)
    pins = [pricing_pin(own.parameters, "grid", "initial")]
    check_snapshot(own, signed(own), policy(models={"grid": {"pins": pins}}), now())
    for document in WEAK.values():
        weak = Snapshot.build(coins(), parse_parameters(document, "test"), only=("grid",), domain=64)
        if weak.id != own.id:
            refused(weak, policy(models={"grid": {"pins": pins}}))
    both = {"grid": {"pins": pins, "minimum": {"okx": {"loss_factor": {"initial": "1.4"}}}}}
    assert "okx.loss_factor.initial is 1.3, below 1.4" in refused(own, policy(models=both))


def test_an_insolvent_account_gets_no_pledge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weak = Snapshot.build(example_market(), parse_parameters({"okx": NO_CHARGE}, "test"), only=("grid",))
    positions = [Position("USD", Decimal(2000)), Position("BTC_USD-PERPETUAL", Decimal(10))]
    sound = scene.market_snapshot()
    excess = requirement(sound, Holdings.of(positions, sound).vector(sound)).excess
    monkeypatch.setattr(scene, "market_snapshot", lambda: weak)
    made = Desk.open(tmp_path, "alpha").attest(held=Holdings.of(positions, weak))
    submission = submit([made], threshold=900 * USD, amount=900 * USD)
    expected = Expected(submission.nonce, 0, {})

    def judge(models: Any) -> None:
        verify_submission(submission, weak, policy(models=models), ceremony_setup(), expected, now=now())

    assert excess < 0
    judge({"grid": {"pins": [pricing_pin(weak.parameters, "grid", "initial")]}})
    with pytest.raises(PolicyError, match="the section okx prices grid in place of grid"):
        judge(FLOORS)
    with pytest.raises(PolicyError, match="is none that the policy pins"):
        judge({"grid": {"pins": ["0" * 64]}})
