"""Options valued expiry by expiry in every cell: what the portfolio margin risk managers of Derive share.

Black-76 on the forward, which has a part that settlement averaging has fixed and a part that moves; static
discounts by the sign of an expiry's value; skew cells; basis contingency; charges for feeds that are not
sure of themselves. Every entry is rounded once: changes of value to nearest, charges up.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.decimals import canonical_decimal, ceil_div
from zkmargin.margin.arithmetic.fixed import ONE, exp, from_decimal, from_fraction, mul
from zkmargin.margin.arithmetic.kernels import option_values
from zkmargin.margin.arithmetic.packed import Options, Q64Matrix
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.inputs import Inputs
from zkmargin.margin.market.times import format_time
from zkmargin.margin.models.grid.parts import entries, spot_moves
from zkmargin.margin.models.grid.volatilities import COLUMNS, discounted, smile, term
from zkmargin.margin.parameters.venues.pmrm2 import Confidence, Discount, Peg, Scenario, Skew, Volatility
from zkmargin.margin.tables.grid import SKEWS, Cell
from zkmargin.margin.tables.grid_additions import ConfidenceCharge, ExpiryBucket
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.valuation.basis import Basis, cash_price, contract_size, slot_value
from zkmargin.margin.valuation.charges import per_contract
from zkmargin.margin.valuation.grid_cells import scenario_cells
from zkmargin.margin.valuation.option_values import named_instruments, option_columns

FACTOR_DECIMALS = 12
# e^40 undoes any discounting that a market knows, and the square of it still fits the format.
_LARGEST_EXPONENT = 40 * ONE


class BasisRules(Protocol):
    """The numbers of the basis contingency of an expiry."""

    @property
    def up(self) -> Decimal:
        """The upper move of spot."""

    @property
    def down(self) -> Decimal:
        """The lower move of spot."""

    @property
    def addition(self) -> Decimal:
        """The factor at expiry."""

    @property
    def multiplier(self) -> Decimal:
        """The factor's growth per year to expiry."""


class LossFactor(Protocol):
    """How many times the worst loss counts, by level."""

    def at(self, level: Level) -> Decimal:
        """The factor of a level."""


class Rules(Protocol):
    """The parameters of either risk manager that these tables follow."""

    @property
    def scenarios(self) -> Sequence[Scenario]:
        """The cells."""

    @property
    def volatility(self) -> Volatility:
        """How volatilities move by term."""

    @property
    def skew(self) -> Skew:
        """How they tilt in skew cells."""

    @property
    def long_discount(self) -> Discount:
        """On an expiry that is worth something."""

    @property
    def short_discount(self) -> Discount:
        """On an expiry that owes."""

    @property
    def basis(self) -> BasisRules:
        """The basis contingency."""

    @property
    def loss_factor(self) -> LossFactor:
        """How many times the worst loss counts."""

    @property
    def peg(self) -> Peg:
        """The addition to that factor for a low price of cash."""

    @property
    def confidence(self) -> Confidence:
        """The charge for feeds of low confidence."""

    @property
    def averaging_minutes(self) -> Decimal:
        """How long before expiry a settlement price is averaged."""


@dataclass(frozen=True)
class Expiry:
    """One expiry of one underlying: which options (by row of the columns), and what they share, in Q64."""

    underlying: str
    expiry: int
    rows: tuple[int, ...]
    discount: int
    long: int
    short: int
    basis: int
    """addition + multiplier T."""


@dataclass(frozen=True)
class Grid:
    """The change of every slot in every cell, and the expiries with their buckets."""

    risk: NDArray[np.int64]
    """(S, N): options on the long discount."""
    buckets: tuple[ExpiryBucket, ...]
    expiries: tuple[Expiry, ...]


