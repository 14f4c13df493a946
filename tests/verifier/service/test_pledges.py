"""The life of pledges, on both databases."""

import json
import time
from collections.abc import Callable
from typing import Any

from tests.verifier.service.conftest import Scene
from tests.verifier.service.world import TICKS, Account, Trader, snapshot, submit
from zkmargin.attestation import ReceiptDocument
from zkmargin.client import check_receipt
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.verifier.service.store.event_log import Event, verify_chain

Start = Callable[..., Scene]
GRADED = {"sources": ["ledger", "chain"], "grades": {"chain": {"complete": False, "haircut": "0.25"}}}


def status_of(scene: Scene, pledge: str) -> str:
    answer = scene.http.get(f"/v1/pledges/{pledge}", headers=scene.replica.admin())
    assert answer.status_code == 200, answer.text
    return str(answer.json()["status"])


def becomes(scene: Scene, pledge: str, status: str) -> None:
    deadline = time.monotonic() + 15
    while status_of(scene, pledge) != status:
        assert time.monotonic() < deadline, f"{pledge} is still {status_of(scene, pledge)}"
        time.sleep(0.05)


def test_a_pledge_over_two_venues_and_its_receipt(scene: Scene) -> None:
    trader = scene.trader()
    accounts = [trader.account(scene.snapshot, 600), trader.account(scene.snapshot, 500, "beta")]
    answer = trader.pledge(scene.http, accounts, scene.snapshot, 1100)
    assert answer.status_code == 201, answer.text
    receipt = ReceiptDocument.parse(answer.text, "answer")
    check_receipt(receipt, scene.world.service.address)
    assert (receipt.amount, receipt.secured) == (1100 * TICKS, True)
    assert scene.http.get(f"/v1/receipts/{receipt.pledge}").text == answer.text
    assert answer.headers["location"] == f"/v1/pledges/{receipt.pledge}"
    found = scene.http.get(f"/v1/pledges/{receipt.pledge}", headers=scene.replica.admin()).json()
    assert found["status"] == "active"
    assert [account["venue"] for account in found["accounts"]] == ["alpha", "beta"]


def test_the_sum_of_pledges_never_exceeds_the_excess(scene: Scene) -> None:
    trader = scene.trader()
    both = [trader.account(scene.snapshot, 600), trader.account(scene.snapshot, 500, "beta")]
    assert trader.pledge(scene.http, both, scene.snapshot, 500).status_code == 201
    assert trader.challenge(scene.http, both[:1], 1)["covered"] == 500 * TICKS
    # 100 are left on the first account alone; 101 cannot be proven, and a proof of less is not enough.
    assert trader.pledge(scene.http, both[:1], scene.snapshot, 100).status_code == 201
    asked = trader.challenge(scene.http, both[:1], 1)
    assert asked["threshold"] == 601 * TICKS
    low = trader.prove(both[:1], scene.snapshot, asked["nonce"], 1, 600 * TICKS)
    answer = submit(scene.http, low)
    assert (answer.status_code, answer.json()["code"]) == (409, "threshold")
    # People read USD, programs ticks.
    assert answer.json()["detail"] == (
        "threshold: an excess of 600.000000 USD is shown; the amount and what is pledged already come to "
        "601.000000 USD"
    )
    assert answer.json()["covered"] == 600 * TICKS
    # What both pledges share counts once: 1100 - 600 are left over both accounts.
    assert trader.pledge(scene.http, both, scene.snapshot, 500).status_code == 201
    assert trader.challenge(scene.http, both[1:], 0)["covered"] == 1000 * TICKS


def test_what_is_released_can_be_pledged_again(scene: Scene) -> None:
    trader = scene.trader()
    account = [trader.account(scene.snapshot, 100)]
    first = trader.pledge(scene.http, account, scene.snapshot, 100).json()["pledge"]
    headers = scene.replica.admin()
    assert scene.http.post(f"/v1/pledges/{first}/call", headers=headers).json()["status"] == "called"
    assert trader.challenge(scene.http, account, 0)["covered"] == 100 * TICKS
    again = scene.http.post(f"/v1/pledges/{first}/call", headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "pledge-status")
    assert scene.http.post(f"/v1/pledges/{first}/release", headers=headers).json()["status"] == "released"
    again = scene.http.post(f"/v1/pledges/{first}/release", headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "pledge-status")
    assert trader.pledge(scene.http, account, scene.snapshot, 100).status_code == 201


def test_a_pledge_without_a_hold_is_not_secured(scene: Scene) -> None:
    trader = scene.trader()
    for hold in (
        None,
        {"until": int(time.time()) + 60, "audience": "lender"},
        {"until": 1 << 40, "audience": "x"},
    ):
        account = [trader.account(scene.snapshot, 100, hold=hold)]
        assert trader.pledge(scene.http, account, scene.snapshot, 10).json()["secured"] is False


