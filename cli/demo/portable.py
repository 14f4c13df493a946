"""`zkmargin demo-portable`: an oracle, two venues, a lender's service and a trader on one machine."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click
import httpx

from zkmargin.algebra import Setup
from zkmargin.attestation import (
    AttestationDocument,
    ReceiptDocument,
    SigningKey,
    SubmissionDocument,
    SubmissionTerms,
)
from zkmargin.attestation.key_file import write_key
from zkmargin.attestation.secret_file import write_secret
from zkmargin.circuits import WitnessError
from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.demo.parties import DOMAIN, LENDER, RENEW_SECONDS, VENUES, Custodian, Lender, Oracle
from zkmargin.cli.demo.processes import ZKMARGIN, Processes, Running
from zkmargin.cli.demo.walk import OPENINGS_BYTES, Walk
from zkmargin.cli.options.backend import proving_setup
from zkmargin.cli.output.terminal import answer, console, json_option
from zkmargin.client import Client, Pledge, ServiceError, Signer, UnreachableError, calls, check_receipt
from zkmargin.client import pledge as make_pledge
from zkmargin.client.venues import Handed
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.arithmetic.decimals import scaled_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import Opening, commit_holdings, prove_submission

HOUR = 3600
WAIT_SECONDS = 60.0
USD = 10**6
"""Ticks of a dollar."""

FIRST, SECOND, SMALL = 100_000 * USD, 950_000 * USD, 1_000 * USD

Found = TypeVar("Found")
Accounts = Sequence[tuple[AttestationDocument, Opening]]


@dataclass(frozen=True)
class Stage:
    """State shared by the steps.

    Attributes:
        walk: what has been shown.
        folder: of the trader.
        processes: that run.
        oracle, custodians, lender: the parties; on one machine here.
        service: where the lender's answers.
        client: of it, with the lender's key.
        setup: the ceremony's powers.
        trader: the trader's key.
    """

    walk: Walk
    folder: Path
    processes: Processes
    oracle: Oracle
    custodians: list[Custodian]
    lender: Lender
    service: Running
    client: Client
    setup: Setup
    trader: SigningKey


@click.command("demo-portable")
@json_option
def demo_portable(as_json: bool) -> None:
    """Walk through portable margin on one machine.

    An oracle publishes signed prices, two venues attest to an account each, a trader proves to a lender that both
    together are solvent with a pledge on top, and the lender's service verifies, records and watches that pledge.
    Oracle, venues, service and the trader's watch are processes of their own, on free ports of this machine;
    whatever they write is removed at the end.
    """
    walk = Walk(as_json, console())
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="zkmargin-demo-") as name, Processes(Path(name)) as processes:
        try:
            backend = play(walk, Path(name), processes)
        except (UnreachableError, ServiceError, httpx.HTTPError) as error:
            failed = processes.failures()
            raise NotProvenError(f"{error}; {failed}" if failed else str(error)) from None
    walk.document["seconds"] = round(time.perf_counter() - started, 6)
    walk.say(
        "", f"All of it took {walk.document['seconds']:.1f} s on the {backend} backend; nothing is left."
    )
    if as_json:
        answer(as_json, walk.document)


def play(walk: Walk, folder: Path, processes: Processes) -> str:
    """The story; returns the backend's name."""
    (folder / "trader").mkdir()
    trader = write_key(folder / "trader" / "trader.key", None)
    walk.heading("An oracle, two venues and a lender's service start, each a process with a key of its own")
    oracle = Oracle.begin(folder / "oracle")
    snapshot = oracle.publish("1")
    custodians = [Custodian.begin(folder / name, name, trader, snapshot) for name in VENUES]
    lender = Lender.begin(folder / "lender", oracle, custodians)
    with walk.timed("start") as seconds:
        prices = oracle.serve(processes)
        prices.wait_until_ready()
        venues = [one.serve(processes) for one in custodians]
        service = lender.serve(processes, prices)
        for running in (*venues, service):
            running.wait_until_ready()
    signers = (oracle.key, *(one.key for one in custodians), lender.key)
    for running, signer in zip((prices, *venues, service), signers, strict=True):
        walk.say(f"{running.name:<8} {running.url}  signs as {signer.address}")
    walk.say(
        f"ready in {seconds():.1f} s; the service has two workers, one ledger, and trusts the other three keys"
    )
    setup = proving_setup()
    with Client(service.url, lender.api_key) as client:
        stage = Stage(
            walk, folder / "trader", processes, oracle, custodians, lender, service, client, setup, trader
        )
        tell(stage, snapshot, venues)
    return setup.backend.name


def tell(stage: Stage, snapshot: Snapshot, venues: list[Running]) -> None:
    """The story, step by step."""
    stage.walk.heading("The service pulls the oracle's snapshot")
    pulled(stage, snapshot)
    handed = attest_accounts(stage, snapshot, venues)
    accounts = [(one.attestation, one.opening.opening(snapshot.universe, "opening")) for one in handed]
    trader = Signer(stage.trader, stage.setup, accounts)
    receipt = first_pledge(stage, trader)
    watch = start_watch(stage, handed, receipt)
    check_offline(stage, receipt)
    pledged_twice(stage, trader, snapshot)
    forge(stage, trader, snapshot)
    keep_proven(stage, receipt)
    release(stage, trader, receipt, watch)
    look_at_log(stage)


