"""`zkmargin demo`: the whole way, from a market to a verified proof, and two attempts to cheat."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Console

from zkmargin.algebra import Setup
from zkmargin.argument import Claims, ProofDocument
from zkmargin.circuits import Statement, WitnessError
from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.demo.account import example_positions
from zkmargin.cli.options.backend import proving_setup
from zkmargin.cli.output.report import cents, report_tables
from zkmargin.cli.output.terminal import answer, console, json_option
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.account.report import Report, build_report
from zkmargin.margin.arithmetic.decimals import scaled_decimal
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.market import example_market
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import OpeningDocument, commit_holdings, prove
from zkmargin.verifier import VerificationError, commitment_term, verify_document

AUDIENCE, NONCE = "lender", "asked at noon"

OPENINGS_BYTES = 2 * 48
"""A proof ends with two points; before them stands a scalar."""


@dataclass
class Walk:
    """State of the demonstration."""

    quiet: bool
    screen: Console
    document: dict[str, Any] = field(default_factory=dict)
    step: int = 0

    def heading(self, title: str) -> None:
        """The next step."""
        self.step += 1
        if not self.quiet:
            self.screen.print()
            self.screen.rule(f"[bold]{self.step}. {title}", align="left")

    def say(self, *lines: object) -> None:
        """Text or tables."""
        if not self.quiet:
            for line in lines:
                self.screen.print(line, soft_wrap=isinstance(line, str), markup=False)

    @contextmanager
    def timed(self, name: str) -> Iterator[Callable[[], float]]:
        """Measure a block under this name; yields what tells the seconds that it took."""
        started = time.perf_counter()
        yield lambda: float(self.document[f"{name}_seconds"])
        self.document[f"{name}_seconds"] = round(time.perf_counter() - started, 6)


@dataclass(frozen=True)
class Scene:
    """Inputs of the later steps."""

    setup: Setup
    snapshot: Snapshot
    holdings: Holdings
    report: Report
    secret: OpeningDocument

    def statement(self, secret: OpeningDocument, threshold: int) -> Statement:
        """The statement, formed independently by prover and verifier."""
        term = commitment_term(secret.commitment(), self.snapshot.universe, self.setup, "commitment")
        return Statement.about(self.snapshot, (term,), audience=AUDIENCE, nonce=NONCE, threshold=threshold)

    def prove(self, statement: Statement, secret: OpeningDocument) -> ProofDocument:
        """A proof of the statement by the owner of this opening."""
        opening = secret.opening(self.snapshot.universe, "opening")
        proof = prove(statement, [opening], self.setup).to_bytes()
        return ProofDocument(setup=self.setup.digest, claims=Claims.of(statement), proof=proof.hex())


@click.command()
@json_option
def demo(as_json: bool) -> None:
    """Walk the whole way on an example market.

    A snapshot is built, an account of 24 instruments is valued and margined, its holdings are committed to, its
    solvency is proven for a threshold equal to its excess, and the proof is verified. Then the same account with
    one tick less collateral tries to prove the same, and a proof is tampered with.
    """
    walk = Walk(as_json, console())
    started = time.perf_counter()
    snapshot = build_snapshot(walk)
    holdings = Holdings.of(example_positions(), snapshot)
    report = margin_account(walk, snapshot, holdings)
    setup = load_setup(walk, snapshot)
    secret = commit_account(walk, setup, snapshot, holdings)
    scene = Scene(setup, snapshot, holdings, report, secret)
    proof = prove_account(walk, scene)
    verify_proof(walk, scene, proof)
    one_tick_less(walk, scene)
    tamper(walk, scene, proof)
    walk.document["seconds"] = round(time.perf_counter() - started, 6)
    walk.say("", f"All of it took {walk.document['seconds']:.1f} s on the {setup.backend.name} backend.")
    if as_json:
        answer(as_json, walk.document)


def build_snapshot(walk: Walk) -> Snapshot:
    """Everybody builds or gets the same snapshot."""
    walk.heading("The risk snapshot that all parties use")
    with walk.timed("snapshot") as seconds:
        snapshot = Snapshot.build(example_market())
    walk.document |= {"snapshot": snapshot.id, "instruments": len(snapshot.universe)}
    walk.say(
        f"{len(snapshot.universe)} instruments of the {snapshot.inputs.source}, priced in every scenario "
        f"in {milliseconds(seconds)}",
        f"id {snapshot.id}",
    )
    return snapshot


def margin_account(walk: Walk, snapshot: Snapshot, holdings: Holdings) -> Report:
    """Shown to the owner and the venue only."""
    walk.heading("An account, valued and margined: seen by its owner only")
    with walk.timed("margin") as seconds:
        report = build_report(snapshot, holdings)
    money = report.to_json()
    walk.document |= {name: money[name] for name in ("account_value", "requirement", "excess", "comparisons")}
    walk.document["positions"] = len(report.positions)
    walk.say(*report_tables(report))
    models = 1 + len(report.comparisons)
    walk.say(f"{len(report.positions)} positions margined under {models} models in {milliseconds(seconds)}")
    return report


def load_setup(walk: Walk, snapshot: Snapshot) -> Setup:
    """The powers of tau, brought into the basis of this domain (kept on disk after the first time)."""
    walk.heading("The powers of tau of the Ethereum KZG ceremony")
    with walk.timed("setup") as seconds:
        setup = proving_setup()
        n = snapshot.universe.domain
        setup.commit_evaluations(n, setup.backend.zeros(n))
    walk.document["backend"] = setup.backend.name
    walk.say(f"made ready for {n} slots in {seconds():.2f} s; no setup was generated for this")
    return setup


def commit_account(walk: Walk, setup: Setup, snapshot: Snapshot, holdings: Holdings) -> OpeningDocument:
    """The venue commits; the opening goes to the account's owner."""
    walk.heading("A commitment to the holdings: public, and says nothing about them")
    with walk.timed("commit") as seconds:
        secret = commit_holdings(setup, snapshot.universe, tuple(holdings.vector(snapshot)))
    walk.document |= {"commitment": secret.point, "commitment_bytes": len(secret.point) // 2}
    walk.say(f"{secret.point}", f"{len(secret.point) // 2} bytes in {milliseconds(seconds)}")
    return secret


def prove_account(walk: Walk, scene: Scene) -> ProofDocument:
    """The threshold is the excess itself: the most that can be proven."""
    report = scene.report
    walk.heading(f"A proof that the excess is at least {cents(report.excess, report.quantum_decimals)} USD")
    with walk.timed("statement") as seconds:
        statement = scene.statement(scene.secret, report.excess)
    rows, columns = len(statement.relation.rows), statement.relation.limb_columns
    walk.say(
        f"{rows} rows in {columns} columns of {statement.relation.domain}, written in {milliseconds(seconds)}"
    )
    with walk.timed("prove") as seconds:
        document = scene.prove(statement, scene.secret)
    size = len(document.proof) // 2
    walk.document |= {"proof_bytes": size, "rows": rows, "limb_columns": columns}
    walk.say(f"{size} bytes, proven in {milliseconds(seconds)}")
    return document


def verify_proof(walk: Walk, scene: Scene, proof: ProofDocument) -> None:
    """The verifier has the snapshot and the commitment, and nothing of the account."""
    walk.heading("Verified by someone who has the snapshot, the commitment, and nothing else of the account")
    statement = scene.statement(scene.secret, scene.report.excess)
    with walk.timed("verify") as seconds:
        verify_document(statement, proof, scene.setup)
    walk.document["valid"] = True
    walk.say(f"valid, in {milliseconds(seconds)}")


def one_tick_less(walk: Walk, scene: Scene) -> None:
    """The same account with the smallest amount of USD less."""
    tick = scaled_decimal(1, scene.snapshot.quantum_decimals)
    walk.heading(f"The same account with {tick} USD less tries to prove the same")
    lots = scene.holdings.vector(scene.snapshot)
    lots[scene.snapshot.universe.slot(CASH)] -= 1
    secret = commit_holdings(scene.setup, scene.snapshot.universe, tuple(lots))
    try:
        scene.prove(scene.statement(secret, scene.report.excess), secret)
    except WitnessError as error:
        walk.document["one_tick_less"] = str(error)
        walk.say(f"no proof: {error}")
        return
    raise NotProvenError(
        "an account that is one tick short was proven to cover; trust no proof of this build"
    )


def tamper(walk: Walk, scene: Scene, proof: ProofDocument) -> None:
    """One bit of the proof flipped, and the proof shown for a larger amount."""
    walk.heading("Tampering")
    flipped = bytearray.fromhex(proof.proof)
    flipped[-1 - OPENINGS_BYTES] ^= 1
    same, more = (
        scene.statement(scene.secret, scene.report.excess + usd * 10**scene.snapshot.quantum_decimals)
        for usd in (0, 1)
    )
    attempts = {
        "one bit flipped": (same, proof.model_copy(update={"proof": flipped.hex()})),
        "claimed for 1 USD more": (more, proof.model_copy(update={"claims": Claims.of(more)})),
    }
    for name, (statement, document) in attempts.items():
        reason = rejection(statement, document, scene.setup)
        walk.document[name.replace(" ", "_")] = reason
        walk.say(f"{name}: rejected, {reason}")


def rejection(statement: Statement, document: ProofDocument, setup: Setup) -> str:
    """Why the verifier rejects it."""
    try:
        verify_document(statement, document, setup)
    except VerificationError as error:
        return str(error)
    raise NotProvenError("a false proof was accepted; trust no proof of this build")


def milliseconds(seconds: Callable[[], float]) -> str:
    """A measured time as people read it."""
    return f"{1000 * seconds():.1f} ms"
