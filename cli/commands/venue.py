"""`zkmargin venue`: what a venue or custodian does."""

import hashlib
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from zkmargin.attestation import Hold, SigningDomain, SigningKey
from zkmargin.attestation.documents import OpenOrders
from zkmargin.attestation.key_file import passphrase_from, write_key
from zkmargin.attestation.secret_file import refuse_existing, write_secret
from zkmargin.cli.commands.venue_map import (
    check_map_command,
    sign_map_command,
    signed_map_options,
    verified_map,
)
from zkmargin.cli.options.attestation_files import hand_out, hold_options, pair_options
from zkmargin.cli.options.backend import chosen_setup
from zkmargin.cli.options.files import (
    FILE,
    holdings_argument,
    reached_seconds,
    refuse_replacing,
    refuse_unwritable,
    shown_time,
    snapshot_argument,
)
from zkmargin.cli.options.keys import (
    address,
    domain_options,
    key_option,
    passphrase_option,
    required_key,
    venue_name_option,
)
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.cli.process import check_address, until_stopped
from zkmargin.margin.snapshot.snapshot import Snapshot

# Databases and columnar files are large libraries: zkmargin.venue is imported by the commands that need it.
if TYPE_CHECKING:
    from zkmargin.venue import Moment

register_option = click.option(
    "--register",
    "register_file",
    required=True,
    metavar="FILE",
    type=FILE,
    help="What the venue has signed so far: sequences and holds. Begun if it is not there; keep it.",
)
as_of_option = click.option(
    "--as-of", metavar="TIME", help="The ledger's moment, such as 2026-03-14T18:00:00Z; now if left out."
)
lifetime_option = click.option(
    "--lifetime",
    type=click.IntRange(min=1, max=366 * 86400),
    default=3600,
    show_default=True,
    help="Seconds for which the attestation counts.",
)
open_orders_option = click.option(
    "--open-orders",
    type=click.Choice(("none", "reserved")),
    default="none",
    show_default=True,
    help="Whether there are none, or what they could cost is taken off the balances.",
)


@click.group()
def venue() -> None:
    """Attest to the accounts of one's own ledger.

    A venue commits to the holdings of an account and signs that they are all of it. It never signs a commitment that
    it did not compute: there is no way to give it one.
    """


