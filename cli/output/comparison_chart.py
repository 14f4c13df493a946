"""A chart of all models: requirement, and saving against isolated margin."""

import io
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from zkmargin.margin.account.comparison import MEASURE, ModelComparison, ModelFigures
from zkmargin.margin.files.documents import write_atomically

_PLAIN, _MEASURE, _SHORT = "#3b7ea1", "#9aa5ad", "#c0392b"
_INK, _QUIET = "#22313a", "#66757f"


def draw_comparison(found: ModelComparison, path: Path) -> None:
    """Write the picture; the end of the name says in which format. Raises InputError if it is not writable."""
    figure = Figure(figsize=(9, 1.5 + 0.5 * len(found.models)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    amounts = [float(each.requirement) / 10**found.quantum_decimals for each in found.models]
    places = range(len(amounts))
    axes.barh(places, amounts, height=0.62, color=[_colour(each) for each in found.models])
    axes.set_yticks(places, [each.model for each in found.models])
    axes.invert_yaxis()
    axes.set_xlim(min(0.0, *amounts), 1.32 * max(*amounts, 1.0))
    for place, amount, each in zip(places, amounts, found.models, strict=True):
        axes.annotate(
            _label(amount, each), (max(amount, 0), place), (6, 0), textcoords="offset points", va="center",
            fontsize=9, color=_INK, bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "linewidth": 0},
        )  # fmt: skip
    value = float(found.account_value) / 10**found.quantum_decimals
    _dress(axes, f"{found.level.capitalize()} margin of one account by every model, USD")
    short = any(each.excess < 0 for each in found.models)
    axes.set_xlabel(
        f"account value {value:,.0f} USD" + ("; red: it does not cover the requirement" if short else ""),
        loc="left", color=_QUIET, fontsize=9,
    )  # fmt: skip
    _write(figure, path)


def _colour(each: ModelFigures) -> str:
    if each.excess < 0:
        return _SHORT
    return _MEASURE if each.model == MEASURE else _PLAIN


def _label(amount: float, each: ModelFigures) -> str:
    if each.model == MEASURE or each.share is None:
        return f"{amount:,.0f}"
    percent = 100 * float(each.share)
    return f"{amount:,.0f}   {abs(percent):.0f} % {'less' if percent >= 0 else 'more'} than {MEASURE}"


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.tick_params(length=0, colors=_INK)
    axes.grid(axis="x", linewidth=0.4, alpha=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)


def _write(figure: Figure, path: Path) -> None:
    content = io.BytesIO()
    svg = path.suffix.lower() == ".svg"
    # Without a date and with fixed identifiers, the same account writes the same bytes.
    with rc_context({"svg.hashsalt": "zkmargin"}):
        figure.savefig(
            content, format="svg" if svg else "png", dpi=150, metadata={"Date": None} if svg else {}
        )
    write_atomically(path, content.getvalue())
