"""Pools of deltas as rows: what is long, what is short, and what spreads take from them, exactly.

    l >= 0,  l - D >= 0,  B b - l >= 0,  B (1 - b) - (l - D) >= 0

for a net delta D say that l = max(D, 0) and l - D = max(-D, 0): the bit b lets one of the two be positive. A spread
of n steps takes r_k n from leg k:

    n >= 0,  R_k = left_k - r_k n >= 0,  (r_k - 1) + B (1 - e_k) - R_k >= 0,  sum of the bits e_k = 1

that is, no leg gives more than it has, and the leg that the bits point to has less left than one more step takes:
n is exactly the floor of the least left_k / r_k. Without the bits the prover could form fewer spreads and
understate a charge, or save deltas for a better credit. A bit needs no row for being at most 1: with 2 its own
row would be negative. B is the largest honest value, and a wider witness only fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from zkmargin.circuits.builder import RelationBuilder
from zkmargin.circuits.relation import Unit

BIT = Unit("of 0 or 1")

Values = Mapping[int, int]


@dataclass(frozen=True)
class Amount:
    """A linear form of rows that no honest witness makes negative, and its largest honest value."""

    rows: Mapping[int, int]
    bound: int

    def value(self, rows: Values) -> int:
        """What it comes to with the rows filled so far."""
        return sum(factor * rows[row] for row, factor in self.rows.items())


NONE = Amount({}, 0)


def total(amounts: Sequence[Amount]) -> Amount:
    """The sum of amounts."""
    rows: dict[int, int] = {}
    for amount in amounts:
        add(rows, amount.rows, 1)
    return Amount(rows, sum(amount.bound for amount in amounts))


def add(rows: dict[int, int], terms: Mapping[int, int], factor: int) -> None:
    """Add multiples of rows to a linear form."""
    for row, value in terms.items():
        rows[row] = rows.get(row, 0) + factor * value


@dataclass(frozen=True)
class Pool:
    """Long and short deltas that are left."""

    long: Amount
    short: Amount

    def side(self, way: int) -> Amount:
        """The long deltas (0) or the short ones (1)."""
        return self.short if way else self.long

    def with_side(self, way: int, left: Amount) -> Pool:
        """The pool after a spread has taken from one side."""
        return Pool(self.long, left) if way else Pool(left, self.short)


class PoolRows:
    """Adds the rows of one relation's pools and spreads."""

    def __init__(self, builder: RelationBuilder) -> None:
        self.builder = builder

    def split(
        self, name: str, unit: Unit, holdings: Mapping[int, int], rows: Mapping[int, int], bound: int
    ) -> Pool:
        """The long and the short part of a net delta, a linear form of holdings and rows."""
        bound = max(bound, 1)
        b = self.builder
        long = b.free(f"{name}: long delta", unit)
        less = {**{row: -factor for row, factor in rows.items()}, long: 1}
        short = b.row(f"{name}: short delta", unit, {q: -a for q, a in holdings.items()}, less, closes=long)
        bit = b.free(f"{name}: net long", BIT, choice=lambda _, filled: int(filled[long] > 0), limit=1)
        b.row(f"{name}: long only if net long", unit, {}, {bit: bound, long: -1})
        b.row(f"{name}: short only if not", unit, {}, {bit: -bound, short: -1}, constant=bound)
        return Pool(Amount({long: 1}, bound), Amount({short: 1}, bound))

    def spread(
        self, name: str, unit: Unit, ratios: Sequence[int], legs: Sequence[Sequence[Amount]]
    ) -> tuple[Amount, list[list[Amount]]]:
        """The steps that a spread takes, a row of its own, and what each leg's pools have left."""
        available = [total(leg) for leg in legs]
        pairs = list(zip(ratios, available, strict=True))
        limit = min(amount.bound // ratio for ratio, amount in pairs)
        steps = self.builder.free(
            f"{name}: spreads",
            unit,
            choice=lambda _, rows: min(amount.value(rows) // ratio for ratio, amount in pairs),
            limit=limit,
        )
        left = [
            self._take(f"{name}, leg {number + 1}", unit, leg, Amount({steps: ratio}, ratio * limit))
            for number, (ratio, leg) in enumerate(zip(ratios, legs, strict=True))
        ]
        self._exhausted(name, unit, ratios, [total(amounts) for amounts in left])
        return Amount({steps: 1}, limit), left

    def _take(self, name: str, unit: Unit, places: Sequence[Amount], taken: Amount) -> list[Amount]:
        """Take an amount from places in order: from the next only if the one before is empty."""
        b, left, due = self.builder, [], taken
        for number, place in enumerate(places[:-1]):
            part = b.free(
                f"{name}: taken from place {number + 1}",
                unit,
                choice=_lesser(place, due),
                limit=min(place.bound, due.bound),
            )
            rest = b.row(f"{name}: left in place {number + 1}", unit, {}, _minus(place.rows, {part: 1}))
            due = Amount(_minus(due.rows, {part: 1}), due.bound)
            more = b.free(f"{name}: place {number + 1} is empty", BIT, choice=_positive(due), limit=1)
            b.row(f"{name}: goes on only if empty", unit, {}, _minus({more: max(due.bound, 1)}, due.rows))
            bound = max(place.bound, 1)
            b.row(f"{name}: empty if it goes on", unit, {}, {more: -bound, rest: -1}, constant=bound)
            left.append(Amount({rest: 1}, place.bound))
        if left:
            b.row(f"{name}: taken from the last place", unit, {}, due.rows)
        rest = b.row(f"{name}: left", unit, {}, _minus(places[-1].rows, due.rows))
        return [*left, Amount({rest: 1}, places[-1].bound)]

    def _exhausted(self, name: str, unit: Unit, ratios: Sequence[int], left: Sequence[Amount]) -> None:
        """Bits that point to one leg, and rows that it cannot serve one more step."""
        b = self.builder
        bits = [
            b.free(
                f"{name}: leg {number + 1} is spent", BIT, choice=_first_spent(number, ratios, left), limit=1
            )
            for number in range(1, len(left))
        ]
        for number, (ratio, amount) in enumerate(zip(ratios, left, strict=True)):
            bound = max(amount.bound, ratio)
            slack = ratio - 1 if number == 0 else ratio - 1 + bound
            relief = dict.fromkeys(bits, bound) if number == 0 else {bits[number - 1]: -bound}
            spent = f"{name}: no further spread for want of leg {number + 1}"
            b.row(spent, unit, {}, _minus(relief, amount.rows), constant=slack)


def _minus(rows: Mapping[int, int], terms: Mapping[int, int]) -> dict[int, int]:
    difference = dict(rows)
    add(difference, terms, -1)
    return {row: factor for row, factor in difference.items() if factor}


def _lesser(one: Amount, other: Amount) -> Callable[[Sequence[int], Values], int]:
    return lambda _, rows: min(one.value(rows), other.value(rows))


def _positive(amount: Amount) -> Callable[[Sequence[int], Values], int]:
    return lambda _, rows: int(amount.value(rows) > 0)


def _first_spent(
    number: int, ratios: Sequence[int], left: Sequence[Amount]
) -> Callable[[Sequence[int], Values], int]:
    def choice(_: Sequence[int], rows: Values) -> int:
        pairs = zip(ratios, left, strict=True)
        spent = (leg for leg, (ratio, amount) in enumerate(pairs) if amount.value(rows) < ratio)
        return int(next(spent, 0) == number)

    return choice
