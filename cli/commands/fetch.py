"""`zkmargin fetch`: the owner of an account asks the venue's service for its attestation."""

from pathlib import Path

import click
from rich.text import Text

from zkmargin.attestation import Hold
from zkmargin.attestation.secret_file import refuse_existing
from zkmargin.cli.options.attestation_files import hand_out, hold_options, pair_options
from zkmargin.cli.options.files import FILE, refuse_replacing, refuse_unwritable
from zkmargin.cli.options.service import asking, read_token
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.client import ServiceError, venues
from zkmargin.margin.errors import Finding, InputError


@click.command()
@click.option(
    "--venue", "url", required=True, metavar="URL", help="The venue's service, such as https://venue.example."
)
@click.option(
    "--token-file", required=True, metavar="FILE", type=FILE, help="The account's token, from the venue."
)
@hold_options
@pair_options
@json_option
def fetch(
    *,
    url: str,
    token_file: Path,
    hold: Hold | None,
    output: Path,
    opening_file: Path,
    as_json: bool,
) -> None:
    """Have a venue attest to your account, and fetch attestation and opening.

    \b
    Example:
      zkmargin fetch --venue https://venue.example --token-file alice.token -o alice.json --opening alice.secret.json \\
          --hold-for lender --hold-until 2026-03-14T18:00:00Z
    """
    refuse_replacing("--output", output, (opening_file, token_file))
    refuse_existing(opening_file)
    refuse_unwritable(opening_file)
    refuse_unwritable(output)
    token = read_token(token_file, "token")

    def wrong(error: ServiceError) -> InputError | None:
        if error.code != "token":
            return None
        remedy = "name the file of the token that the venue gave you for this account"
        return InputError(str(token_file), "token", Finding("not an account's here"), remedy)

    with progress(as_json) as step, asking(url, token, "--venue", wrong) as client:
        step("asking the venue")
        handed = client.send(venues.attest(hold))
    hand_out(handed, output, opening_file)
    made = handed.attestation
    document = {
        "attestation": str(output),
        "opening": str(opening_file),
        "venue": made.venue,
        "account": made.account,
        "sequence": made.sequence,
        "signer": made.signer,
        "digest": made.digest.hex(),
    }
    lines = (
        f"attestation  {output}: public, sequence {made.sequence}, signed by {made.signer} for {made.venue}",
        f"opening      {opening_file}: secret: it reveals the holdings",
    )
    answer(as_json, document, *map(Text, lines))
