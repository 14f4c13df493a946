"""`--map`, and `zkmargin venue sign-map | check-map`: what a venue calls its contracts."""

from collections.abc import Callable, Mapping
from pathlib import Path

import click
from rich.text import Text

from zkmargin.attestation import (
    AttestationDocument,
    ContractMapDocument,
    SigningDomain,
    SigningKey,
    VerifiedMap,
    sign_map,
)
from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.options.files import (
    FILE,
    OUTPUT,
    now,
    reached_seconds,
    refuse_replacing,
    shown_time,
    snapshot_argument,
)
from zkmargin.cli.options.keys import address, domain_options, key_option, required_key, venue_name_option
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.account.contract_map import Target, read_contract_map
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text, write_atomically
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.snapshot.snapshot import Snapshot

MAP_HELP = (
    "What the venue calls its contracts: CSV with contract, instrument, multiplier and settlement, or signed."
)
SIGNER_HELP = "Address of the key that must have signed the map, from where you trust it."


def map_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options --map and --map-signer of commands that read holdings by a map."""
    signer = click.option("--map-signer", metavar="ADDRESS", help=SIGNER_HELP)
    table = click.option("--map", "map_file", metavar="FILE", type=FILE, help=MAP_HELP)
    wrapped: Callable[..., None] = table(signer(command))
    return wrapped


def signed_map_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options --map and --map-signer of commands that attest; the default signer is the venue."""
    signer_help = "Address of the key that must have signed the map; that of --key if left out."
    signer = click.option("--map-signer", metavar="ADDRESS", help=signer_help)
    map_help = (
        "The venue's names and sizes of contracts, as venue sign-map made it; the attestation names it."
    )
    table = click.option("--map", "map_file", metavar="FILE", type=FILE, help=map_help)
    wrapped: Callable[..., None] = table(signer(command))
    return wrapped


def chosen_targets(
    map_file: Path | None, map_signer: str | None, universe: Universe
) -> Mapping[str, Target] | None:
    """The slots by contract, out of a table or a signed map; None without a map.

    Raises InputError for a signed map without an expected signer, for a table with one, and for what does not fit.
    """
    if map_file is None or _is_signed(map_file):
        found = verified_map(map_file, map_signer, universe)
        return None if found is None else found.targets
    if map_signer is not None:
        remedy = "a CSV table has no signature; leave it out, or name the map that venue sign-map made"
        raise InputError("command line", "--map-signer", map_signer, remedy)
    return read_contract_map(map_file, universe)


def verified_map(
    map_file: Path | None, map_signer: str | None, universe: Universe, own: str | None = None
) -> VerifiedMap | None:
    """The signed map in a file, checked; None without one. Raises InputError.

    `own` is the default signer.
    """
    if map_file is None:
        if map_signer is not None:
            raise InputError("command line", "--map", Finding("missing"), "name the map that was signed")
        return None
    signer = own if map_signer is None else address(map_signer, "--map-signer")
    if signer is None:
        remedy = "the map is signed; say by whose key, or anybody's would do"
        raise InputError("command line", "--map-signer", Finding("missing"), remedy)
    if not _is_signed(map_file):
        remedy = "what is attested to is read by a signed map; sign the table with venue sign-map"
        raise InputError(str(map_file), "map", Finding("not signed"), remedy)
    return ContractMapDocument.read(map_file).verified(universe, signer, str(map_file))


def _is_signed(map_file: Path) -> bool:
    """True if the file is a signed document, not a table."""
    return read_text(map_file).lstrip().startswith("{")


@click.command("sign-map")
@snapshot_argument
@click.argument("table_file", metavar="MAP.csv", type=FILE)
@venue_name_option
@key_option("the venue")
@domain_options
@click.option(
    "--as-of", metavar="TIME", help="From when the map holds, such as 2026-03-14T18:00:00Z; now if left out."
)
@click.option("-o", "--output", required=True, metavar="FILE", type=OUTPUT, help="The signed map: public.")
@json_option
def sign_map_command(
    *,
    snapshot_file: Path,
    table_file: Path,
    name: str,
    key: SigningKey | None,
    domain: SigningDomain,
    as_of: str | None,
    output: Path,
    as_json: bool,
) -> None:
    """Sign a map of the venue's contracts: which slot each is, and how many units of it.

    MAP.csv has the columns contract, instrument, multiplier and settlement. Ledgers are read by the signed map, whose
    digest is in every attestation made so. The later of two maps replaces the other.

    \b
    Example:
      zkmargin venue sign-map market.json contracts.csv --name alpha --key venue.key \\
          --chain-id 1 --contract 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF -o contracts.json
    """
    refuse_replacing("--output", output, (snapshot_file, table_file))
    with progress(as_json) as step:
        step("reading the snapshot")
        universe = Snapshot.load(snapshot_file).universe
        targets = read_contract_map(table_file, universe)
        moment = reached_seconds(as_of, "--as-of") or now()
        signed = sign_map(required_key(key), domain, targets, universe, venue=name, as_of=moment)
    write_atomically(output, signed.encode())
    document = {
        "map": str(output),
        "digest": signed.digest.hex(),
        "signer": signed.signer,
        "contracts": len(signed.contracts),
        "as_of": signed.as_of,
    }
    lines = (
        f"map         {output}: {len(signed.contracts)} contracts of {name}, from {shown_time(moment)} on",
        f"digest      {signed.digest.hex()}",
        f"signed by   {signed.signer}",
    )
    answer(as_json, document, *map(Text, lines))


@click.command("check-map")
@snapshot_argument
@click.argument("map_file", metavar="MAP", type=FILE)
@click.option("--map-signer", required=True, metavar="ADDRESS", help=SIGNER_HELP)
@click.option(
    "--attestation",
    "attestation_file",
    metavar="FILE",
    type=FILE,
    help="That must have been made by this map.",
)
@json_option
def check_map_command(
    *, snapshot_file: Path, map_file: Path, map_signer: str, attestation_file: Path | None, as_json: bool
) -> None:
    """Check a signed map: its signature, its rows against the snapshot's slots, and that an attestation names it.

    Exit code 1 if the attestation was made by another map, or by none.

    \b
    Example:
      zkmargin venue check-map market.json contracts.json --map-signer 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF
    """
    universe = Snapshot.load(snapshot_file).universe
    document = ContractMapDocument.read(map_file)
    found = document.verified(universe, address(map_signer, "--map-signer"), str(map_file))
    if attestation_file is not None:
        attestation = AttestationDocument.read(attestation_file)
        attestation.check_signature(str(attestation_file))
        if attestation.contract_map != found.digest:
            made = f"map {attestation.contract_map}" if attestation.contract_map else "no map"
            raise NotProvenError(f"{attestation_file}: it was made by {made}, not by {found.digest}")
    rows = (
        f"  {row.contract} = {row.multiplier} {row.instrument}, settled in {row.settlement}"
        for row in document.contracts
    )
    lines = (
        f"valid: signed by {document.signer} for {document.venue}, from {shown_time(document.as_of)} on",
        f"digest  {found.digest}",
        *rows,
    )
    answer(
        as_json,
        {"valid": True, "digest": found.digest, **document.model_dump(mode="json")},
        *map(Text, lines),
    )
