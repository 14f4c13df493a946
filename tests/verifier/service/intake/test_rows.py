"""Committed rows: published by anybody, recomputed by the service, used by proofs where a policy asks for them."""

import json
from typing import Any

import pytest

from tests.margin.joint import ONE_COIN
from tests.verifier.service.conftest import Scene
from tests.verifier.service.test_refusals import Start
from tests.verifier.service.world import TICKS, setup, snapshot
from zkmargin.argument.documents import RowsDocument
from zkmargin.argument.rows import commit_rows
from zkmargin.circuits import build_relation
from zkmargin.client import Client, Signer, Watch, Watched, calls, pledge
from zkmargin.margin.errors import InputError
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot

MANY = ONE_COIN | {"cells": 200}
"""Joint scenarios of one coin."""

PRICES = ("90200", "90201")


def committed(taken: Snapshot, model: str = "isolated") -> RowsDocument:
    """The rows of a snapshot at initial."""
    relation = build_relation(taken, model=model)
    return RowsDocument.of(
        commit_rows(setup(), relation),
        setup=setup().digest,
        snapshot=taken.id,
        model=model,
        level="initial",
    )


def forged(document: RowsDocument) -> RowsDocument:
    """The same with two equations' commitments exchanged: points of the group, but other rows."""
    points = document.columns[0]
    first, second, rest = points[:96], points[96:192], points[192:]
    assert first != second
    return document.model_copy(update={"columns": [second + first + rest, *document.columns[1:]]})


def put(scene: Scene, document: RowsDocument, path: str | None = None) -> Any:
    own = f"/v1/snapshots/{document.snapshot}/rows/{document.model}/{document.level}"
    return scene.http.put(path or own, content=document.encode())


def upload(scene: Scene, taken: Snapshot, *rows: RowsDocument) -> Any:
    signed = scene.world.sign_snapshot(taken)
    return scene.http.post(
        "/v1/snapshots", json={**signed, "rows": [json.loads(one.encode()) for one in rows]}
    )


def test_rows_come_with_a_snapshot_and_are_used(scene: Scene) -> None:
    taken = snapshot(btc="90123")
    document = committed(taken)
    assert upload(scene, taken, document).status_code == 201
    base = f"/v1/snapshots/{taken.id}/rows"
    digest = document.rows(
        "test", setup=setup().digest, snapshot=taken.id, model="isolated", level="initial"
    ).digest.hex()
    listed = scene.http.get(base).json()
    assert listed == [{"model": "isolated", "level": "initial", "digest": digest}]
    assert scene.http.get(f"{base}/isolated/initial").content == document.encode()
    assert scene.http.get(f"{base}/isolated/maintenance").json()["code"] == "not-found"
    assert put(scene, document).json()["digest"] == digest
    trader = scene.trader()
    account = [trader.account(taken, 100)]
    asked = trader.challenge(scene.http, account, 10)
    assert asked["rows"] == listed
    with Client(str(scene.http.base_url)) as client:
        signer = Signer(trader.key, setup(), account, "isolated")
        receipt = pledge(client, signer, 10 * TICKS, 600)
    assert receipt.snapshot == taken.id
    log = scene.http.get("/v1/log", params={"after": _last(scene) - 5}, headers=scene.replica.admin()).json()[
        "events"
    ]
    assert {"rows.accepted", "snapshot.accepted"} <= {event["kind"] for event in log}
    # A proof without them is still taken, for this policy does not ask for them.
    assert trader.pledge(scene.http, account, taken, 5).status_code == 201


def test_forged_rows_are_refused_wherever_they_come_in(scene: Scene) -> None:
    taken = snapshot(btc="90124")
    document = committed(taken)
    bad = forged(document)
    answer = upload(scene, taken, bad)
    assert (answer.status_code, answer.json()["code"]) == (422, "rows")
    assert scene.http.get(f"/v1/snapshots/{taken.id}").status_code == 404, "all of it or nothing"
    assert upload(scene, taken).status_code == 201
    answer = put(scene, bad)
    assert (answer.status_code, answer.json()["code"]) == (422, "rows")
    assert "cannot be reproduced" in answer.json()["detail"]
    assert put(scene, document).status_code == 201
    assert put(scene, bad).json()["code"] == "rows"
    assert scene.http.get(f"/v1/snapshots/{taken.id}/rows/isolated/initial").content == document.encode()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"setup": "0" * 64}, "rows"),
        ({"table": "a" * 96}, "rows"),
        ({"columns": ["c0" + "0" * 94]}, "rows"),
        ({"columns": []}, "document"),
        ({"model": "grid"}, "model"),
        ({"snapshot": "0" * 64}, "snapshot"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)
