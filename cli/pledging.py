"""`zkmargin submit`, `watch`, `pledge` and `receipt`: dealing with a verifier's service."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from zkmargin.attestation import AttestationDocument, ReceiptDocument, SigningKey
from zkmargin.circuits import WitnessError
from zkmargin.cli.backend import chosen_setup
from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.options import FILE, level_option, model_option, ticks
from zkmargin.cli.signing import address, key_option, required_key
from zkmargin.cli.terminal import answer, json_option, progress
from zkmargin.client import (
    Client,
    Pledge,
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
from zkmargin.margin.documents import read_text, write_atomically
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot import Snapshot
from zkmargin.margin.tables import Level
from zkmargin.prover import OpeningDocument, ProverError

API_KEY_VARIABLE = "ZKMARGIN_API_KEY"

service_option = click.option(
    "--service", "url", required=True, metavar="URL", help="The service, such as https://verifier.example."
)
api_key_option = click.option(
    "--api-key-file",
    metavar="FILE",
    type=FILE,
    help=f"A protocol's key; {API_KEY_VARIABLE} in the environment serves as well.",
)
attestations_option = click.option(
    "--attestation",
    "attestation_files",
    required=True,
    multiple=True,
    metavar="FILE",
    type=FILE,
    help="A venue's attestation of an account; repeat it for several, in the order of the openings.",
)
openings_option = click.option(
    "--opening",
    "opening_files",
    required=True,
    multiple=True,
    metavar="FILE",
    type=FILE,
    help="What each attestation's commitment hides.",
)


@click.command()
@service_option
@attestations_option
@openings_option
@key_option("the accounts' owner")
@click.option("--pledge", "usd", required=True, metavar="USD", help="What you pledge; 0 shows solvency only.")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="How long the pledge lasts."
)
@model_option
@level_option
@click.option("-o", "--output", required=True, metavar="FILE", type=FILE, help="The receipt.")
@json_option
def submit(
    *,
    url: str,
    attestation_files: tuple[Path, ...],
    opening_files: tuple[Path, ...],
    key: SigningKey | None,
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
    with progress(as_json) as step, _asking(url, None) as client:
        step("asking")
        signer, decimals = _signer(client, attestation_files, opening_files, key, model=model, level=level)
        amount = ticks(usd, decimals, "--pledge")
        if amount < 0:
            raise InputError("command line", "--pledge", usd, "write 0 or more")
        step("proving")
        receipt = make_pledge(client, signer, amount, days * 86400)
        write_atomically(output, receipt.encode())
    secured = (
        "every account is held for it" if receipt.secured else "informational: not every account is held"
    )
    lines = (
        f"pledge      {receipt.pledge}, {scaled_decimal(receipt.amount, decimals)} USD; {secured}",
        f"written to  {output}: the receipt, signed by {receipt.signer}",
    )
    answer(as_json, receipt.model_dump(mode="json"), *map(Text, lines))


@click.command()
@service_option
@attestations_option
@openings_option
@key_option("the accounts' owner")
@click.argument("receipt_file", metavar="RECEIPT", type=FILE)
@click.option("--for", "seconds", type=click.IntRange(1), metavar="SECONDS", help="End after so long.")
@click.option(
    "--every",
    type=click.FloatRange(0.05, 3600),
    default=1.0,
    show_default=True,
    help="Seconds between two looks.",
)
def watch(
    *,
    url: str,
    attestation_files: tuple[Path, ...],
    opening_files: tuple[Path, ...],
    key: SigningKey | None,
    receipt_file: Path,
    seconds: int | None,
    every: float,
) -> None:
    """Keep a pledge proven: prove it again on each new snapshot, before it goes stale.

    Runs until the pledge is over. The receipt's file is replaced by each newer receipt.
    """
    receipt = ReceiptDocument.read(receipt_file)

    def told(what: str, pledge: Watched) -> None:
        write_atomically(receipt_file, pledge.receipt.encode())
        click.echo(f"{pledge.receipt.pledge}: {what} (snapshot {pledge.receipt.snapshot[:12]})")

    with _asking(url, None) as client:
        signer, _ = _signer(
            client, attestation_files, opening_files, key, model=receipt.model, level=receipt.level
        )
        watched = Watch(client, [Watched(signer, receipt)], seconds=every, told=told)
        watched.run(None if seconds is None else time.time() + seconds)


@click.group()
def pledge() -> None:
    """Look after pledges as a protocol, with its key."""


@pledge.command("list")
@service_option
@api_key_option
@click.option("--status", type=click.Choice(["active", "stale", "called", "released", "lapsed"]))
@json_option
def list_pledges(*, url: str, api_key_file: Path | None, status: str | None, as_json: bool) -> None:
    """List the pledges that a service has recorded."""
    with _asking(url, _api_key(api_key_file)) as client:
        found = list(_all_pledges(client, status))
        decimals = 6
    table = Table("Pledge", "Status", "USD", "Secured", "Accounts", "Until", box=None)
    for one in found:
        accounts = ", ".join(f"{account.account} at {account.venue}" for account in one.accounts)
        until = time.strftime("%Y-%m-%d %H:%M", time.gmtime(one.expiry))
        usd = scaled_decimal(one.amount, decimals)
        table.add_row(one.id, one.status, usd, "yes" if one.secured else "no", accounts, until)
    answer(as_json, {"pledges": [one.model_dump(mode="json") for one in found]}, table)


@pledge.command("release")
@click.argument("identity", metavar="PLEDGE")
@service_option
@api_key_option
@json_option
def release(*, identity: str, url: str, api_key_file: Path | None, as_json: bool) -> None:
    """Release a pledge: it counts no more, and what it took of the excess is free again."""
    with _asking(url, _api_key(api_key_file)) as client:
        found = client.send(calls.act(identity, "release"))
    answer(as_json, found.model_dump(mode="json"), Text(f"{found.id} is {found.status}"))


@click.group()
def receipt() -> None:
    """Check what a service has signed."""


@receipt.command("verify")
@click.argument("receipt_file", metavar="RECEIPT", type=FILE)
@click.option(
    "--signer", required=True, metavar="ADDRESS", help="The service's address, from where you trust it."
)
@click.option("--snapshot", "snapshot_file", metavar="SNAPSHOT", type=FILE, help="That it must be about.")
@json_option
def verify(*, receipt_file: Path, signer: str, snapshot_file: Path | None, as_json: bool) -> None:
    """Check a receipt offline: the service verified this proof and recorded this pledge.

    Whether the pledge still stands, only the service can tell. Exit code 1 if the receipt is not what it should be.
    """
    found = ReceiptDocument.read(receipt_file)
    signer = address(signer, "--signer")
    try:
        check_receipt(found, signer, where=str(receipt_file))
    except InputError as error:
        raise NotProvenError(f"NOT valid: {error}") from None
    if snapshot_file is not None and Snapshot.load(snapshot_file).id != found.snapshot:
        raise NotProvenError(f"NOT valid: it is about snapshot {found.snapshot}, not the one given")
    issued = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(found.issued))
    line = (
        f"valid: {signer} recorded {found.pledge} over {found.amount} ticks for {found.audience} on {issued}"
    )
    answer(as_json, {"valid": True, **found.model_dump(mode="json")}, Text(line))


@contextmanager
def _asking(url: str, key: str | None) -> Iterator[Client]:
    """A client; what the service says against it ends the command with exit code 1."""
    try:
        with Client(url, key) as client:
            yield client
    except (ServiceError, UnreachableError) as error:
        raise NotProvenError(f"{url}: {error}") from None
    except WitnessError as error:
        raise NotProvenError(f"the accounts do not cover it: {error}") from None
    except ProverError as error:
        remedy = f"{error}: give openings and attestations in the same order, as the venue handed them out"
        raise InputError("command line", "--opening", Finding("not its attestation's"), remedy) from None


def _signer(
    client: Client,
    attestation_files: Sequence[Path],
    opening_files: Sequence[Path],
    key: SigningKey | None,
    *,
    model: str,
    level: Level,
) -> tuple[Signer, int]:
    """Whoever proves, and the decimals of a tick."""
    if len(attestation_files) != len(opening_files):
        found = Finding(f"{len(attestation_files)} for {len(opening_files)} openings")
        raise InputError("command line", "--attestation", found, "give one for each opening, in their order")
    newest = client.send(calls.snapshots())
    if not newest:
        raise NotProvenError("the service has no snapshot yet")
    snapshot = client.send(calls.snapshot(newest[0].id))
    accounts = [
        (
            AttestationDocument.read(attested),
            OpeningDocument.read(opening).opening(snapshot.universe, str(opening)),
        )
        for attested, opening in zip(attestation_files, opening_files, strict=True)
    ]
    signer = Signer(required_key(key), chosen_setup(), accounts, model, level)
    return signer, snapshot.quantum_decimals


def _all_pledges(client: Client, status: str | None) -> Iterator[Pledge]:
    after: str | None = None
    while True:
        page = client.send(calls.pledges(status, after=after))
        yield from page.pledges
        after = page.after
        if after is None:
            return


def _api_key(path: Path | None) -> str | None:
    return read_text(path).strip() if path is not None else os.environ.get(API_KEY_VARIABLE)