def test_a_renewal_moves_a_pledge_to_a_newer_snapshot(start: Start) -> None:
    scene = start(renew_seconds=1, sweep_seconds=0.1)
    trader = scene.trader()
    account = [trader.account(scene.snapshot, 100)]
    pledge = trader.pledge(scene.http, account, scene.snapshot, 60).json()
    newer = snapshot(btc="90000")
    assert scene.http.post("/v1/snapshots", json=scene.world.sign_snapshot(newer)).status_code == 201
    becomes(scene, pledge["pledge"], "stale")
    assert trader.challenge(scene.http, account, 0)["covered"] == 60 * TICKS

    def renew(taken: Snapshot, usd: int, accounts: list[Account], expiry: int) -> tuple[int, str]:
        asked = trader.challenge(scene.http, accounts, usd, renews=pledge["pledge"])
        assert asked["covered"] == 0
        made = trader.prove(accounts, taken, asked["nonce"], usd, expiry=expiry)
        answer = submit(scene.http, made, pledge["pledge"])
        return answer.status_code, answer.json().get("code", "")

    other = [trader.account(newer, 100)]
    for bad in (
        (newer, 61, account, pledge["expiry"]),
        (newer, 60, account, pledge["expiry"] - 1),
        (newer, 60, [*account, *other], pledge["expiry"]),
        (newer, 60, other, pledge["expiry"]),
    ):
        assert renew(*bad) == (409, "renewal")
    assert renew(newer, 60, account, pledge["expiry"]) == (201, "")
    becomes(scene, pledge["pledge"], "active")
    assert renew(scene.snapshot, 60, account, pledge["expiry"]) == (409, "renewal")
    assert trader.challenge(scene.http, account, 0)["covered"] == 60 * TICKS


def test_a_pledge_lapses_at_its_end_but_not_when_it_was_called(start: Start) -> None:
    scene = start(sweep_seconds=0.1)
    policy = scene.world.policy(clock_skew=0)
    assert scene.http.put("/v1/policy", json=policy, headers=scene.replica.admin()).status_code == 200
    trader = scene.trader()
    accounts = [trader.account(scene.snapshot, 100), trader.account(scene.snapshot, 100)]
    soon = int(time.time()) + 2
    one, other = (
        trader.pledge(scene.http, [account], scene.snapshot, 100, expiry=soon).json()["pledge"]
        for account in accounts
    )
    scene.http.post(f"/v1/pledges/{other}/call", headers=scene.replica.admin())
    becomes(scene, one, "lapsed")
    assert trader.challenge(scene.http, accounts[:1], 0)["covered"] == 0
    assert status_of(scene, other) == "called"
    assert trader.challenge(scene.http, accounts[1:], 0)["covered"] == 100 * TICKS


def test_the_log_is_whole_and_chained(scene: Scene) -> None:
    trader = scene.trader()
    account = [trader.account(scene.snapshot, 100)]
    pledge = trader.pledge(scene.http, account, scene.snapshot, 1).json()["pledge"]
    events, after = list[Event](), 0
    while True:
        page = scene.http.get("/v1/log", params={"after": after, "most": 50}, headers=scene.replica.admin())
        found = [Event(**event) for event in page.json()["events"]]
        if not found:
            break
        events += found
        after = found[-1].sequence
    verify_chain(events)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert any(event.kind == "pledge.active" and event.subject == pledge for event in events)


def test_pledges_are_listed_a_page_at_a_time(scene: Scene) -> None:
    trader: Trader = scene.trader()
    account = [trader.account(scene.snapshot, 100)]
    made = {trader.pledge(scene.http, account, scene.snapshot, 1).json()["pledge"] for _ in range(3)}
    found, after = set[str](), None
    for _ in range(4):
        query = {"subject": trader.key.address, "most": 2, **({"after": after} if after else {})}
        page = scene.http.get("/v1/pledges", params=query, headers=scene.replica.admin()).json()
        found |= {pledge["id"] for pledge in page["pledges"]}
        after = page["after"]
        if after is None:
            break
    assert found == made


def test_pledges_that_share_one_account_count_together_in_one_transaction(scene: Scene) -> None:
    """Both were proven before either was recorded: only the transaction that records them can tell."""
    trader = scene.trader()
    both = [trader.account(scene.snapshot, 600), trader.account(scene.snapshot, 500, "beta")]
    wanted = [(both, 1100), (both[:1], 600), (both[1:], 500)]
    made = [
        trader.prove(accounts, scene.snapshot, trader.challenge(scene.http, accounts, usd)["nonce"], usd)
        for accounts, usd in wanted
    ]
    body = {"submissions": [json.loads(submission.encode()) for submission in made]}
    answer = scene.http.post("/v1/batches", json=body).json()["results"]
    assert [result["receipt"] is not None for result in answer] == [True, False, False]
    assert [result["problem"]["code"] for result in answer[1:]] == ["threshold", "threshold"]


def test_collateral_counts_beside_the_sum_less_its_haircut(start: Start) -> None:
    scene = start(policy_changes=GRADED)
    trader = scene.trader()
    wallet = trader.account(scene.snapshot, 400, "beta", complete=False, source="chain")
    accounts = [trader.account(scene.snapshot, 100), wallet]
    counted: dict[str, Any] = {"collateral": {"beta": 400 * TICKS}}
    asked = trader.challenge(scene.http, accounts, 401)
    made = trader.prove(accounts, scene.snapshot, asked["nonce"], 401, 100 * TICKS, **counted)
    answer = submit(scene.http, made)
    assert (answer.status_code, answer.json()["code"]) == (409, "threshold")
    asked = trader.challenge(scene.http, accounts, 400)
    made = trader.prove(accounts, scene.snapshot, asked["nonce"], 400, 100 * TICKS, **counted)
    assert submit(scene.http, made).status_code == 201
    # All of both is pledged now.
    asked = trader.challenge(scene.http, accounts, 1)
    assert asked["covered"] == 400 * TICKS
    made = trader.prove(accounts, scene.snapshot, asked["nonce"], 1, 100 * TICKS, **counted)
    assert submit(scene.http, made).json()["code"] == "threshold"
