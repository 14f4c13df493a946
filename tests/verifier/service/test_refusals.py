"""What the service refuses, by code; every refusal leaves the ledger as it was."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.verifier.service.conftest import Scene
from tests.verifier.service.world import DOMAIN, Account, Trader, snapshot, submit
from zkmargin.attestation import SigningDomain, SigningKey

Start = Callable[..., Scene]


def refusal(
    scene: Scene, trader: Trader, accounts: list[Account], usd: int = 1, **terms: Any
) -> tuple[int, str]:
    answer = trader.pledge(scene.http, accounts, scene.snapshot, usd, **terms)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["type"].endswith(document["code"])
    return answer.status_code, document["code"]


def test_a_nonce_and_a_proof_work_once(scene: Scene) -> None:
    trader = scene.trader()
    account = [trader.account(scene.snapshot, 100)]
    asked = trader.challenge(scene.http, account, 1)
    made = trader.prove(account, scene.snapshot, asked["nonce"], 1)
    first = submit(scene.http, made)
    again = submit(scene.http, made)
    assert (again.status_code, again.json()["code"]) == (409, "nonce-used")
    assert again.json()["pledge"] == first.json()["pledge"]
    other = trader.prove(account, scene.snapshot, asked["nonce"], 1, 2 * 10**6)
    assert submit(scene.http, other).json()["code"] == "nonce-used"


def test_a_nonce_is_the_service_s_for_this_subject_and_lasts(scene: Scene) -> None:
    trader, other = scene.trader(), scene.trader()
    account = [trader.account(scene.snapshot, 100)]
    asked = trader.challenge(scene.http, account, 1)
    theirs = other.challenge(scene.http, account, 1)
    until, drawn, mac = asked["nonce"].split(".")
    later = f"{int(until) + 1}.{drawn}.{mac}"
    for nonce in ("my own", theirs["nonce"], later, f"{until}.{'0' * 32}.{mac}"):
        answer = submit(scene.http, trader.prove(account, scene.snapshot, nonce, 1))
        assert (answer.status_code, answer.json()["code"]) == (422, "nonce")


def test_a_nonce_runs_out(start: Start) -> None:
    scene = start(challenge_seconds=1)
    trader = scene.trader()
    account = [trader.account(scene.snapshot, 100)]
    made = trader.prove(account, scene.snapshot, trader.challenge(scene.http, account, 1)["nonce"], 1)
    time.sleep(2.1)
    answer = submit(scene.http, made)
    assert answer.json()["code"] == "nonce"
    assert "run out" in answer.json()["detail"]


def test_an_older_attestation_never_replaces_a_newer_one(scene: Scene) -> None:
    trader = scene.trader()
    older = trader.account(scene.snapshot, 1000, name="moving")
    newer = trader.account(scene.snapshot, 100, name="moving")
    twin = trader.world.attest(
        "alpha", "moving", trader.key.address, scene.snapshot, 1000, sequence=newer[0].sequence
    )
    assert trader.pledge(scene.http, [older], scene.snapshot, 10).status_code == 201
    assert trader.pledge(scene.http, [newer], scene.snapshot, 10).status_code == 201
    assert refusal(scene, trader, [older]) == (409, "sequence")
    assert refusal(scene, trader, [twin]) == (409, "sequence")
    assert trader.pledge(scene.http, [newer], scene.snapshot, 10).status_code == 201


def test_forged_sums(scene: Scene) -> None:
    trader, other = scene.trader(), scene.trader()
    good = trader.account(scene.snapshot, 100)
    twice = [trader.account(scene.snapshot, 100, name="twice") for _ in range(2)]
    assert refusal(scene, trader, twice) == (422, "account-repeated")
    universe = snapshot(btc="1000").universe
    changed: list[tuple[dict[str, Any], str]] = [
        ({"signing_domain": SigningDomain(2, DOMAIN.verifying_contract)}, "chain"),
        ({"signing_domain": SigningDomain(1, SigningKey.generate().address)}, "contract"),
        ({"universe": "0" * 64}, "universe"),
        ({"domain": 128}, "domain"),
        ({"setup": "0" * 64}, "setup"),
        ({"bound": universe.largest_bound + 1}, "bound"),
        ({"key": SigningKey.generate()}, "venue-key"),
        ({"expiry": int(time.time()) - 1, "as_of": int(time.time()) - 10}, "attestation-expired"),
        ({"as_of": int(time.time()) + 3600, "expiry": int(time.time()) + 7200}, "attestation-future"),
        ({"as_of": int(time.time()) - 90000}, "attestation-age"),
    ]
    for fields, code in changed:
        mixed = trader.account(scene.snapshot, 100, **fields)
        if code in {"chain", "contract"}:
            answer = submit(scene.http, _alone(scene, trader, mixed))
            assert answer.json()["code"] == code
        else:
            assert refusal(scene, trader, [mixed]) == (422, code)
    stolen = other.account(scene.snapshot, 100)
    made = trader.prove([good], scene.snapshot, trader.challenge(scene.http, [good], 1)["nonce"], 1)
    forged = made.model_copy(update={"attestations": [stolen[0]]})
    assert submit(scene.http, forged).json()["code"] == "subject"
    unknown = trader.world.attest("gamma", "x", trader.key.address, scene.snapshot, 100)
    assert refusal(scene, trader, [unknown]) == (422, "venue-unknown")


def _alone(scene: Scene, trader: Trader, account: Account) -> Any:
    return trader.prove([account], scene.snapshot, trader.challenge(scene.http, [account], 1)["nonce"], 1)


def test_a_false_proof_is_named_and_harms_no_neighbour(scene: Scene) -> None:
    trader = scene.trader()
    account = [trader.account(scene.snapshot, 100)]
    made = [
        trader.prove(
            account, scene.snapshot, trader.challenge(scene.http, account, 1)["nonce"], 1, 10 * 10**6
        )
        for _ in range(4)
    ]
    spoiled = bytearray.fromhex(made[1].proof)
    spoiled[-97] ^= 1
    made[1] = made[1].model_copy(update={"proof": spoiled.hex()})
    made[2] = made[2].model_copy(update={"amount": 2 * 10**6})
    body = {"submissions": [one.model_dump(mode="json") for one in made]}
    answer = scene.http.post("/v1/batches", json=body)
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [result["receipt"] is not None for result in results] == [True, False, False, True]
    assert [results[k]["problem"]["code"] for k in (1, 2)] == ["pairing", "subject-signature"]


def test_a_stale_or_unknown_snapshot(start: Start) -> None:
    scene = start(policy=None)
    trader = scene.trader()
    assert (
        scene.http.put(
            "/v1/policy", json=scene.world.policy(snapshot_age=1), headers=scene.replica.admin()
        ).json()["version"]
        == 2
    )
    time.sleep(1.5)
    account = [trader.account(scene.snapshot, 100)]
    assert refusal(scene, trader, account) == (422, "snapshot-age")
    mine = snapshot(btc="1000000")
    asked = trader.challenge(scene.http, account, 1)
    answer = submit(scene.http, trader.prove(account, mine, asked["nonce"], 1))
    assert answer.json()["code"] == "snapshot"


def test_a_revoked_venue_key_signs_for_nobody(start: Start) -> None:
    scene = start()
    trader = scene.trader()
    account = [trader.account(scene.snapshot, 100)]
    pledge = trader.pledge(scene.http, account, scene.snapshot, 10).json()["pledge"]
    revoked = scene.world.policy(revoked=[scene.world.venues["alpha"].address])
    assert scene.http.put("/v1/policy", json=revoked, headers=scene.replica.admin()).status_code == 200
    found = scene.http.get(f"/v1/pledges/{pledge}", headers=scene.replica.admin()).json()
    assert found["status"] == "stale"
    assert refusal(scene, trader, account) == (422, "revoked")
    keys = {venue["name"]: venue["keys"] for venue in scene.http.get("/v1/venues").json()}
    assert keys["alpha"] == []


@pytest.mark.parametrize("spoil", ["signature", "oracle", "table", "old", "future"])
def test_snapshots_that_are_refused(scene: Scene, spoil: str) -> None:
    world = scene.world
    moment = {"old": time.time() - 3600, "future": time.time() + 3600}.get(spoil, time.time())
    taken = snapshot(moment, btc="70000")
    upload = world.sign_snapshot(taken, SigningKey.generate() if spoil == "oracle" else None)
    if spoil == "signature":
        upload["signature"]["valuation_time"] += 1
    if spoil == "table":
        upload["snapshot"]["marks"][0] += 1
    answer = scene.http.post("/v1/snapshots", json=upload)
    assert answer.status_code == 422
    codes = {
        "signature": "oracle-signature",
        "oracle": "oracle-unknown",
        "table": "document",
        "old": "snapshot-age",
        "future": "snapshot-future",
    }
    assert answer.json()["code"] == codes[spoil], answer.text


def test_venue_by_venue_and_holds_where_the_policy_asks(start: Start) -> None:
    scene = start()
    strict = scene.world.policy(each_venue=True, require_hold=True, max_pledge="50", required_venues=["beta"])
    assert scene.http.put("/v1/policy", json=strict, headers=scene.replica.admin()).status_code == 200
    trader = scene.trader()
    both = [trader.account(scene.snapshot, 60), trader.account(scene.snapshot, 50, "beta")]
    assert refusal(scene, trader, both) == (422, "venue-proofs")
    assert refusal(scene, trader, both[:1]) == (422, "venue-missing")
    assert refusal(scene, trader, both, 51, each_venue=True) == (422, "pledge-limit")
    loose = [trader.account(scene.snapshot, 60, "beta", hold=None)]
    assert refusal(scene, trader, loose) == (422, "hold")
    assert trader.pledge(scene.http, both, scene.snapshot, 50, each_venue=True).status_code == 201
