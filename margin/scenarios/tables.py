"""The tables of `es` and `var`: every contract's change of value in every joint scenario, rounded once.

Forwards, index, futures and coin balances of an underlying all move by its factor 1 + x; options are priced
again, at once (no time passes), at their own volatility or one that answers to the move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from zkmargin.margin.arithmetic.fixed import ONE, from_decimal, from_fraction, mul
from zkmargin.margin.arithmetic.kernels import option_values, risk_array
from zkmargin.margin.arithmetic.packed import Q64Matrix
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.market.history import BILLION
from zkmargin.margin.parameters.joint import ScenarioSection
from zkmargin.margin.scenarios.moves import ScenarioSet, scenario_set
from zkmargin.margin.scenarios.profits import Profits
from zkmargin.margin.tables.charges import (
    CollateralCharge,
    PerpetualCharge,
    StrikeCharge,
    add_haircuts,
    check_collaterals,
    check_length,
    check_slots,
)
from zkmargin.margin.tables.schema import STRICT, Packed, Ratio
from zkmargin.margin.units import (
    LEVELS,
    ByLevel,
    Level,
)
from zkmargin.margin.valuation.basis import Basis, contract_size, slot_value, underlyings
from zkmargin.margin.valuation.charges import collateral_charges
from zkmargin.margin.valuation.contingencies import perpetual_charges, strike_charges
from zkmargin.margin.valuation.option_values import named_instruments, option_columns


@dataclass(frozen=True)
class JointTables:
    """Joint scenarios of all underlyings: S cells, U underlyings, N slots.

    The loss of an account in cell s is -(sum over slots of q_i * risk[s, i] * scale_i); what a model reads off
    the S losses is its requirement, with the charges beside it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    units: Annotated[tuple[str, ...], Field(min_length=1)]
    labels: Annotated[tuple[str, ...], Field(min_length=1)]
    """(S,), for people."""
    moves: Packed
    """(S, U): relative moves in billionths."""
    risk: Packed
    """(S, N): change of value."""
    confidence: ByLevel[Ratio]
    perpetuals: tuple[PerpetualCharge, ...]
    strikes: tuple[StrikeCharge, ...]
    collaterals: tuple[CollateralCharge, ...]

    def check(self, slots: int, where: str) -> None:
        """Raises InputError unless all shapes fit a universe of `slots` instruments."""
        for name, matrix, width in (("moves", self.moves, len(self.units)), ("risk", self.risk, slots)):
            check_length(matrix, len(self.labels), where, name)
            check_length(matrix[0], width, where, name)
        for level in LEVELS:
            numerator, denominator = self.confidence[level]
            if not 0 < numerator < denominator:
                found = Finding(f"{numerator}/{denominator}")
                raise InputError(where, "confidence", found, "must lie strictly between 0 and 1")
        check_slots((p.slot for p in self.perpetuals), slots, where)
        check_slots((slot for s in self.strikes for slot in s.slots), slots, where)
        check_collaterals(self.collaterals, slots, where)

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""
        weights = [max(0, *pair) for pair in zip(*self._extremes, strict=True)]
        for perpetual in self.perpetuals:
            weights[perpetual.slot] += max(perpetual.charge.values())
        for strike in self.strikes:
            for slot in strike.slots:
                weights[slot] += max(strike.charge.values())
        return add_haircuts(weights, self.collaterals)

    @property
    def _extremes(self) -> tuple[list[int], list[int]]:
        """Per slot the largest gain and loss; as Python integers, where -2^63 has an absolute value."""
        return self.risk.max(axis=0).tolist(), [-least for least in self.risk.min(axis=0).tolist()]

    @cached_property
    def profits(self) -> Profits:
        """What accounts gain and lose in every scenario, ready for repeated use."""
        return Profits(self.risk)

    def tail_weight(self, level: Level) -> Fraction:
        """S (1 - confidence): how many scenarios the tail has, fractions included."""
        return len(self.labels) * (1 - Fraction(*self.confidence[level]))


def needs(name: str) -> str:
    """What a snapshot must be built with to have a model over joint scenarios."""
    return (
        f"build it with a price history (--history FILE), or a section {name} with source = drawn in --params"
    )


