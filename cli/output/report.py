"""A margin report as tables for people: in dollars and cents, rounded as the report says."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from zkmargin.margin.account.report import CellProfit, GreeksReport, Report, UnitReport
from zkmargin.margin.account.tail_report import TailReport
from zkmargin.margin.arithmetic.decimals import canonical_decimal, nearest, scaled_decimal
from zkmargin.margin.tables.grid import VolatilityMove

_MOVES: Mapping[VolatilityMove, str] = {
    "up": "vol up",
    "none": "vol unchanged",
    "down": "vol down",
    "linear": "linear skew",
    "absolute": "absolute skew",
}
_CENTS = 2

TAIL_SHOWN = 12
"""Scenarios of a tail that fit a screen; the JSON report has them all."""


def report_tables(report: Report) -> list[RenderableType]:
    """All tables of a report."""
    return [
        positions_table(report),
        *(grid_table(unit, report.quantum_decimals) for unit in report.units if unit.positions),
        *(losers_table(unit, report.quantum_decimals) for unit in report.units if unit.positions),
        *([tail_table(report.tail, report.quantum_decimals)] if report.tail else []),
        *([tail_losers_table(report.tail, report.quantum_decimals)] if report.tail else []),
        charges_table(report),
        greeks_table(report),
        *brief_tables(report),
    ]


def brief_tables(report: Report) -> list[RenderableType]:
    """The last lines, and what the model does not see where that must be known."""
    told = [*([report.note] if report.note else []), *(f"without: {rule}" for rule in report.without)]
    return [summary_table(report), *map(Text, told)]


def cents(ticks: int, decimals: int) -> str:
    """Ticks of 10^-decimals USD as people read money: rounded down to cents, thousands apart."""
    return _money(_floor(ticks, decimals))


def _floor(ticks: int, decimals: int) -> int:
    """Whole cents, rounded down."""
    return ticks // int(10 ** (decimals - _CENTS))


def _cost(ticks: int, decimals: int) -> str:
    """A loss or a charge: rounded up to cents."""
    return _money(-_floor(-ticks, decimals))


def _money(amount: int) -> str:
    return f"{Decimal(amount).scaleb(-_CENTS):,.2f}"


def required(account_value: int, excess: int, decimals: int) -> str:
    """The requirement as shown: shown value less shown excess, so that the lines add up."""
    return _money(_floor(account_value, decimals) - _floor(excess, decimals))


def money_table(title: str, *columns: str, words: int = 1) -> Table:
    """A table whose first columns hold words and the others numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < words else "right", no_wrap=True)
    return table


def positions_table(report: Report) -> Table:
    """Positions with quantity, entry price and value."""
    table = money_table("Positions", "instrument", "quantity", "entry", "value, USD")
    for position in report.positions:
        entry = "" if position.entry_price is None else canonical_decimal(position.entry_price)
        value = cents(position.value, report.quantum_decimals)
        table.add_row(position.instrument, canonical_decimal(position.quantity), entry, value)
    return table


def grid_table(unit: UnitReport, decimals: int) -> Table:
    """Profit and loss of one underlying over the scenarios; the worst one stands out."""
    moves = [move for move in _MOVES if any(found.cell.volatility == move for found in unit.cells)]
    titles = [_MOVES[move] for move in moves]
    table = money_table(f"{unit.unit}: profit and loss by scenario, USD", "price", *titles)
    rows: dict[tuple[str, bool], dict[VolatilityMove, Text]] = {}
    labels: dict[tuple[str, bool], str] = {}
    for place, found in enumerate(unit.cells):
        shown = _cell(found, decimals, worst=place == unit.worst)
        # A cell's label says the move of price, and the move of volatility behind the last comma.
        key = found.cell.label.rpartition(", ")[0], found.cell.tail
        rows.setdefault(key, {})[found.cell.volatility] = shown
        labels[key] = key[0] + (", damped" if found.cell.damping != "1" else "")
    tails = [key for key in rows if key[1]]
    for key, row in rows.items():
        if tails and key == tails[0]:
            table.add_section()
        table.add_row(labels[key], *(row.get(move, "") for move in moves))
    return table


def _cell(found: CellProfit, decimals: int, *, worst: bool) -> Text:
    text = cents(found.profit, decimals)
    return Text(f"worst > {text}", style="bold red") if worst else Text(text)


def losers_table(unit: UnitReport, decimals: int) -> Table:
    """Profit and loss of each position in the worst scenario."""
    label = unit.cells[unit.worst].cell.label
    table = money_table(
        f"{unit.unit} in its worst scenario, {label}", "instrument", "quantity", "profit, USD"
    )
    for position in unit.positions:
        quantity, profit = canonical_decimal(position.quantity), cents(position.profit, decimals)
        table.add_row(position.instrument, quantity, profit)
    table.add_section()
    if unit.uncounted:
        table.add_row("gains that do not count", "", cents(-unit.uncounted, decimals))
    table.add_row("all", "", cents(unit.cells[unit.worst].profit, decimals))
    return table


