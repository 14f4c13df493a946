"""Overflow bounds: what the largest holdings could add up to, checked before any account is valued."""

from collections.abc import Mapping, Sequence

from zkmargin.margin.errors import Finding, InputError, UnprovableError
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.tables.interfaces import Tables

# Sums of money stay well inside signed 128-bit integers, and inside the pairs of 64-bit words of batches.
LARGEST_MONEY = 1 << 115
LARGEST_SCALE = 10**15


def check_bounds(
    where: str, universe: Universe, scale: Sequence[int], marks: Sequence[int], models: Mapping[str, Tables]
) -> None:
    """Raises InputError, naming an instrument, if accounts within their bounds could overflow."""
    if max(scale) > LARGEST_SCALE:
        coarsest = universe.instruments[max(range(len(scale)), key=scale.__getitem__)]
        remedy = "its lot is more than 10^15 times the finest of the universe; leave one of them out"
        raise InputError(
            f"{where}, instrument {coarsest.name}", "lot_exponent", coarsest.lot_exponent, remedy
        )
    for title, weights in (("mark", marks), *((name, tables.weights()) for name, tables in models.items())):
        check_weights(where, universe, scale, title, weights)


def check_weights(
    where: str, universe: Universe, scale: Sequence[int], title: str, weights: Sequence[int]
) -> None:
    """Raises UnprovableError, naming the heaviest instrument, if entries add up to more than sums of money may be."""
    slots = zip(universe.instruments, weights, scale, strict=True)
    money = [i.bound * abs(int(weight)) * factor for i, weight, factor in slots]
    if sum(money) >= LARGEST_MONEY:
        heaviest = universe.instruments[max(range(len(money)), key=money.__getitem__)]
        remedy = f"bound of {heaviest.bound} lots times its entry passes 2^115; lower the bound"
        raise UnprovableError(f"{where}, instrument {heaviest.name}", title, max(money), remedy)


def proven_bound(bound: int) -> int:
    """The most that a proof leaves open for |q| where an account is held to a bound: one lot more, on the short side.

    >>> proven_bound((1 << 21) - 1) == 1 << 21
    True
    """
    return bound + 1


def check_lots(universe: Universe, lots: Sequence[int]) -> None:
    """Raises InputError unless there is one integer per slot, each within its instrument's bound."""
    if len(lots) != len(universe):
        remedy = f"give one number of lots for each of the {len(universe)} slots"
        raise InputError("holdings", "lots", Finding(f"{len(lots)} numbers"), remedy)
    for held, instrument in zip(lots, universe.instruments, strict=True):
        if isinstance(held, bool) or not isinstance(held, int):
            raise InputError("holdings", f"lots of {instrument.name}", held, "write an integer")
        if abs(held) > instrument.bound:
            raise InputError(
                "holdings", f"lots of {instrument.name}", held, f"at most {instrument.bound} either way"
            )
