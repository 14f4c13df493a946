"""`zkmargin plan prove | verify`: that a liquidation cost little more than the least, without showing the book."""

import functools
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from zkmargin.argument import Claims, CommitmentDocument, ProofDocument
from zkmargin.circuits import CommitmentTerm, Relation, Statement
from zkmargin.cli.boundary import DONE, REFUSED
from zkmargin.cli.commands.planning.pricing import read_pricing
from zkmargin.cli.commands.prove import prove_openings
from zkmargin.cli.options.backend import chosen_setup
from zkmargin.cli.options.files import FILE, model_option, now, refuse_replacing, snapshot_argument, ticks
from zkmargin.cli.options.loading import reproduced_snapshot
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.arithmetic.decimals import parse_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.planning.near_least import NearLeast
from zkmargin.prover import OpeningDocument
from zkmargin.verifier import VerificationError, verify_document
from zkmargin.verifier.document import commitment_term

_SUBJECT = "liquidation near the least cost"


class Asked:
    """What both sides say, word for word."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given

    def claim(self, snapshot: Snapshot) -> NearLeast:
        """The claim. Raises InputError for a number that cannot be used."""
        percent = parse_decimal(self.given["above"], "command line", "--above") * 100
        if percent != percent.to_integral_value() or not 0 <= percent <= 10**6:
            raise InputError(
                "command line", "--above", self.given["above"], "write 0 to 10000, two decimal places at most"
            )
        decimals = snapshot.quantum_decimals
        model: str = self.given["model"]
        level: Level = self.given["level"]
        return NearLeast(
            read_pricing(snapshot, self.given["costs_file"], self.given["book_file"]),
            model,
            level,
            ticks(self.given["target"], decimals, "--target"),
            ticks(self.given["cost"], decimals, "--cost"),
            int(percent),
        )

    def statement(
        self, snapshot: Snapshot, claim: NearLeast, relation: Relation, point: CommitmentTerm
    ) -> Statement:
        """The statement about one committed account."""
        return Statement(
            relation=relation,
            snapshot=snapshot.id,
            universe=snapshot.universe.digest,
            model=f"{claim.model}: {_SUBJECT}",
            level=claim.level,
            threshold=claim.cost,
            commitments=(point,),
            audience=self.given["audience"],
            nonce=self.given["nonce"],
        )


_NAMES = ("target", "cost", "above", "level", "model", "costs_file", "book_file", "audience", "nonce")


def asked_options(command: Callable[..., None]) -> Callable[..., None]:
    """What is claimed, on both sides; the command receives `asked`."""

    @functools.wraps(command)
    def with_asked(**given: Any) -> None:
        command(asked=Asked({name: given.pop(name) for name in _NAMES}), **given)

    wrapped: Callable[..., None] = with_asked
    for option in (
        click.option("--nonce", required=True, metavar="TEXT", help="The verifier's, so that a proof answers once."),
        click.option("--audience", required=True, metavar="NAME", help="Who the proof is meant for."),
        click.option("--book", "book_file", metavar="FILE", type=FILE, help="Best prices, the same on both sides."),
        click.option("--costs", "costs_file", metavar="FILE", type=FILE, help="Costs, the same on both sides."),
        model_option,
        click.option("--level", type=click.Choice(("initial", "maintenance")), default="maintenance",
                     show_default=True, help="Which margin the excess is over."),
        click.option("--target", default="0", show_default=True, metavar="USD", help="The excess to reach."),
        click.option("--above", default="5", show_default=True, metavar="PERCENT",
                     help="By how much the cost may pass the least."),
        click.option("--cost", required=True, metavar="USD", help="What the liquidation cost."),
    ):  # fmt: skip
        wrapped = option(wrapped)
    return wrapped


@click.command()
@snapshot_argument
@click.option("--opening", "opening_file", required=True, metavar="FILE", type=FILE,
              help="The opening of the account as it was before the liquidation.")  # fmt: skip
@asked_options
@click.option("-o", "--output", required=True, metavar="FILE", type=FILE, help="The proof.")
@json_option
def prove(*, snapshot_file: Path, opening_file: Path, asked: Asked, output: Path, as_json: bool) -> None:
    """Prove that a liquidation cost at most so much more than the least closing trades, and show nothing of the book.

    \b
    Example:
      zkmargin plan prove market.json --opening account.secret.json --cost 25.41 --above 5 \\
          --audience public --nonce 7f3a -o near.json
    """
    refuse_replacing("--output", output, (snapshot_file, opening_file))
    with progress(as_json) as step:
        snapshot = reproduced_snapshot(snapshot_file, step)
        document = OpeningDocument.read(opening_file)
        opening = document.opening(snapshot.universe, str(opening_file))
        claim = asked.claim(snapshot)
        step("finding multipliers")
        relation = claim.relation(claim.multipliers(list(opening.lots)))
        statement = asked.statement(snapshot, claim, relation, CommitmentTerm(bytes.fromhex(document.point)))
        setup, started = chosen_setup(), time.perf_counter()
        proof = prove_openings(statement, [opening], [opening_file], setup, step)
        seconds = time.perf_counter() - started
    written = ProofDocument(setup=setup.digest, claims=Claims.of(statement), proof=proof.to_bytes().hex())
    write_atomically(output, written.encode())
    size = len(proof.to_bytes())
    found = {"proof_bytes": size, "seconds": round(seconds, 6), "rows": len(relation.rows),
             "squares": relation.squares, "limb_columns": relation.limb_columns, "output": str(output)}  # fmt: skip
    answer(as_json, found, Text(f"proof written to {output}: {size} bytes in {seconds:.2f} s"))


@click.command()
@snapshot_argument
@click.argument("proof_file", metavar="PROOF", type=FILE)
@click.option("--commitment", "commitment_file", required=True, metavar="FILE", type=FILE,
              help="The commitment that you trust.")  # fmt: skip
@asked_options
@json_option
def verify(
    *, snapshot_file: Path, proof_file: Path, commitment_file: Path, asked: Asked, as_json: bool
) -> None:
    """Verify that a liquidation of a committed account cost at most so much more than the least.

    \b
    Example:
      zkmargin plan verify market.json near.json --commitment account.json --cost 25.41 --above 5 \\
          --audience public --nonce 7f3a
    """
    with progress(as_json) as step:
        snapshot = reproduced_snapshot(snapshot_file, step)
        proof, setup = ProofDocument.read(proof_file), chosen_setup()
        commitment = CommitmentDocument.read(commitment_file)
        point = commitment_term(commitment, snapshot.universe, setup, str(commitment_file))
        claim = asked.claim(snapshot)
        statement = asked.statement(snapshot, claim, claim.relation(), point)
        step("verifying")
        try:
            verify_document(statement, proof, setup, now(), snapshot.quantum_decimals)
        except VerificationError as error:
            answer(as_json, {"valid": False, "message": str(error)}, Text(f"NOT valid: {error}"))
            raise click.exceptions.Exit(REFUSED) from None
    above = Decimal(claim.above).scaleb(-2)
    said = f"valid: it cost at most {above} % more than the least closing trades"
    answer(as_json, {"valid": True, "above_percent": str(above)}, Text(said))
    raise click.exceptions.Exit(DONE)
