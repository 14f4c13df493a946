"""`zkmargin demo-portable`: an oracle, two venues, a lender's service and a trader on one machine."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from zkmargin.algebra import Setup
from zkmargin.attestation import Hold, ReceiptDocument, SigningDomain, SigningKey, SnapshotSignature
from zkmargin.attestation.key_file import write_key
from zkmargin.circuits import WitnessError
from zkmargin.cli.backend import chosen_setup
from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.demo import Walk
from zkmargin.cli.example_account import example_positions
from zkmargin.cli.terminal import answer, console, json_option
from zkmargin.client import (
    Client,
    ServiceError,
    Signer,
    UnreachableError,
    Watch,
    Watched,
    calls,
    check_receipt,
)
from zkmargin.client import pledge as make_pledge
from zkmargin.margin.decimals import scaled_decimal
from zkmargin.margin.holdings import Holdings, Position
from zkmargin.margin.market import example_market
from zkmargin.margin.requirement import requirement
from zkmargin.margin.snapshot import Snapshot
from zkmargin.venue.issue import Account, Attested, Moment, Venue, attest
from zkmargin.venue.register import Register

LENDER = "lender"
DOMAIN = SigningDomain(1, "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF")
HOUR = 3600
START_SECONDS = 60.0
USD = 10**6
"""Ticks of a dollar."""

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


@dataclass(frozen=True)
class Cast:
    """Everybody's keys. On one machine here; each is its owner's alone otherwise."""

    oracle: SigningKey
    alpha: SigningKey
    beta: SigningKey
    trader: SigningKey
    api_key: str


@dataclass(frozen=True)
class Stage:
    """What the steps share."""

    walk: Walk
    folder: Path
    cast: Cast
    setup: Setup
    client: Client


@click.command("demo-portable")
@json_option
def demo_portable(as_json: bool) -> None:
    """Walk through portable margin on one machine.

    An oracle signs prices, two venues attest to an account each, a trader proves to a lender that both together are
    solvent with a pledge on top, and the lender's service verifies, records and watches that pledge.
    """
    walk = Walk(as_json, console())
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="zkmargin-demo-") as name:
        folder = Path(name)
        oracle, alpha, beta, trader = (SigningKey.generate() for _ in range(4))
        cast = Cast(oracle, alpha, beta, trader, SigningKey.fresh_secret().hex())
        setup = chosen_setup()
        with service(walk, folder, cast) as (client, signer):
            play(Stage(walk, folder, cast, setup, client), signer)
    walk.document["seconds"] = round(time.perf_counter() - started, 6)
    walk.say("", f"All of it took {walk.document['seconds']:.1f} s on the {setup.backend.name} backend.")
    if as_json:
        answer(as_json, walk.document)


def play(stage: Stage, signer: str) -> None:
    """The story."""
    snapshot = publish(stage, "1")
    attested = attest_accounts(stage, snapshot)
    trader = Signer(
        stage.cast.trader,
        stage.setup,
        [(one.attestation, one.opening.opening(snapshot.universe, "opening")) for one in attested],
    )
    receipt = first_pledge(stage, trader)
    check_offline(stage, receipt, signer)
    pledged_twice(stage, trader)
    keep_proven(stage, trader, receipt)
    release(stage, trader, receipt)
    look_at_log(stage)


@contextmanager
def service(walk: Walk, folder: Path, cast: Cast) -> Iterator[tuple[Client, str]]:
    """The lender's service, in a process of its own."""
    walk.heading("A lender starts the verifier's service, and says whom he trusts")
    key = write_key(folder / "service.key", None)
    keys = {name: getattr(cast, name).address for name in ("alpha", "beta", "oracle")}
    (folder / "policy.toml").write_text(POLICY.format(audience=LENDER, domain=DOMAIN, **keys))
    port = free_port()
    settings = {
        "POLICY": str(folder / "policy.toml"),
        "KEY_FILE": str(folder / "service.key"),
        "DATABASE": f"sqlite:///{folder / 'ledger.db'}",
        "ADMIN_KEY": cast.api_key,
        "PORT": str(port),
    }
    environment = {**os.environ, **{f"ZKMARGIN_SERVICE_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-c", "from zkmargin.cli import main; main()", "serve"]
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - our own
        try:
            with Client(f"http://127.0.0.1:{port}", cast.api_key) as client:
                wait_for(client, process, folder / "service.log")
                walk.say(
                    f"listening on 127.0.0.1:{port}, ledger in SQLite",
                    f"he trusts the venues alpha ({keys['alpha']}) and beta ({keys['beta']}),",
                    f"the oracle {keys['oracle']}, and portfolio margin over scenarios;",
                    f"receipts are signed by {key.address}",
                )
                yield client, key.address
        finally:
            process.terminate()
            process.wait()


def publish(stage: Stage, level: str) -> Snapshot:
    """The oracle prices the market of this moment, signs, and hands it in."""
    if level == "1":
        stage.walk.heading("A risk oracle signs the prices of this moment")
    snapshot = Snapshot.build(example_market(int(time.time() * 10**6), level))
    signature = SnapshotSignature.sign(
        stage.cast.oracle,
        DOMAIN,
        snapshot=snapshot.id,
        universe=snapshot.universe.digest,
        valuation_time=snapshot.valuation_time,
    )
    stage.client.send(calls.publish(snapshot, signature))
    stage.walk.document.setdefault("snapshots", []).append(snapshot.id)
    stage.walk.say(
        f"{len(snapshot.universe)} instruments, snapshot {snapshot.id[:16]}..: the service "
        "has derived every table again from the prices, and found the same"
    )
    return snapshot


def attest_accounts(stage: Stage, snapshot: Snapshot) -> list[Attested]:
    """Each venue commits to what it holds for the trader; neither sees the other's."""
    stage.walk.heading("Two venues attest to the trader's accounts, each out of its own ledger")
    positions = ledgers(snapshot)
    moment = Moment.lasting(24 * HOUR)
    hold = Hold(until=int(time.time()) + 24 * HOUR, audience=LENDER)
    made: list[Attested] = []
    for name, held in positions.items():
        venue = Venue(name, getattr(stage.cast, name), DOMAIN, stage.setup, snapshot)
        register = Register(stage.folder / f"{name}.db")
        account = Account(f"account {len(made) + 1}", stage.cast.trader.address)
        made.append(attest(venue, account, Holdings.of(held, snapshot), moment, register, hold=hold))
        register.close()
        lots = Holdings.of(held, snapshot).vector(snapshot)
        excess = requirement(snapshot, lots).excess_ticks
        stage.walk.document[f"{name}_excess"] = scaled_decimal(excess, snapshot.quantum_decimals)
        stage.walk.say(
            f"{name}: {len(held)} positions behind commitment {made[-1].attestation.point[:24]}.., "
            f"held for the lender; alone its excess is {excess / USD:,.0f} USD (only {name} and the trader know)"
        )
    return made


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
    half = Position(cash.instrument, cash.quantity / 2, None, "example account")
    alpha = (half, *(position for position in rest if kinds[position.instrument] != "option"))
    beta = (half, *(position for position in rest if kinds[position.instrument] == "option"))
    return {"alpha": alpha, "beta": beta}


def first_pledge(stage: Stage, trader: Signer) -> ReceiptDocument:
    """The trader proves that the sum covers its requirement and the pledge."""
    stage.walk.heading("The trader proves that both accounts together are solvent, with 100,000 USD on top")
    with stage.walk.timed("pledge") as seconds:
        receipt = make_pledge(stage.client, trader, 100_000 * USD, 12 * HOUR)
    stage.walk.document |= {"pledge": receipt.pledge, "secured": receipt.secured}
    stage.walk.say(
        f"asked, proven, verified and recorded in {seconds():.2f} s: {receipt.pledge}",
        "the lender has seen two commitments, two signatures of venues, and one proof; no position, no balance",
    )
    return receipt


def check_offline(stage: Stage, receipt: ReceiptDocument, signer: str) -> None:
    """A receipt is checked without asking anybody."""
    stage.walk.heading("The service's receipt, checked offline by anyone")
    check_receipt(receipt, signer, DOMAIN)
    stage.walk.say(
        f"signed by {signer}: {receipt.amount // USD:,} USD for {receipt.audience}, secured by holds"
    )


def pledged_twice(stage: Stage, trader: Signer) -> None:
    """The same collateral does not cover a second pledge beyond the excess."""
    stage.walk.heading(
        "The trader tries to pledge 950,000 USD more: enough for that, were nothing pledged yet"
    )
    try:
        make_pledge(stage.client, trader, 950_000 * USD, HOUR)
    except (WitnessError, ServiceError) as error:
        stage.walk.document["pledged_twice"] = str(error)
        stage.walk.say(f"no: {error}")
        return
    raise NotProvenError("more was pledged than there is; trust no ledger of this build")


def keep_proven(stage: Stage, trader: Signer, receipt: ReceiptDocument) -> None:
    """Prices move, and the trader's watch proves the pledge again."""
    stage.walk.heading("Prices fall by three per cent: the trader's watch proves the pledge again by itself")
    snapshot = publish(stage, "0.97")
    watched = Watched(trader, receipt)
    with stage.walk.timed("renewal") as seconds:
        renewed = Watch(stage.client, [watched]).look()
    if renewed != 1 or watched.receipt.snapshot != snapshot.id:
        raise NotProvenError("the pledge was not proven again; trust no watch of this build")
    stage.walk.say(f"proven against the new snapshot in {seconds():.2f} s, long before it would go stale")


def release(stage: Stage, trader: Signer, receipt: ReceiptDocument) -> None:
    """The lender lets the pledge go, and the excess is free again."""
    stage.walk.heading("The loan is paid back: the lender releases the pledge")
    found = stage.client.send(calls.act(receipt.pledge, "release"))
    keys = [attestation.key for attestation, _ in trader.accounts]
    asked = stage.client.send(calls.challenge(trader.key.address, keys, 0))
    stage.walk.document |= {"status": found.status, "covered": asked.covered}
    stage.walk.say(f"{found.id} is {found.status}; {asked.covered} ticks are pledged out of the accounts now")


def look_at_log(stage: Stage) -> None:
    """Every change is in the log, each chained to the one before."""
    stage.walk.heading("The service's log: append-only, each event chained to the one before")
    events = stage.client.send(calls.events())
    stage.walk.document["events"] = [event["kind"] for event in events]
    for event in events:
        stage.walk.say(
            f"{event['sequence']:3}  {event['kind']:<18} {event['subject'][:34]:<36} {event['hash'][:16]}.."
        )


def wait_for(client: Client, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the service answers. Raises NotProvenError with the end of its log if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            client.send(calls.policy())
        except (UnreachableError, ServiceError):
            time.sleep(0.1)
        else:
            return
    raise NotProvenError(f"the service did not start: {log.read_text()[-800:]}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
