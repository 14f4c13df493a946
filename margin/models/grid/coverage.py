"""What an account lacks in a settlement currency that others must not pay for.

With A the account value, R the requirement without this, E_c the equity of a currency c and R_c what its units are
asked for: the charge is nothing if every E_c is at least its R_c, and else max(0, A - R - min_c (E_c - R_c)). So the
excess of an account that is not covered is what it lacks in its worst currency, or less.
"""

from collections.abc import Sequence
from fractions import Fraction

from zkmargin.margin.tables.assessment import Assessment, Charge
from zkmargin.margin.tables.grid_additions import Coverage


def coverage_charge(
    coverage: Coverage, found: Assessment, scale: Sequence[int], lots: Sequence[int]
) -> Charge | None:
    """The charge, named after the currency that lacks most; None if the account is covered."""
    marks = coverage.marks.tolist()
    worth = [held * mark * money for held, mark, money in zip(lots, marks, scale, strict=True)]
    over = {
        currency.name: sum(worth[slot] for slot in currency.slots)
        - found.factor * sum(found.units[unit].loss for unit in currency.units)
        for currency in coverage.currencies
    }
    least = min(over, key=lambda name: over[name])
    if over[least] >= 0:
        return None
    amount = max(Fraction(0), sum(worth) - found.amount - over[least])
    return Charge("coverage", f"{least} must cover its own", amount) if amount else None
