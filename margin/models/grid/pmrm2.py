"""The tables of PMRM 2, the second portfolio margin risk manager of Derive.

Black-76 on the forward, which has a part that settlement averaging has fixed and a part that moves; static
discounts by the sign of an expiry's value; skew cells; basis contingency; charges for feeds that are not
sure of themselves. Every entry is rounded once: changes of value to nearest, charges up.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.decimals import canonical_decimal, ceil_div
from zkmargin.margin.arithmetic.fixed import ONE, exp, from_decimal, from_fraction, mul
from zkmargin.margin.arithmetic.kernels import option_values
from zkmargin.margin.arithmetic.packed import Options, Q64Matrix
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import Instrument
from zkmargin.margin.market.inputs import Inputs
from zkmargin.margin.market.times import format_time
from zkmargin.margin.models.grid.parts import entries, spot_moves
from zkmargin.margin.models.grid.volatilities import COLUMNS, discounted, smile, term
from zkmargin.margin.parameters.pmrm2 import Discount, Pmrm2
from zkmargin.margin.tables.charges import CollateralCharge, PerpetualCharge
from zkmargin.margin.tables.grid import SKEWS, Cell, GridTables
from zkmargin.margin.tables.grid_additions import ConfidenceCharge, ExpiryBucket
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.valuation.basis import Basis, cash_price, coins, contract_size, slot_value, underlyings
from zkmargin.margin.valuation.charges import coin_charges, collateral_charge, per_contract
from zkmargin.margin.valuation.contingencies import strike_charges
from zkmargin.margin.valuation.grid_cells import scenario_cells
from zkmargin.margin.valuation.option_values import named_instruments, option_columns

_FACTOR_DECIMALS = 12
# e^40 undoes any discounting that a market knows, and the square of it still fits the format.
_LARGEST_EXPONENT = 40 * ONE


def tables(basis: Basis, rules: Pmrm2) -> GridTables:
    """The tables; InputError naming the instrument if a number is out of range, or if its premium is not paid."""
    for instrument in basis.universe.instruments:
        if instrument.premium != "paid":
            remedy = "the rules of PMRM 2 are for options that are paid; use another preset of the grid"
            raise InputError(f"instrument {instrument.name}", "premium", instrument.premium, remedy)
    return _Maker(basis, rules).tables()


@dataclass(frozen=True)
class _Expiry:
    """One expiry of one underlying: which options (by row of the columns), and what they share, in Q64."""

    underlying: str
    expiry: int
    rows: tuple[int, ...]
    discount: int
    long: int
    short: int
    basis: int
    """addition + multiplier T."""


class _Maker:
    """One pass over a market; what several tables need is found once."""

    def __init__(self, basis: Basis, rules: Pmrm2) -> None:
        self.basis, self.rules = basis, rules
        self.cells = scenario_cells(rules.scenarios)
        self.instruments = basis.universe.instruments
        self.units = self._units()
        self.unit_of = [self._unit(instrument) for instrument in self.instruments]
        self.columns = option_columns(basis.universe, basis.valuation_time, _undiscounted(basis.inputs))
        self.spot_confidence = {
            name: basis.inputs.confidence(name)
            for name in underlyings(basis.universe)
            if name not in rules.collaterals or name in self.units
        }

    def tables(self) -> GridTables:
        """All tables."""
        with named_instruments(self.basis.universe, self.columns.slots):
            expiries = self._expiries()
            base, cells, basis = self._values(expiries)
        risk, buckets = self._buckets(expiries, base, cells, basis)
        return GridTables(
            cells=self.cells,
            units=self.units,
            unit_of=np.array(self.unit_of, dtype=np.int32),
            risk=risk,
            perpetuals=tuple(self._perpetuals()),
            strikes=strike_charges(self.basis, self.rules),
            collaterals=tuple(self._collaterals()),
            loss_factor={level: self._loss_factor(level) for level in LEVELS},
            buckets=buckets,
            confidences=tuple(self._confidences(expiries)),
        )

    # Units ----------------------------------------------------------------------------------------

    def _units(self) -> tuple[str, ...]:
        """What derivatives are based on or collateral follows; other coins move with nothing."""
        based = {i.underlying for i in self.instruments if i.kind != "balance"}
        followed = {collateral.cancels for collateral in self.rules.collaterals.values()}
        return tuple(name for name in underlyings(self.basis.universe) if name in based | followed)

    def _unit(self, instrument: Instrument) -> int:
        followed = self._followed(instrument) if instrument.kind == "balance" else instrument.underlying
        return self.units.index(followed) if followed in self.units else -1

    def _followed(self, balance: Instrument) -> str | None:
        """The underlying that a balance moves with."""
        stated = self.rules.collaterals.get(balance.underlying)
        return balance.underlying if stated is None else stated.cancels

    # Options --------------------------------------------------------------------------------------

    def _expiries(self) -> tuple[_Expiry, ...]:
        groups: dict[tuple[str, int], list[int]] = defaultdict(list)
        for row, slot in enumerate(self.columns.slots):
            instrument = self.instruments[slot]
            groups[instrument.underlying, instrument.expiry or 0].append(row)
        return tuple(self._expiry(*key, tuple(rows)) for key, rows in groups.items())

    def _expiry(self, underlying: str, expiry: int, rows: tuple[int, ...]) -> _Expiry:
        quotes = [self.basis.inputs.quotes[self.columns.slots[row]] for row in rows]
        rate = max(Decimal(0), *(Decimal(quote.rate or 0) for quote in quotes))
        years = max(0, self.columns.options.years[rows[0]])
        interest = mul(from_decimal(rate), years)
        if interest > _LARGEST_EXPONENT:
            place = f"{underlying}, expiry {format_time(expiry)}"
            remedy = "by then it discounts everything to nothing; state a lower one"
            raise InputError(place, "rate", canonical_decimal(rate), remedy)
        long, short = (
            _exponent(side, rate, years) for side in (self.rules.long_discount, self.rules.short_discount)
        )
        owed = mul(from_decimal(self.rules.short_discount.base), exp(min(short, _LARGEST_EXPONENT)))
        basis = from_decimal(self.rules.basis.addition) + mul(
            from_decimal(self.rules.basis.multiplier), years
        )
        return _Expiry(
            underlying,
            expiry,
            rows,
            exp(-interest),
            mul(from_decimal(self.rules.long_discount.base), exp(-min(long, _LARGEST_EXPONENT))),
            min(exp(interest), owed),
            basis,
        )

    def _values(self, expiries: Sequence[_Expiry]) -> tuple[list[int], Q64Matrix, Q64Matrix]:
        """Values of all options in Q64: at the market, in every cell, and in both basis moves."""
        discounts = [ONE] * len(self.columns.slots)
        fixed = [0] * len(self.columns.slots)
        smiles: list[tuple[int, ...]] = [()] * len(self.columns.slots)
        for expiry in expiries:
            left = expiry.expiry - self.basis.valuation_time
            shared = term(left, self.rules.volatility, self.rules.skew)
            for row in expiry.rows:
                options, vol = self.columns.options, self.columns.volatilities[row]
                strike, forward = options.strike[row], options.forward[row]
                smiles[row] = smile(vol, strike, forward, shared, self.rules.volatility).row()
                discounts[row] = expiry.discount
                fixed[row] = self._fixed(row, forward, left)
        priced = replace(self.columns.options, discount=discounts)
        vols = Q64Matrix.from_rows(smiles, len(COLUMNS))
        cells = [(_factor(cell), COLUMNS[cell.volatility]) for cell in self.cells]
        moves = (self.rules.basis.up, self.rules.basis.down)
        basis = [(from_decimal(1 + move), COLUMNS["none"]) for move in moves]
        base = option_values(priced, vols, [(ONE, COLUMNS["none"])]).column(0)
        return base, _settling(priced, fixed, vols, cells), _settling(priced, fixed, vols, basis)

    def _fixed(self, row: int, forward: int, microseconds: int) -> int:
        """The part of a forward that settlement averaging has fixed: stated, or what has passed of the window."""
        terms = self.basis.inputs.terms_of(self.instruments[self.columns.slots[row]])
        if terms is not None and terms.fixed is not None:
            return from_decimal(terms.fixed)
        window = Fraction(self.rules.averaging_minutes) * 60 * 10**6
        if microseconds >= window:
            return 0
        passed = 1 - Fraction(max(microseconds, 0)) / window if window else Fraction(1)
        return mul(forward, from_fraction(passed))

    def _buckets(
        self, expiries: Sequence[_Expiry], base: Sequence[int], cells: Q64Matrix, basis: Q64Matrix
    ) -> tuple[NDArray[np.int64], tuple[ExpiryBucket, ...]]:
        """The risk of everything, options on the long discount, and what expiries are worth beside that."""
        risk = spot_moves(self.basis, self.cells)
        damping = [from_fraction(Fraction(cell.damping)) for cell in self.cells]
        buckets = []
        for expiry in expiries:
            slots = tuple(self.columns.slots[row] for row in expiry.rows)
            short = np.zeros((len(self.cells), len(slots)), dtype=np.int64)
            contingency = np.zeros((2, len(slots)), dtype=np.int64)
            for column, (row, slot) in enumerate(zip(expiry.rows, slots, strict=True)):
                instrument = self.instruments[slot]
                quanta = int(self.basis.quanta * contract_size(instrument))
                factor, values, market = self.columns.multipliers[row], cells.row(row), base[row]
                for discount, place in ((expiry.long, risk[:, slot]), (expiry.short, short[:, column])):
                    changes = [
                        discounted(value, discount, market, (damp, factor, quanta))
                        for value, damp in zip(values, damping, strict=True)
                    ]
                    place[:] = entries(instrument, changes)
                moved = [
                    discounted(value, ONE, market, (expiry.basis, factor, quanta)) for value in basis.row(row)
                ]
                contingency[:, column] = entries(instrument, moved)
            buckets.append(
                ExpiryBucket(
                    f"{expiry.underlying}, expiry {format_time(expiry.expiry)}",
                    self.units.index(expiry.underlying),
                    slots,
                    short,
                    expiry.long > expiry.short,
                    contingency,
                )
            )
        return risk, tuple(buckets)

    # Charges --------------------------------------------------------------------------------------

    def _unsure(self, confidence: Fraction, level: Level) -> Fraction:
        """What a feed's confidence costs, as a share of the notional."""
        rules = self.rules.confidence
        if level == "maintenance" or confidence >= Fraction(rules.threshold):
            return Fraction(0)
        return (1 - confidence) * Fraction(rules.margin)

    def _perpetuals(self) -> Iterator[PerpetualCharge]:
        """Size contingency on the spot price, with the confidence of spot and of the perpetual's own price."""
        for slot, instrument in enumerate(self.instruments):
            if instrument.kind in ("perpetual", "future"):
                own = self.basis.inputs.confidence(instrument.name)
                confidence = min(own, self.spot_confidence[instrument.underlying])
                rates = {
                    level: Fraction(self.rules.perpetual.at(level)) + self._unsure(confidence, level)
                    for level in LEVELS
                }
                notional = self._notional(slot)
                charge = {level: per_contract(self.basis, slot, notional, rates[level]) for level in LEVELS}
                yield PerpetualCharge(slot, charge)

    def _notional(self, slot: int) -> Fraction:
        """Spot for one unit of a linear contract; an inverse one counts dollars of spot already."""
        instrument = self.instruments[slot]
        if not instrument.inverse:
            return self.basis.index(instrument.underlying)
        return abs(slot_value(instrument, self.basis.inputs.quotes[slot], self.basis.inputs))

    def _confidences(self, expiries: Sequence[_Expiry]) -> Iterator[ConfidenceCharge]:
        """On the options of every expiry; the perpetual's confidence counts only while one is held."""
        for expiry in expiries:
            slots = tuple(self.columns.slots[row] for row in expiry.rows)
            terms = self.basis.inputs.terms_of(self.instruments[slots[0]])
            stated = Fraction(1) if terms is None else Fraction(Decimal(terms.confidence))
            sure = min(stated, self.spot_confidence[expiry.underlying])
            gates = tuple(
                slot
                for slot, i in enumerate(self.instruments)
                if i.kind == "perpetual" and i.underlying == expiry.underlying
            )
            names = [self.instruments[slot].name for slot in gates]
            surely_held = min([sure, *(self.basis.inputs.confidence(name) for name in names)])
            for same in self._alike(slots):
                index = self.basis.index(expiry.underlying)
                charge, gated = (
                    {
                        level: per_contract(self.basis, same[0], index, self._unsure(c, level))
                        for level in LEVELS
                    }
                    for c in (sure, surely_held)
                )
                if any(gated.values()):
                    name = f"{expiry.underlying}, expiry {format_time(expiry.expiry)}"
                    open_gates = gates if gated != charge else ()
                    yield ConfidenceCharge(name, same, charge, open_gates, gated)

    def _alike(self, slots: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """Slots of the same contract size, which one charge per contract fits."""
        groups: dict[Fraction, list[int]] = defaultdict(list)
        for slot in slots:
            groups[contract_size(self.instruments[slot])].append(slot)
        yield from map(tuple, groups.values())

    def _collaterals(self) -> Iterator[CollateralCharge]:
        """Haircuts on coins, with the lesser confidence of spot and of the coin's own price."""
        for coin in coins(self.basis.universe):
            balance = self.instruments[self.basis.universe.slot(coin)]
            stated, unsure = self.rules.collaterals.get(coin), self._collateral_unsure(balance)
            if stated is not None:
                rate = {level: Fraction(stated.haircut.at(level)) + unsure[level] for level in LEVELS}
                yield collateral_charge(self.basis, coin, rate.__getitem__)
                continue
            yield from coin_charges(self.basis, coin)
            if any(unsure.values()):
                charge = collateral_charge(self.basis, coin, unsure.__getitem__)
                yield replace(charge, name=f"{coin}: confidence")

    def _collateral_unsure(self, balance: Instrument) -> dict[Level, Fraction]:
        """What the confidence of a coin costs by level: of the spot that it follows, of all if it follows none."""
        followed, spots = self._followed(balance), self.spot_confidence
        own = self.basis.inputs.confidence(balance.name)
        confidence = min([own, *([spots[followed]] if followed in spots else spots.values())])
        return {level: self._unsure(confidence, level) for level in LEVELS}

    def _loss_factor(self, level: Level) -> tuple[int, int]:
        """The factor with its peg term, at twelve decimals, rounded up."""
        factor = Fraction(self.rules.loss_factor.at(level))
        if level == "initial":
            missing = max(Fraction(0), Fraction(self.rules.peg.threshold) - cash_price(self.basis.inputs))
            factor += missing * Fraction(self.rules.peg.factor)
        return Fraction(ceil_div(factor * 10**_FACTOR_DECIMALS), 10**_FACTOR_DECIMALS).as_integer_ratio()


def _undiscounted(inputs: Inputs) -> Inputs:
    """The same market without rates: discounts are taken by expiry, from rates that count as zero below zero."""
    return replace(inputs, quotes=tuple(replace(quote, rate=None) for quote in inputs.quotes))


def _exponent(discount: Discount, rate: Decimal, years: int) -> int:
    """T (rate multiplier + addition), Q64."""
    return mul(years, from_decimal(rate * discount.multiplier + discount.addition))


def _factor(cell: Cell) -> int:
    """How the forward moves: not at all in a skew cell."""
    return ONE if cell.volatility in SKEWS else from_decimal(1 + Decimal(cell.spot))


def _settling(
    options: Options, fixed: Sequence[int], vols: Q64Matrix, cells: Sequence[tuple[int, int]]
) -> Q64Matrix:
    """Values in cells where a part of some forwards no longer moves: F' = (F - fixed) x + fixed."""
    if not any(fixed):
        return option_values(options, vols, cells)
    columns = []
    for factor, vol in cells:
        forwards = [mul(f - part, factor) + part for f, part in zip(options.forward, fixed, strict=True)]
        columns.append(option_values(replace(options, forward=forwards), vols, [(ONE, vol)]).column(0))
    return Q64Matrix.from_rows(zip(*columns, strict=True), len(cells))
