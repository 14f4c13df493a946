"""From parameters to the pools, legs and rates of the tables.

A leg names a tier or a month; its deltas come from the periods there, the earliest first. Periods next to each
other that no leg, tier or delivery charge tells apart form one pool: what is taken from them is the same sum in
any order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import TypeVar

from zkmargin.margin.arithmetic.decimals import canonical_decimal, ceil_div, floor_div, nearest
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.models.span.arrays import Arrays
from zkmargin.margin.models.span.periods import Member, month_periods, tier_periods
from zkmargin.margin.models.span.tables import (
    FINEST_RATE,
    CommodityTable,
    InterLegTable,
    InterTable,
    IntraTable,
    LegTable,
    Minimum,
    Period,
    Pool,
    TierTable,
)
from zkmargin.margin.parameters.span import SPOT, Commodity, InterSpread, IntraSpread, Leg, SpanParameters
from zkmargin.margin.units import LEVELS
from zkmargin.margin.valuation.basis import Basis, contract_size

WHOLE = "whole commodity"
_NOTHING = (0, 1)
Spread = TypeVar("Spread", InterSpread, IntraSpread)


@dataclass(frozen=True)
class _Layout:
    """The periods of one commodity and how they fall into pools."""

    labels: tuple[str, ...]
    pools: tuple[tuple[int, ...], ...]

    def pools_of(self, periods: frozenset[int]) -> tuple[int, ...]:
        return tuple(number for number, pool in enumerate(self.pools) if pool[0] in periods)


def commodity_table(
    basis: Basis, parameters: SpanParameters, number: int, found: Sequence[Member], made: Arrays
) -> CommodityTable:
    """The table of one commodity; InputError naming what is wrong with its tiers."""
    commodity = parameters.commodities[number]
    own = [member for member in found if member.commodity == number]
    periods = _periods(own, made)
    tiers = _inter_tiers(parameters, commodity)
    layout = _layout(commodity, [period.label for period in periods], tiers)
    index = basis.index(commodity.underlying)
    return CommodityTable(
        name=commodity.name,
        periods=periods,
        pools=tuple(_pool(commodity, layout, pool, index) for pool in layout.pools),
        spreads=tuple(
            _intra(spread, layout, commodity, index) for spread in _ordered(commodity.intra_spreads)
        ),
        tiers=tuple(
            TierTable(name or WHOLE, layout.pools_of(held)) for name, held in _held(commodity, tiers, layout)
        ),
        price_risk=commodity.price_risk,
        scan_range=_down(commodity.price_scan_range.of(index)),
        delta_step=max(1, nearest(Fraction(commodity.delta_rounding) * basis.quanta)),
        minimums=_minimums(basis, own),
        minimum_method=commodity.short_option_method,
        capped_slots=_paid_options(own) if commodity.cap_option_value else (),
        capped_values=tuple(int(basis.marks[slot]) for slot in _paid_options(own))
        if commodity.cap_option_value
        else (),
        ratio={level: Fraction(commodity.ratio.at(level)).as_integer_ratio() for level in LEVELS},
    )


def inter_table(spread: InterSpread, parameters: SpanParameters) -> InterTable:
    """The table of a spread over commodities; a flat credit is shared equally by them."""
    names = [commodity.name for commodity in parameters.commodities]
    spreads, ratios = _whole([Fraction(leg.ratio) for leg in spread.legs])
    legs = tuple(
        InterLegTable(
            names.index(leg.commodity),
            _inter_tiers(parameters, parameters.commodities[names.index(leg.commodity)]).index(leg.tier),
            leg.side,
            ratio,
        )
        for leg, ratio in zip(spread.legs, ratios, strict=True)
    )
    share = Fraction(spread.flat_credit or 0) / len({leg.commodity for leg in legs})
    name = ", ".join(f"{leg.commodity} {canonical_decimal(leg.ratio)} {leg.side}" for leg in spread.legs)
    return InterTable(
        f"spread {spread.priority} ({name})",
        _down(share * spreads),
        Fraction(spread.credit_rate or 0).as_integer_ratio(),
        legs,
    )


def ordered_inter(parameters: SpanParameters) -> tuple[InterTable, ...]:
    """All spreads over commodities by priority; those of one priority as they are listed."""
    return tuple(inter_table(spread, parameters) for spread in _ordered(parameters.inter_spreads))


def _ordered(spreads: Iterable[Spread]) -> list[Spread]:
    return sorted(spreads, key=lambda spread: spread.priority)


def _periods(own: Sequence[Member], made: Arrays) -> tuple[Period, ...]:
    """The periods of a commodity with the deltas in them: spot first, then by day."""
    deltas: dict[str, dict[int, int]] = {}
    for member in own:
        for label, delta in made.deltas[member.slot]:
            deltas.setdefault(label, {})[member.slot] = delta
    labels = sorted(deltas, key=lambda label: (label != SPOT, label))
    return tuple(Period(label, tuple(deltas[label]), tuple(deltas[label].values())) for label in labels)


def _inter_tiers(parameters: SpanParameters, commodity: Commodity) -> list[str | None]:
    """The tiers of a commodity that inter-commodity spreads use, in order of their first use."""
    legs = [leg for spread in _ordered(parameters.inter_spreads) for leg in spread.legs]
    return list(dict.fromkeys(leg.tier for leg in legs if leg.commodity == commodity.name))


def _held(
    commodity: Commodity, names: Sequence[str | None], layout: "_Layout"
) -> list[tuple[str | None, frozenset[int]]]:
    tiers = {tier.name: tier_periods(tier, layout.labels) for tier in commodity.tiers}
    return [(name, frozenset(range(len(layout.labels))) if name is None else tiers[name]) for name in names]


def _layout(commodity: Commodity, labels: Sequence[str], inter: Sequence[str | None]) -> _Layout:
    """Runs of periods that are alike in all that tells periods apart."""
    bare = _Layout(tuple(labels), ())
    tiers = _held(commodity, inter, bare)
    for (one, held), (other, held_too) in ((a, b) for k, a in enumerate(tiers) for b in tiers[:k]):
        if held & held_too:
            where = f"{one or WHOLE} and {other or WHOLE} of {commodity.name}"
            remedy = (
                f"both hold {labels[min(held & held_too)]}; tiers of inter-commodity spreads must not overlap"
            )
            raise InputError("parameters, span", "inter_spreads", Finding(where), remedy)
    places = [_leg_periods(leg, commodity, labels) for s in commodity.intra_spreads for leg in s.legs]
    places += [month_periods(delivery.period, labels) for delivery in commodity.delivery]
    places += [held for _, held in tiers]
    for spread in commodity.intra_spreads:
        _check_sides(spread, commodity, labels)
    signatures = [tuple(period in place for place in places) for period in range(len(labels))]
    runs: list[list[int]] = []
    for period, signature in enumerate(signatures):
        if runs and signatures[runs[-1][-1]] == signature:
            runs[-1].append(period)
        else:
            runs.append([period])
    used = [run for run in runs if any(signatures[run[0]])]
    return _Layout(tuple(labels), tuple(map(tuple, used)))


def _check_sides(spread: IntraSpread, commodity: Commodity, labels: Sequence[str]) -> None:
    for side in ("A", "B"):
        held = [_leg_periods(leg, commodity, labels) for leg in spread.legs if leg.side == side]
        if sum(map(len, held)) > len(frozenset().union(*held)):
            where = f"{commodity.name}, spread {spread.priority}"
            raise InputError(
                "parameters, span", "intra_spreads", Finding(where), f"its legs on side {side} overlap"
            )


def _leg_periods(leg: Leg, commodity: Commodity, labels: Sequence[str]) -> frozenset[int]:
    if leg.period is not None:
        return month_periods(leg.period, labels)
    return tier_periods(next(tier for tier in commodity.tiers if tier.name == leg.tier), labels)


def _pool(commodity: Commodity, layout: _Layout, pool: tuple[int, ...], index: Fraction) -> Pool:
    """A pool with the delivery charge of its month, if there is one."""
    labels = [layout.labels[period] for period in pool]
    charges = [d for d in commodity.delivery if labels[0].startswith(d.period)]
    return Pool(
        labels[0] if len(labels) == 1 else f"{labels[0]} to {labels[-1]}",
        pool,
        _up(charges[0].spread_charge.of(index)) if charges else _NOTHING,
        _up(charges[0].outright_charge.of(index)) if charges else _NOTHING,
    )


def _intra(spread: IntraSpread, layout: _Layout, commodity: Commodity, index: Fraction) -> IntraTable:
    spreads, ratios = _whole([Fraction(leg.ratio) for leg in spread.legs])
    legs = tuple(
        LegTable(leg.side, ratio, layout.pools_of(_leg_periods(leg, commodity, layout.labels)))
        for leg, ratio in zip(spread.legs, ratios, strict=True)
    )
    name = ", ".join(
        f"{leg.tier or leg.period} {canonical_decimal(leg.ratio)} {leg.side}" for leg in spread.legs
    )
    return IntraTable(f"spread {spread.priority} ({name})", _up(spread.charge.of(index) * spreads), legs)


def _whole(ratios: Sequence[Fraction]) -> tuple[Fraction, tuple[int, ...]]:
    """The spreads that one step forms, and the deltas it takes: the least integers in proportion to the ratios.

    >>> _whole([Fraction(3, 2), Fraction(1)])
    (Fraction(2, 1), (3, 2))
    """
    common = lcm(*(ratio.denominator for ratio in ratios))
    whole = [int(ratio * common) for ratio in ratios]
    shared = gcd(*whole)
    return Fraction(common, shared), tuple(ratio // shared for ratio in whole)


def _minimums(basis: Basis, own: Sequence[Member]) -> tuple[Minimum, ...]:
    """Short option charges, one group for each rate."""
    groups: Mapping[Fraction, list[Member]] = {
        rate: [m for m in own if m.instrument.kind == "option" and m.minimum == rate]
        for rate in sorted({m.minimum for m in own if m.instrument.kind == "option" and m.minimum})
    }
    found = []
    for group in groups.values():
        sides = [[m for m in group if bool(m.instrument.call) == call] for call in (True, False)]
        slots = [tuple(m.slot for m in side) for side in sides]
        charges = [
            tuple(ceil_div(m.minimum * basis.quanta * contract_size(m.instrument)) for m in side)
            for side in sides
        ]
        found.append(Minimum(slots[0], slots[1], charges[0], charges[1]))
    return tuple(found)


def _paid_options(own: Sequence[Member]) -> tuple[int, ...]:
    """What has an option value: that of a futures-style option is settled every day, as a future's is."""
    instruments = ((member.slot, member.instrument) for member in own)
    return tuple(slot for slot, i in instruments if i.kind == "option" and not i.margined_daily)


def _up(charge: Fraction) -> tuple[int, int]:
    """A charge in USD, rounded up."""
    return Fraction(ceil_div(charge * FINEST_RATE), FINEST_RATE).as_integer_ratio()


def _down(credit: Fraction) -> tuple[int, int]:
    """A credit in USD, rounded down."""
    return Fraction(floor_div(credit * FINEST_RATE), FINEST_RATE).as_integer_ratio()
