"""`zkmargin sign-root`: whoever follows a chain signs which block it has, for readers that believe no endpoint."""

from pathlib import Path

import click
from rich.text import Text

from zkmargin.attestation import SigningDomain, SigningKey
from zkmargin.cli.options.files import FILE, refuse_unwritable, shown_time
from zkmargin.cli.options.keys import domain_options, key_option, required_key
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.files.documents import write_atomically


@click.command("sign-root")
@click.option("--endpoint", required=True, metavar="URL", help="JSON-RPC of the signer's own node.")
@click.option("--chain", type=click.IntRange(min=1), required=True, help="Id of the chain that it follows.")
@click.option(
    "--confirmations",
    type=click.IntRange(min=0, max=1 << 20),
    default=64,
    show_default=True,
    help="Blocks that lie on top of the one that is signed.",
)
@click.option("--number", type=click.IntRange(min=0), help="Of the block, so that several sign the same.")
@key_option("the signer")
@domain_options
@click.option("-o", "--output", required=True, metavar="FILE", type=FILE, help="The signed root: public.")
@json_option
def sign_root(
    *,
    endpoint: str,
    chain: int,
    confirmations: int,
    number: int | None,
    key: SigningKey | None,
    domain: SigningDomain,
    output: Path,
    as_json: bool,
) -> None:
    """Sign a block of a chain: its hash, its state root, and how many blocks lay on top.

    \b
    Example:
      zkmargin sign-root --endpoint http://127.0.0.1:8545 --chain 1 --key follower.key \\
          --chain-id 1 --contract 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF -o root.json
    """
    # Tries are a library of their own: the extra `evidence` brings it.
    from zkmargin.evidence.chain.sign_root import signed_root  # noqa: PLC0415

    refuse_unwritable(output)
    signing = required_key(key)
    with progress(as_json) as step:
        step("asking the node")
        root = signed_root(endpoint, chain, confirmations, number, key=signing, domain=domain)
    write_atomically(output, root.encode())
    lines = (
        f"block       {root.number} of chain {root.chain}, {root.head - root.number} blocks deep, "
        f"of {shown_time(root.timestamp)}",
        f"signed by   {root.signer}",
        f"written to  {output}",
    )
    document = {
        "number": root.number,
        "block_hash": root.block_hash,
        "state_root": root.state_root,
        "head": root.head,
        "signer": root.signer,
        "output": str(output),
    }
    answer(as_json, document, *map(Text, lines))
