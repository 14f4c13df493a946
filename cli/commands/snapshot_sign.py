"""`zkmargin snapshot sign`: what a risk oracle does, and how its signature is checked."""

import time
from pathlib import Path

import click

from zkmargin.attestation import SigningDomain, SigningKey, SnapshotSignature
from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.options.files import FILE, OUTPUT, refuse_replacing, snapshot_argument, unix_seconds
from zkmargin.cli.options.keys import domain_options, key_option, required_key
from zkmargin.cli.options.loading import reproduced_snapshot, rows_to_publish
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.verifier import Policy, PolicyError, check_snapshot

policy_option = click.option(
    "--policy", "policy_file", metavar="FILE", type=FILE, help="Whom you trust, and what you accept: TOML."
)
signature_option = click.option(
    "--snapshot-signature",
    "signature_file",
    metavar="FILE",
    type=FILE,
    help="A risk oracle's signature of the snapshot, checked under the policy.",
)
at_option = click.option(
    "--at",
    metavar="TIME",
    help="Judge ages and expiries as of then, such as 2026-03-14T18:00:00Z; now if left out.",
)


@click.command()
@snapshot_argument
@key_option("the oracle")
@domain_options
@click.option("-o", "--output", required=True, metavar="FILE", type=OUTPUT, help="The signature.")
@click.option(
    "--publish",
    "published_file",
    metavar="FILE",
    type=FILE,
    help="Snapshot and signature in one file, replaced at once: what a verifier's service pulls over HTTP.",
)
@click.option(
    "--rows",
    "rows_files",
    multiple=True,
    metavar="FILE",
    type=FILE,
    help="With --publish: committed rows to publish beside them, from zkmargin rows; repeat it for each.",
)
@json_option
def sign(
    *,
    snapshot_file: Path,
    key: SigningKey | None,
    domain: SigningDomain,
    output: Path,
    published_file: Path | None,
    rows_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Sign a snapshot as a risk oracle: its prices were right at its valuation time.

    Marks and tables are derived again first; every recipient does the same. Committed rows are checked
    against them.

    \b
    Example:
      zkmargin snapshot sign market.json --key oracle.key --chain-id 1 \\
          --contract 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF -o market.signature.json \\
          --publish public/snapshot.json
    """
    refuse_replacing("--output", output, (snapshot_file, published_file, *rows_files))
    if published_file is not None:
        refuse_replacing("--publish", published_file, (snapshot_file, *rows_files))
    elif rows_files:
        remedy = "name the file to publish rows in; a signature is of the snapshot alone"
        raise InputError("command line", "--publish", Finding("missing"), remedy)
    with progress(as_json) as step:
        snapshot = reproduced_snapshot(snapshot_file, step)
        rows = rows_to_publish(rows_files, snapshot, step)
        signed = SnapshotSignature.sign(
            required_key(key),
            domain,
            snapshot=snapshot.id,
            universe=snapshot.universe.digest,
            valuation_time=snapshot.valuation_time,
        )
    write_atomically(output, signed.encode())
    document: dict[str, object] = {"snapshot": snapshot.id, "signer": signed.signer, "output": str(output)}
    lines = [f"snapshot    {snapshot.id}", f"signed by   {signed.signer}", f"written to  {output}"]
    if published_file is not None:
        # The client brings an HTTP library, which `verify` shares this module's options without.
        from zkmargin.client.calls import published  # noqa: PLC0415

        write_atomically(published_file, published(snapshot, signed, rows))
        names = [f"{one.model} at {one.level}" for one in rows]
        document |= {"published": str(published_file), "rows": names}
        beside = f", with the rows of {', '.join(names)}" if names else ""
        lines.append(f"published   {published_file}: for verifiers' services to pull{beside}")
    answer(as_json, document, *lines)


def judged_at(at: str | None) -> float:
    """The moment to judge by, Unix seconds. Raises InputError."""
    return float(unix_seconds(at, "--at")) if at else time.time()


def check_signed(
    snapshot: Snapshot, signature_file: Path | None, policy_file: Path | None, at: str | None
) -> str | None:
    """The name of the trusted oracle that signed the snapshot; None if no signature was given.

    Raises NotProvenError if the policy does not admit it, InputError if one of the two files is missing.
    """
    if signature_file is None:
        return None
    if policy_file is None:
        remedy = "name the policy that lists trusted oracles"
        raise InputError("command line", "--policy", Finding("missing"), remedy)
    policy, signature = Policy.read(policy_file), SnapshotSignature.read(signature_file)
    try:
        return check_snapshot(snapshot, signature, policy, judged_at(at))
    except PolicyError as error:
        raise NotProvenError(f"the snapshot is not accepted: {error}") from None
