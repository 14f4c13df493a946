"""Services of the command line, running: a verifier's and a venue's, in processes of their own."""

import hashlib
import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cli.harness import Ran
from tests.verifier.service.world import ADMIN_KEY, DOMAIN, World, market, toml
from zkmargin.attestation import SigningKey, SnapshotSignature
from zkmargin.attestation.secret_file import write_secret
from zkmargin.cli.demo.processes import ZKMARGIN, Processes, Running
from zkmargin.client import Client, calls
from zkmargin.margin.snapshot.snapshot import Snapshot

TOKENS = {name: f"the-token-of-{name}" for name in ("alice", "bob", "carol")}
HOLDINGS = "instrument,quantity\nUSD,1000\n"


@dataclass
class Stand:
    """A verifier's service, a venue's, and the files of their customer."""

    folder: Path
    world: World
    trader: SigningKey
    verifier: Running
    venue: Running
    quantum_decimals: int

    @property
    def asked(self) -> tuple[str, str]:
        return ("--service", self.verifier.url)

    @property
    def protocol(self) -> tuple[str, ...]:
        return (*self.asked, "--api-key-file", str(self.folder / "admin.key"))

    @property
    def owner(self) -> tuple[str, ...]:
        files = ("--attestation", "a.json", "--opening", "a.secret.json", "--key", "trader.key")
        return tuple(word if word.startswith("--") else str(self.folder / word) for word in files)

    def publish(self, btc: str) -> Snapshot:
        """Hand a snapshot of this moment in."""
        taken = Snapshot.build(market(time.time(), btc), domain=64, quantum_decimals=self.quantum_decimals)
        signature = SnapshotSignature.accept(self.world.sign_snapshot(taken)["signature"], "test")
        with Client(self.verifier.url, ADMIN_KEY) as client:
            client.send(calls.publish(taken, signature))
        return taken

    def fetch_words(self, name: str) -> tuple[object, ...]:
        """The command that fetches an attestation into files of this name."""
        files = ("--token-file", self.folder / "alice.token", "-o", self.folder / f"{name}.json")
        return ("fetch", "--venue", self.venue.url, *files, "--opening", self.folder / f"{name}.secret.json")


def open_stand(folder: Path, processes: Processes, quantum_decimals: int = 6) -> Stand:
    """Both services, begun on the command line, with a snapshot taken in."""
    folder.mkdir()
    world, trader = World(), SigningKey.generate()
    venue_files(folder, world, trader, quantum_decimals)
    service_files(folder, world)

    def serve(port: int) -> list[str]:
        settings = {"policy": str(folder / "policy.toml"), "key_file": str(folder / "service.key")}
        settings |= {"database": f"sqlite:///{folder}/ledger.db", "admin_key_file": str(folder / "admin.key")}
        more = {"port": port, "quantum_decimals": quantum_decimals, "rate": 1e6, "burst": 10**6}
        (folder / "service.toml").write_text(toml({**settings, **more}))
        return [*ZKMARGIN, "serve", "--config", str(folder / "service.toml")]

    venue = [*ZKMARGIN, "venue", "serve", str(folder / "venue.toml"), "--port"]
    running = (
        processes.start(f"verifier{quantum_decimals}", serve, "/readyz"),
        processes.start(f"venue{quantum_decimals}", lambda port: [*venue, str(port)], "/healthz"),
    )
    for one in running:
        one.wait_until_ready()
    stand = Stand(folder, world, trader, *running, quantum_decimals)
    stand.publish("88210.4")
    return stand


def service_files(folder: Path, world: World) -> None:
    """Policy and keys of a verifier's service."""
    (folder / "policy.toml").write_text(toml(world.policy()))
    write_secret(folder / "service.key", f"0x{world.service.export().hex()}".encode())
    write_secret(folder / "admin.key", f"{ADMIN_KEY}\n".encode())


def venue_files(folder: Path, world: World, trader: SigningKey, quantum_decimals: int = 6) -> None:
    """Ledger, key and settings of a venue, and its customer's token and key."""
    Snapshot.build(market(time.time()), domain=64, quantum_decimals=quantum_decimals).dump(
        folder / "market.json"
    )
    write_secret(folder / "venue.key", f"0x{world.venues['alpha'].export().hex()}".encode())
    write_secret(folder / "trader.key", f"0x{trader.export().hex()}".encode())
    accounts = {}
    for name, token in TOKENS.items():
        write_secret(folder / f"{name}.token", f"{token}\n".encode())
        (folder / f"{name}.csv").write_text(HOLDINGS)
        digest = hashlib.sha256(token.encode()).hexdigest()
        accounts[name] = {"subject": trader.address, "holdings": f"{name}.csv", "token_sha256": digest}
    settings = {
        "name": "alpha",
        "chain_id": DOMAIN.chain_id,
        "verifying_contract": DOMAIN.verifying_contract,
        "snapshot": "market.json",
        "register": "venue.db",
        "key": "venue.key",
        "accounts": accounts,
    }
    (folder / "venue.toml").write_text(toml(settings))


def process(words: Sequence[object]) -> Ran:
    """Run a command as a process of its own."""
    ran = subprocess.run(
        [*ZKMARGIN, *map(str, words)], capture_output=True, text=True, check=False, timeout=120
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def altered(path: Path, **changes: object) -> Path:
    """The document in a file, with members changed, beside it."""
    document = {**json.loads(path.read_text()), **changes}
    made = path.with_name(f"altered-{'-'.join(changes)}-{path.name}")
    made.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
    return made