def section_tables(basis: Basis, name: str, default: ScenarioSection) -> JointTables | None:
    """Scenarios from a model's section, or by default from the history; None if there is neither."""
    section = basis.parameters.section(name)
    if section is None and basis.inputs.history is None:
        return None
    return joint_tables(basis, section or default, name)


def joint_tables(basis: Basis, section: ScenarioSection, name: str) -> JointTables:
    """The tables of a market for one section of the parameters. Raises InputError."""
    units = underlyings(basis.universe)
    # Sections that differ in what they read off the losses have their scenarios in common.
    drawn = section.model_dump_json(exclude={"confidence", "perpetual", "naked_short"})
    if drawn not in basis.shared:
        found = scenario_set(section, units, basis.inputs.history, f"parameters, {name}")
        basis.shared[drawn] = found, _risk(basis, found, units, section.volatility_response)
    found, risk = basis.shared[drawn]
    return JointTables(
        units=units,
        labels=found.labels,
        moves=found.moves,
        risk=risk,
        confidence={level: section.confidence.at(level).as_integer_ratio() for level in LEVELS},
        perpetuals=perpetual_charges(basis, section),
        strikes=strike_charges(basis, section),
        collaterals=collateral_charges(basis),
    )


def _risk(basis: Basis, scenarios: ScenarioSet, units: Sequence[str], response: Decimal) -> NDArray[np.int64]:
    """(S, N): options by the pricing kernels, all else in proportion to its underlying."""
    risk = np.zeros((len(scenarios.labels), len(basis.universe)), dtype=np.int64)
    moves = dict(zip(units, scenarios.moves.T.tolist(), strict=True))
    for slot, instrument in enumerate(basis.universe.instruments):
        if instrument.kind != "option" and instrument.underlying != CASH and not instrument.inverse:
            risk[:, slot] = _proportional(basis, slot, instrument, moves[instrument.underlying])
    for unit, column in moves.items():
        slots = [
            s for s, i in enumerate(basis.universe.instruments) if (i.kind, i.underlying) == ("option", unit)
        ]
        if slots:
            risk[:, slots] = _repriced(basis, slots, column, response)
    return risk


def _proportional(basis: Basis, slot: int, instrument: Instrument, moves: Sequence[int]) -> list[int]:
    """value * move, each rounded to nearest: floor((2 p x + q) / 2 q) with value / billion = p / q."""
    value = slot_value(instrument, basis.inputs.quotes[slot], basis.inputs) * contract_size(instrument)
    p, q = (value * basis.quanta / BILLION).as_integer_ratio()
    column = [(2 * p * move + q) // (2 * q) for move in moves]
    largest = max(column, key=abs)
    if abs(largest) >= 1 << 63:
        remedy = "too large for 64 bits; check its price and the scenarios"
        raise InputError(f"instrument {instrument.name}", "risk", largest, remedy)
    return column


def _repriced(
    basis: Basis, slots: Sequence[int], moves: Sequence[int], response: Decimal
) -> NDArray[np.int64]:
    """(S, options) of one underlying: V(F (1 + x), vol (1 + response |x|)) - V(F, vol)."""
    columns = option_columns(basis.universe, basis.valuation_time, basis.inputs, slots)
    factors = [from_fraction(Fraction(BILLION + move, BILLION)) for move in moves]
    with named_instruments(basis.universe, columns.slots):
        unmoved = Q64Matrix.from_rows(([vol] for vol in columns.volatilities), 1)
        base = option_values(columns.options, unmoved, [(ONE, 0)]).column(0)
        if response:
            answer = from_decimal(response)
            lifts = [ONE + mul(answer, abs(factor - ONE)) for factor in factors]
            moved = ([mul(vol, lift) for lift in lifts] for vol in columns.volatilities)
            vols, cells = (
                Q64Matrix.from_rows(moved, len(moves)),
                list(zip(factors, range(len(moves)), strict=True)),
            )
        else:
            vols, cells = unmoved, [(factor, 0) for factor in factors]
        values = option_values(columns.options, vols, cells)
        quanta = [int(basis.quanta * contract_size(basis.universe.instruments[s])) for s in columns.slots]
        return risk_array(base, values, [ONE] * len(moves), columns.multipliers, quanta).T
