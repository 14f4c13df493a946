"""Rates per position, as standard margin has them, and the sum an account pays by them."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.tables.assessment import Assessment, Charge, assess
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.valuation.basis import Basis, int64_table
from zkmargin.margin.valuation.charges import collateral_charges, haircuts, notional_charge, per_contract

SlotCharge = Callable[[Basis, int], dict[Level, int]]
"""Quanta per contract by level, >= 0, for one slot."""


def rate_tables(basis: Basis, long_option: SlotCharge) -> RateTables:
    """Futures and shares pay by notional on either side, short options by moneyness; what long options pay
    is the model's.
    """
    long = [_long(basis, slot, long_option) for slot in range(len(basis.universe))]
    short = [_short(basis, slot) for slot in range(len(basis.universe))]
    return RateTables(
        _by_level(basis, "long rate", long),
        _by_level(basis, "short rate", short),
        collateral_charges(basis, debts=True),
    )


def free(basis: Basis, slot: int) -> dict[Level, int]:
    """No charge."""
    return dict.fromkeys(LEVELS, 0)


def full_value(basis: Basis, slot: int) -> dict[Level, int]:
    """The mark itself: the position then adds nothing to the excess."""
    return dict.fromkeys(LEVELS, int(basis.marks[slot]))


def unpaid(basis: Basis, slot: int) -> dict[Level, int]:
    """Of an option that is margined daily, what a future on its underlying is charged; but no more than its mark,
    which is all that its holder can still lose.
    """
    instrument, rates = basis.universe.instruments[slot], basis.parameters.standard.future
    if not instrument.margined_daily:
        return free(basis, slot)
    price, most = basis.index(instrument.underlying), int(basis.marks[slot])
    return {level: min(most, per_contract(basis, slot, price, rates.at(level))) for level in LEVELS}


def _by_level(
    basis: Basis, title: str, charges: Sequence[dict[Level, int]]
) -> dict[Level, NDArray[np.int64]]:
    return {level: int64_table(title, basis.universe, [c[level] for c in charges]) for level in LEVELS}


def _long(basis: Basis, slot: int, long_option: SlotCharge) -> dict[Level, int]:
    kind = basis.universe.instruments[slot].kind
    if kind == "balance":
        return free(basis, slot)
    return long_option(basis, slot) if kind == "option" else _notional(basis, slot)


def _short(basis: Basis, slot: int) -> dict[Level, int]:
    kind = basis.universe.instruments[slot].kind
    if kind == "balance":
        return free(basis, slot)
    return short_option(basis, slot) if kind == "option" else _notional(basis, slot)


def _notional(basis: Basis, slot: int) -> dict[Level, int]:
    standard = basis.parameters.standard
    share = basis.universe.instruments[slot].kind == "share"
    return notional_charge(basis, slot, standard.share if share else standard.future)


def short_option(basis: Basis, slot: int) -> dict[Level, int]:
    """max(option - OTM/S, option_minimum) * S; being max(option * S - OTM, option_minimum * S)."""
    instrument, standard = basis.universe.instruments[slot], basis.parameters.standard
    spot, strike = basis.index(instrument.underlying), Fraction(Decimal(instrument.strike or 0))
    out_of_the_money = max(Fraction(0), strike - spot if instrument.call else spot - strike)
    charge: dict[Level, int] = {}
    for level in LEVELS:
        option, least = (
            Fraction(rates.at(level)) * spot for rates in (standard.option, standard.option_minimum)
        )
        charge[level] = per_contract(basis, slot, max(option - out_of_the_money, least), Decimal(1))
    return charge


def requirement(
    tables: RateTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """Every position's charge and the haircuts; lots by slot, the result in exact money units."""
    charges: list[Charge] = []
    for slot, held in enumerate(lots):
        if held:
            side = tables.long if held > 0 else tables.short
            amount = abs(held) * int(side[level][slot]) * scale[slot]
            name = universe.instruments[slot].name
            charges.append(Charge("long" if held > 0 else "short", name, amount))
    charges.extend(haircuts(tables.collaterals, scale, lots, level))
    return assess(Fraction(1), (), tuple(charges))
