"""The command and its parts."""

import click

from zkmargin.cli.boundary import Boundary
from zkmargin.cli.commands.attest import attest_source
from zkmargin.cli.commands.backtest import run_backtest
from zkmargin.cli.commands.commit import commit
from zkmargin.cli.commands.fetch import fetch
from zkmargin.cli.commands.import_ import importing
from zkmargin.cli.commands.info import info
from zkmargin.cli.commands.margin import margin
from zkmargin.cli.commands.pledge import pledge
from zkmargin.cli.commands.prove import prove
from zkmargin.cli.commands.receipt import receipt
from zkmargin.cli.commands.rows import rows
from zkmargin.cli.commands.serve import serve
from zkmargin.cli.commands.sign_root import sign_root
from zkmargin.cli.commands.snapshot import snapshot
from zkmargin.cli.commands.submit import submit, watch
from zkmargin.cli.commands.venue import venue
from zkmargin.cli.commands.verify import verify
from zkmargin.cli.demo.evidence import demo_evidence
from zkmargin.cli.demo.portable import demo_portable
from zkmargin.cli.demo.walk import demo


@click.group(
    "zkmargin",
    cls=Boundary,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="zkmargin")
def command() -> None:
    """Prove that an account's collateral covers its margin requirement, and show nothing else of it.

    A risk snapshot prices every instrument under every scenario. Whoever holds the account's ledger commits
    to the holdings; the owner proves that what is committed to covers the requirement; anyone with the same
    snapshot verifies.

    \b
    The way through:
      zkmargin snapshot build --example -o market.json
      zkmargin margin market.json holdings.csv
      zkmargin commit market.json holdings.csv -o commitment.json --opening opening.secret.json
      zkmargin prove market.json --opening opening.secret.json --audience bank --nonce 7f3a -o proof.json
      zkmargin verify market.json proof.json --commitment commitment.json --audience bank --nonce 7f3a

    Exit codes: 0 done or valid, 1 not valid or not covered, 2 input that cannot be used, 130 interrupted.
    `zkmargin demo` walks the whole way by itself.
    """


PARTS = (
    snapshot,
    importing,
    margin,
    run_backtest,
    commit,
    rows,
    prove,
    verify,
    venue,
    attest_source,
    sign_root,
    fetch,
    submit,
    watch,
    pledge,
    receipt,
    serve,
    demo,
    demo_portable,
    demo_evidence,
    info,
)

for part in PARTS:
    command.add_command(part)
