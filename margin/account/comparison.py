"""All models of a snapshot side by side: what each asks of one account, and what it saves against isolated margin."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.arithmetic.decimals import nearest, scaled_decimal
from zkmargin.margin.market.times import format_time
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level

MEASURE = "isolated"
"""The model that savings are counted from: it lets no position pay for another."""
_SHARE_DECIMALS = 4


@dataclass(frozen=True)
class ModelFigures:
    """What one model asks. Amounts in ticks."""

    model: str
    requirement: int
    excess: int
    saving: int
    """How much less than isolated margin it asks; below zero where it asks more."""
    share: Fraction | None
    """The saving as a share of what isolated margin asks; None where that is nothing."""


@dataclass(frozen=True)
class ModelComparison:
    """Every model of a snapshot on one account, isolated margin first, the others from the dearest down."""

    snapshot_id: str
    valuation_time: int
    level: Level
    quantum_decimals: int
    account_value: int
    models: tuple[ModelFigures, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: amounts as decimal strings of USD at the tick, shares as decimal strings."""
        return {
            "snapshot": self.snapshot_id,
            "valuation_time": format_time(self.valuation_time),
            "level": self.level,
            "account_value": scaled_decimal(self.account_value, self.quantum_decimals),
            "models": [self._figures(figures) for figures in self.models],
        }

    def _figures(self, figures: ModelFigures) -> dict[str, str | None]:
        amounts = {
            name: scaled_decimal(amount, self.quantum_decimals)
            for name, amount in vars(figures).items()
            if isinstance(amount, int)
        }
        share = figures.share
        shown = (
            None if share is None else scaled_decimal(nearest(share * 10**_SHARE_DECIMALS), _SHARE_DECIMALS)
        )
        return {"model": figures.model, **amounts, "saving_share": shown}


def compare_models(snapshot: Snapshot, holdings: Holdings, *, level: Level = "initial") -> ModelComparison:
    """Every model that the snapshot carries; raises InputError as `requirement` does."""
    lots = holdings.vector(snapshot)
    found = {model: requirement(snapshot, lots, model=model, level=level) for model in snapshot.models}
    measure = found[MEASURE] if MEASURE in found else requirement(snapshot, lots, model=MEASURE, level=level)
    asked = measure.requirement_ticks
    figures = [
        ModelFigures(
            model,
            each.requirement_ticks,
            each.excess_ticks,
            asked - each.requirement_ticks,
            Fraction(asked - each.requirement_ticks, asked) if asked > 0 else None,
        )
        for model, each in found.items()
    ]
    return ModelComparison(
        snapshot.id,
        snapshot.valuation_time,
        level,
        snapshot.quantum_decimals,
        measure.account_value_ticks,
        tuple(sorted(figures, key=lambda each: (each.model != MEASURE, -each.requirement, each.model))),
    )
