"""The picture of a backtest: margin and losses over time, breaches marked."""

import io
from datetime import date
from pathlib import Path

import numpy as np
from matplotlib import dates, rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.scenarios.backtest import Backtest

_TITLES = {"es": "Expected shortfall", "var": "Value at risk"}


def draw(found: Backtest, path: Path) -> None:
    """Write the picture; the end of the name says in which format. Raises InputError if it is not writable."""
    figure = Figure(figsize=(11, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    days = _numbers([trial.day for trial in found.trials])
    margins = np.array([float(trial.margin) for trial in found.trials])
    losses = np.array([float(trial.loss) for trial in found.trials])
    breached = losses > margins
    width = 0.9 * found.horizon
    axes.bar(days, losses, width=width, color="#9db4c8", linewidth=0, label="loss (gains point down)")
    axes.step(days, margins, where="mid", color="#1b3a57", linewidth=1.2, label="margin")
    axes.plot(
        days[breached],
        losses[breached],
        "o",
        color="#c0392b",
        markersize=4.5,
        label=f"breaches: {int(breached.sum())} of {len(days)}",
    )
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set_xlim(days[0] - found.horizon, days[-1] + found.horizon)
    axes.set_ylabel("USD")
    locator = dates.AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_title(_title(found), loc="left", fontsize=11)
    axes.legend(loc="upper right", ncols=3, frameon=True, framealpha=0.9)
    axes.grid(axis="y", linewidth=0.4, alpha=0.6)
    content = io.BytesIO()
    # Without a date and with fixed identifiers, the same run writes the same bytes.
    with rc_context({"svg.hashsalt": "zkmargin"}):
        svg = path.suffix.lower() == ".svg"
        figure.savefig(
            content, format="svg" if svg else "png", dpi=150, metadata={"Date": None} if svg else {}
        )
    write_atomically(path, content.getvalue())


def _title(found: Backtest) -> str:
    held = ", ".join(f"{weight:f} USD of {coin}" for coin, weight in found.weights.items())
    kind = "filtered scenarios" if found.decay is not None else "scenarios"
    days = "1 day" if found.horizon == 1 else f"{found.horizon} days"
    confidence = f"{100 * float(found.confidence):g} %"
    kupiec = found.kupiec
    return (
        f"{_TITLES[found.model]} at {confidence} over {days}, {found.window} {kind}: {held}\n"
        f"{kupiec.exceedances} losses above value at risk, {kupiec.expected:.1f} expected; "
        f"Kupiec's test: p = {kupiec.p_value:.3f}"
    )


def _numbers(days: list[date]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Dates as matplotlib counts them."""
    return np.array([float(dates.date2num(day)) for day in days])  # type: ignore[no-untyped-call]
