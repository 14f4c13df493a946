"""`zkmargin contributions`: what each position contributes to the requirement."""

import click
from rich.text import Text

from zkmargin.cli.commands.planning.pricing import Given, account_options
from zkmargin.cli.options.files import level_option, model_option
from zkmargin.cli.output.planning_tables import rows_table
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.units import Level
from zkmargin.planning.questions.contributions import contributions as find_contributions


@click.command()
@account_options
@level_option
@model_option
@json_option
def contributions(*, given: Given, level: Level, model: str, as_json: bool) -> None:
    """Share the requirement out among the positions by shadow prices, beside what is asked without each.

    \b
    Example:
      zkmargin contributions market.json holdings.csv --level maintenance
    """
    with progress(as_json) as step:
        step("solving for shadow prices")
        found = find_contributions(given.pricing, given.lots, model=model, level=level)
    document = found.to_json()
    lines = [
        rows_table(
            f"Contributions to the requirement, {level} margin, {model}, USD", document["contributions"]
        ),
        Text(f"constants {document['constants']}, requirement {document['requirement']} USD"),
    ]
    answer(as_json, document, *lines)
