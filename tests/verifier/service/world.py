"""A small world: an oracle with a market of this minute, two venues, traders, and a service in processes of its own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port
from zkmargin.algebra import Setup, ceremony, get_backend
from zkmargin.attestation import (
    AttestationDocument,
    SigningDomain,
    SigningKey,
    SnapshotSignature,
    SubmissionDocument,
    SubmissionTerms,
)
from zkmargin.circuits import CommittedRows
from zkmargin.margin.market.quotes import Listing, Market, assemble, future
from zkmargin.margin.parameters.document import DEFAULT_PARAMETERS, Parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import Opening, commit_holdings, prove_submission

DOMAIN = SigningDomain(1, "0x00000000000000000000000000000000000000A1")
AUDIENCE = "lender"
ADMIN_KEY = "zkm_" + "5a" * 32
TICKS = 10**6
"""Of a dollar."""

Account = tuple[AttestationDocument, Opening]


@cache
def setup() -> Setup:
    return ceremony(get_backend())


def market(moment: float, btc: str = "88210.4") -> Market:
    """One coin with a perpetual: few slots, so that proofs are quick."""
    index = Decimal(btc)
    listing = Listing(future("BTC_USD-PERPETUAL", "BTC", inverse=False, expiry=None), index, "test")
    return assemble("test", int(moment * 10**6), {"BTC": index}, [listing])


def snapshot(
    moment: float | None = None, btc: str = "88210.4", parameters: Parameters = DEFAULT_PARAMETERS
) -> Snapshot:
    return Snapshot.build(market(time.time() if moment is None else moment, btc), parameters, domain=64)


@dataclass
class World:
    """Keys of everybody, and what they sign."""

    oracle: SigningKey = field(default_factory=SigningKey.generate)
    venues: dict[str, SigningKey] = field(
        default_factory=lambda: {name: SigningKey.generate() for name in ("alpha", "beta")}
    )
    service: SigningKey = field(default_factory=SigningKey.generate)
    sequence: int = 0

    def policy(self, **more: Any) -> dict[str, Any]:
        return {
            "version": 1,
            "audience": AUDIENCE,
            "chain_id": DOMAIN.chain_id,
            "verifying_contract": DOMAIN.verifying_contract,
            "venues": {name: {"keys": [key.address]} for name, key in self.venues.items()},
            "oracles": {"oracle": {"keys": [self.oracle.address]}},
            "models": {"isolated": {"level": "maintenance"}},
            "snapshot_age": 600,
            **more,
        }

    def sign_snapshot(self, taken: Snapshot, key: SigningKey | None = None) -> dict[str, Any]:
        signature = SnapshotSignature.sign(
            key or self.oracle,
            DOMAIN,
            snapshot=taken.id,
            universe=taken.universe.digest,
            valuation_time=taken.valuation_time,
        )
        return {"snapshot": json.loads(taken.encode()), "signature": signature.model_dump(mode="json")}

    def attest(
        self, venue: str, account: str, subject: str, taken: Snapshot, usd: int, **fields: Any
    ) -> Account:
        """An account with so many dollars."""
        self.sequence += 1
        lots = [0] * len(taken.universe)
        lots[taken.universe.slot("USD")] = usd * TICKS
        opening = commit_holdings(setup(), taken.universe, tuple(lots))
        now = int(time.time())
        content = {
            "setup": setup().digest,
            "universe": taken.universe.digest,
            "domain": taken.universe.domain,
            "point": opening.point,
            "bound": taken.universe.largest_bound,
            "venue": venue,
            "account": account,
            "subject": subject,
            "complete": True,
            "source": "ledger",
            "evidence": None,
            "open_orders": "none",
            "contract_map": None,
            "as_of": now,
            "expiry": now + 3600,
            "sequence": self.sequence,
            "hold": {"until": now + 7200, "audience": AUDIENCE},
            **fields,
        }
        domain = content.pop("signing_domain", DOMAIN)
        key = content.pop("key", self.venues.get(venue, self.oracle))
        return AttestationDocument.sign(key, domain, **content), opening.opening(taken.universe, "opening")


@dataclass
class Trader:
    """A subject, and how he submits."""

    world: World
    key: SigningKey = field(default_factory=SigningKey.generate)

    def account(
        self, taken: Snapshot, usd: int, venue: str = "alpha", name: str | None = None, **fields: Any
    ) -> Account:
        return self.world.attest(
            venue, name or f"a-{secrets.token_hex(6)}", self.key.address, taken, usd, **fields
        )

    def challenge(
        self, http: httpx.Client, accounts: Sequence[Account], usd: int, renews: str | None = None
    ) -> dict[str, Any]:
        asked = {
            "subject": self.key.address,
            "accounts": [{"venue": a.venue, "account": a.account} for a, _ in accounts],
            "amount": usd * TICKS,
            "renews": renews,
        }
        answer = http.post("/v1/challenges", json=asked)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def prove(
        self,
        accounts: Sequence[Account],
        taken: Snapshot,
        nonce: str,
        usd: int,
        threshold: int | None = None,
        each_venue: bool = False,
        rows: CommittedRows | None = None,
        **terms: Any,
    ) -> SubmissionDocument:
        amount = usd * TICKS
        content = {
            "model": "isolated",
            "level": "initial",
            "threshold": amount if threshold is None else threshold,
            "amount": amount,
            "audience": AUDIENCE,
            "nonce": nonce,
            "expiry": int(time.time()) + 1800,
            **terms,
        }
        return prove_submission(
            accounts, taken, SubmissionTerms(**content), self.key, setup(), each_venue=each_venue, rows=rows
        )

    def pledge(
        self, http: httpx.Client, accounts: Sequence[Account], taken: Snapshot, usd: int, **terms: Any
    ) -> httpx.Response:
        """Ask, prove, submit."""
        asked = self.challenge(http, accounts, usd)
        made = self.prove(accounts, taken, asked["nonce"], usd, asked["threshold"], **terms)
        return submit(http, made)


def submit(http: httpx.Client, made: SubmissionDocument, renews: str | None = None) -> httpx.Response:
    path = "/v1/proofs" if renews is None else f"/v1/pledges/{renews}/proofs"
    return http.post(path, content=made.encode(), headers={"content-type": "application/json"})


WRONG_CLOCK = "import time; right = time.time; time.time = lambda: right() + {ahead}; "
SERVE = "from zkmargin.verifier.service.process.server import serve; serve()"


class Replica:
    """A service process, and a client of it. Its clock may be so many seconds ahead, or behind if negative."""

    def __init__(
        self,
        world: World,
        folder: Path,
        database: str,
        policy: dict[str, Any] | None = None,
        ahead: float = 0,
        **settings: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.folder, self.ahead = free_port(), folder, ahead
        key_file, policy_file, file = folder / "key", folder / "policy.toml", folder / "service.toml"
        if not key_file.exists():
            key_file.touch(0o600)
            key_file.write_text("0x" + world.service.export().hex())
        policy_file.write_text(toml(policy or world.policy()))
        content = {
            "policy": str(policy_file),
            "key_file": str(key_file),
            "port": self.port,
            "rate": 1e6,
            "burst": 10**6,
            "webhook_private": True,
            **settings,
        }
        file.write_text(toml(content))
        self.environment = {
            **os.environ,
            "ZKMARGIN_SERVICE_FILE": str(file),
            "ZKMARGIN_SERVICE_DATABASE": database,
            "ZKMARGIN_SERVICE_ADMIN_KEY": ADMIN_KEY,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        self.log = (folder / "log").open("ab")
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-c", (WRONG_CLOCK.format(ahead=self.ahead) if self.ahead else "") + SERVE]
        self.process = subprocess.Popen(
            command, env=self.environment, stderr=self.log, stdout=self.log, start_new_session=True
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
            try:
                if self.http.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the service did not start")

    def workers(self) -> list[int]:
        """The processes that answer: those that it has spawned, or itself. By /proc, so on Linux only."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        lines = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
        spawned = sorted(child for child, line in lines.items() if b"spawn_main" in line)
        return spawned or [self.process.pid]

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines of the log about an event."""
        lines = (self.folder / "log").read_text().splitlines()
        return [found for found in map(json.loads, filter(None, lines)) if found["event"] == event]

    def admin(self) -> dict[str, str]:
        return {"authorization": f"Bearer {ADMIN_KEY}"}

    def kill(self) -> None:
        """As the kernel would: no time to finish anything."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask it to stop, and wait."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        return int(self.process.returncode)

    def close(self) -> None:
        self.stop()
        self.http.close()
        self.log.close()


def toml(content: dict[str, Any]) -> str:
    """Enough of TOML for settings and policies."""
    plain = [
        f"{json.dumps(k)} = {_value(v)}"
        for k, v in content.items()
        if v is not None and not isinstance(v, Path)
    ]
    return "\n".join(plain) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)
