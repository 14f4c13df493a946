"""The tables of PMRM 2, the second portfolio margin risk manager of Derive.

Options as in `expiry_grid`; size contingencies, haircuts on any number of collaterals, and a loss factor by level.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import Instrument
from zkmargin.margin.models.grid.expiry_grid import ExpiryGrid
from zkmargin.margin.parameters.venues.pmrm2 import Pmrm2
from zkmargin.margin.tables.charges import CollateralCharge, PerpetualCharge
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.valuation.basis import Basis, coins, underlyings
from zkmargin.margin.valuation.charges import coin_charges, collateral_charge, per_contract
from zkmargin.margin.valuation.contingencies import strike_charges


def tables(basis: Basis, rules: Pmrm2) -> GridTables:
    """The tables; InputError naming the instrument if a number is out of range, or if its premium is not paid."""
    refuse_unpaid(basis, "PMRM 2")
    return _Maker(basis, rules).tables()


def refuse_unpaid(basis: Basis, rules: str) -> None:
    """Raises InputError naming the first option whose premium is not paid when it is bought."""
    for instrument in basis.universe.instruments:
        if instrument.premium != "paid":
            remedy = f"the rules of {rules} are for options that are paid; use another preset"
            raise InputError(f"instrument {instrument.name}", "premium", instrument.premium, remedy)


class _Maker(ExpiryGrid):
    def __init__(self, basis: Basis, rules: Pmrm2) -> None:
        self.rules = rules
        self.instruments = basis.universe.instruments
        self.basis = basis
        units = self._units()
        spots = {
            name: basis.inputs.confidence(name)
            for name in underlyings(basis.universe)
            if name not in rules.collaterals or name in units
        }
        super().__init__(basis, rules, units, spots)
        self.unit_of = [self._unit(instrument) for instrument in self.instruments]

    def tables(self) -> GridTables:
        """All tables."""
        made = self.grid()
        return GridTables(
            cells=self.cells,
            units=self.units,
            unit_of=np.array(self.unit_of, dtype=np.int32),
            risk=made.risk,
            perpetuals=tuple(self._perpetuals()),
            strikes=strike_charges(self.basis, self.rules),
            collaterals=tuple(self._collaterals()),
            loss_factor={level: self.loss_factor(level) for level in LEVELS},
            buckets=made.buckets,
            confidences=tuple(self.confidences(made.expiries)),
        )

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

    def _perpetuals(self) -> Iterator[PerpetualCharge]:
        """Size contingency on the spot price, with the confidence of spot and of the perpetual's own price."""
        for slot, instrument in enumerate(self.instruments):
            if instrument.kind in ("perpetual", "future"):
                own = self.basis.inputs.confidence(instrument.name)
                confidence = min(own, self.spot_confidence[instrument.underlying])
                rates = {
                    level: Fraction(self.rules.perpetual.at(level)) + self.unsure(confidence, level)
                    for level in LEVELS
                }
                notional = self.notional(slot)
                charge = {level: per_contract(self.basis, slot, notional, rates[level]) for level in LEVELS}
                yield PerpetualCharge(slot, charge)

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
        spot = None if followed is None else spots.get(followed)
        confidence = min([own, *(spots.values() if spot is None else [spot])])
        return {level: self.unsure(confidence, level) for level in LEVELS}
