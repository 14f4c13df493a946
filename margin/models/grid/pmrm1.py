"""The tables of PMRM, the first portfolio margin risk manager of Derive.

Options as in `expiry_grid`, without skews. The static discount rests on the interest rate feed of an expiry, which the
mark is not discounted by: it is stated among the terms of the expiry. Initial margin counts the static contingencies as
often as the worst loss, so that they are in the tables times the loss factor; confidence is beside both.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

from zkmargin.margin.models.grid.expiry_grid import ExpiryGrid
from zkmargin.margin.models.grid.parts import risk_units
from zkmargin.margin.models.grid.pmrm2 import refuse_unpaid
from zkmargin.margin.parameters.venues.pmrm1 import Pmrm1
from zkmargin.margin.tables.charges import CollateralCharge, PerpetualCharge
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.grid_additions import ConfidenceCharge
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.valuation.basis import Basis, cash_price, coins, underlyings
from zkmargin.margin.valuation.charges import collateral_charge, per_contract
from zkmargin.margin.valuation.contingencies import strike_charges

_EXACT = Context(prec=60)


def tables(basis: Basis, rules: Pmrm1) -> GridTables:
    """The tables; InputError naming the instrument if a number is out of range, or if its premium is not paid."""
    refuse_unpaid(basis, "PMRM")
    return _Maker(basis, rules).tables()


@dataclass(frozen=True)
class _Counted:
    """A static contingency by level: a rate, as often as the worst loss counts."""

    rate: Decimal
    factors: dict[Level, Fraction]

    def at(self, level: Level) -> Decimal:
        factor = self.factors[level]
        return _EXACT.divide(_EXACT.multiply(self.rate, Decimal(factor.numerator)), factor.denominator)


@dataclass(frozen=True)
class _Contingencies:
    perpetual: _Counted
    naked_short: _Counted


class _Maker(ExpiryGrid):
    def __init__(self, basis: Basis, rules: Pmrm1) -> None:
        self.rules = rules
        units, self.unit_of = risk_units(basis)
        spots = {name: basis.inputs.confidence(name) for name in underlyings(basis.universe)}
        super().__init__(basis, rules, units, spots)
        self.factors = {level: self.loss_factor(level) for level in LEVELS}

    def tables(self) -> GridTables:
        """All tables."""
        made = self.grid()
        counted = _Contingencies(self._counted(self.rules.perpetual), self._counted(self.rules.naked_short))
        return GridTables(
            cells=self.cells,
            units=self.units,
            unit_of=self.unit_of,
            risk=made.risk,
            perpetuals=tuple(self._perpetuals(counted.perpetual)),
            strikes=strike_charges(self.basis, counted),
            collaterals=tuple(self._bases()),
            loss_factor=self.factors,
            buckets=made.buckets,
            confidences=(*self.confidences(made.expiries), *self._base_confidences()),
        )

    def _counted(self, rate: Decimal) -> _Counted:
        return _Counted(rate, {level: Fraction(*factor) for level, factor in self.factors.items()})

    def _perpetuals(self, counted: _Counted) -> Iterator[PerpetualCharge]:
        """Size contingency on the spot price, with the confidence of spot and of the perpetual's own price."""
        for slot, instrument in enumerate(self.instruments):
            if instrument.kind in ("perpetual", "future"):
                own = self.basis.inputs.confidence(instrument.name)
                confidence = min(own, self.spot_confidence[instrument.underlying])
                notional = self.notional(slot)
                rates = {
                    level: Fraction(counted.at(level)) + self.unsure(confidence, level) for level in LEVELS
                }
                charge = {level: per_contract(self.basis, slot, notional, rates[level]) for level in LEVELS}
                yield PerpetualCharge(slot, charge)

    def _bases(self) -> Iterator[CollateralCharge]:
        """Size contingency on coins: of the spot price, which a coin's value is over the price of cash."""
        counted = self._counted(self.rules.base)
        rate = {level: Fraction(counted.at(level)) * cash_price(self.basis.inputs) for level in LEVELS}
        for coin in coins(self.basis.universe):
            yield collateral_charge(self.basis, coin, rate.__getitem__)

    def _base_confidences(self) -> Iterator[ConfidenceCharge]:
        """On the sizes of coins, at the spot price itself."""
        held: dict[str, list[int]] = defaultdict(list)
        for slot, instrument in enumerate(self.instruments):
            if instrument.kind == "balance" and instrument.underlying in self.spot_confidence:
                held[instrument.underlying].append(slot)
        for coin, slots in held.items():
            yield from self.confidence(coin, coin, slots, Fraction(1))
