"""`zkmargin whatif`: what some trades would do to an account, and which candidates release most margin for a dollar."""

from pathlib import Path

import click
from rich.console import RenderableType
from rich.text import Text

from zkmargin.cli.commands.planning.pricing import Given, account_options
from zkmargin.cli.options.files import FILE, level_option, model_option
from zkmargin.cli.output.planning_tables import rows_table, usd
from zkmargin.cli.output.terminal import answer, json_option
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text
from zkmargin.margin.units import Level
from zkmargin.planning.questions.whatif import rank
from zkmargin.planning.questions.whatif import whatif as what_if
from zkmargin.planning.trades import parse_trade


@click.command()
@account_options
@click.option(
    "--trade", "trades", multiple=True, metavar='"NAME QUANTITY"', help="A trade; repeat it for several."
)
@click.option(
    "--rank", "rank_file", metavar="FILE", type=FILE,
    help="Candidate trades, one a line as in --trade; they are ranked by the margin that each releases per dollar.",
)  # fmt: skip
@level_option
@model_option
@json_option
def whatif(
    *, given: Given, trades: tuple[str, ...], rank_file: Path | None, level: Level, model: str, as_json: bool
) -> None:
    """Show requirement, excess and Greeks before and after some trades, costs paid.

    \b
    Example:
      zkmargin whatif market.json holdings.csv --trade "BTC-27MAR26-66000-P +1" --trade "BTC-PERPETUAL -5000"
      zkmargin whatif market.json holdings.csv --rank candidates.txt --model span
    """
    if not trades and rank_file is None:
        raise InputError(
            "command line", "--trade", Finding("missing"), "name a trade, or a file of them with --rank"
        )
    document, lines = {}, list[RenderableType]()
    if trades:
        found = what_if(
            given.pricing,
            given.lots,
            [parse_trade(text, given.pricing) for text in trades],
            model=model,
            level=level,
        )
        document = found.to_json()
        before, after = document["before"], document["after"]
        rows = [
            {"USD": name.replace("_", " "), "before": before[name], "after": after[name]}
            for name in ("account_value", "requirement", "excess")
        ]
        for coin in sorted({*before["greeks"], *after["greeks"]}):
            for name in ("delta", "gamma", "vega", "theta"):
                sides = [side["greeks"].get(coin, {}).get(name, "0") for side in (before, after)]
                rows.append({"USD": f"{coin} {name}", "before": sides[0], "after": sides[1]})
        lines += [rows_table(f"What if, {level} margin, {model}", rows), Text(f"cost {usd(found.cost)} USD")]
    if rank_file is not None:
        texts = [
            line for line in read_text(rank_file).splitlines() if line.strip() and not line.startswith("#")
        ]
        candidates = [
            parse_trade(text, given.pricing, f"{rank_file}, line {n}") for n, text in enumerate(texts, 1)
        ]
        ranked = rank(given.pricing, given.lots, candidates, model=model, level=level)
        document["ranked"] = [each.to_json(given.snapshot.quantum_decimals) for each in ranked]
        lines.append(rows_table("Margin released for a dollar", document["ranked"]))
    answer(as_json, document, *lines)
