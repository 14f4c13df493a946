"""Charges that models share: rates folded into tables, rounded up, and what an account pays by them."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.assessment import Charge
from zkmargin.margin.basis import Basis, coins, contract_size, slot_value
from zkmargin.margin.decimals import ceil_div
from zkmargin.margin.parameter_types import ByLevel
from zkmargin.margin.tables import LEVELS, CollateralCharge, Level


def per_contract(basis: Basis, slot: int, value: Fraction, rate: Decimal | Fraction) -> int:
    """rate * value (USD per unit of quantity) in quanta per contract, rounded up."""
    return ceil_div(value * Fraction(rate) * basis.quanta * contract_size(basis.universe.instruments[slot]))


def notional_charge(basis: Basis, slot: int, rates: ByLevel) -> dict[Level, int]:
    """A rate on the value of one contract of a future or perpetual, by level."""
    instrument = basis.universe.instruments[slot]
    notional = abs(slot_value(instrument, basis.inputs.quotes[slot], basis.inputs))
    return {level: per_contract(basis, slot, notional, rates.at(level)) for level in LEVELS}


def collateral_charges(basis: Basis) -> tuple[CollateralCharge, ...]:
    """Haircuts: per coin, on its balance and on the coin legs of inverse futures and perpetuals together."""
    haircut = basis.parameters.haircut
    return tuple(collateral_charge(basis, coin, haircut(coin).at) for coin in coins(basis.universe))


def collateral_charge(
    basis: Basis, coin: str, rate: Callable[[Level], Decimal | Fraction]
) -> CollateralCharge:
    """The haircut on one coin's equity, at a rate by level."""
    instruments = basis.universe.instruments
    slots = tuple(slot for slot, i in enumerate(instruments) if i.settlement == coin and i.kind != "option")
    values = [slot_value(instruments[s], basis.inputs.quotes[s], basis.inputs) for s in slots]
    return CollateralCharge(
        coin,
        slots,
        {
            level: tuple(
                per_contract(basis, slot, value, rate(level))
                for slot, value in zip(slots, values, strict=True)
            )
            for level in LEVELS
        },
    )


def haircuts(
    collaterals: Sequence[CollateralCharge], scale: Sequence[int], lots: Sequence[int], level: Level
) -> Iterator[Charge]:
    """max(0, sum of charge * lots) per coin."""
    for collateral in collaterals:
        entries = zip(collateral.slots, collateral.charge[level], strict=True)
        amount = sum(charge * lots[slot] * scale[slot] for slot, charge in entries)
        yield Charge("haircut", collateral.name, max(0, amount))
