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
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.verifier.service.postgres import Postgres
from tests.verifier.service.world import Replica, Trader, World, market
from zkmargin.attestation import SigningKey
from zkmargin.circuits import build_relation
from zkmargin.margin.snapshot import Snapshot

DOMAIN = 256
MODEL = "isolated"
CONNECTIONS = 64
HEAD = b"POST /v1/proofs HTTP/1.1\r\nhost: l\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
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
    answers: dict[str, int]


Sent = tuple[float, Counter[str], list[float]]
"""Seconds, answers by status, and latencies in seconds."""

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
        f"{'database':<11}{'offered/s':>10}{'answered/s':>11}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}  answers"
    )
    for run in runs:
        offered = f"{run.offered:.0f}" if run.offered else "all"
        print(
            f"{run.database:<11}{offered:>10}{run.throughput:>11.0f}{run.p50:>9.1f}{run.p95:>9.1f}{run.p99:>9.1f}"
            f"  {run.answers}"
        )


def load(folder: Path, kind: str, asked: argparse.Namespace) -> list[Run]:
    """Both runs on one database."""
    folder.mkdir()
    folder.chmod(0o755)
    world = World()
    server = Postgres(folder / "postgres") if kind == "postgresql" else None
    url = server.database("load") if server else f"sqlite:///{folder}/load.db"
    replica = Replica(
        world,
        folder / "service",
        url,
        workers=asked.workers,
        challenge_seconds=3600,
        queue=10**5,
        log_level="warning",
    )
    try:
        taken = Snapshot.build(market(time.time()), domain=DOMAIN)
        columns = build_relation(taken, model=MODEL).limb_columns
        replica.http.put("/v1/policy", json=world.policy(snapshot_age=3600), headers=replica.admin())
        assert replica.http.post("/v1/snapshots", json=world.sign_snapshot(taken)).status_code == 201
        paced = round(asked.rate * asked.seconds)
        started = time.perf_counter()
        bodies = submissions(world, replica, taken, asked.proofs + paced)
        print(
            f"{kind}: {len(bodies)} proofs of {columns} limb column(s), n = {DOMAIN}, made in "
            f"{time.perf_counter() - started:.0f} s",
            flush=True,
        )
        warm, bodies = bodies[:20], bodies[20:]
        asyncio.run(send(replica.port, warm, None))
        found = []
        for part, rate in ((bodies[: asked.proofs - 20], None), (bodies[asked.proofs - 20 :], asked.rate)):
            found.append(report(kind, asked.workers, rate, asyncio.run(send(replica.port, part, rate))))
        return found
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


async def send(port: int, bodies: Sequence[bytes], rate: float | None) -> Sent:
    """Send every body once over some connections that stay open; returns seconds, statuses and latencies."""
    queue: asyncio.Queue[tuple[float | None, bytes]] = asyncio.Queue()
    answers: Counter[str] = Counter()
    latencies: list[float] = []
    started = time.perf_counter()
    for number, body in enumerate(bodies):
        queue.put_nowait((started + number / rate if rate else None, body))

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not queue.empty():
            due, body = queue.get_nowait()
            if due is not None:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            begun = due or time.perf_counter()
            writer.write(HEAD % len(body) + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in answer.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            )
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - begun)
            answers[answer[9:12].decode()] += 1
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return time.perf_counter() - started, answers, latencies


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
        answers=dict(answers),
    )


if __name__ == "__main__":
    main()
