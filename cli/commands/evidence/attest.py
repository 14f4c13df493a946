"""`zkmargin attest`: what signs holdings that no venue's ledger says: of a chain, a custodian, or read with a key."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from zkmargin.attestation import Hold, SigningDomain, SigningKey
from zkmargin.attestation.documents import OpenOrders
from zkmargin.attestation.secret_file import refuse_existing, write_secret
from zkmargin.cli.commands.venue_map import signed_map_options, verified_map
from zkmargin.cli.options.attestation_files import hand_out, hold_options, pair_options
from zkmargin.cli.options.backend import chosen_setup
from zkmargin.cli.options.files import (
    FILE,
    now,
    reached_seconds,
    refuse_replacing,
    refuse_unwritable,
    shown_time,
    snapshot_argument,
)
from zkmargin.cli.options.keys import address, domain_options, key_option, required_key, venue_name_option
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.snapshot.snapshot import Snapshot

if TYPE_CHECKING:
    from zkmargin.evidence import Reader, Reading

OF_SOURCE = {
    "plan_file": ("--plan", ("chain", "auditor")),
    "root_files": ("--root", ("chain",)),
    "record_file": ("--record", ("chain", "auditor")),
    "kept_file": ("--kept", ("chain", "auditor")),
    "holdings_file": ("--holdings", ("custodian",)),
    "account": ("--account", ("custodian",)),
    "as_of": ("--as-of", ("custodian",)),
    "hold": ("--hold-until", ("custodian",)),
    "map_file": ("--map", ("custodian", "auditor")),
}
"""What belongs to which sources: an option that would be passed over is refused."""


@click.command("attest")
@snapshot_argument
@click.option(
    "--source", type=click.Choice(("chain", "custodian", "auditor")), required=True, help="Where to read."
)
@click.option("--plan", "plan_file", metavar="FILE", type=FILE, help="Chain, auditor: what to read, TOML.")
@click.option(
    "--root", "root_files", metavar="FILE", type=FILE, multiple=True, help="Chain: a signed root; repeat it."
)
@click.option("--holdings", "holdings_file", metavar="FILE", type=FILE, help="Custodian: the ledger's file.")
@click.option("--account", metavar="NAME", help="Custodian: pseudonym, the same in every attestation.")
@click.option("--as-of", metavar="TIME", help="Custodian: the ledger's moment; now if left out.")
@click.option(
    "--open-orders",
    type=click.Choice(("none", "reserved")),
    default="none",
    show_default=True,
    help="Custodian: whether there are none, or what they could cost is taken off the balances.",
)
@venue_name_option
@click.option("--subject", required=True, metavar="ADDRESS", help="Address of the trader's key.")
@key_option("the signer")
@domain_options
@click.option("--register", "register_file", required=True, metavar="FILE", type=FILE, help="Of the signer.")
@signed_map_options
@click.option(
    "--lifetime",
    type=click.IntRange(min=1, max=366 * 86400),
    default=3600,
    show_default=True,
    help="Seconds for which the attestation counts.",
)
@hold_options
@click.option("--record", "record_file", metavar="FILE", type=FILE, help="What it rests on: public.")
@click.option("--kept", "kept_file", metavar="FILE", type=FILE, help="What was read, for the signer: SECRET.")
@pair_options
@json_option
def attest_source(
    *,
    snapshot_file: Path,
    source: str,
    plan_file: Path | None,
    root_files: tuple[Path, ...],
    holdings_file: Path | None,
    account: str | None,
    as_of: str | None,
    open_orders: OpenOrders,
    name: str,
    subject: str,
    key: SigningKey | None,
    domain: SigningDomain,
    register_file: Path,
    map_file: Path | None,
    map_signer: str | None,
    lifetime: int,
    hold: Hold | None,
    record_file: Path | None,
    kept_file: Path | None,
    output: Path,
    opening_file: Path,
    as_json: bool,
) -> None:
    """Read an account where no venue's ledger says what it holds, commit to it, and sign.

    A chain's state is read from proofs under a block that several nodes or signers name; an auditor reads a venue with
    a key that can only read; a custodian reads its own ledger. Policies grade these sources.

    \b
    Example:
      zkmargin attest market.json --source chain --plan wallet.toml --name state --key signer.key \\
          --subject 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf --register signer.db \\
          --chain-id 1 --contract 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF \\
          --record state.record.json -o state.attestation.json --opening state.secret.json
    """
    # Databases are large libraries: imported by the commands that need them.
    from zkmargin.evidence import Issuer, attest_reading  # noqa: PLC0415
    from zkmargin.evidence.source import Sources, reader_of  # noqa: PLC0415
    from zkmargin.venue import Register  # noqa: PLC0415

    given = {**locals()}
    for option, (flag, takers) in OF_SOURCE.items():
        if given[option] not in (None, ()) and source not in takers:
            raise InputError(
                "command line", flag, Finding("given"), f"it belongs to {' and '.join(takers)}; leave it out"
            )
    refuse_existing(opening_file)
    inputs = (snapshot_file, plan_file, *root_files, holdings_file, register_file, map_file)
    written = [output, opening_file, *(path for path in (record_file, kept_file) if path)]
    for number, path in enumerate(written):
        refuse_replacing("--output", path, (*inputs, *written[:number]))
        refuse_unwritable(path)
    if kept_file is not None:
        refuse_existing(kept_file, "reading")
    with progress(as_json) as step:
        step("reading the snapshot")
        snapshot = Snapshot.load(snapshot_file)
        signing, whose = required_key(key), address(subject, "--subject")
        contracts = verified_map(map_file, map_signer, snapshot.universe, signing.address)
        moment = reached_seconds(as_of, "--as-of") or now()
        sources = Sources(
            plan_file, root_files, holdings_file, account, whose, moment, open_orders, contracts
        )
        reader = reader_of(source, sources, domain)
        issuer = Issuer(name, signing, domain, chosen_setup(), snapshot, Register(register_file), contracts)
        step("reading the account")
        made, reading = attest_reading(issuer, reader, whose, lifetime, hold=hold)
    hand_out(made, output, opening_file)
    _write_evidence(reading, reader, record_file, kept_file)
    attestation = made.attestation
    document = {
        "attestation": str(output),
        "opening": str(opening_file),
        "source": attestation.source,
        "complete": attestation.complete,
        "evidence": attestation.evidence,
        "account": attestation.account,
        "as_of": attestation.as_of,
        "sequence": attestation.sequence,
        "signer": attestation.signer,
        "digest": attestation.digest.hex(),
    }
    whole = "nothing is left out" if attestation.complete else "collateral only: it is not shown to be all"
    lines = (
        f"attestation  {output}: public, sequence {attestation.sequence}, signed by {attestation.signer}",
        f"account      {attestation.account}: {attestation.source}, {whole}, of {shown_time(attestation.as_of)}",
        f"opening      {opening_file}: secret, for the trader",
    )
    answer(as_json, document, *map(Text, lines))


def _write_evidence(
    reading: "Reading", reader: "Reader", record_file: Path | None, kept_file: Path | None
) -> None:
    if record_file is not None and reading.record is not None:
        write_atomically(record_file, reading.record.encode())
    if kept_file is not None:
        write_secret(kept_file, reader.archive(), "reading")
