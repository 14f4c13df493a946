"""`zkmargin backtest`: margin against realised losses on a price history."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from zkmargin.cli.options.files import FILE, OUTPUT, check_picture, named
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.documents import is_standard_stream, write_atomically
from zkmargin.margin.market.history import read_history
from zkmargin.margin.parameters.joint import confidence as parse_confidence
from zkmargin.margin.scenarios.backtest import Backtest, Measure, Trial, backtest

DEFAULT_CONFIDENCE = {"es": "0.975", "var": "0.99"}
NAMES = {"es": "expected shortfall", "var": "value at risk"}
DEFAULT_DECAY = "0.94"
WORST_SHOWN = 10


@click.command("backtest")
@click.argument("history_file", metavar="HISTORY", type=FILE)
@click.option(
    "--model", type=click.Choice(("es", "var")), default="var", show_default=True, help="What the margin is."
)
@click.option(
    "--weights",
    "written_weights",
    default="BTC=1",
    show_default=True,
    metavar="COIN=USD,...",
    help="USD held in each coin on every day; negative if short.",
)
@click.option("--window", type=int, default=500, show_default=True, help="Scenarios of each day.")
@click.option("--horizon", type=int, default=1, show_default=True, help="Days of a scenario and of a loss.")
@click.option(
    "--confidence",
    "written_confidence",
    default=None,
    metavar="NUMBER",
    help="Such as 0.99 or 99/100; 0.99 for var and 0.975 for es if left out.",
)
@click.option("--filtered", is_flag=True, help="Scale returns to the volatility of the day.")
@click.option(
    "--lambda",
    "written_decay",
    default=None,
    metavar="NUMBER",
    help="With --filtered: how much of a day's weight in the variance is left on the next; 0.94 if left out.",
)
@click.option("--plot", "plot_file", metavar="FILE", type=FILE, help="A picture, .png or .svg.")
@click.option(
    "-o",
    "--output",
    "series_file",
    metavar="FILE",
    type=OUTPUT,
    help="Margin and loss of every period, as .csv or .parquet.",
)
@json_option
def run_backtest(
    *,
    history_file: Path,
    model: Measure,
    written_weights: str,
    window: int,
    horizon: int,
    written_confidence: str | None,
    filtered: bool,
    written_decay: str | None,
    plot_file: Path | None,
    series_file: Path | None,
    as_json: bool,
) -> None:
    """Backtest a margin model on daily prices.

    HISTORY is CSV with a column date and one column of daily closes for each coin. At the start of every
    period of --horizon days the margin of a portfolio follows from the scenarios of the window before; the loss over
    the period is then compared with it. A loss above the margin is a breach. Kupiec's test says how likely a right
    model is to be exceeded this often or this seldom, Christoffersen's tests whether exceedances come in clusters; a
    p-value below 0.05 speaks against the model.

    \b
    Example:
      zkmargin backtest prices.csv --model var --filtered --weights BTC=1,ETH=0.5 --plot margin.png
      zkmargin backtest prices.csv --model es --horizon 5 -o series.parquet
    """
    check_picture(plot_file, "--plot")
    check_series(series_file)
    weights = _weights(written_weights)
    confidence = parse_confidence(
        written_confidence or DEFAULT_CONFIDENCE[model], "command line", "--confidence"
    )
    if written_decay is not None and not filtered:
        raise InputError(
            "command line", "--lambda", written_decay, "it counts with --filtered only; add that"
        )
    decay = _decay(written_decay or DEFAULT_DECAY) if filtered else None
    with progress(as_json) as step:
        step("reading the history")
        history = read_history(history_file)
        step("margining day by day")
        with named(history=history_file):
            found = backtest(
                history,
                weights,
                model=model,
                window=window,
                horizon=horizon,
                confidence=confidence,
                decay=decay,
            )
        if plot_file is not None:
            step("drawing")
            # Only who draws waits for the drawing library.
            from zkmargin.cli.output.backtest_chart import draw  # noqa: PLC0415

            draw(found, plot_file)
    document = summary(found)
    lines: list[Any] = [_table(found), _worst_table(found)]
    if series_file is not None:
        write_series(found, series_file)
        document["output"] = str(series_file)
        lines.append(Text(f"series written to {series_file}"))
    if plot_file is not None:
        document["plot"] = str(plot_file)
        lines.append(Text(f"picture written to {plot_file}"))
    answer(as_json, document, *lines)


def summary(found: Backtest) -> dict[str, Any]:
    """The run as plain JSON values; amounts of USD as decimal strings."""
    kupiec, clusters = found.kupiec, found.christoffersen
    return {
        "model": found.model,
        "confidence": str(found.confidence),
        "window": found.window,
        "horizon": found.horizon,
        "lambda": None if found.decay is None else canonical_decimal(found.decay),
        "weights": {coin: canonical_decimal(weight) for coin, weight in found.weights.items()},
        "from": str(found.trials[0].day),
        "to": str(found.trials[-1].day),
        "periods": len(found.trials),
        "days": len(found.trials) * found.horizon,
        "breaches": len(found.breaches),
        "breach_days": [str(trial.day) for trial in found.breaches],
        "average_margin": usd(sum((trial.margin for trial in found.trials), Fraction(0)) / len(found.trials)),
        "kupiec": {
            "exceedances_of_value_at_risk": kupiec.exceedances,
            "expected": round(kupiec.expected, 6),
            "statistic": round(kupiec.statistic, 6),
            "p_value": round(kupiec.p_value, 6),
        },
        "christoffersen": {
            "transitions": list(clusters.transitions),
            "independence_statistic": round(clusters.independence, 6),
            "independence_p_value": round(clusters.independence_p_value, 6),
            "coverage_statistic": round(clusters.coverage, 6),
            "coverage_p_value": round(clusters.coverage_p_value, 6),
        },
        "series": list(series(found)),
    }


def series(found: Backtest) -> Iterator[dict[str, Any]]:
    """Every period: the last close that the margin knows, then margin, value at risk and loss in USD."""
    for trial in found.trials:
        yield {
            "day": str(trial.day),
            "margin": usd(trial.margin),
            "value_at_risk": usd(trial.quantile),
            "loss": usd(trial.loss),
            "breach": trial.breach,
        }


def check_series(path: Path | None) -> None:
    """Raises InputError unless the file's name says in which format the series is to be."""
    if path is not None and path.suffix.lower() not in {".csv", ".parquet"} and not is_standard_stream(path):
        raise InputError("command line", "--output", str(path), "end it with .csv or .parquet")