def test_rows_that_are_none(scene: Scene, change: dict[str, Any], code: str) -> None:
    taken = snapshot(btc="90125")
    assert upload(scene, taken).status_code == 201
    answer = put(scene, committed(taken).model_copy(update=change))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    other = f"/v1/snapshots/{taken.id}/rows/isolated/maintenance"
    assert put(scene, committed(taken), other).json()["code"] == "rows"


def test_rows_of_a_model_that_is_not_accepted_are_passed_over(scene: Scene) -> None:
    taken = snapshot(btc="90126")
    other = committed(taken).model_copy(update={"model": "cross"})
    assert upload(scene, taken, other).status_code == 201
    assert scene.http.get(f"/v1/snapshots/{taken.id}/rows").json() == []


def test_a_policy_asks_for_rows_over_many_scenarios(start: Start) -> None:
    scene = start()
    accepted = {"es": {"level": "initial", "rows": True, "minimum": {"es": MANY}}}
    policy = scene.world.policy(models=accepted, each_venue=True)
    scene.http.put("/v1/policy", json=policy, headers=scene.replica.admin()).raise_for_status()
    older, newer = (snapshot(btc=btc, parameters=parse_parameters({"es": MANY}, "test")) for btc in PRICES)
    assert upload(scene, older).status_code == 201
    trader = scene.trader()
    accounts = [trader.account(older, 100, venue) for venue in ("alpha", "beta")]
    refused = trader.pledge(scene.http, accounts, older, 10, model="es", each_venue=True)
    assert (refused.status_code, refused.json()["code"]) == (422, "rows")
    with Client(str(scene.http.base_url)) as client:
        client.send(calls.publish_rows(committed(older, "es")))
        receipt = pledge(client, Signer(trader.key, setup(), accounts, "es"), 150 * TICKS, 600)
        document = committed(newer, "es")
        assert upload(scene, newer, forged(document)).json()["code"] == "rows"
        assert upload(scene, newer, document).status_code == 201
        watch = Watch(client, [Watched(Signer(trader.key, setup(), accounts, "es"), receipt)])
        assert watch.look() == 1
        assert watch.alive[0].receipt.snapshot == newer.id


def test_a_proof_with_other_rows_is_refused(scene: Scene) -> None:
    taken = snapshot(btc="90127")
    assert upload(scene, taken).status_code == 201
    trader = scene.trader()
    account = [trader.account(taken, 100)]
    rows = committed(taken).rows(
        "test", setup=setup().digest, snapshot=taken.id, model="isolated", level="initial"
    )
    asked = trader.challenge(scene.http, account, 10)
    made = trader.prove(account, taken, asked["nonce"], 10, rows=rows)
    answer = scene.http.post("/v1/proofs", content=made.encode())
    assert (answer.status_code, answer.json()["code"]) == (422, "rows")
    without = made.model_copy(update={"rows": None})
    assert scene.http.post("/v1/proofs", content=without.encode()).json()["code"] == "proof-encoding"


def test_a_service_that_hands_out_false_rows_gets_no_proof(scene: Scene) -> None:
    taken = snapshot(btc="90128")
    document = committed(taken)
    assert upload(scene, taken, document).status_code == 201
    trader = scene.trader()
    signer = Signer(trader.key, setup(), [trader.account(taken, 100)], "isolated")

    class Lying(Client):
        def send(self, call: calls.Call[Any]) -> Any:
            found = super().send(call)
            return forged(found) if isinstance(found, RowsDocument) else found

    with Lying(str(scene.http.base_url)) as client, pytest.raises(InputError, match="rows"):
        pledge(client, signer, 10 * TICKS, 600)


def _last(scene: Scene) -> int:
    after = 0
    while True:
        events = scene.http.get("/v1/log", params={"after": after}, headers=scene.replica.admin()).json()[
            "events"
        ]
        if not events:
            return after
        after = int(events[-1]["sequence"])