def pulled(stage: Stage, snapshot: Snapshot) -> None:
    """Wait until the service has taken the published snapshot in."""
    with stage.walk.timed("pull") as seconds:
        wait_for(
            stage,
            "the service to take the snapshot in",
            lambda: next(
                (one for one in stage.client.send(calls.snapshots()) if one.id == snapshot.id), None
            ),
        )
    stage.walk.document.setdefault("snapshots", []).append(snapshot.id)
    stage.walk.say(
        f"{len(snapshot.universe)} instruments, snapshot {snapshot.id[:16]}.., taken in within {seconds():.2f} s:",
        "the service has checked the oracle's signature, derived every table again, and found the same",
    )


def attest_accounts(stage: Stage, snapshot: Snapshot, venues: list[Running]) -> list[Handed]:
    """Each venue commits to what it holds for the trader; neither sees the other's."""
    stage.walk.heading(
        "The trader asks both venues for attestations, and to hold the collateral for the lender"
    )
    handed: list[Handed] = []
    for one, running in zip(stage.custodians, venues, strict=True):
        with stage.walk.timed(f"{one.name}_attest") as seconds:
            handed.append(one.attest(running))
        lots = Holdings.of(one.positions, snapshot).vector(snapshot)
        excess = requirement(snapshot, lots).excess_ticks
        stage.walk.document[f"{one.name}_excess"] = scaled_decimal(excess, snapshot.quantum_decimals)
        stage.walk.say(
            f"{one.name}: {len(one.positions)} positions behind {handed[-1].attestation.point[:24]}.., "
            f"in {1000 * seconds():.0f} ms; alone its excess is {excess / USD:,.0f} USD, "
            f"which only {one.name} and the trader know"
        )
    return handed


def first_pledge(stage: Stage, trader: Signer) -> ReceiptDocument:
    """The trader proves that the sum covers its requirement and the pledge."""
    stage.walk.heading("The trader proves that both accounts together are solvent, with 100,000 USD on top")
    with stage.walk.timed("pledge") as seconds:
        receipt = make_pledge(stage.client, trader, FIRST, 12 * HOUR)
    stage.walk.document |= {"pledge": receipt.pledge, "secured": receipt.secured}
    stage.walk.say(
        f"asked, proven, verified and recorded in {1000 * seconds():.0f} ms: {receipt.pledge}",
        "the lender has seen two commitments, two signatures of venues, and one proof; no position, no balance",
    )
    return receipt


def start_watch(stage: Stage, handed: list[Handed], receipt: ReceiptDocument) -> Running:
    """`zkmargin watch` on the trader's files."""
    command = [*ZKMARGIN, "watch", str(stage.folder / "receipt.json"), "--service", stage.service.url]
    command += ["--key", str(stage.folder / "trader.key"), "--every", "0.2"]
    for one in handed:
        attestation, opening = (
            stage.folder / f"{one.attestation.venue}.{kind}.json" for kind in ("attestation", "secret")
        )
        write_atomically(attestation, one.attestation.encode())
        write_secret(opening, one.opening.encode())
        command += ["--attestation", str(attestation), "--opening", str(opening)]
    write_atomically(stage.folder / "receipt.json", receipt.encode())
    return stage.processes.start("watch", lambda _: command)


def check_offline(stage: Stage, receipt: ReceiptDocument) -> None:
    """A receipt is checked without asking anybody."""
    stage.walk.heading("The service's receipt, checked offline by anyone")
    signer = stage.lender.key.address
    check_receipt(receipt, signer, DOMAIN)
    stage.walk.say(
        f"valid: signed by {signer}: {receipt.amount // USD:,} USD for {receipt.audience}, secured by holds"
    )
    try:
        check_receipt(receipt.model_copy(update={"amount": 10 * receipt.amount}), signer, DOMAIN)
    except InputError as error:
        stage.walk.document["altered_receipt"] = str(error)
        stage.walk.say("altered to ten times the amount: not valid, the signature is not the service's")
        return
    raise NotProvenError("an altered receipt was accepted; trust no receipt of this build")


def pledged_twice(stage: Stage, trader: Signer, snapshot: Snapshot) -> None:
    """The same collateral does not cover a second pledge beyond the excess."""
    stage.walk.heading(
        "The trader tries to pledge 950,000 USD more: enough for that, were nothing pledged yet"
    )
    try:
        make_pledge(stage.client, trader, SECOND, HOUR)
    except WitnessError as error:
        stage.walk.document["pledged_twice"] = str(error)
        stage.walk.say(
            f"the service asks for what is pledged already as well, and that has no proof: {error}"
        )
    else:
        raise NotProvenError("more was pledged than there is; trust no ledger of this build")
    stage.walk.say("so the trader proves the new amount alone, and hands that in:")
    refused(stage, "pledged_alone", proven(stage, trader.accounts, snapshot, SECOND), "threshold")