def write_series(found: Backtest, path: Path) -> None:
    """Write the series; InputError if it cannot be written."""
    rows = list(series(found))
    if path.suffix.lower() == ".parquet":
        # Only this format needs the library.
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415

        buffer = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist(rows), buffer)
        write_atomically(path, buffer.getvalue())
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())


def usd(amount: Fraction) -> str:
    """USD with six places, rounded down."""
    return f"{Decimal(amount.numerator * 10**6 // amount.denominator).scaleb(-6):f}"


def _weights(written: str) -> dict[str, Decimal]:
    """Amounts by coin from COIN=USD,...; raises InputError."""
    weights: dict[str, Decimal] = {}
    for part in written.split(","):
        coin, equals, amount = (piece.strip() for piece in part.partition("="))
        if not coin or not equals:
            raise InputError("command line", "--weights", part, "write COIN=USD, such as BTC=1,ETH=0.5")
        if coin in weights:
            raise InputError("command line", "--weights", part, f"{coin} occurs twice; keep one")
        weights[coin] = parse_decimal(amount, "command line", f"--weights {coin}")
    return weights


def _decay(written: str) -> Decimal:
    decay = parse_decimal(written, "command line", "--lambda")
    if not 0 < decay < 1:
        raise InputError("command line", "--lambda", written, "must lie strictly between 0 and 1")
    return decay


def _table(found: Backtest) -> Table:
    """The run in a few lines."""
    document, kupiec = summary(found), found.kupiec
    table = Table(show_header=False, box=None, pad_edge=False)
    days = "1 day" if found.horizon == 1 else f"{found.horizon} days"
    scenarios = f"{found.window} scenarios over {days}"
    if found.decay is not None:
        scenarios += f", filtered with lambda {canonical_decimal(found.decay)}"
    held = ", ".join(f"{weight} USD of {coin}" for coin, weight in document["weights"].items())
    table.add_row("margin", f"{NAMES[found.model]} at {found.confidence}, {scenarios}")
    table.add_row("portfolio", held)
    periods = f"{document['periods']} of {days}" if found.horizon > 1 else str(document["days"])
    table.add_row(
        "periods" if found.horizon > 1 else "days", f"{periods}, from {document['from']} to {document['to']}"
    )
    table.add_row("margin on average", f"{document['average_margin']} USD")
    table.add_row("breaches", f"{document['breaches']} losses above the margin")
    table.add_row(
        "Kupiec's test",
        f"{kupiec.exceedances} losses above value at risk, {kupiec.expected:.1f} expected; "
        f"statistic {kupiec.statistic:.3f}, p-value {kupiec.p_value:.4f}",
    )
    clusters = found.christoffersen
    table.add_row(
        "Christoffersen's tests",
        f"independence: statistic {clusters.independence:.3f}, p-value {clusters.independence_p_value:.4f}; "
        f"conditional coverage: {clusters.coverage:.3f}, {clusters.coverage_p_value:.4f}",
    )
    return table


def _worst_table(found: Backtest) -> Table:
    """The breaches that were worst."""
    table = Table(title="Worst breaches", title_justify="left", title_style="bold")
    table.add_column("after the close of")
    for title in ("margin, USD", "loss, USD", "missing, USD"):
        table.add_column(title, justify="right")

    def missing(trial: Trial) -> Fraction:
        return trial.loss - trial.margin

    for trial in sorted(found.breaches, key=missing, reverse=True)[:WORST_SHOWN]:
        table.add_row(str(trial.day), usd(trial.margin), usd(trial.loss), usd(missing(trial)))
    return table
