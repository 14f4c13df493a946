"""Portfolio margin: the worst loss over a grid of spot and volatility moves, hedges recognised per coin.

The grid has parameters of its own (`crypto`); the rules of a venue may stand in their place (`pmrm2`). All
of them give the same kind of tables, which one engine values and one set of rows proves.
"""

from collections.abc import Sequence
from fractions import Fraction

from zkmargin.margin.assessment import Assessment, Charge, assess
from zkmargin.margin.basis import Basis
from zkmargin.margin.charges import haircuts
from zkmargin.margin.models.grid import crypto, pmrm2
from zkmargin.margin.models.grid.losses import unit_losses
from zkmargin.margin.tables import ConfidenceCharge, GridTables, Level
from zkmargin.margin.universe import Universe

NAME = "grid"
TABLES = GridTables


def tables(basis: Basis) -> GridTables:
    """The grid's tables; InputError naming the instrument if a number is out of range."""
    rules = basis.parameters.pmrm2
    return crypto.tables(basis) if rules is None else pmrm2.tables(basis, rules)


def requirement(
    tables: GridTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """The worst loss of every unit and all charges; lots by slot, the result in exact money units."""
    names = [instrument.name for instrument in universe.instruments]
    charges = [
        Charge("perpetual", names[p.slot], abs(lots[p.slot]) * p.charge[level] * scale[p.slot])
        for p in tables.perpetuals
    ]
    for strike in tables.strikes:
        short = max(0, -sum(lots[slot] for slot in strike.slots))
        if short:
            name = " / ".join(names[slot] for slot in strike.slots)
            charges.append(Charge("naked short", name, short * strike.charge[level] * scale[strike.slots[0]]))
    charges.extend(_confidence(charge, scale, lots, level) for charge in tables.confidences)
    charges.extend(haircuts(tables.collaterals, scale, lots, level))
    return assess(Fraction(*tables.loss_factor[level]), unit_losses(tables, scale, lots), tuple(charges))


def _confidence(charge: ConfidenceCharge, scale: Sequence[int], lots: Sequence[int], level: Level) -> Charge:
    rate = charge.gated if any(lots[slot] for slot in charge.gates) else charge.charge
    size = sum(abs(lots[slot]) * scale[slot] for slot in charge.slots)
    return Charge("confidence", charge.name, size * rate[level])