def forge(stage: Stage, trader: Signer, snapshot: Snapshot) -> None:
    """A commitment that no venue signed, and a proof with one bit flipped."""
    stage.walk.heading("Forgeries")
    attestation, _ = trader.accounts[0]
    lots = [0] * len(snapshot.universe)
    lots[0] = 10**9 * USD
    riches = commit_holdings(stage.setup, snapshot.universe, tuple(lots))
    dreamt = attestation.model_copy(update={"point": riches.point})
    rich = [(dreamt, riches.opening(snapshot.universe, "opening")), *trader.accounts[1:]]
    stage.walk.say(
        "a billion dollars that alpha never attested to, under the signature of what it did attest to:"
    )
    refused(stage, "forged_commitment", proven(stage, rich, snapshot, SMALL), "signature")
    honest = proven(stage, trader.accounts, snapshot, SMALL, covered=FIRST)
    flipped = bytearray.fromhex(honest.proof)
    flipped[-1 - OPENINGS_BYTES] ^= 1
    stage.walk.say("a proof with one bit flipped:")
    refused(stage, "flipped_bit", honest.model_copy(update={"proof": flipped.hex()}), "pairing")


def keep_proven(stage: Stage, receipt: ReceiptDocument) -> None:
    """Prices move, the service pulls them, and the trader's watch proves the pledge again."""
    stage.walk.heading("Prices fall by three per cent, and the oracle publishes a new snapshot")
    started = time.perf_counter()
    snapshot = stage.oracle.publish("0.97")
    pulled(stage, snapshot)

    def renewed() -> Pledge | None:
        page = stage.client.send(calls.pledges())
        return next(
            (one for one in page.pledges if (one.id, one.snapshot) == (receipt.pledge, snapshot.id)), None
        )

    found = wait_for(stage, "the watch to prove the pledge again", renewed)
    seconds = time.perf_counter() - started
    stage.walk.document |= {"renewal_seconds": round(seconds, 6), "renewed": found.status}
    if found.status != "active":
        raise NotProvenError(f"the pledge is {found.status}; trust no watch of this build")
    stage.walk.say(
        f"the trader's watch has proven the pledge again by itself, {seconds:.2f} s after the prices moved; "
        f"it would be stale after {RENEW_SECONDS} s"
    )


def release(stage: Stage, trader: Signer, receipt: ReceiptDocument, watch: Running) -> None:
    """The lender lets the pledge go, and the excess is free again."""
    stage.walk.heading("The loan is paid back: the lender releases the pledge")
    found = stage.client.send(calls.act(receipt.pledge, "release"))
    keys = [attestation.key for attestation, _ in trader.accounts]
    asked = stage.client.send(calls.challenge(trader.key.address, keys, 0))
    stage.walk.document |= {"status": found.status, "covered": asked.covered}
    stage.walk.say(f"{found.id} is {found.status}; {asked.covered} USD are pledged out of the accounts now")
    watch.ask_to_stop()


def look_at_log(stage: Stage) -> None:
    """Every change is in the log, each chained to the one before."""
    stage.walk.heading("The service's log: append-only, each event chained to the one before")
    events = stage.client.send(calls.events())
    stage.walk.document["events"] = [event["kind"] for event in events]
    for event in events:
        stage.walk.say(
            f"{event['sequence']:3}  {event['kind']:<18} {event['subject'][:34]:<36} {event['hash'][:16]}.."
        )


def proven(
    stage: Stage, accounts: Accounts, snapshot: Snapshot, amount: int, covered: int = 0
) -> SubmissionDocument:
    """A submission with a fresh nonce and a threshold of the trader's choice."""
    keys = [attestation.key for attestation, _ in accounts]
    asked = stage.client.send(calls.challenge(stage.trader.address, keys, amount))
    expiry = int(time.time()) + HOUR
    terms = SubmissionTerms("grid", "initial", amount + covered, amount, LENDER, asked.nonce, expiry)
    return prove_submission(accounts, snapshot, terms, stage.trader, stage.setup)


def refused(stage: Stage, name: str, submission: SubmissionDocument, code: str) -> None:
    """Hand it in. Raises NotProvenError unless the service refuses with this code."""
    try:
        stage.client.send(calls.submission(submission))
    except ServiceError as error:
        if error.code == code:
            stage.walk.document[name] = error.code
            stage.walk.say(f"    refused: {error}")
            return
        raise NotProvenError(f"refused for {error}, not for {code}; trust no service of this build") from None
    raise NotProvenError(f"{name} was accepted; trust no service of this build")


def wait_for(stage: Stage, what: str, look: Callable[[], Found | None]) -> Found:
    """Poll until a value appears. Raises NotProvenError on time-out, or if a process failed."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        failed = stage.processes.failures()
        if failed:
            raise NotProvenError(failed)
        time.sleep(0.05)
    raise NotProvenError(f"waited {WAIT_SECONDS:.0f} s for {what}")
