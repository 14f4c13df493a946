"""Charges that models share: rates folded into tables, rounded up, and what an account pays by them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import canonical_decimal, ceil_div, floor_div
from zkmargin.margin.arithmetic.fixed import from_fraction, sqrt, to_fraction
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.market.history import BILLION, plain_moves
from zkmargin.margin.parameters.collateral import Collateral, VolatilityScaling
from zkmargin.margin.parameters.types import ByLevel
from zkmargin.margin.tables.assessment import Charge
from zkmargin.margin.tables.charges import CollateralCharge
from zkmargin.margin.tables.schema import LARGEST
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.valuation.basis import Basis, coins, contract_size, slot_value

_MILLION = 10**6


def per_contract(basis: Basis, slot: int, value: Fraction, rate: Decimal | Fraction) -> int:
    """rate * value (USD per unit of quantity) in quanta per contract, rounded up."""
    return ceil_div(value * Fraction(rate) * basis.quanta * contract_size(basis.universe.instruments[slot]))


def notional_charge(basis: Basis, slot: int, rates: ByLevel) -> dict[Level, int]:
    """A rate on the value of one contract of a future or perpetual, by level."""
    instrument = basis.universe.instruments[slot]
    notional = abs(slot_value(instrument, basis.inputs.quotes[slot], basis.inputs))
    return {level: per_contract(basis, slot, notional, rates.at(level)) for level in LEVELS}


def collateral_charges(basis: Basis, *, debts: bool = False) -> tuple[CollateralCharge, ...]:
    """Haircuts: per coin, on its balance and on what is margined in it daily together.

    One for all sizes; one more for every tier, on what lies above it, at what its rate adds; one for debts that have a
    rate of their own. With `debts`, for models in which a coin's price does not move, every debt has a rate.
    """
    return tuple(
        charge for coin in coins(basis.universe) for charge in coin_charges(basis, coin, debts=debts)
    )


def coin_charges(basis: Basis, coin: str, *, debts: bool = False) -> Iterator[CollateralCharge]:
    """The haircuts on one coin, and what its debts are charged: see `collateral_charges`."""
    yield from _haircuts(basis, coin)
    rules = basis.parameters.collateral.get(coin)
    if debts or (rules is not None and rules.liability is not None):
        yield from debt_charges(basis, coin)


def debt_charges(basis: Basis, coin: str, stated: ByLevel | None = None) -> Iterator[CollateralCharge]:
    """On a negative equity in a coin: what it counts for beyond its value, at the parameters' rates or those stated;
    none where the rate is zero.
    """
    rules = basis.parameters.collateral.get(coin)
    rates = stated or basis.parameters.debt(coin)
    debt = {level: Fraction(rates.at(level)) for level in LEVELS}
    if rules is not None and rules.liability is not None:
        debt = {level: Fraction(rules.liability.at(level)) - 1 for level in LEVELS}
    if any(debt.values()):
        charge = collateral_charge(basis, coin, debt.__getitem__)
        owed = {level: tuple(-entry for entry in charge.charge[level]) for level in LEVELS}
        yield replace(charge, name=f"{coin} borrowed", charge=owed)


def _haircuts(basis: Basis, coin: str) -> Iterator[CollateralCharge]:
    base, rules = basis.parameters.haircut(coin), basis.parameters.collateral.get(coin)
    if rules is None:
        yield collateral_charge(basis, coin, base.at)
        return
    factor = haircut_factor(basis, coin, rules)
    rate = _scaled(base, factor)
    yield collateral_charge(basis, coin, rate.__getitem__)
    for tier in rules.tiers:
        above, below = _scaled(tier, factor), rate
        added = {level: above[level] - below[level] for level in LEVELS}
        if any(added.values()):
            unit = coin if rules.measured_in == "coin" else CASH
            charge = collateral_charge(basis, coin, added.__getitem__)
            name = f"{coin} above {canonical_decimal(tier.above)} {unit}"
            yield replace(charge, name=name, exempt=_lots(basis, coin, tier.above, rules.measured_in))
        rate = above


def _scaled(rates: ByLevel, factor: Fraction) -> dict[Level, Fraction]:
    """A haircut takes no more than all."""
    return {level: min(Fraction(1), Fraction(rates.at(level)) * factor) for level in LEVELS}


def _lots(basis: Basis, coin: str, size: Decimal, measured_in: str) -> int:
    """A size in lots of the coin's balance, rounded down."""
    balance = basis.universe.instruments[basis.universe.slot(coin)]
    coins_held = Fraction(size) if measured_in == "coin" else Fraction(size) / basis.index(coin)
    return min(LARGEST, floor_div(coins_held / Fraction(balance.lot)))


def haircut_factor(basis: Basis, coin: str, rules: Collateral) -> Fraction:
    """What volatility and liquidity make of a haircut: at least 1, in millionths, rounded up.

    Raises InputError if the volatility is to be that of a history that is not there, or is too short.
    """
    factor = Fraction(1)
    if rules.volatility is not None:
        scaling = rules.volatility
        observed = (
            _volatility(basis, coin, scaling) if scaling.observed is None else Fraction(scaling.observed)
        )
        factor *= _within(observed / Fraction(scaling.reference), scaling.most)
    if rules.liquidity is not None:
        liquidity = rules.liquidity
        factor *= _within(Fraction(liquidity.reference) / Fraction(liquidity.observed), liquidity.most)
    return Fraction(ceil_div(factor * _MILLION), _MILLION)


def _within(ratio: Fraction, most: Decimal) -> Fraction:
    return max(Fraction(1), min(Fraction(most), ratio))


def _volatility(basis: Basis, coin: str, scaling: VolatilityScaling) -> Fraction:
    """A year, of the last daily moves about zero."""
    history, where = basis.inputs.history, f"parameters, collateral.{coin}"
    if history is None:
        remedy = "build the snapshot with --history FILE, or state it as volatility.observed"
        raise InputError(where, "volatility.days", scaling.days, remedy)
    available = history.days - history.begins[coin] - 1
    if available < scaling.days:
        remedy = f"the history has {available} daily moves of {coin}"
        raise InputError(where, "volatility.days", scaling.days, remedy)
    moves = plain_moves(history, coin, 1, range(history.days - scaling.days, history.days))
    mean = Fraction(sum(move * move for move in moves), scaling.days * BILLION * BILLION)
    return to_fraction(sqrt(from_fraction(mean * history.days_a_year)))


def collateral_charge(
    basis: Basis, coin: str, rate: Callable[[Level], Decimal | Fraction]
) -> CollateralCharge:
    """The haircut on one coin's equity, at a rate by level: on its balance, its first slot wherever it is listed, on
    what is margined daily against that, and on what has settled in the coin.
    """
    instruments = basis.universe.instruments
    held = [
        slot
        for slot, i in enumerate(instruments)
        if i.settlement == coin and (i.kind == "balance" or i.margined_daily)
    ]
    slots = tuple(sorted(held, key=lambda slot: instruments[slot].name != coin))
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
    """What each comes to, in money units."""
    for collateral in collaterals:
        yield Charge("haircut", collateral.name, collateral.money(scale, lots, level))
