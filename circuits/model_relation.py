"""From a snapshot and a model to the relation that a proof is about."""

from __future__ import annotations

from collections.abc import Mapping

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.models import BUILDERS
from zkmargin.circuits.relation import Relation
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level


def build_relation(
    snapshot: Snapshot,
    *,
    model: str = "grid",
    level: Level = "initial",
    threshold: int = 0,
    within: Mapping[int, int] | None = None,
) -> Relation:
    """The relation "account value - requirement >= threshold" of one snapshot, model and level.

    Args:
        snapshot: prices, parameters and tables.
        model: a model that the snapshot carries and that has rows.
        level: initial or maintenance.
        threshold: in ticks of the snapshot; may be negative.
        within: by slot, the most lots that the accounts in question hold, where that is less than the instrument's
            bound. The rows say the same; the constants that switch them by bits are as small as these accounts allow.

    Raises:
        InputError: the snapshot lacks the model, nothing proves it, or the level is unknown.
        RelationError: the bounds are so wide that an equation could wrap around in the field, or the threshold is
            beyond what an account within them can reach.
    """
    account, denominator = _opened(snapshot, model, level, within)
    return account.close(denominator).at(threshold)


class Thresholds:
    """The relations of one snapshot, model and level for any threshold, each made in microseconds.

    Only the constant of the closing row follows the threshold. The rows are written once; what comes out equals
    `build_relation`.
    """

    def __init__(self, snapshot: Snapshot, *, model: str = "grid", level: Level = "initial") -> None:
        """Raises as `build_relation` does."""
        self._relation = build_relation(snapshot, model=model, level=level)

    def at(self, threshold: int) -> Relation:
        """The relation "account value - requirement >= threshold", in ticks. Raises RelationError."""
        return self._relation.at(threshold)


def _opened(
    snapshot: Snapshot, model: str, level: Level, within: Mapping[int, int] | None = None
) -> tuple[AccountRows, int]:
    """The rows of a model but the closing one, and the requirement's denominator."""
    if model not in snapshot.models:
        raise InputError("snapshot", "model", model, snapshot.lacking(model))
    if model not in BUILDERS:
        raise InputError("model", "name", model, f"it can be proven for {', '.join(sorted(BUILDERS))}")
    if level not in LEVELS:
        raise InputError("statement", "level", level, f"choose one of {', '.join(LEVELS)}")
    account = AccountRows(snapshot, model, level)
    account.rows.honest.update(within or {})
    return account, BUILDERS[model](account)
