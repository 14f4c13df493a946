"""What planning commands say, as tables for people."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from zkmargin.cli.output.report import cents
from zkmargin.margin.arithmetic.decimals import canonical_decimal, nearest, scaled_decimal
from zkmargin.planning.plan import Plan
from zkmargin.planning.rules import RuleResult
from zkmargin.planning.trades import Trade


def table(title: str, *columns: str, left: int = 1) -> Table:
    """A table whose first columns are names and whose others are numbers."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number < left else "right", overflow="fold")
    return made


def usd(value: Fraction) -> str:
    """USD to the cent, rounded to nearest."""
    return f"{nearest(value * 100) / 100:,.2f}"


def signed(trade: Trade) -> str:
    """A quantity with its sign."""
    text = canonical_decimal(trade.quantity)
    return text if trade.lots < 0 else f"+{text}"


def plan_tables(plan: Plan) -> list[RenderableType]:
    """The trades in their order, and what is known of the cost."""
    decimals = plan.quantum_decimals
    if not plan.trades:
        return [Text(f"nothing to do: the excess is {cents(plan.before, decimals)} USD")]
    shown = table("Plan", "step", "instrument", "quantity", "cost, USD", "excess after, USD", left=2)
    for number, step in enumerate(plan.steps, 1):
        for place, trade in enumerate(step.trades):
            last = place == len(step.trades) - 1
            shown.add_row(
                str(number) if place == 0 else "", trade.instrument, signed(trade), usd(trade.cost),
                cents(step.excess, decimals) if last else "",
            )  # fmt: skip
    lines = [
        f"excess    {cents(plan.before, decimals)} -> {cents(plan.after, decimals)} USD, {plan.level}, {plan.model}",
        f"cost      {usd(plan.cost)} USD; {_bound(plan)}",
    ]
    if not plan.rising:
        lines.append(
            "order     no order of these trades raises the excess with every step; trade them together"
        )
    return [shown, *map(Text, lines)]


def _bound(plan: Plan) -> str:
    if plan.bound is None or plan.gap is None:
        return "how much less it could be is not known under this model"
    return f"no plan costs less than {plan.bound:,.2f} (gap {100 * plan.gap:.2f} %)"


def rules_table(plan: Plan, rules: Sequence[RuleResult]) -> RenderableType:
    """The plan beside what usual rules would do."""
    shown = table(
        "Beside it, what usual rules would do", "rule", "cost, USD", "trades", "excess after", "least excess"
    )
    decimals = plan.quantum_decimals
    lows = [plan.before, *(step.excess for step in plan.steps)]
    shown.add_row(
        "least cost",
        usd(plan.cost),
        str(len(plan.trades)),
        cents(plan.after, decimals),
        cents(min(lows), decimals),
    )
    for rule in rules:
        name = rule.rule if rule.reached else f"{rule.rule} (does not get there)"
        shown.add_row(
            name,
            usd(rule.cost),
            str(len(rule.trades)),
            cents(rule.after, decimals),
            cents(rule.worst, decimals),
        )
    return shown


def rows_table(title: str, rows: Sequence[Mapping[str, Any]], left: int = 1) -> RenderableType:
    """Mappings with the same keys, a row each."""
    columns = list(rows[0]) if rows else ["nothing"]
    shown = table(title, *columns, left=left)
    for row in rows:
        shown.add_row(*("-" if value is None else str(value) for value in row.values()))
    return shown


def percent(share: str | None) -> str:
    """A share at four places as a percentage."""
    return "-" if share is None else f"{scaled_decimal(int(Fraction(share) * 10**4), 2)} %"
