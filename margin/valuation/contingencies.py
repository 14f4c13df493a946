"""Contingencies that models have in common: on the notional of perpetuals, and on naked short options."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.parameters.types import ByLevel
from zkmargin.margin.tables.assessment import Charge
from zkmargin.margin.tables.charges import PerpetualCharge, StrikeCharge
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.valuation.basis import Basis
from zkmargin.margin.valuation.charges import notional_charge, per_contract


class ContingencyRates(Protocol):
    """What a section of the parameters says of them."""

    @property
    def perpetual(self) -> ByLevel:
        """On the notional of perpetuals."""

    @property
    def naked_short(self) -> ByLevel:
        """On the price of the underlying, per naked short option of a strike and expiry."""


class ContingencyTables(Protocol):
    """What the tables of a model hold of them."""

    @property
    def perpetuals(self) -> tuple[PerpetualCharge, ...]:
        """On |q| of perpetuals."""

    @property
    def strikes(self) -> tuple[StrikeCharge, ...]:
        """On the naked shorts of a strike."""


def perpetual_charges(basis: Basis, rates: ContingencyRates) -> tuple[PerpetualCharge, ...]:
    """A charge for every perpetual; none where the rate is zero."""
    if not rates.perpetual.at("initial"):
        return ()
    return tuple(
        PerpetualCharge(slot, notional_charge(basis, slot, rates.perpetual))
        for slot, instrument in enumerate(basis.universe.instruments)
        if instrument.kind == "perpetual"
    )


def strike_charges(basis: Basis, rates: ContingencyRates) -> tuple[StrikeCharge, ...]:
    """A charge for options whose lots add up: of one underlying, expiry, strike, size; none if the rate is zero."""
    if not rates.naked_short.at("initial"):
        return ()
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for slot, i in enumerate(basis.universe.instruments):
        if i.kind == "option":
            size = (i.inverse, i.multiplier, i.lot_exponent, i.contract_exponent)
            groups[i.underlying, i.expiry, i.strike, *size].append(slot)
    return tuple(_strike(basis, rates.naked_short, slots) for slots in groups.values())


def _strike(basis: Basis, rates: ByLevel, slots: Sequence[int]) -> StrikeCharge:
    first = basis.universe.instruments[slots[0]]
    price = basis.index(first.underlying)
    charge = {level: per_contract(basis, slots[0], price, rates.at(level)) for level in LEVELS}
    return StrikeCharge(first.underlying, first.expiry or 0, first.strike or "", tuple(slots), charge)


def contingencies(
    tables: ContingencyTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> list[Charge]:
    """What an account pays by the tables, in money units."""
    names = [instrument.name for instrument in universe.instruments]
    charges = [
        Charge("perpetual", names[p.slot], abs(lots[p.slot]) * p.charge[level] * scale[p.slot])
        for p in tables.perpetuals
    ]
    for strike in tables.strikes:
        short = max(0, -sum(lots[slot] for slot in strike.slots))
        name = " / ".join(names[slot] for slot in strike.slots)
        charges.append(
            Charge("short options of a strike", name, short * strike.charge[level] * scale[strike.slots[0]])
        )
    return charges
