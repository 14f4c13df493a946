"""Price risk as rows: which scenario is the worst, and what its losses are without volatility and time.

With W at least the worst loss, y_s = W + PnL_s >= 0, a bit x_s may only be set where y_s = 0, and only if all
scenarios before s have y > 0: that is the worst scenario, the first of several. Twice the price risk is then at
most F_s = L_s + L_pair(s) - L_1 - L_2:

    B (1 - x_s) - y_s >= 0,  y_s - (x_(s+1) + ... + x_16) >= 0      (so that no two bits are set)
    g >= 0,  B sum x - g >= 0,  F_s + B (1 - x_s) - g >= 0

For the deltas in spreads E (times d), a rounded net delta of r steps and k delta units to a step, the weighted price
risk w of a step and the credit t are

    |D| + h - k r >= 0,  k r + k - 1 - h - |D| >= 0  (h = k // 2: r is |D| / k, rounded)
    n >= 0,  r - n >= 0,  B n - w >= 0,  g - 2 w r >= 0,  w E - d k t >= 0
    (and w at most the scan range, t at most the largest credit, where those cap them)

with two products of secrets, each from two squares: 4 x y = (x + y)^2 - (x - y)^2. Price risk only ever lowers a
requirement, so g, w or t that are too small harm the prover alone; so does a W that is too large, as no bit can then
be set. What must not be too small is r, and it is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from zkmargin.circuits.builder import RelationBuilder
from zkmargin.circuits.models.span.pools import BIT, Amount, Pool, Values, total
from zkmargin.circuits.relation import Unit
from zkmargin.margin.models.span.tables import LARGEST_CREDIT, PAIRED


@dataclass(frozen=True)
class Scenarios:
    """The scenario rows of one commodity."""

    name: str
    unit: Unit
    profits: tuple[Mapping[int, int], ...]
    """PnL_s as linear forms of the holdings."""
    rows: tuple[int, ...]
    """y_s."""
    bound: int
    """The largest honest |PnL_s|."""


def price_risk_rows(builder: RelationBuilder, scenarios: Scenarios) -> Amount:
    """The row of twice the price risk."""
    name, unit, count = scenarios.name, scenarios.unit, len(scenarios.rows)
    bound = max(1, 4 * scenarios.bound)
    forms = [_price_risk(scenarios.profits, s) for s in range(count)]
    bits = [
        builder.free(
            f"{name}: scenario {s + 1} is the worst", BIT, choice=_worst(s, scenarios.rows, forms[s]), limit=1
        )
        for s in range(count)
    ]
    twice = builder.free(
        f"{name}: twice the price risk", unit, choice=_chosen_risk(bits, forms), limit=4 * scenarios.bound
    )
    builder.row(
        f"{name}: price risk of a worst scenario", unit, {}, {**dict.fromkeys(bits, bound), twice: -1}
    )
    for s, (bit, row, form) in enumerate(zip(bits, scenarios.rows, forms, strict=True)):
        label = f"{name}, scenario {s + 1}"
        builder.row(f"{label}: worst only if it loses most", unit, {}, {bit: -bound, row: -1}, constant=bound)
        if s + 1 < count:
            later = dict.fromkeys(bits[s + 1 :], -1)
            builder.row(f"{label}: loses less if a later one is worst", unit, {}, {row: 1, **later})
        # F_s and g together can reach twice the bound.
        builder.row(f"{label}: its price risk", unit, form, {bit: -2 * bound, twice: -1}, constant=2 * bound)
    return Amount({twice: 1}, 4 * scenarios.bound)


@dataclass(frozen=True)
class Weighting:
    """What price risk is multiplied and divided by, in the rows of one commodity."""

    net: Pool
    """The net delta, long or short."""
    spread: Amount
    """Deltas in weighted spreads times their rates, times the denominator."""
    denominator: int
    step: int
    """Delta units that the net delta is rounded to."""
    cap: int | None
    """The greatest weighted price risk of a step in money units, where there is one."""


def credit_row(builder: RelationBuilder, scenarios: Scenarios, weighting: Weighting) -> int:
    """The row of the credit that price risk gives, in money units."""
    name, unit, spread = scenarios.name, scenarios.unit, weighting.spread
    twice = price_risk_rows(builder, scenarios)
    (risk,) = twice.rows
    count = _rounded(builder, name, total([weighting.net.long, weighting.net.short]), weighting.step)
    most = twice.bound // 2 if weighting.cap is None else min(weighting.cap, twice.bound // 2)

    divisor = weighting.denominator * weighting.step

    def weighted_risk(_: Sequence[int], rows: Values) -> int:
        if not rows[count]:
            return 0
        found, held = min(most, rows[risk] // (2 * rows[count])), spread.value(rows)
        # No more than the largest credit takes, so that little is left of the product.
        return min(found, -(-LARGEST_CREDIT * divisor // held)) if held else found

    weighted = builder.free(f"{name}: weighted price risk", unit, choice=weighted_risk, limit=most)
    some = builder.free(f"{name}: has a net delta", BIT, choice=lambda _, rows: min(1, rows[count]), limit=1)
    builder.row(f"{name}: has one only if it is not zero", Unit("steps"), {}, {count: 1, some: -1})
    builder.row(f"{name}: no price risk without a net delta", unit, {}, {some: max(most, 1), weighted: -1})
    if weighting.cap is not None:
        builder.row(f"{name}: price risk capped", unit, {}, {weighted: -1}, constant=weighting.cap)
    plus, minus = _product(builder, {weighted: 1}, {count: 1})
    # What is left of g after the division is less than r, or g itself where the cap or no delta leaves it.
    limit = 2 * twice.bound
    builder.row(f"{name}: price risk of each delta", unit, {}, {risk: 2}, v={plus: -1, minus: 1}, limit=limit)
    uncapped = most * spread.bound // divisor

    def least(_: Sequence[int], rows: Values) -> int:
        return min(LARGEST_CREDIT, rows[weighted] * spread.value(rows) // divisor)

    credit = builder.free(
        f"{name}: credit on price risk", unit, choice=least, limit=min(LARGEST_CREDIT, uncapped)
    )
    limit = 4 * divisor
    if uncapped > LARGEST_CREDIT:
        builder.row(f"{name}: credit capped", unit, {}, {credit: -1}, constant=LARGEST_CREDIT)
        # The least w that the largest credit takes leaves less than one E.
        limit = 4 * max(divisor, spread.bound)
    plus, minus = _product(builder, {weighted: 1}, spread.rows)
    terms = {credit: -4 * divisor}
    name = f"{name}: credit on the deltas in spreads"
    builder.row(name, unit, {}, terms, v={plus: 1, minus: -1}, limit=limit)
    return credit


def _product(builder: RelationBuilder, x: Mapping[int, int], y: Mapping[int, int]) -> tuple[int, int]:
    """Cells x + y and x - y, whose squares are 4 x y apart."""
    return builder.square({}, {**x, **y}), builder.square(
        {}, {**x, **{row: -factor for row, factor in y.items()}}
    )


def _rounded(builder: RelationBuilder, name: str, delta: Amount, step: int) -> int:
    """The row of the absolute net delta in steps, rounded to nearest, halves up: exactly, by two rows."""
    half, limit = step // 2, (delta.bound + step // 2) // step
    count = builder.free(
        f"{name}: rounded net delta",
        Unit("steps"),
        choice=lambda _, rows: (delta.value(rows) + half) // step,
        limit=limit,
    )
    minus = {row: -factor for row, factor in delta.rows.items()}
    unit = Unit("delta units")
    builder.row(f"{name}: not rounded too far up", unit, {}, {**delta.rows, count: -step}, constant=half)
    builder.row(
        f"{name}: not rounded too far down", unit, {}, {**minus, count: step}, constant=step - 1 - half
    )
    return count


def _price_risk(profits: Sequence[Mapping[int, int]], s: int) -> dict[int, int]:
    """PnL_1 + PnL_2 - PnL_s - PnL_pair(s)."""
    form: dict[int, int] = {}
    for profit, sign in ((profits[0], 1), (profits[1], 1), (profits[s], -1), (profits[PAIRED[s]], -1)):
        for slot, value in profit.items():
            form[slot] = form.get(slot, 0) + sign * value
    return {slot: value for slot, value in form.items() if value}


def _worst(s: int, losses: Sequence[int], form: Mapping[int, int]) -> Callable[[Sequence[int], Values], int]:
    """A bit is set at the first scenario that loses most, unless its price risk is negative."""

    def choice(q: Sequence[int], rows: Values) -> int:
        first = rows[losses[s]] == 0 and all(rows[losses[k]] > 0 for k in range(s))
        return int(first and sum(value * q[slot] for slot, value in form.items()) >= 0)

    return choice


def _chosen_risk(
    bits: Sequence[int], forms: Sequence[Mapping[int, int]]
) -> Callable[[Sequence[int], Values], int]:
    def choice(q: Sequence[int], rows: Values) -> int:
        chosen = (form for bit, form in zip(bits, forms, strict=True) if rows[bit])
        form: Mapping[int, int] = next(chosen, {})
        return max(0, sum(value * q[slot] for slot, value in form.items()))

    return choice
