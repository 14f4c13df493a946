"""A map of the excess over price and volatility, as a picture."""

import io
from pathlib import Path

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from zkmargin.margin.files.documents import write_atomically
from zkmargin.planning.questions.distance import Distance

_INK = "#22313a"


def draw_distance(found: Distance, path: Path) -> None:
    """Write the picture; the end of the name says in which format. Raises InputError if it is not writable."""
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    amounts = [[each / 10**found.quantum_decimals for each in row] for row in found.grid]
    flat = [each for row in amounts for each in row]
    reach = max(1.0, *map(abs, flat))
    drawn = axes.imshow(amounts, cmap="RdBu", norm=TwoSlopeNorm(0, -reach, reach), aspect="auto")
    axes.set_xticks(range(len(found.volatilities)), [f"{float(each):+.0%}" for each in found.volatilities])
    axes.set_yticks(range(len(found.spots)), [f"{float(each):+.0%}" for each in found.spots])
    for row, excesses in enumerate(amounts):
        for column, each in enumerate(excesses):
            ink = "white" if abs(each) > 0.6 * reach else _INK
            axes.text(column, row, f"{each:,.0f}", ha="center", va="center", fontsize=8, color=ink)
    axes.set_xlabel("volatility", color=_INK)
    axes.set_ylabel("prices", color=_INK)
    axes.set_title(
        f"Excess over {found.level} margin, {found.model}, USD", loc="left", fontsize=11, color=_INK
    )
    figure.colorbar(drawn, ax=axes, shrink=0.8)
    content = io.BytesIO()
    svg = path.suffix.lower() == ".svg"
    # Without a date and with fixed identifiers, the same account writes the same bytes.
    with rc_context({"svg.hashsalt": "zkmargin"}):
        figure.savefig(
            content, format="svg" if svg else "png", dpi=150, metadata={"Date": None} if svg else {}
        )
    write_atomically(path, content.getvalue())
