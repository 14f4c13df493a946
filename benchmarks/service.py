"""`make load`: how many proofs a second a service verifies and records, and how long each takes.

Bounded: so many proofs, made beforehand, sent to a service that it starts on 127.0.0.1 itself. First as fast as they
go, then evenly at a fixed rate, whatever the answers do; latencies of the second run count from when a request was due.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.wire import Sent, request, send
from tests.verifier.service.postgres import Postgres
from tests.verifier.service.world import Replica, Trader, World, market
from zkmargin.attestation import SigningKey
from zkmargin.circuits import build_relation
from zkmargin.margin.snapshot.snapshot import Snapshot

DOMAIN = 256
MODEL = "isolated"
WARM = 20
"""Proofs before those that count."""
RESULT = Path("build/load.json")


@dataclass(frozen=True)
class Run:
    """What one run came to; times in milliseconds."""

    database: str
    workers: int
    offered: float | None
    requests: int
    seconds: float
    throughput: float
    p50: float
    p95: float
    p99: float
    worst: float
    errors: int
    answers: dict[str, int]


_STATE: dict[str, Any] = {}


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proofs", type=int, default=3000, help="of the run without a rate")
    parser.add_argument("--rate", type=float, default=150.0, help="proofs a second of the run with one")
    parser.add_argument("--seconds", type=float, default=10.0, help="of the run with a rate")
    parser.add_argument("--workers", type=int, default=2, help="processes of the service")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    asked = parser.parse_args()
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="zkmargin-load-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for database in asked.database or ["sqlite", "postgresql"]:
            runs += load(folder / database, database, asked)
    RESULT.parent.mkdir(exist_ok=True)
    about = {
        "machine": platform.machine(),
        "cores": multiprocessing.cpu_count(),
        "runs": [asdict(r) for r in runs],
    }
    RESULT.write_text(json.dumps(about, indent=2) + "\n")
    print(
        f"{'database':<11}{'offered/s':>10}{'answered/s':>11}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"
        f"{'errors':>8}  answers"
    )
    for run in runs:
        offered = f"{run.offered:.0f}" if run.offered else "all"
        print(
            f"{run.database:<11}{offered:>10}{run.throughput:>11.0f}{run.p50:>9.1f}{run.p95:>9.1f}{run.p99:>9.1f}{run.errors:>8}"
            f"  {run.answers}"
        )


def load(folder: Path, kind: str, asked: argparse.Namespace) -> list[Run]:
    """Both runs on one database."""
    world = World()
    with started_service(folder, kind, world, asked.workers) as replica:
        taken = Snapshot.build(market(time.time()), domain=DOMAIN)
        columns = build_relation(taken, model=MODEL).limb_columns
        assert replica.http.post("/v1/snapshots", json=world.sign_snapshot(taken)).status_code == 201
        paced = round(asked.rate * asked.seconds)
        started = time.perf_counter()
        made = submissions(world, replica, taken, asked.proofs + paced)
        print(
            f"{kind}: {len(made)} proofs of {columns} limb column(s), n = {DOMAIN}, made in "
            f"{time.perf_counter() - started:.0f} s",
            flush=True,
        )
        requests = [request("POST", "/v1/proofs", body) for body in made]
        asyncio.run(send(replica.port, requests[:WARM], None))
        parts = ((requests[WARM : asked.proofs], None), (requests[asked.proofs :], asked.rate))
        return [
            report(kind, asked.workers, rate, asyncio.run(send(replica.port, part, rate)))
            for part, rate in parts
        ]


@contextmanager
def started_service(folder: Path, kind: str, world: World, workers: int) -> Iterator[Replica]:
    """A service with a ledger of a kind, both started for this run."""
    folder.mkdir()
    folder.chmod(0o755)
    server = Postgres(folder / "postgres") if kind == "postgresql" else None
    url = server.database("load") if server else f"sqlite:///{folder}/load.db"
    policy = world.policy(snapshot_age=3600)
    replica = Replica(
        world,
        folder / "service",
        url,
        policy,
        workers=workers,
        challenge_seconds=3600,
        queue=10**5,
        log_level="warning",
    )
    try:
        yield replica
    finally:
        replica.close()
        if server:
            server.stop("immediate")


def submissions(world: World, replica: Replica, taken: Snapshot, count: int) -> list[bytes]:
    """So many submissions, each of an account of its own, proven on all cores."""
    traders = [Trader(world) for _ in range(8)]
    jobs = []
    for number in range(count):
        trader = traders[number % len(traders)]
        account = trader.account(taken, 1000, name=f"account-{number}")
        nonce = trader.challenge(replica.http, [account], 10)["nonce"]
        jobs.append((trader.key.export(), account, nonce))
    # Fresh processes: the native backend's threads do not outlive a fork.
    with multiprocessing.get_context("spawn").Pool(initializer=_begin, initargs=(taken.encode(),)) as pool:
        return pool.map(_prove, jobs, chunksize=50)


def _begin(snapshot: bytes) -> None:
    _STATE["snapshot"] = Snapshot.parse(snapshot, "load")


def _prove(job: tuple[bytes, Any, str]) -> bytes:
    secret, account, nonce = job
    trader = Trader(World(), SigningKey(secret))
    return trader.prove(
        [account], _STATE["snapshot"], nonce, 10, model=MODEL, expiry=int(time.time()) + 3600
    ).encode()


def report(kind: str, workers: int, rate: float | None, sent: Sent) -> Run:
    """The figures of a run."""
    seconds, answers, latencies = sent
    cuts = statistics.quantiles(latencies, n=100)
    return Run(
        database=kind,
        workers=workers,
        offered=rate,
        requests=len(latencies),
        seconds=round(seconds, 3),
        throughput=round(len(latencies) / seconds, 1),
        p50=round(1000 * cuts[49], 2),
        p95=round(1000 * cuts[94], 2),
        p99=round(1000 * cuts[98], 2),
        worst=round(1000 * max(latencies), 2),
        errors=len(latencies) - answers["201"],
        answers=dict(answers),
    )


if __name__ == "__main__":
    main()
