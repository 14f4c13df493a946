"""A pledge lives on across an expiry: the attestation stays, and the watch proves it again."""

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.margin.accounts import holdings
from tests.verifier.service.world import ADMIN_KEY, TICKS, Replica, Trader, World, setup
from zkmargin.attestation import SnapshotSignature
from zkmargin.circuits import WitnessError
from zkmargin.client import Client, Signer, Watch, Watched, calls, pledge
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market.quotes import Listing, Market, assemble, option
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import commit_holdings

MINUTE = 60 * 10**6


def market(moment: int, expiry: int, index: str) -> Market:
    """A call on one coin, for as long as it lives."""
    call = option("BTC_USD-NOW-C", "BTC", inverse=False, expiry=expiry, strike=Decimal(80000), call=True)
    listing = Listing(call, Decimal(500), "test", Decimal("0.5"), Decimal(index))
    return assemble("test", moment, {"BTC": Decimal(index)}, [listing] if moment < expiry else [])


def test_a_pledge_is_proven_again_after_its_options_have_settled(
    new_database: Callable[[str], str], tmp_path: Path
) -> None:
    now = int(time.time() * 10**6)
    expiry = now - 2 * MINUTE
    earlier = Snapshot.build(market(now - 3 * MINUTE, expiry, "80000"), domain=64)
    later = Snapshot.build(
        market(now - MINUTE, expiry, "82000"),
        universe=earlier.universe,
        settlements={("BTC", expiry): Decimal(82500)},
    )
    world = World()
    trader = Trader(world)
    lots = holdings(earlier, ("USD", "30000"), ("BTC_USD-NOW-C", "-2")).vector(earlier)
    secret = commit_holdings(setup(), earlier.universe, tuple(lots))
    attestation, _ = world.attest("alpha", "a-1", trader.key.address, earlier, 0, point=secret.point)
    signer = Signer(trader.key, setup(), [(attestation, secret.opening(earlier.universe, "x"))], "isolated")
    replica = Replica(world, tmp_path / "service", new_database("sqlite"))
    try:
        with Client(str(replica.http.base_url), ADMIN_KEY) as client:
            publish(client, world, earlier)
            receipt = pledge(client, signer, 1000 * TICKS, 600)
            watch = Watch(client, [Watched(signer, receipt)])
            publish(client, world, later)
            assert watch.look() == 1
            assert watch.alive[0].receipt.snapshot == later.id
            # What the calls came to is owed: 2 x 2,500 of the 30,000.
            left = requirement(later, lots, model="isolated").excess_ticks
            assert left == 25000 * TICKS
            with pytest.raises(WitnessError, match="the threshold"):
                pledge(client, signer, left - 1000 * TICKS + 1, 600)
            assert pledge(client, signer, left - 1000 * TICKS, 600).snapshot == later.id
    finally:
        replica.close()


def publish(client: Client, world: World, taken: Snapshot) -> None:
    upload = world.sign_snapshot(taken)
    client.send(calls.publish(taken, SnapshotSignature.accept(upload["signature"], "test")))
