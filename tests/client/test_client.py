"""Clients, sync and async, and the watch that keeps a pledge proven."""

import asyncio
from typing import Any

import pytest

from tests.verifier.service.conftest import Scene
from tests.verifier.service.world import ADMIN_KEY, DOMAIN, TICKS, setup, snapshot
from zkmargin.attestation import SigningKey, SnapshotSignature, SubmissionDocument
from zkmargin.circuits import WitnessError
from zkmargin.client import (
    AsyncClient,
    Client,
    ServiceError,
    Signer,
    UnreachableError,
    Watch,
    Watched,
    calls,
    check_receipt,
    pledge,
)
from zkmargin.margin.errors import InputError
from zkmargin.prover import prove_submission


def signer_of(scene: Scene, usd: int) -> Signer:
    trader = scene.trader()
    return Signer(trader.key, setup(), [trader.account(scene.snapshot, usd)], "isolated")


def test_a_pledge_is_made_kept_proven_and_released(scene: Scene) -> None:
    with Client(str(scene.http.base_url), ADMIN_KEY) as client:
        signer = signer_of(scene, 100)
        receipt = pledge(client, signer, 60 * TICKS, 600)
        check_receipt(receipt, scene.world.service.address, DOMAIN)
        with pytest.raises(InputError, match="it is not from"):
            check_receipt(receipt, SigningKey.generate().address)
        changed = receipt.model_copy(update={"amount": 61 * TICKS})
        with pytest.raises(InputError, match="signature"):
            check_receipt(changed, scene.world.service.address)
        with pytest.raises(WitnessError):
            pledge(client, signer, 41 * TICKS, 600)
        told: list[str] = []
        watch = Watch(client, [Watched(signer, receipt)], told=lambda what, _: told.append(what))
        watch.look()
        newer = snapshot(btc="90000")
        upload = scene.world.sign_snapshot(newer)
        signature = SnapshotSignature.accept(upload["signature"], "test")
        assert client.send(calls.publish(newer, signature)).id == newer.id
        assert watch.look() == 1
        assert watch.alive[0].receipt.snapshot == newer.id
        assert client.send(calls.act(receipt.pledge, "release")).status == "released"
        later = snapshot(btc="91000")
        scene.http.post("/v1/snapshots", json=scene.world.sign_snapshot(later)).raise_for_status()
        assert watch.look() == 0
        assert watch.alive == []
        assert "proven again" in told


def test_what_is_not_covered_is_tried_again_when_something_has_changed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, told, trader = list[int](), list[str](), scene.trader()

    def counted(*words: Any, **more: Any) -> SubmissionDocument:
        tried.append(1)
        return prove_submission(*words, **more)

    def holding(usd: int) -> Signer:
        account = trader.account(scene.snapshot, usd, name=f"of-{trader.key.address.lower()}")
        return Signer(trader.key, setup(), [account], "isolated")

    def publish(btc: str) -> None:
        upload = scene.world.sign_snapshot(snapshot(btc=btc))
        scene.http.post("/v1/snapshots", json=upload).raise_for_status()

    with Client(str(scene.http.base_url), ADMIN_KEY) as client:
        rich = holding(100)
        receipt, other = pledge(client, rich, 60 * TICKS, 600), pledge(client, rich, 40 * TICKS, 600)
        watched = Watched(holding(90), receipt)
        watch = Watch(client, [watched], told=lambda what, _: told.append(what))
        monkeypatch.setattr("zkmargin.client.pledging.prove_submission", counted)
        publish("92000")
        assert [watch.look() for _ in range(4)] == [0, 0, 0, 0]
        assert (len(tried), len(told)) == (1, 1)
        assert "the accounts do not cover it" in told[0]
        # Another snapshot may make it covered, and so may other holdings; here neither does.
        publish("92001")
        assert [watch.look(), watch.look(), len(tried), len(told)] == [0, 0, 2, 2]
        watched.signer = holding(95)
        assert [watch.look(), watch.look(), len(tried), len(told)] == [0, 0, 3, 3]
        # What is pledged beside it has gone: a smaller excess is asked for.
        client.send(calls.act(other.pledge, "release"))
        assert [watch.look(), watch.look(), len(tried)] == [1, 0, 4]
        assert (watched.uncovered, told[-1]) == (None, "proven again")
        client.send(calls.act(receipt.pledge, "release"))


def test_the_async_client_says_the_same(scene: Scene) -> None:
    async def ask() -> None:
        async with AsyncClient(str(scene.http.base_url), ADMIN_KEY) as client:
            newest = await client.send(calls.snapshots())
            assert (await client.send(calls.snapshot(newest[0].id))).id == newest[0].id
            with pytest.raises(ServiceError, match="not-found") as found:
                await client.send(calls.receipt("p-" + "0" * 32))
            assert found.value.status == 404

    asyncio.run(ask())


def test_a_service_that_is_not_there() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(UnreachableError, match="no answer"):
        client.send(calls.policy())
    with pytest.raises(InputError, match="url"):
        Client("127.0.0.1")
