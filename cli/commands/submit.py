"""`zkmargin submit` and `watch`: what the owner of accounts does with a verifier's service."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.text import Text

from zkmargin.attestation import ReceiptDocument, SigningKey
from zkmargin.circuits import WitnessError
from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.options.accounts import Account, fitting_openings, owner_options
from zkmargin.cli.options.backend import proving_setup
from zkmargin.cli.options.files import (
    FILE,
    OUTPUT,
    level_option,
    model_option,
    refuse_replacing,
    refuse_unwritable,
    shown_time,
    ticks,
)
from zkmargin.cli.options.service import asking, service_option
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.cli.process import until_stopped
from zkmargin.client import Client, Signer, Watch, Watched, calls
from zkmargin.client import pledge as make_pledge
from zkmargin.margin.arithmetic.decimals import scaled_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.units import Level

DAY = 86400


@click.command()
@service_option
@owner_options
@click.option("--pledge", "usd", required=True, metavar="USD", help="What you pledge; 0 shows solvency only.")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="How long the pledge lasts."
)
@model_option
@level_option
@click.option("-o", "--output", required=True, metavar="FILE", type=OUTPUT, help="The receipt.")
@json_option
def submit(
    *,
    url: str,
    owner: SigningKey,
    accounts: tuple[Account, ...],
    usd: str,
    days: int,
    model: str,
    level: Level,
    output: Path,
    as_json: bool,
) -> None:
    """Ask a service what to prove, prove it, pledge, and keep the receipt.

    Exit code 1 if the accounts do not cover it, or the service refuses.

    \b
    Example:
      zkmargin submit --service https://verifier.example --attestation alpha.json --opening alpha.secret.json \\
          --key trader.key --pledge 250000 -o receipt.json
    """
    refuse_replacing(
        "--output", output, (file for one in accounts for file in (one.attestation_file, one.opening_file))
    )
    refuse_unwritable(output)
    with progress(as_json) as step, asking(url, None) as client:
        step("asking")
        signer, decimals = _signer(client, owner, accounts, model, level)
        amount = ticks(usd, decimals, "--pledge")
        if amount < 0:
            raise InputError("command line", "--pledge", usd, "write 0 or more")
        step("proving")
        try:
            with fitting_openings():
                receipt = make_pledge(client, signer, amount, days * DAY)
        except WitnessError as error:
            raise NotProvenError(f"the accounts do not cover it: {error}") from None
        write_atomically(output, receipt.encode())
    secured = (
        "every account is held for it" if receipt.secured else "informational: not every account is held"
    )
    shown = scaled_decimal(receipt.amount, decimals)
    lines = (
        f"pledge      {receipt.pledge}, {shown} USD; {secured}",
        f"written to  {output}: the receipt, signed by {receipt.signer}",
    )
    answer(as_json, {**receipt.model_dump(mode="json"), "usd": shown}, *map(Text, lines))


@click.command()
@service_option
@owner_options
@click.argument("receipt_file", metavar="RECEIPT", type=FILE)
@click.option(
    "--for",
    "seconds",
    type=click.IntRange(1),
    metavar="SECONDS",
    help="End after so long; when the pledge is over if left out.",
)
@click.option(
    "--every",
    type=click.FloatRange(0.05, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Between two looks for a new snapshot, 0.05 to 3600.",
)
@json_option
def watch(
    *,
    url: str,
    owner: SigningKey,
    accounts: tuple[Account, ...],
    receipt_file: Path,
    seconds: int | None,
    every: float,
    as_json: bool,
) -> None:
    """Keep a pledge proven: prove it again on each new snapshot, before it goes stale.

    Runs until the pledge is over. The receipt's file is replaced by each newer receipt. With --json what happens is
    told on standard error, and the document at the end.

    \b
    Example:
      zkmargin watch receipt.json --service https://verifier.example --attestation alpha.json \\
          --opening alpha.secret.json --key trader.key
    """
    receipt = ReceiptDocument.read(receipt_file)
    receipt.check_signature(str(receipt_file))
    refuse_unwritable(receipt_file)
    if receipt.subject != owner.address:
        remedy = f"it is not of the key in --key, {owner.address}; name the key that pledged"
        raise InputError(str(receipt_file), "subject", receipt.subject, remedy)
    told = Told(receipt_file, as_json)
    with until_stopped(), asking(url, None) as client:
        signer, _ = _signer(client, owner, accounts, receipt.model, receipt.level)
        watched = Watched(signer, receipt)
        told(f"watched until {shown_time(receipt.expiry)}", watched)
        with fitting_openings():
            Watch(client, [watched], seconds=every, told=told).run(
                None if seconds is None else time.time() + seconds
            )
    document = {
        "pledge": watched.receipt.pledge,
        "snapshot": watched.receipt.snapshot,
        "renewed": told.renewed,
        "over": watched.over or None,
    }
    answer(as_json, document, *([Text(f"over: {watched.over}")] if watched.over else []))


class Told:
    """The log of a watch: stores receipts, and reports a lasting condition once."""

    def __init__(self, receipt_file: Path, as_json: bool) -> None:
        self.renewed = 0
        self._file, self._as_json, self._last = receipt_file, as_json, ""

    def __call__(self, what: str, pledge: Watched) -> None:
        """Something has happened to the pledge. Raises InputError if its receipt cannot be written."""
        line = f"{pledge.receipt.pledge}: {what} (snapshot {pledge.receipt.snapshot[:12]})"
        if what == "proven again":
            self.renewed += 1
            write_atomically(self._file, pledge.receipt.encode())
        if line != self._last:
            click.echo(line, file=sys.stderr if self._as_json else None)
        self._last = line


def _signer(
    client: Client, owner: SigningKey, accounts: Sequence[Account], model: str, level: Level
) -> tuple[Signer, int]:
    """The signer with its accounts, and the decimals of a tick."""
    newest = client.send(calls.snapshots())
    if not newest:
        raise NotProvenError("the service has no snapshot yet")
    snapshot = client.send(calls.snapshot(newest[0].id))
    if model not in snapshot.models:
        remedy = f"the service's snapshot has {', '.join(sorted(snapshot.models))}"
        raise InputError("command line", "--model", model, remedy)
    opened = [account.over(snapshot.universe) for account in accounts]
    return Signer(owner, proving_setup(), opened, model, level), snapshot.quantum_decimals
