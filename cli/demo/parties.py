"""Everybody in the demonstration of portable margin: keys, folders, ledgers and settings, each party's its own."""

import csv
import hashlib
import time
from dataclasses import dataclass, replace
from pathlib import Path

from zkmargin.attestation import Hold, SigningDomain, SigningKey, SnapshotSignature
from zkmargin.attestation.key_file import write_key
from zkmargin.attestation.secret_file import write_secret
from zkmargin.cli.demo.account import example_positions
from zkmargin.cli.demo.processes import ZKMARGIN, Processes, Running
from zkmargin.client import Client, calls, venues
from zkmargin.client.venues import Handed
from zkmargin.margin.account.holdings import Position
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.market import example_market
from zkmargin.margin.snapshot.snapshot import Snapshot

LENDER = "lender"
VENUES = ("alpha", "beta")
DOMAIN = SigningDomain(1, "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF")
DAY = 86400
PUBLISHED = "snapshot.json"
RENEW_SECONDS = 30

POLICY = """\
audience = "{audience}"
chain_id = {domain.chain_id}
verifying_contract = "{domain.verifying_contract}"
required_venues = ["alpha", "beta"]
[venues.alpha]
keys = ["{alpha}"]
[venues.beta]
keys = ["{beta}"]
[oracles.prices]
keys = ["{oracle}"]
[models.grid]
level = "initial"
"""

SERVICE = """\
policy = "{folder}/policy.toml"
key_file = "{folder}/service.key"
database = "sqlite:///{folder}/ledger.db"
admin_key_file = "{folder}/admin.key"
oracles = ["{oracle}"]
oracle_seconds = 0.5
renew_seconds = {renew_seconds}
port = {port}
workers = 2
"""

VENUE = """\
name = "{name}"
chain_id = {domain.chain_id}
verifying_contract = "{domain.verifying_contract}"
snapshot = "snapshot.json"
register = "register.db"
key = "venue.key"
[accounts.{account}]
subject = "{subject}"
holdings = "{account}.csv"
token_sha256 = "{token}"
"""


@dataclass(frozen=True)
class Oracle:
    """Signs prices, and publishes them.

    Attributes:
        folder: its own; what lies in `public` is there for everybody.
        key: signs.
        opened: when it began: what is listed follows from the day.
    """

    folder: Path
    key: SigningKey
    opened: int

    @classmethod
    def begin(cls, folder: Path) -> "Oracle":
        """An oracle with a key."""
        (folder / "public").mkdir(parents=True)
        return cls(folder, write_key(folder / "oracle.key", None), int(time.time() * 10**6))

    def publish(self, level: str) -> Snapshot:
        """The example market at this moment, so many times as high: priced, signed, and there to be pulled."""
        market = replace(example_market(self.opened, level), valuation_time=int(time.time() * 10**6))
        snapshot = Snapshot.build(market)
        signature = SnapshotSignature.sign(
            self.key,
            DOMAIN,
            snapshot=snapshot.id,
            universe=snapshot.universe.digest,
            valuation_time=snapshot.valuation_time,
        )
        write_atomically(self.folder / "public" / PUBLISHED, calls.published(snapshot, signature))
        return snapshot

    def serve(self, processes: Processes) -> Running:
        """A web server for what is public."""
        server = [*ZKMARGIN[:1], "-m", "http.server", "--bind", "127.0.0.1"]
        public = ["--directory", str(self.folder / "public")]
        return processes.start("oracle", lambda port: [*server, *public, str(port)], f"/{PUBLISHED}")


@dataclass(frozen=True)
class Custodian:
    """A venue with one account of the trader's.

    Attributes:
        name: as the policy lists it.
        account: the pseudonym.
        key: signs its attestations.
        positions: of the account.
        token: what the trader presents.
    """

    name: str
    account: str
    folder: Path
    key: SigningKey
    positions: tuple[Position, ...]
    token: str

    @classmethod
    def begin(cls, folder: Path, name: str, trader: SigningKey, snapshot: Snapshot) -> "Custodian":
        """A venue with its ledger, key and settings."""
        folder.mkdir()
        key, token, account = write_key(folder / "venue.key", None), _token(), f"account-{name}"
        positions = ledgers(snapshot)[name]
        snapshot.dump(folder / "snapshot.json")
        with (folder / f"{account}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("instrument", "quantity", "entry_price"))
            rows.writerows((held.instrument, held.quantity, held.entry_price or "") for held in positions)
        settings = VENUE.format(
            name=name,
            domain=DOMAIN,
            account=account,
            subject=trader.address,
            token=hashlib.sha256(token.encode()).hexdigest(),
        )
        (folder / "venue.toml").write_text(settings)
        return cls(name, account, folder, key, positions, token)

    def serve(self, processes: Processes) -> Running:
        """The venue's service."""
        settings = str(self.folder / "venue.toml")
        command = [*ZKMARGIN, "venue", "serve", settings, "--port"]
        return processes.start(self.name, lambda port: [*command, str(port)], "/healthz")

    def attest(self, running: Running) -> Handed:
        """Fetch an attestation over HTTP, with the collateral held for the lender."""
        hold = Hold(until=int(time.time()) + DAY, audience=LENDER)
        with Client(running.url, self.token) as client:
            return client.send(venues.attest(hold))


@dataclass(frozen=True)
class Lender:
    """The protocol that a pledge is for.

    Attributes:
        folder: policy, settings, keys and ledger.
        key: signs receipts.
        api_key: for his own service.
    """

    folder: Path
    key: SigningKey
    api_key: str

    @classmethod
    def begin(cls, folder: Path, oracle: Oracle, custodians: list[Custodian]) -> "Lender":
        """A lender who trusts these venues and this oracle."""
        folder.mkdir()
        keys = {"oracle": oracle.key.address} | {one.name: one.key.address for one in custodians}
        (folder / "policy.toml").write_text(POLICY.format(audience=LENDER, domain=DOMAIN, **keys))
        api_key = _token()
        write_secret(folder / "admin.key", f"{api_key}\n".encode(), "key")
        return cls(folder, write_key(folder / "service.key", None), api_key)

    def serve(self, processes: Processes, oracle: Running) -> Running:
        """The verifier's service, with two workers."""

        def command(port: int) -> list[str]:
            file, url = self.folder / "service.toml", f"{oracle.url}/{PUBLISHED}"
            file.write_text(
                SERVICE.format(folder=self.folder, oracle=url, renew_seconds=RENEW_SECONDS, port=port)
            )
            return [*ZKMARGIN, "serve", "--config", str(file)]

        return processes.start("service", command, "/readyz")


def ledgers(snapshot: Snapshot) -> dict[str, tuple[Position, ...]]:
    """The example account, split: coins, perpetuals and futures at alpha, options and a part of the cash at beta."""
    kinds = {instrument.name: instrument.kind for instrument in snapshot.universe.instruments}
    # The example account names expiries of its own market; the same slots of this one expire later.
    today = {
        then.name: now.name
        for then, now in zip(example_market().instruments, snapshot.universe.instruments, strict=True)
    }
    positions = (replace(position, instrument=today[position.instrument]) for position in example_positions())
    cash, *rest = positions
    half = replace(cash, quantity=cash.quantity / 2)
    alpha = (half, *(position for position in rest if kinds[position.instrument] != "option"))
    beta = (half, *(position for position in rest if kinds[position.instrument] == "option"))
    return {"alpha": alpha, "beta": beta}


def _token() -> str:
    """Something that cannot be guessed."""
    return SigningKey.fresh_secret().hex()
