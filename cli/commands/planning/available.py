"""`zkmargin available`: what may be withdrawn, and how large an order may be."""

import click
from rich.text import Text

from zkmargin.cli.commands.planning.pricing import Given, account_options
from zkmargin.cli.options.files import level_option, model_option
from zkmargin.cli.output.planning_tables import rows_table
from zkmargin.cli.output.terminal import answer, json_option
from zkmargin.margin.units import Level
from zkmargin.planning.questions.available import available as what_is_available
from zkmargin.planning.questions.available import largest_order


@click.command()
@account_options
@click.option(
    "--order",
    "orders",
    multiple=True,
    metavar="NAME",
    help="Also the greatest order either way; repeat for several.",
)
@level_option
@model_option
@json_option
def available(*, given: Given, orders: tuple[str, ...], level: Level, model: str, as_json: bool) -> None:
    """Find the greatest withdrawal of each asset that keeps margin covered, to the lot: one lot more fails.

    \b
    Example:
      zkmargin available market.json holdings.csv --order BTC-PERPETUAL
    """
    found = what_is_available(given.pricing, given.lots, model=model, level=level)
    document = found.to_json()
    rows = [{"asset": m.name, "withdrawal": m.quantity, "stopped by": m.reason} for m in found.withdrawals]
    lines = [rows_table(f"Available, {level} margin, {model}", rows)]
    if orders:
        largest = [
            {
                "instrument": name,
                "side": word,
                **_order(given, name, buy=word == "buy", model=model, level=level),
            }
            for name in orders
            for word in ("buy", "sell")
        ]
        document["orders"] = largest
        lines.append(rows_table("Greatest orders", largest, left=2))
    share = "-" if found.utilisation is None else f"{float(100 * found.utilisation):.2f} %"
    answer(as_json, document, *lines, Text(f"excess {document['excess']} USD, utilisation {share}"))


def _order(given: Given, name: str, *, buy: bool, model: str, level: Level) -> dict[str, str]:
    most = largest_order(given.pricing, given.lots, name, buy=buy, model=model, level=level)
    return {"quantity": most.quantity, "reason": most.reason}