def tail_table(tail: TailReport, decimals: int) -> Table:
    """The scenarios that decide, the worst first."""
    title = f"Worst of {tail.scenarios} joint scenarios; the tail is {float(tail.weight):g} of them"
    table = money_table(title, "scenario", *tail.cells[0].moves, "loss, USD")
    for cell in tail.cells[:TAIL_SHOWN]:
        moves = (f"{100 * float(move):+.2f} %" for move in cell.moves.values())
        table.add_row(cell.label, *moves, _cost(cell.loss, decimals))
    if len(tail.cells) > TAIL_SHOWN:
        table.add_row(f"and {len(tail.cells) - TAIL_SHOWN} more")
    return table


def tail_losers_table(tail: TailReport, decimals: int) -> Table:
    """Profit and loss of each position in the worst scenario."""
    table = money_table(f"In the worst of them, {tail.cells[0].label}", "instrument", "quantity", "loss, USD")
    for position in tail.positions:
        quantity = canonical_decimal(position.quantity)
        table.add_row(position.instrument, quantity, _cost(position.loss, decimals))
    return table


def charges_table(report: Report) -> Table:
    """The parts of the requirement."""
    decimals = report.quantum_decimals
    table = money_table("Requirement", "part", "of", "USD", words=2)
    for unit in report.units:
        for part, name, amount in _unit_parts(unit):
            table.add_row(part, name, _cost(amount, decimals))
    if report.tail:
        confidence = f"{100 * float(report.tail.confidence):g} %, {report.tail.scenarios} scenarios"
        table.add_row(report.tail.title, confidence, _cost(report.tail.amount, decimals))
    if report.units and report.loss_factor != 1:
        table.add_row("", "all worst losses count", f"x {float(report.loss_factor):g}")
    for charge in report.charges:
        table.add_row(charge.kind, charge.name, _cost(charge.amount, decimals))
    if report.considered:
        table.add_section()
    for charge in report.considered:
        table.add_row("one of which counts", f"{charge.kind}, {charge.name}", _cost(charge.amount, decimals))
    table.add_section()
    asked = required(report.account_value, report.excess, decimals)
    table.add_row("requirement", f"{report.model}, {report.level}", asked)
    return table


def _unit_parts(unit: UnitReport) -> list[tuple[str, str, int]]:
    """The parts of a unit's loss: its minimum, or the worst loss and its additions."""
    if unit.minimum and unit.minimum == unit.loss:
        return [("minimum", unit.unit, unit.loss)]
    worst = unit.loss - sum(charge.amount for charge in unit.added)
    title = "basis contingency" if unit.basis and unit.basis == worst else "worst loss"
    return [(title, unit.unit, worst), *((charge.kind, charge.name, charge.amount) for charge in unit.added)]


def greeks_table(report: Report) -> Table:
    """Net sensitivities by underlying and expiry."""
    units = {total.unit for total in report.totals}
    delta = f"delta, {units.pop()}" if len(units) == 1 else "delta"
    table = money_table(
        "Net sensitivities", "", "expiry", delta, "gamma", "vega, USD", "theta, USD a day", words=2
    )
    for total in report.totals:
        rows = [row for row in report.greeks if row.underlying == total.underlying]
        counted = f" {total.unit}" if delta == "delta" else ""
        _greeks_rows(table, rows, counted)
        _greeks_rows(table, [total], counted, name="all")
        table.add_section()
    return table


def _greeks_rows(table: Table, rows: Iterable[GreeksReport], counted: str, name: str = "") -> None:
    for row in rows:
        expiry = name or ("spot, perpetual" if row.expiry is None else _day(row.expiry))
        g = row.greeks
        numbers = ((g.gamma, 6), (g.vega, 2), (g.theta, 2))
        delta = _rounded(g.delta, 4) + counted
        table.add_row(row.underlying, expiry, delta, *(_rounded(value, places) for value, places in numbers))


def _rounded(value: Fraction, places: int) -> str:
    return scaled_decimal(nearest(value * 10**places), places)


def _day(microseconds: int) -> str:
    return f"{datetime.fromtimestamp(microseconds / 1_000_000, UTC):%d %b %Y}"


def summary_table(report: Report) -> Table:
    """Value, requirement and excess, and what the other models would ask."""
    decimals = report.quantum_decimals
    table = money_table(
        f"Account value {cents(report.account_value, decimals)} USD",
        "model",
        "requirement, USD",
        "excess, USD",
        "",
    )
    rows = [(report.model, report.excess, "")]
    for other in report.comparisons:
        saved = f"{report.model} saves {cents(other.saving, decimals)}" if other.saving > 0 else ""
        rows.append((other.model, other.excess, saved))
    for model, excess, saved in rows:
        asked = required(report.account_value, excess, decimals)
        table.add_row(model, asked, cents(excess, decimals), saved)
    return table