class ExpiryGrid:
    """One pass over a market; what several tables need is found once.

    Attributes:
        units: the underlyings whose moves count, in the order of the tables.
        spot_confidence: how sure the spot price of each underlying is.
    """

    def __init__(
        self, basis: Basis, rules: Rules, units: Sequence[str], spot_confidence: Mapping[str, Fraction]
    ) -> None:
        self.basis, self._rules = basis, rules
        self.units, self.spot_confidence = tuple(units), spot_confidence
        self.cells = scenario_cells(rules.scenarios)
        self.instruments = basis.universe.instruments
        self.columns = option_columns(basis.universe, basis.valuation_time, _undiscounted(basis.inputs))

    def grid(self) -> Grid:
        """Everything that is valued; InputError naming the instrument or expiry if a number is out of range."""
        with named_instruments(self.basis.universe, self.columns.slots):
            expiries = self.expiries()
            base, cells, basis = self.values(expiries)
        return Grid(*self.buckets(expiries, base, cells, basis), expiries)

    def expiries(self) -> tuple[Expiry, ...]:
        """Every expiry of every underlying, in the order of the slots."""
        groups: dict[tuple[str, int], list[int]] = defaultdict(list)
        for row, slot in enumerate(self.columns.slots):
            instrument = self.instruments[slot]
            groups[instrument.underlying, instrument.expiry or 0].append(row)
        return tuple(self._expiry(*key, tuple(rows)) for key, rows in groups.items())

    def _expiry(self, underlying: str, expiry: int, rows: tuple[int, ...]) -> Expiry:
        quotes = [self.basis.inputs.quotes[self.columns.slots[row]] for row in rows]
        rate = max(Decimal(0), *(Decimal(quote.rate or 0) for quote in quotes))
        static = self._static_rate(rows, rate)
        years = max(0, self.columns.options.years[rows[0]])
        interest = mul(from_decimal(rate), years)
        if interest > _LARGEST_EXPONENT:
            place = f"{underlying}, expiry {format_time(expiry)}"
            remedy = "by then it discounts everything to nothing; state a lower one"
            raise InputError(place, "rate", canonical_decimal(rate), remedy)
        long, short = (
            _exponent(side, static, years) for side in (self._rules.long_discount, self._rules.short_discount)
        )
        owed = mul(from_decimal(self._rules.short_discount.base), exp(min(short, _LARGEST_EXPONENT)))
        basis = from_decimal(self._rules.basis.addition) + mul(
            from_decimal(self._rules.basis.multiplier), years
        )
        return Expiry(
            underlying,
            expiry,
            rows,
            exp(-interest),
            mul(from_decimal(self._rules.long_discount.base), exp(-min(long, _LARGEST_EXPONENT))),
            min(exp(interest), owed),
            basis,
        )

    def _static_rate(self, rows: Sequence[int], rate: Decimal) -> Decimal:
        """The rate that static discounts rest on: as the terms of the expiry state it, else the options' own."""
        terms = self.basis.inputs.terms_of(self.instruments[self.columns.slots[rows[0]]])
        return rate if terms is None or terms.rate is None else max(Decimal(0), Decimal(terms.rate))

    def values(self, expiries: Sequence[Expiry]) -> tuple[list[int], Q64Matrix, Q64Matrix]:
        """Values of all options in Q64: at the market, in every cell, and in both basis moves."""
        discounts = [ONE] * len(self.columns.slots)
        fixed = [0] * len(self.columns.slots)
        smiles: list[tuple[int, ...]] = [()] * len(self.columns.slots)
        for expiry in expiries:
            left = expiry.expiry - self.basis.valuation_time
            shared = term(left, self._rules.volatility, self._rules.skew)
            for row in expiry.rows:
                options, vol = self.columns.options, self.columns.volatilities[row]
                strike, forward = options.strike[row], options.forward[row]
                smiles[row] = smile(vol, strike, forward, shared, self._rules.volatility).row()
                discounts[row] = expiry.discount
                fixed[row] = self._fixed(row, forward, left)
        priced = replace(self.columns.options, discount=discounts)
        vols = Q64Matrix.from_rows(smiles, len(COLUMNS))
        cells = [(_factor(cell), COLUMNS[cell.volatility]) for cell in self.cells]
        moves = (self._rules.basis.up, self._rules.basis.down)
        basis = [(from_decimal(1 + move), COLUMNS["none"]) for move in moves]
        base = option_values(priced, vols, [(ONE, COLUMNS["none"])]).column(0)
        return base, _settling(priced, fixed, vols, cells), _settling(priced, fixed, vols, basis)

    def _fixed(self, row: int, forward: int, microseconds: int) -> int:
        """The part of a forward that settlement averaging has fixed: stated, or what has passed of the window."""
        terms = self.basis.inputs.terms_of(self.instruments[self.columns.slots[row]])
        if terms is not None and terms.fixed is not None:
            return from_decimal(terms.fixed)
        window = Fraction(self._rules.averaging_minutes) * 60 * 10**6
        if microseconds >= window:
            return 0
        passed = 1 - Fraction(max(microseconds, 0)) / window if window else Fraction(1)
        return mul(forward, from_fraction(passed))

    def buckets(
        self, expiries: Sequence[Expiry], base: Sequence[int], cells: Q64Matrix, basis: Q64Matrix
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

    def unsure(self, confidence: Fraction, level: Level) -> Fraction:
        """The charge for a feed's confidence at a level, as a share of the notional."""
        rules = self._rules.confidence
        if level == "maintenance" or confidence >= Fraction(rules.threshold):
            return Fraction(0)
        return (1 - confidence) * Fraction(rules.margin)

    def notional(self, slot: int) -> Fraction:
        """Spot for one unit of a linear contract; an inverse one counts dollars of spot already."""
        instrument = self.instruments[slot]
        if not instrument.inverse:
            return self.basis.index(instrument.underlying)
        return abs(slot_value(instrument, self.basis.inputs.quotes[slot], self.basis.inputs))

    def confidences(self, expiries: Sequence[Expiry]) -> Iterator[ConfidenceCharge]:
        """On the options of every expiry; the perpetual's confidence counts only while one is held."""
        for expiry in expiries:
            slots = tuple(self.columns.slots[row] for row in expiry.rows)
            terms = self.basis.inputs.terms_of(self.instruments[slots[0]])
            stated = Fraction(1) if terms is None else Fraction(Decimal(terms.confidence))
            name = f"{expiry.underlying}, expiry {format_time(expiry.expiry)}"
            yield from self.confidence(name, expiry.underlying, slots, stated)

    def confidence(
        self, name: str, underlying: str, slots: Sequence[int], stated: Fraction
    ) -> Iterator[ConfidenceCharge]:
        """On the sizes of some slots: the least of their own, of spot, and of the perpetual while one is held."""
        sure = min(stated, self.spot_confidence[underlying])
        gates = tuple(
            slot
            for slot, i in enumerate(self.instruments)
            if i.kind == "perpetual" and i.underlying == underlying
        )
        names = [self.instruments[slot].name for slot in gates]
        surely_held = min([sure, *(self.basis.inputs.confidence(name) for name in names)])
        for same in self.alike(slots):
            spot = self._spot_value(same[0])
            charge, gated = (
                {level: per_contract(self.basis, same[0], spot, self.unsure(c, level)) for level in LEVELS}
                for c in (sure, surely_held)
            )
            if any(gated.values()):
                yield ConfidenceCharge(name, same, charge, gates if gated != charge else (), gated)

    def alike(self, slots: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """Slots of the same contract size and spot value, which one charge per contract fits."""
        groups: dict[Fraction, list[int]] = defaultdict(list)
        for slot in slots:
            groups[contract_size(self.instruments[slot]) * self._spot_value(slot)].append(slot)
        yield from map(tuple, groups.values())

    def _spot_value(self, slot: int) -> Fraction:
        """USD at spot, undivided by the price of cash, of one unit of an option or a balance."""
        instrument = self.instruments[slot]
        if instrument.kind == "balance":
            return Fraction(self.basis.inputs.quotes[slot].price)
        return self.basis.index(instrument.underlying)

    def loss_factor(self, level: Level) -> tuple[int, int]:
        """The factor with its peg term, at twelve decimals, rounded up."""
        factor = Fraction(self._rules.loss_factor.at(level))
        if level == "initial":
            missing = max(Fraction(0), Fraction(self._rules.peg.threshold) - cash_price(self.basis.inputs))
            factor += missing * Fraction(self._rules.peg.factor)
        return Fraction(ceil_div(factor * 10**FACTOR_DECIMALS), 10**FACTOR_DECIMALS).as_integer_ratio()


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
