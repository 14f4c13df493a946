"""The command and its parts, each imported when it is called."""

import click

from zkmargin.cli.lazy_group import LazyGroup


@click.group(
    "zkmargin",
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="zkmargin")
def command() -> None:
    """Prove that an account's collateral covers its margin requirement, and reveal nothing else.

    A risk snapshot values every instrument in every scenario. The venue or custodian commits to the account's
    holdings; the owner proves that they cover the requirement; anyone with the same snapshot verifies.

    \b
    From market to proof:
      zkmargin snapshot build --example -o market.json
      zkmargin margin market.json holdings.csv
      zkmargin commit market.json holdings.csv -o commitment.json --opening opening.secret.json
      zkmargin prove market.json --opening opening.secret.json --audience bank --nonce 7f3a -o proof.json
      zkmargin verify market.json proof.json --commitment commitment.json --audience bank --nonce 7f3a

    Exit codes: 0 done or valid, 1 not valid or not covered, 2 input that cannot be used, 130 interrupted.
    `zkmargin demo` runs all of it on an example.
    """


@command.part(
    "example", "Write the example's files: a snapshot, the holdings of an account, and a desk's parameters."
)
def _example() -> click.Command:
    from zkmargin.cli.commands.example import example

    return example


@command.part("snapshot", "Build, show or check a risk snapshot.")
def _snapshot() -> click.Command:
    from zkmargin.cli.commands.snapshot import snapshot

    return snapshot


@command.part("import", "Read files that clearing houses and venues publish.")
def _import() -> click.Command:
    from zkmargin.cli.commands.import_ import importing

    return importing


@command.part("margin", "Value an account, find its requirement, and say where it comes from.")
def _margin() -> click.Command:
    from zkmargin.cli.commands.margin import margin

    return margin


@command.part("compare-venue", "Margin the account of a venue's own simulation, and show where the two part.")
def _compare_venue() -> click.Command:
    from zkmargin.cli.commands.compare_venue import compare_venue

    return compare_venue


@command.part("backtest", "Backtest a margin model on daily prices.")
def _backtest() -> click.Command:
    from zkmargin.cli.commands.backtest import run_backtest

    return run_backtest


@command.part("whatif", "Show requirement, excess and Greeks before and after some trades, costs paid.")
def _whatif() -> click.Command:
    from zkmargin.cli.commands.planning.whatif import whatif

    return whatif


@command.part(
    "plan", "Find the least-cost trades that bring an account to a target, confirmed by the exact engine."
)
def _plan() -> click.Command:
    from zkmargin.cli.commands.planning.plan import plan

    return plan


@command.part(
    "available",
    "Find the greatest withdrawal of each asset that keeps margin covered, to the lot: one lot more fails.",
)
def _available() -> click.Command:
    from zkmargin.cli.commands.planning.available import available

    return available


@command.part(
    "distance",
    "Find the prices and volatilities at which margin fails, by pricing the market again, and a map of the excess.",
)
def _distance() -> click.Command:
    from zkmargin.cli.commands.planning.distance import distance

    return distance


@command.part(
    "contributions",
    "Share the requirement out among the positions by shadow prices, beside what is asked without each.",
)
def _contributions() -> click.Command:
    from zkmargin.cli.commands.planning.contributions import contributions

    return contributions


@command.part("place", "Place a pool of collateral among accounts at several venues, at the least fees.")
def _place() -> click.Command:
    from zkmargin.cli.commands.planning.place import place

    return place


@command.part(
    "agent",
    "Decide on each snapshot whether to hold or to trade, and write every decision down with its reason and cost.",
)
def _agent() -> click.Command:
    from zkmargin.cli.commands.planning.agent import agent

    return agent


@command.part("commit", "Commit to the holdings of an account.")
def _commit() -> click.Command:
    from zkmargin.cli.commands.commit import commit

    return commit


@command.part("rows", "Commit to the rows of a model, so that a verifier needs no matrix.")
def _rows() -> click.Command:
    from zkmargin.cli.commands.rows import rows

    return rows


@command.part("prove", "Prove that the account covers its requirement, and the threshold beyond it.")
def _prove() -> click.Command:
    from zkmargin.cli.commands.prove import prove

    return prove


@command.part(
    "verify", "Verify that the account behind the commitment covers its requirement and the threshold."
)
def _verify() -> click.Command:
    from zkmargin.cli.commands.verify import verify

    return verify


@command.part("statement", "Write down what a proof has to show, for a verifier that has no snapshot.")
def _statement() -> click.Command:
    from zkmargin.cli.commands.statement import statement

    return statement


@command.part("venue", "Attest to the accounts of one's own ledger.")
def _venue() -> click.Command:
    from zkmargin.cli.commands.venue import venue

    return venue


@command.part("attest", "Read an account where no venue's ledger says what it holds, commit to it, and sign.")
def _attest() -> click.Command:
    from zkmargin.cli.commands.evidence.attest import attest_source

    return attest_source


@command.part(
    "sign-root", "Sign a block of a chain: its hash, its state root, and how many blocks lay on top."
)
def _sign_root() -> click.Command:
    from zkmargin.cli.commands.evidence.sign_root import sign_root

    return sign_root


@command.part("fetch", "Have a venue attest to your account, and fetch attestation and opening.")
def _fetch() -> click.Command:
    from zkmargin.cli.commands.fetch import fetch

    return fetch


@command.part("submit", "Ask a service what to prove, prove it, pledge, and keep the receipt.")
def _submit() -> click.Command:
    from zkmargin.cli.commands.submit import submit

    return submit


@command.part("watch", "Keep a pledge proven: prove it again on each new snapshot, before it goes stale.")
def _watch() -> click.Command:
    from zkmargin.cli.commands.submit import watch

    return watch


@command.part("pledge", "Look after pledges as a protocol, with its key.")
def _pledge() -> click.Command:
    from zkmargin.cli.commands.pledge import pledge

    return pledge


@command.part("policy", "Pin the parameters of a snapshot in a policy, or check a policy against one.")
def _policy() -> click.Command:
    from zkmargin.cli.commands.policy import policy

    return policy


@command.part("receipt", "Fetch and check receipts of a service.")
def _receipt() -> click.Command:
    from zkmargin.cli.commands.receipt import receipt

    return receipt


@command.part("serve", "Run the verifier's service: verify proofs, record and watch pledges.")
def _serve() -> click.Command:
    from zkmargin.cli.commands.serve import serve

    return serve


@command.part("contract", "Verify proofs and keep pledges on an EVM chain (Prague's rules or later).")
def _contract() -> click.Command:
    from zkmargin.cli.commands.evm.contract import contract

    return contract


@command.part("demo", "Walk the whole way on an example market.")
def _demo() -> click.Command:
    from zkmargin.cli.demo.walk import demo

    return demo


@command.part("demo-portable", "Walk through portable margin on one machine.")
def _demo_portable() -> click.Command:
    from zkmargin.cli.demo.portable import demo_portable

    return demo_portable


@command.part("demo-evidence", "Walk through holdings that no venue's ledger says.")
def _demo_evidence() -> click.Command:
    from zkmargin.cli.demo.evidence import demo_evidence

    return demo_evidence


@command.part("info", "Show the backends, the models that can be proven, the ceremony and the versions.")
def _info() -> click.Command:
    from zkmargin.cli.commands.info import info

    return info
