"""From a snapshot and a model to the relation that a proof is about."""

from __future__ import annotations

from zkmargin.circuits.ledger import Ledger
from zkmargin.circuits.models import builders
from zkmargin.circuits.relation import Relation
from zkmargin.margin.errors import InputError
from zkmargin.margin.models import lacking
from zkmargin.margin.snapshot import Snapshot
from zkmargin.margin.tables import LEVELS, Level


def build_relation(
    snapshot: Snapshot, *, model: str = "grid", level: Level = "initial", threshold: int = 0
) -> Relation:
    """The relation "account value - requirement >= threshold" of one snapshot, model and level.

    Args:
        snapshot: prices, parameters and tables.
        model: a model that the snapshot carries and that has rows.
        level: initial or maintenance.
        threshold: in ticks of the snapshot; may be negative.

    Raises:
        InputError: the snapshot lacks the model, nothing proves it, or the level is unknown.
        RelationError: the bounds are so wide that an equation could wrap around in the field.
    """
    if model not in snapshot.models:
        raise InputError("snapshot", "model", model, lacking(model, snapshot.models))
    if model not in builders():
        raise InputError("model", "name", model, f"it can be proven for {', '.join(sorted(builders()))}")
    if level not in LEVELS:
        raise InputError("statement", "level", level, f"choose one of {', '.join(LEVELS)}")
    ledger = Ledger(snapshot, model, level)
    denominator = builders()[model](ledger)
    return ledger.close(threshold, denominator)