@venue.command()
@click.option("-o", "--output", required=True, metavar="FILE", type=FILE, help="The key: never overwritten.")
@passphrase_option
@json_option
def keygen(*, output: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Make a private key, for a venue, an oracle or a trader, in a file that you alone can read.

    With a passphrase the file is an encrypted keystore. The key is never printed; its address is what others get.

    \b
    Example:
      zkmargin venue keygen -o venue.key
    """
    passphrase = passphrase_from(passphrase_file)
    with progress(as_json) as step:
        step("encrypting the key" if passphrase else "making the key")
        key = write_key(output, passphrase)
    kind = "an encrypted keystore" if passphrase else "not encrypted: keep the file safe"
    lines = (f"address     {key.address}", f"written to  {output}: {kind}")
    document = {"address": key.address, "output": str(output), "encrypted": passphrase is not None}
    answer(as_json, document, *map(Text, lines))


@venue.command()
@click.option(
    "-o", "--output", required=True, metavar="FILE", type=FILE, help="The token: never overwritten."
)
@json_option
def token(*, output: Path, as_json: bool) -> None:
    """Make a token for an account of the service; its hash goes into the service's settings.

    \b
    Example:
      zkmargin venue token -o alice.token
    """
    made = secrets.token_urlsafe(32)
    write_secret(output, made.encode() + b"\n", "token")
    digest = hashlib.sha256(made.encode()).hexdigest()
    lines = (f"token_sha256  {digest}", f"written to    {output}: for the account's owner alone")
    answer(as_json, {"token_sha256": digest, "output": str(output)}, *map(Text, lines))


@venue.command()
@snapshot_argument
@holdings_argument
@venue_name_option
@click.option("--account", required=True, metavar="NAME", help="Pseudonym, the same in every attestation.")
@click.option("--subject", required=True, metavar="ADDRESS", help="Address of the trader's key.")
@key_option("the venue")
@domain_options
@register_option
@signed_map_options
@as_of_option
@lifetime_option
@hold_options
@open_orders_option
@pair_options
@json_option
def attest(
    *,
    snapshot_file: Path,
    holdings_file: Path,
    name: str,
    account: str,
    subject: str,
    key: SigningKey | None,
    domain: SigningDomain,
    register_file: Path,
    map_file: Path | None,
    map_signer: str | None,
    as_of: str | None,
    lifetime: int,
    hold: Hold | None,
    open_orders: OpenOrders,
    output: Path,
    opening_file: Path,
    as_json: bool,
) -> None:
    """Attest to one account: commit to its holdings, and sign.

    \b
    Example:
      zkmargin venue attest market.json ledger/alice.csv --name alpha --account alice \\
          --subject 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf --key venue.key --register venue.db \\
          --chain-id 1 --contract 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF \\
          -o alice.attestation.json --opening alice.secret.json
    """
    from zkmargin.venue import Account, Register, Venue  # noqa: PLC0415
    from zkmargin.venue import attest as attest_account  # noqa: PLC0415

    refuse_existing(opening_file)
    refuse_replacing(
        "--output", output, (opening_file, snapshot_file, holdings_file, register_file, map_file)
    )
    # An attestation that is signed but not written would use up a sequence and lock collateral unnoticed.
    refuse_unwritable(opening_file)
    refuse_unwritable(output)
    moment = _moment(as_of, lifetime)
    with progress(as_json) as step:
        step("reading the snapshot")
        snapshot = Snapshot.load(snapshot_file)
        signing = required_key(key)
        contracts = verified_map(map_file, map_signer, snapshot.universe, signing.address)
        who = Venue(name, signing, domain, chosen_setup(), snapshot, contracts)
        holdings = who.holdings(holdings_file)
        whose = Account(account, address(subject, "--subject"), open_orders)
        step("committing and signing")
        made = attest_account(who, whose, holdings, moment, Register(register_file), hold=hold)
    hand_out(made, output, opening_file)
    document = {
        "attestation": str(output),
        "opening": str(opening_file),
        "sequence": made.attestation.sequence,
        "signer": made.attestation.signer,
        "digest": made.attestation.digest.hex(),
    }
    held = made.attestation.hold
    lines = (
        f"attestation  {output}: public, sequence {made.attestation.sequence}, signed by {who.key.address}",
        f"opening      {opening_file}: secret, for the trader",
        f"hold         {f'for {held.audience} until {shown_time(held.until)}' if held else 'none'}",
    )
    answer(as_json, document, *map(Text, lines))


@venue.command("attest-book")
@snapshot_argument
@click.argument("book_file", metavar="BOOK", type=FILE)
@venue_name_option
@key_option("the venue")
@domain_options
@register_option
@signed_map_options
@as_of_option
@lifetime_option
@open_orders_option
@click.option("--workers", type=click.IntRange(min=1, max=256), help="Processes; one a core if left out.")
@click.option(
    "-o", "--output", required=True, metavar="DIR", type=FILE, help="Made; SECRET: holds the openings."
)
@json_option
def attest_book(
    *,
    snapshot_file: Path,
    book_file: Path,
    name: str,
    key: SigningKey | None,
    domain: SigningDomain,
    register_file: Path,
    map_file: Path | None,
    map_signer: str | None,
    as_of: str | None,
    lifetime: int,
    open_orders: OpenOrders,
    workers: int | None,
    output: Path,
    as_json: bool,
) -> None:
    """Attest to every account of a book, on all cores.

    BOOK is Parquet or CSV with the columns account, subject, instrument, quantity and, if wanted, entry_price; the rows
    of an account stand together. A run that was interrupted is continued by the same command.

    \b
    Example:
      zkmargin venue attest-book market.json book.parquet --name alpha --key venue.key --register venue.db \\
          --chain-id 1 --contract 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF -o attested/
    """
    from zkmargin.venue import Register, Venue  # noqa: PLC0415
    from zkmargin.venue import attest_book as attest_whole_book  # noqa: PLC0415

    done, moment = 0, _moment(as_of, lifetime)

    with progress(as_json) as step:

        def tell(accounts: int) -> None:
            nonlocal done
            done += accounts
            step(f"attesting: {done:,} accounts done")

        step("reading the snapshot")
        snapshot = Snapshot.load(snapshot_file)
        signing = required_key(key)
        contracts = verified_map(map_file, map_signer, snapshot.universe, signing.address)
        who = Venue(name, signing, domain, chosen_setup(), snapshot, contracts)
        step("attesting")
        started = time.perf_counter()
        made = attest_whole_book(
            who,
            book_file,
            output,
            moment,
            Register(register_file),
            open_orders=open_orders,
            workers=workers,
            progress=tell,
        )
        seconds = time.perf_counter() - started
    document = {
        "accounts": made.accounts,
        "parts": made.parts,
        "parts_made": made.made,
        "sequence": made.document.sequence,
        "seconds": round(seconds, 6),
        "output": str(output),
    }
    lines = (
        f"{made.accounts:,} accounts in {made.parts} parts, {made.made} of them made in {seconds:.1f} s",
        f"written to  {output}: openings are secret, each for its own trader",
    )
    answer(as_json, document, *map(Text, lines))


@venue.command()
@click.argument("directory", metavar="DIR", type=FILE)
@click.argument("account")
@pair_options
@json_option
def extract(*, directory: Path, account: str, output: Path, opening_file: Path, as_json: bool) -> None:
    """Take one account's attestation and opening out of a book that was attested to.

    \b
    Example:
      zkmargin venue extract attested/ alice -o alice.attestation.json --opening alice.secret.json
    """
    from zkmargin.venue.extract import extract_account  # noqa: PLC0415

    refuse_existing(opening_file)
    refuse_replacing("--output", output, (opening_file,))
    made = extract_account(directory, account)
    hand_out(made, output, opening_file)
    lines = (f"attestation  {output}: public", f"opening      {opening_file}: secret, for the trader")
    answer(as_json, {"attestation": str(output), "opening": str(opening_file)}, *map(Text, lines))


@venue.command()
@click.argument("settings_file", metavar="SETTINGS", type=FILE)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8701, show_default=True, help="Port.")
def serve(*, settings_file: Path, host: str, port: int) -> None:
    """Attest over HTTP: the bearer of an account's token gets its attestation and opening.

    Put a server that ends TLS in front of it: the answers are secret.

    \b
    Example:
      zkmargin venue serve venue.toml --port 8701
    """
    import uvicorn  # noqa: PLC0415

    from zkmargin.venue.service import Desk, create_app  # noqa: PLC0415

    app = create_app(Desk.open(settings_file, chosen_setup()))
    check_address(host, port, "command line", ("--host", "--port"))
    with until_stopped():
        settings = uvicorn.Config(
            app, host=host, port=port, log_level="info", timeout_keep_alive=5, limit_concurrency=256
        )
        uvicorn.Server(settings).run()


venue.add_command(sign_map_command)
venue.add_command(check_map_command)


def _moment(as_of: str | None, lifetime: int) -> "Moment":
    from zkmargin.venue import Moment  # noqa: PLC0415

    return Moment.lasting(lifetime, reached_seconds(as_of, "--as-of") or None)
