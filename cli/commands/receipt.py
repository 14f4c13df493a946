"""`zkmargin receipt`: fetch receipts, and check them offline."""

from pathlib import Path

import click
from rich.text import Text

from zkmargin.attestation import ReceiptDocument
from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.options.files import FILE, OUTPUT, refuse_unwritable, shown_time
from zkmargin.cli.options.keys import address
from zkmargin.cli.options.service import asking, check_pledge, pledge_argument, service_option
from zkmargin.cli.output.terminal import answer, json_option
from zkmargin.client import ServiceError, calls, check_receipt
from zkmargin.margin.arithmetic.decimals import scaled_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.snapshot.snapshot import Snapshot


@click.group()
def receipt() -> None:
    """Fetch and check receipts of a service."""


@receipt.command("get")
@pledge_argument
@service_option
@click.option("-o", "--output", required=True, metavar="FILE", type=OUTPUT, help="The receipt.")
@json_option
def get(*, identity: str, url: str, output: Path, as_json: bool) -> None:
    """Fetch the newest receipt of a pledge.

    Its signature is checked; that the signer is the service that you trust, receipt verify tells.

    \b
    Example:
      zkmargin receipt get p-2fa8fc4dd3022a6053c3d563439e9fe1 --service https://verifier.example -o receipt.json
    """
    check_pledge(identity)
    refuse_unwritable(output)

    def wrong(error: ServiceError) -> InputError | None:
        if error.code not in ("not-found", "parameter"):
            return None
        remedy = "the service has no such pledge; its owner's receipt names it"
        return InputError("command line", "PLEDGE", identity, remedy)

    with asking(url, None, wrong=wrong) as client:
        found = client.send(calls.receipt(identity))
        if found.pledge != identity:
            raise InputError(url, "pledge", found.pledge, f"it is not {identity}, which was asked for")
        found.check_signature(url)
        decimals = client.send(calls.snapshot(found.snapshot)).quantum_decimals
    write_atomically(output, found.encode())
    usd = scaled_decimal(found.amount, decimals)
    lines = (
        f"pledge      {identity}, {usd} USD for {found.audience}",
        f"written to  {output}: the receipt, signed by {found.signer}",
    )
    answer(as_json, {**found.model_dump(mode="json"), "usd": usd}, *map(Text, lines))


@receipt.command("verify")
@click.argument("receipt_file", metavar="RECEIPT", type=FILE)
@click.option(
    "--signer", required=True, metavar="ADDRESS", help="The service's address, from where you trust it."
)
@click.option(
    "--snapshot", "snapshot_file", metavar="FILE", type=FILE, help="The snapshot that it must be about."
)
@json_option
def verify(*, receipt_file: Path, signer: str, snapshot_file: Path | None, as_json: bool) -> None:
    """Check a receipt offline: the service verified this proof and recorded this pledge.

    Whether the pledge still stands, only the service can tell. Exit code 1 if the receipt is not what it should be.

    \b
    Example:
      zkmargin receipt verify receipt.json --signer 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf
    """
    found = ReceiptDocument.read(receipt_file)
    signer = address(signer, "--signer")
    try:
        check_receipt(found, signer, where=str(receipt_file))
    except InputError as error:
        raise NotProvenError(f"NOT valid: {error}") from None
    amount = f"{found.amount} ticks"
    if snapshot_file is not None:
        snapshot = Snapshot.load(snapshot_file)
        if snapshot.id != found.snapshot:
            raise NotProvenError(f"NOT valid: it is about snapshot {found.snapshot}, not the one given")
        amount = f"{scaled_decimal(found.amount, snapshot.quantum_decimals)} USD"
    line = f"valid: {signer} recorded {found.pledge} over {amount} for {found.audience} on {shown_time(found.issued)}"
    answer(as_json, {"valid": True, **found.model_dump(mode="json")}, Text(line))
