"""All models side by side, as a table for people."""

from rich.table import Table
from rich.text import Text

from zkmargin.cli.output.report import cents, money_table, required
from zkmargin.margin.account.comparison import MEASURE, ModelComparison


def comparison_table(found: ModelComparison) -> Table:
    """Requirement, excess and saving against isolated margin, by model."""
    decimals = found.quantum_decimals
    table = money_table(
        f"Account value {cents(found.account_value, decimals)} USD, {found.level} margin by every model",
        "model",
        "requirement, USD",
        "excess, USD",
        f"saving against {MEASURE}, USD",
        "",
    )
    for figures in found.models:
        measure = figures.model == MEASURE
        share = "" if measure or figures.share is None else f"{100 * float(figures.share):.1f} %"
        table.add_row(
            figures.model,
            required(found.account_value, figures.excess, decimals),
            Text(cents(figures.excess, decimals), style="bold red" if figures.excess < 0 else ""),
            "" if measure else cents(figures.saving, decimals),
            share,
        )
    return table
