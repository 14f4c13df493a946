"""What the commands about a chain have in common: its node, its ledger, and how a refusal is told."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from zkmargin.cli.boundary import NotProvenError
from zkmargin.verifier.contract.chain import RevertedError

rpc_option = click.option(
    "--rpc", required=True, metavar="URL", help="JSON-RPC of a node, such as http://127.0.0.1:8545."
)
ledger_option = click.option(
    "--contract", required=True, metavar="ADDRESS", help="The ledger's address, as contract deploy tells it."
)


@contextmanager
def told() -> Iterator[None]:
    """A contract's refusal is the answer no, by its reason."""
    try:
        yield
    except RevertedError as error:
        raise NotProvenError(f"refused by the contract: {error.refusal}") from None
