"""`zkmargin plan liquidation | hedge | release | check`: least-cost trades, and certificates that none cost less."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.commands.planning.plan_prove import prove, verify
from zkmargin.cli.commands.planning.pricing import Given, account_options, chosen_limits, limit_options
from zkmargin.cli.options.files import (
    FILE,
    holdings_argument,
    level_option,
    model_option,
    snapshot_argument,
    ticks,
)
from zkmargin.cli.output.planning_tables import plan_tables, rules_table, usd
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.arithmetic.decimals import parse_decimal, scaled_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.planning.bands import Band
from zkmargin.planning.certificate import CertificateDocument, CertificateError, certify
from zkmargin.planning.certificate import check as check_certificate
from zkmargin.planning.plan import plan_hedge, plan_liquidation, plan_release
from zkmargin.planning.rules import usual_rules

maintenance_option = click.option(
    "--level", type=click.Choice(("initial", "maintenance")), default="maintenance", show_default=True,
    help="Which margin the excess is over.",
)  # fmt: skip
target_option = click.option(
    "--target", default="0", show_default=True, metavar="USD", help="The excess to reach."
)
certificate_option = click.option(
    "--certificate", "certificate_file", metavar="FILE", type=FILE,
    help="Write a certificate that no plan within the limits costs less than a bound; plan check checks it.",
)  # fmt: skip


@click.group()
def plan() -> None:
    """Find the least-cost trades that bring an account to a target, confirmed by the exact engine.

    \b
    Example:
      zkmargin plan liquidation market.json holdings.csv --hedges
    """


@plan.command()
@account_options
@target_option
@maintenance_option
@model_option
@click.option("--hedges", is_flag=True, help="New hedges are allowed, not only closing trades.")
@click.option("--no-rules", is_flag=True, help="Leave out what usual rules would do.")
@limit_options
@certificate_option
@json_option
def liquidation(
    *,
    given: Given,
    target: str,
    level: Level,
    model: str,
    hedges: bool,
    no_rules: bool,
    certificate_file: Path | None,
    as_json: bool,
    **limits: Any,
) -> None:
    """Restore margin by the cheapest trades, in an order in which the excess only rises, beside the usual rules.

    \b
    Example:
      zkmargin plan liquidation market.json holdings.csv --target 1000 --hedges --certificate least.json
    """
    chosen = chosen_limits(given.snapshot, **limits)
    wanted = ticks(target, given.snapshot.quantum_decimals, "--target")
    with progress(as_json) as step:
        step("finding the least cost")
        found = plan_liquidation(
            given.pricing, given.lots, model=model, level=level, target=wanted, hedges=hedges, limits=chosen
        )
        document, lines = found.to_json(), plan_tables(found)
        if not no_rules and found.trades:
            step("following the usual rules")
            rules = usual_rules(given.pricing, given.lots, model=model, level=level, target=wanted)
            document["rules"] = [rule.to_json() for rule in rules]
            lines.append(rules_table(found, rules))
        if certificate_file is not None:
            step("certifying")
            made = certify(given.pricing, given.lots, found, hedges=hedges, limits=chosen)
            _write_certificate(made, certificate_file, document, lines)
    answer(as_json, document, *lines)


@plan.command()
@account_options
@click.option("--target", metavar="USD", help="The excess to reach; left out, it may fall to zero.")
@click.option(
    "--delta",
    "deltas",
    multiple=True,
    metavar="COIN:LOW:HIGH",
    help="Keep net delta between two numbers of coins.",
)
@click.option(
    "--vega", "vegas", multiple=True, metavar="COIN:LOW:HIGH",
    help="Keep net vega between two numbers of USD a volatility point.",
)  # fmt: skip
@level_option
@model_option
@limit_options
@json_option
def hedge(
    *,
    given: Given,
    target: str | None,
    deltas: tuple[str, ...],
    vegas: tuple[str, ...],
    level: Level,
    model: str,
    as_json: bool,
    **limits: Any,
) -> None:
    """Find the cheapest trades to a target excess, and into bands of delta or vega.

    \b
    Example:
      zkmargin plan hedge market.json holdings.csv --delta BTC:-0.5:0.5 --target 100000
    """
    bands = [_band(text, "delta") for text in deltas] + [_band(text, "vega") for text in vegas]
    if target is None and not bands:
        raise InputError("command line", "--target", Finding("missing"), "name a target, or a band")
    wanted = None if target is None else ticks(target, given.snapshot.quantum_decimals, "--target")
    with progress(as_json) as step:
        step("finding the least cost")
        found = plan_hedge(
            given.pricing, given.lots, model=model, level=level, target=wanted, bands=bands,
            limits=chosen_limits(given.snapshot, **limits),
        )  # fmt: skip
    answer(as_json, found.to_json(), *plan_tables(found))


@plan.command()
@account_options
@click.option("--budget", required=True, metavar="USD", help="What the trades may cost.")
@level_option
@model_option
@limit_options
@json_option
def release(*, given: Given, budget: str, level: Level, model: str, as_json: bool, **limits: Any) -> None:
    """Find the trades that release most margin for a budget.

    \b
    Example:
      zkmargin plan release market.json holdings.csv --budget 50
    """
    spent = Fraction(parse_decimal(budget, "command line", "--budget"))
    with progress(as_json) as step:
        step("finding the greatest excess")
        found = plan_release(
            given.pricing, given.lots, spent, model=model, level=level,
            limits=chosen_limits(given.snapshot, **limits),
        )  # fmt: skip
    answer(as_json, found.to_json(), *plan_tables(found))


@plan.command()
@click.argument("certificate_file", metavar="CERTIFICATE", type=FILE)
@snapshot_argument
@holdings_argument
@json_option
def check(*, certificate_file: Path, snapshot_file: Path, holdings_file: Path, as_json: bool) -> None:
    """Check a certificate of least cost against a book, in exact integers; no solver is asked.

    \b
    Example:
      zkmargin plan check least.json market.json holdings.csv
    """
    document = CertificateDocument.read(certificate_file)
    snapshot = Snapshot.load(snapshot_file)
    holdings = Holdings.read(holdings_file, snapshot)
    try:
        verdict = check_certificate(document, snapshot, holdings)
    except CertificateError as error:
        raise NotProvenError(f"{certificate_file}: {error}") from None
    asked = scaled_decimal(int(document.target), snapshot.quantum_decimals)
    lines = [f"no plan costs less than {usd(verdict.bound)} USD for an excess of {asked} USD"]
    if verdict.cost is not None:
        share = (
            "" if verdict.beyond is None else f", at most {float(100 * verdict.beyond):.2f} % above the least"
        )
        lines.append(f"its plan costs {usd(verdict.cost)} USD{share}")
    answer(as_json, verdict.to_json(), *map(Text, lines))


def _write_certificate(
    made: CertificateDocument, path: Path, document: dict[str, Any], lines: list[RenderableType]
) -> None:
    made.write(path)
    document["certificate"] = str(path)
    document["certified"] = scaled_decimal(int(made.bound) // 10**18, 6)
    lines.append(Text(f"certificate written to {path}: no plan costs less than {document['certified']} USD"))


def _band(text: str, measure: Any) -> Band:
    parts = text.split(":")
    if len(parts) != 3:
        raise InputError("command line", f"--{measure}", text, "write COIN:LOW:HIGH, such as BTC:-1:1")
    low, high = (Fraction(parse_decimal(part, "command line", f"--{measure}")) for part in parts[1:])
    return Band(parts[0], measure, low, high)


plan.add_command(prove)
plan.add_command(verify)
