"""`zkmargin distance`: how far an account is from failing its margin."""

from pathlib import Path

import click
from rich.console import RenderableType
from rich.text import Text

from zkmargin.cli.commands.planning.pricing import Given, account_options
from zkmargin.cli.options.files import FILE, check_picture, model_option
from zkmargin.cli.output.planning_tables import percent, rows_table, table
from zkmargin.cli.output.report import cents
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.units import Level
from zkmargin.planning.questions.distance import Distance
from zkmargin.planning.questions.distance import distance as find_distance


@click.command()
@account_options
@click.option(
    "--level", type=click.Choice(("initial", "maintenance")), default="maintenance", show_default=True,
    help="Which margin must not fail.",
)  # fmt: skip
@model_option
@click.option("--chart", "chart_file", metavar="FILE", type=FILE, help="The map as a picture, .png or .svg.")
@json_option
def distance(*, given: Given, level: Level, model: str, chart_file: Path | None, as_json: bool) -> None:
    """Find the prices and volatilities at which margin fails, by pricing the market again, and a map of the excess.

    \b
    Example:
      zkmargin distance market.json holdings.csv --chart map.png
    """
    check_picture(chart_file, "--chart")
    with progress(as_json) as step:
        step("pricing the market again")
        found = find_distance(given.snapshot, given.lots, model=model, level=level)
    document, lines = found.to_json(), tables(found)
    if chart_file is not None:
        # Only who draws waits for the drawing library.
        from zkmargin.cli.output.distance_chart import draw_distance  # noqa: PLC0415

        draw_distance(found, chart_file)
        document["chart"] = str(chart_file)
        lines.append(Text(f"picture written to {chart_file}"))
    answer(as_json, document, *lines)


def tables(found: Distance) -> list[RenderableType]:
    """Distances, the map and the walk in time."""
    document, decimals = found.to_json(), found.quantum_decimals
    rows = [
        {
            "way": each["way"],
            "fails at": ("holds all the way" if each["move"] is None else _move(each["way"], each["move"])),
            "price, USD": each["price"],
        }
        for each in document["failures"]
    ]
    grid = table(
        "Excess, USD: prices down, volatility across",
        "prices",
        *map(percent, document["map"]["volatilities"]),
    )
    for spot, excesses in zip(document["map"]["spots"], found.grid, strict=True):
        grid.add_row(percent(spot), *(cents(each, decimals) for each in excesses))
    walk = [{"after": name, "excess, USD": cents(each, decimals)} for name, each in found.walk]
    return [
        rows_table(f"Distance to failing {found.level} margin, {found.model}", rows),
        grid,
        rows_table("Time", walk),
    ]


def _move(way: str, move: str) -> str:
    return f"{move} times" if way.startswith("times") else percent(move)
