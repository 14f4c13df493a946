"""The tables of SRM, the standard manager of Derive.

Every position by itself: perpetuals by notional, short options by moneyness, coins at a part of the spot price; but an
expiry's options are asked for no more than they can come to lose. Confidence and the price of cash are charges of
their own on sizes, at initial margin. Amounts are rounded up, payoffs to nearest.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.decimals import nearest
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.times import format_time
from zkmargin.margin.parameters.venues.srm import ShortOption, Srm
from zkmargin.margin.tables.charges import CollateralCharge
from zkmargin.margin.tables.rate_additions import ExpiryCap, SizeCharge
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.units import LEVELS, ByLevel, Level
from zkmargin.margin.valuation.basis import Basis, cash_price, coins, contract_size, int64_table, slot_value
from zkmargin.margin.valuation.charges import collateral_charge, notional_charge, per_contract
from zkmargin.margin.valuation.position_rates import free, full_value


def tables(basis: Basis, rules: Srm) -> RateTables:
    """The tables; InputError naming an instrument that the rules do not know, or a number out of range."""
    for instrument in basis.universe.instruments:
        if instrument.kind == "share":
            remedy = (
                "the rules of SRM know coins and what is based on them; leave it out, or use another preset"
            )
            raise InputError(f"instrument {instrument.name}", "kind", instrument.kind, remedy)
        if instrument.premium != "paid":
            remedy = "the rules of SRM are for options that are paid; leave it out, or use another preset"
            raise InputError(f"instrument {instrument.name}", "premium", instrument.premium, remedy)
    return _Maker(basis, rules).tables()


class _Maker:
    """One pass over a market."""

    def __init__(self, basis: Basis, rules: Srm) -> None:
        self.basis, self.rules = basis, rules
        self.instruments = basis.universe.instruments
        expiries: dict[tuple[str, int], list[int]] = defaultdict(list)
        for slot, i in enumerate(self.instruments):
            if i.kind == "option":
                expiries[i.underlying, i.expiry or 0].append(slot)
        self.expiries: Mapping[tuple[str, int], Sequence[int]] = expiries

    def tables(self) -> RateTables:
        """All tables."""
        slots = range(len(self.instruments))
        long, short = ([side(slot) for slot in slots] for side in (self._long, self._short))
        return RateTables(
            long=self._column("long rate", long),
            short=self._column("short rate", short),
            collaterals=tuple(self._bases()),
            expiries=tuple(self._caps()),
            sizes=(*self._confidences(), *self._depegs()),
        )

    def _column(self, title: str, charges: Sequence[dict[Level, int]]) -> dict[Level, NDArray[np.int64]]:
        return {
            level: int64_table(title, self.basis.universe, [charge[level] for charge in charges])
            for level in LEVELS
        }

    # Positions by themselves ----------------------------------------------------------------------

    def _long(self, slot: int) -> dict[Level, int]:
        kind = self.instruments[slot].kind
        if kind == "balance":
            return free(self.basis, slot)
        return full_value(self.basis, slot) if kind == "option" else self._notional(slot)

    def _short(self, slot: int) -> dict[Level, int]:
        kind = self.instruments[slot].kind
        if kind == "balance":
            return free(self.basis, slot)
        return self._short_option(slot) if kind == "option" else self._notional(slot)

    def _notional(self, slot: int) -> dict[Level, int]:
        rates = self.rules.market(self.instruments[slot].underlying).perpetual
        return notional_charge(self.basis, slot, rates)

    def _short_option(self, slot: int) -> dict[Level, int]:
        instrument = self.instruments[slot]
        numbers = self.rules.market(instrument.underlying).option
        spot, strike = self.basis.index(instrument.underlying), Fraction(Decimal(instrument.strike or 0))
        mark = slot_value(instrument, self.basis.inputs.quotes[slot], self.basis.inputs)
        ask = _short_call if instrument.call else _short_put
        asked = ask(numbers, spot, strike, mark)
        return {level: per_contract(self.basis, slot, asked[level], Fraction(1)) for level in LEVELS}

    # Expiries -------------------------------------------------------------------------------------

    def _caps(self) -> Iterator[ExpiryCap]:
        for (underlying, expiry), slots in self.expiries.items():
            written = [self.instruments[slot].strike or "0" for slot in slots]
            prices = ["0", *sorted(set(written), key=Decimal)]
            places = {price: place for place, price in enumerate(prices)}
            strikes = tuple(places[strike] for strike in written)
            yield ExpiryCap(
                _label(underlying, expiry),
                tuple(slots),
                tuple(prices),
                self._payoffs(slots, [Fraction(Decimal(price)) for price in prices], strikes),
                strikes,
                {level: tuple(self._unpaired(slot, level) for slot in slots) for level in LEVELS},
            )

    def _payoffs(
        self, slots: Sequence[int], prices: Sequence[Fraction], strikes: Sequence[int]
    ) -> NDArray[np.int64]:
        """(K, n): what one contract of each slot pays at each settlement price."""
        made = np.zeros((len(prices), len(slots)), dtype=np.int64)
        for column, (slot, strike) in enumerate(zip(slots, strikes, strict=True)):
            instrument = self.instruments[slot]
            unit = self.basis.quanta * contract_size(instrument)
            paying = prices[strike + 1 :] if instrument.call else prices[:strike]
            entries = [nearest(abs(price - prices[strike]) * unit) for price in paying]
            if max(entries, default=0) >= 1 << 63:
                remedy = "too large for 64 bits; check the strikes"
                raise InputError(f"instrument {instrument.name}", "payoff", max(entries), remedy)
            place = slice(strike + 1, None) if instrument.call else slice(0, strike)
            made[place, column] = entries
        return made

    def _unpaired(self, slot: int, level: Level) -> int:
        instrument = self.instruments[slot]
        if not instrument.call:
            return 0
        forward = Fraction(self.basis.inputs.quotes[slot].forward or 0)
        scale = self.rules.market(instrument.underlying).option.unpaired.at(level)
        return per_contract(self.basis, slot, forward, scale)

    # Charges on sizes -----------------------------------------------------------------------------

    def _confidences(self) -> Iterator[SizeCharge]:
        """On perpetuals, and on short options by expiry, whose feeds are unsure of themselves."""
        for slot, instrument in enumerate(self.instruments):
            if instrument.kind in ("perpetual", "future"):
                sure = min(self._sure(instrument.name), self._sure(instrument.underlying))
                threshold = self.rules.market(instrument.underlying).confidence.perpetual
                yield from self._size(
                    "confidence", instrument.name, (slot,), self._unsure(slot, sure, threshold)
                )
        for (underlying, expiry), slots in self.expiries.items():
            terms = self.basis.inputs.terms_of(self.instruments[slots[0]])
            stated = Fraction(1) if terms is None else Fraction(Decimal(terms.confidence))
            threshold = self.rules.market(underlying).confidence.option
            rate = self._unsure(slots[0], min(stated, self._sure(underlying)), threshold)
            yield from self._size("confidence", _label(underlying, expiry), tuple(slots), rate)

    def _depegs(self) -> Iterator[SizeCharge]:
        """On perpetuals and short options of every underlying, where cash is worth less than it should be."""
        depeg, price = self.rules.depeg, cash_price(self.basis.inputs)
        rate = max(Fraction(0), Fraction(depeg.threshold) - price) * Fraction(depeg.factor)
        held: dict[str, list[int]] = defaultdict(list)
        for slot, instrument in enumerate(self.instruments):
            if instrument.kind != "balance":
                held[instrument.underlying].append(slot)
        for underlying, slots in held.items():
            yield from self._size(
                "depeg", f"{underlying}, cash at {self.basis.inputs.cash_price}", tuple(slots), rate
            )

    def _size(self, kind: str, name: str, slots: tuple[int, ...], rate: Fraction) -> Iterator[SizeCharge]:
        """A rate of the spot price at initial margin: on perpetuals of either side, and on short options."""
        if rate:
            short = tuple(per_contract(self.basis, slot, self._spot(slot), rate) for slot in slots)
            options = (self.instruments[slot].kind == "option" for slot in slots)
            long = tuple(0 if option else charge for option, charge in zip(options, short, strict=True))
            nothing = (0,) * len(slots)
            yield SizeCharge(
                "depeg" if kind == "depeg" else "confidence",
                name,
                slots,
                {"initial": long, "maintenance": nothing},
                {"initial": short, "maintenance": nothing},
            )

    def _spot(self, slot: int) -> Fraction:
        """Spot for one unit of a linear contract or an option; an inverse future counts dollars of spot already."""
        instrument = self.instruments[slot]
        if instrument.inverse and instrument.kind != "option":
            return abs(slot_value(instrument, self.basis.inputs.quotes[slot], self.basis.inputs))
        return self.basis.index(instrument.underlying)

    def _sure(self, name: str) -> Fraction:
        return self.basis.inputs.confidence(name)

    def _unsure(self, slot: int, confidence: Fraction, threshold: Decimal) -> Fraction:
        """The charge for a confidence at initial margin, as a share of the spot price."""
        factor = self.rules.market(self.instruments[slot].underlying).confidence.factor
        return (1 - confidence) * Fraction(factor) if confidence < Fraction(threshold) else Fraction(0)

    # Coins ----------------------------------------------------------------------------------------

    def _bases(self) -> Iterator[CollateralCharge]:
        """The part of a coin's value that does not count: a coin is worth the spot price over the price of cash, and
        counts at a part of the spot price itself. A coin that is owed is charged alike.
        """
        for coin in coins(self.basis.universe):
            rate = self._uncounted(coin)
            charge = collateral_charge(self.basis, coin, rate.__getitem__)
            yield charge
            owed: ByLevel[tuple[int, ...]] = {
                level: tuple(-entry for entry in charge.charge[level]) for level in LEVELS
            }
            yield replace(charge, name=f"{coin} borrowed", charge=owed)

    def _uncounted(self, coin: str) -> dict[Level, Fraction]:
        market = self.rules.market(coin)
        counted = {"maintenance": Fraction(market.base.factor)}
        counted["initial"] = counted["maintenance"] * Fraction(market.base.initial_scale)
        balance = self.basis.universe.slot(coin)
        if counted["initial"]:
            counted["initial"] -= self._unsure(balance, self._sure(coin), market.confidence.base)
        return {level: 1 - cash_price(self.basis.inputs) * counted[level] for level in LEVELS}


def _label(underlying: str, expiry: int) -> str:
    return f"{underlying}, expiry {format_time(expiry)}"


def _of_spot(numbers: ShortOption, spot: Fraction, out: Fraction) -> Fraction:
    """max(most - out / S, least) S."""
    return max(Fraction(numbers.most) * spot - max(Fraction(0), out), Fraction(numbers.least) * spot)


def _short_call(
    numbers: ShortOption, spot: Fraction, strike: Fraction, mark: Fraction
) -> dict[Level, Fraction]:
    """StandardManager._getIsolatedMarginForCall, without the mark."""
    del mark
    return {
        "initial": _of_spot(numbers, spot, strike - spot),
        "maintenance": Fraction(numbers.call) * spot,
    }


def _short_put(
    numbers: ShortOption, spot: Fraction, strike: Fraction, mark: Fraction
) -> dict[Level, Fraction]:
    """StandardManager._getIsolatedMarginForPut, without the mark."""
    maintenance = max(Fraction(numbers.put) * spot, Fraction(numbers.put_mark) * mark)
    scaled = Fraction(numbers.scale) * (maintenance + mark) - mark
    return {"initial": max(_of_spot(numbers, spot, spot - strike), scaled), "maintenance": maintenance}
