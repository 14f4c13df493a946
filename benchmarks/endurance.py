"""`make endure`: whether the memory of a service's workers stays where it is over 100,000 requests.

Of everything that a service is asked: challenges, proofs that hold, that come again or are spoiled, batches, receipts,
pages of pledges and of the log, snapshots, documents that are none, and listeners who come and go. After each tenth
the resident memory of every worker is read. Ends with 1 if a worker has more than 300 MB, or has grown by a tenth
since the second tenth, when caches are full.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.service import DOMAIN, started_service, submissions
from benchmarks.wire import request, send
from tests.verifier.service.world import ADMIN_KEY, Replica, Trader, World, market
from zkmargin.attestation import SigningKey
from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.margin.snapshot.snapshot import Snapshot

LARGEST = 300.0
"""Megabytes of a worker."""

GROWTH = 1.1
"""The most that a worker may have at the end, as a multiple of what it had after the second step."""

STEPS = 10
CONNECTIONS = 32
RESULT = Path("build/endurance.json")

SHARES: dict[str, int] = {
    "challenge": 30,
    "receipt": 22,
    "fresh proof": 4,
    "proof again": 12,
    "spoiled proof": 8,
    "batch": 1,
    "pledges": 8,
    "log": 3,
    "venues": 2,
    "no document": 2,
    "rows of many members": 1,
    "unsigned snapshot": 1,
    "nothing there": 3,
    "metrics": 1,
    "policy": 2,
}
"""Of a hundred requests."""


@dataclass(frozen=True)
class Step:
    """The service after some of the requests.

    Attributes:
        requests: so far.
        seconds: of this step.
        megabytes: resident memory of each worker.
        answers: of this step, by status.
    """

    requests: int
    seconds: float
    megabytes: tuple[float, ...]
    answers: dict[str, int]


@dataclass
class Proofs:
    """Submissions that the service has not seen, and those that it has."""

    fresh: list[bytes]
    sent: list[bytes]

    def next(self) -> bytes:
        """One that it has not seen."""
        self.sent.append(self.fresh.pop())
        return self.sent[-1]


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zkmargin-endurance-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        world = World()
        with started_service(folder / "run", asked.database, world, asked.workers) as replica:
            steps = list(_run(world, replica, asked.requests // STEPS))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps([asdict(step) for step in steps], indent=2) + "\n")
    print(f"written to {RESULT}")
    full, last = steps[2].megabytes, steps[-1].megabytes
    flat = all(after <= GROWTH * before for before, after in zip(full, last, strict=True))
    return 0 if flat and max(last) < LARGEST else 1


def _run(world: World, replica: Replica, size: int) -> list[Step]:
    drawn = random.Random(1)
    _hand_in(world, replica)
    taken = _hand_in(world, replica)
    traders = [Trader(world) for _ in range(8)]
    fresh = submissions(world, replica, taken, STEPS * (size * SHARES["fresh proof"] // 100 + 1))
    steps = [_seen(0, 0.0, replica, {})]
    proofs = Proofs(fresh, [])
    for number in range(1, STEPS + 1):
        plan = _plan(drawn, size, traders, proofs, _pledges(replica), taken=taken)
        with replica.http.stream("GET", "/v1/events", headers=replica.admin()):
            seconds, answers, _ = asyncio.run(send(replica.port, plan, None, CONNECTIONS))
        steps.append(_seen(number * size, seconds, replica, dict(answers)))
        _hand_in(world, replica)
    return steps


def _hand_in(world: World, replica: Replica) -> Snapshot:
    """A snapshot of now, taken in by the service."""
    taken = Snapshot.build(market(time.time()), domain=DOMAIN)
    replica.http.post("/v1/snapshots", json=world.sign_snapshot(taken)).raise_for_status()
    return taken


def _plan(
    drawn: random.Random,
    size: int,
    traders: Sequence[Trader],
    proofs: Proofs,
    pledges: Sequence[str],
    *,
    taken: Snapshot,
) -> list[bytes]:
    """The requests of a step, in an order by chance; some are attacks."""
    world = traders[0].world

    def spoiled() -> bytes:
        document = json.loads(drawn.choice(proofs.sent))
        proof = bytearray.fromhex(document["proof"])
        proof[-1 - drawn.randrange(96)] ^= 1
        return canonical_json({**document, "proof": proof.hex()})

    def challenge() -> bytes:
        names = [f"account-{drawn.randrange(10**6)}" for _ in range(drawn.randint(1, 3))]
        accounts = [{"venue": "alpha", "account": name} for name in sorted(set(names))]
        subject = drawn.choice(traders).key.address
        return canonical_json({"subject": subject, "accounts": accounts, "amount": 1})

    def batch() -> bytes:
        return canonical_json({"submissions": [json.loads(drawn.choice(proofs.sent)) for _ in range(4)]})

    many = b'{"columns":[' + b"0," * 50_000 + b"0]}"
    place = f"/v1/snapshots/{taken.id}/rows/isolated/initial"
    strange = canonical_json(world.sign_snapshot(taken, SigningKey.generate()))
    make: dict[str, Callable[[], bytes]] = {
        "challenge": lambda: request("POST", "/v1/challenges", challenge()),
        "receipt": lambda: request("GET", f"/v1/receipts/{drawn.choice(pledges or [_nobody(drawn)])}"),
        "fresh proof": lambda: request("POST", "/v1/proofs", proofs.next()),
        "proof again": lambda: request("POST", "/v1/proofs", drawn.choice(proofs.sent)),
        "spoiled proof": lambda: request("POST", "/v1/proofs", spoiled()),
        "batch": lambda: request("POST", "/v1/batches", batch()),
        "pledges": lambda: request("GET", f"/v1/pledges?after={_nobody(drawn)}", key=ADMIN_KEY),
        "log": lambda: request("GET", f"/v1/log?most=50&after={drawn.randrange(1000)}", key=ADMIN_KEY),
        "venues": lambda: request("GET", "/v1/venues"),
        "no document": lambda: request("POST", "/v1/proofs", b"[" * drawn.randrange(1, 10**5)),
        "rows of many members": lambda: request("PUT", place, many),
        "unsigned snapshot": lambda: request("POST", "/v1/snapshots", strange),
        "nothing there": lambda: request(
            "GET", f"/{drawn.getrandbits(64):x}", key=f"{drawn.getrandbits(64)}"
        ),
        "metrics": lambda: request("GET", "/metrics"),
        "policy": lambda: request("GET", "/v1/policy"),
    }
    kinds = [kind for kind, share in SHARES.items() for _ in range(size * share // 100)]
    drawn.shuffle(kinds)
    # The first proof is fresh, so that there is one to come again.
    kinds.remove("fresh proof")
    return [make[kind]() for kind in ["fresh proof", *kinds]]


def _nobody(drawn: random.Random) -> str:
    return f"p-{drawn.getrandbits(128):032x}"


def _pledges(replica: Replica) -> list[str]:
    found = replica.http.get("/v1/pledges", params={"most": 200}, headers=replica.admin()).json()["pledges"]
    return [pledge["id"] for pledge in found]


def _seen(requests: int, seconds: float, replica: Replica, answers: dict[str, int]) -> Step:
    step = Step(requests, round(seconds, 1), tuple(map(resident, replica.workers())), answers)
    sizes = "  ".join(f"{megabytes:6.1f} MB" for megabytes in step.megabytes)
    print(f"{requests:>8,}  {seconds:6.1f} s  {sizes}  {answers}", flush=True)
    return step


def resident(process: int) -> float:
    """The resident memory of a process in MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024, 1)


if __name__ == "__main__":
    sys.exit(main())
