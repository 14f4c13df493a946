"""From a snapshot and a model to the relation that a proof is about."""

from __future__ import annotations

from collections.abc import Mapping

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.builder import widths
from zkmargin.circuits.models import builders
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
        RelationError: the bounds are so wide that an equation could wrap around in the field.
    """
    account, denominator = _opened(snapshot, model, level, within)
    return account.close(threshold, denominator)


class Thresholds:
    """The relations of one snapshot, model and level for any threshold, each made in microseconds.

    Only the constant of the closing row follows the threshold, and with it that row's width. The rows are written once
    for each width that occurs; what comes out equals `build_relation`.
    """

    def __init__(self, snapshot: Snapshot, *, model: str = "grid", level: Level = "initial") -> None:
        """Raises as `build_relation` does."""
        self._snapshot, self._model, self._level = snapshot, model, level
        account, denominator = _opened(snapshot, model, level)
        relation = account.close(0, denominator)
        self._step = denominator * snapshot.tick
        self._reach = account.rows.greatest(account.rows.rows - 1)
        self._bits = relation.bits
        self._written = {widths(max(0, self._reach), relation.bits): relation}

    def at(self, threshold: int) -> Relation:
        """The relation "account value - requirement >= threshold", in ticks. Raises RelationError."""
        constant = -self._step * threshold
        width = widths(max(0, self._reach + constant), self._bits)
        written = self._written.get(width)
        if written is None:
            written = build_relation(
                self._snapshot, model=self._model, level=self._level, threshold=threshold
            )
            self._written[width] = written
        return written.with_constant(written.equations - 1, constant)


def _opened(
    snapshot: Snapshot, model: str, level: Level, within: Mapping[int, int] | None = None
) -> tuple[AccountRows, int]:
    """The rows of a model but the closing one, and the requirement's denominator."""
    if model not in snapshot.models:
        raise InputError("snapshot", "model", model, snapshot.lacking(model))
    if model not in builders():
        raise InputError("model", "name", model, f"it can be proven for {', '.join(sorted(builders()))}")
    if level not in LEVELS:
        raise InputError("statement", "level", level, f"choose one of {', '.join(LEVELS)}")
    account = AccountRows(snapshot, model, level)
    account.rows.honest.update(within or {})
    return account, builders()[model](account)
