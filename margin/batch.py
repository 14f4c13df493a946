"""Requirements of many accounts at once: the same integers as one by one, by matrix products where a
model has them.

`requirement` is the plain twin that tests hold this against.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.arithmetic.decimals import floor_div
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.charges import CollateralCharge
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.wide import Wide, linear, zeros

# Accounts valued together: the products of a full universe then stay within the processor's caches and
# memory.
_CHUNK = 1024


@dataclass(frozen=True)
class Requirements:
    """Per account, in the order of the rows, in money units."""

    account_values: tuple[int, ...]
    requirements: tuple[Fraction, ...]
    excess_ticks: tuple[int, ...]


def requirements(
    snapshot: Snapshot, lots: NDArray[np.int64], *, model: str = "grid", level: Level = "initial"
) -> Requirements:
    """The requirements of accounts, one a row of `lots` (A, N) int64.

    Raises InputError for an unknown model or level, a matrix of another shape or type, and lots beyond a
    bound.
    """
    _check(snapshot, lots, model, level)
    values: list[int] = []
    amounts: list[Fraction] = []
    for start in range(0, len(lots), _CHUNK):
        chunk = lots[start : start + _CHUNK]
        values.extend(linear(chunk, snapshot.marks[:, None], snapshot.scale).least().integers())
        amounts.extend(_amounts(snapshot, chunk, model, level))
    pairs = zip(values, amounts, strict=True)
    ticks = tuple(floor_div((value - amount) / snapshot.tick) for value, amount in pairs)
    return Requirements(tuple(values), tuple(amounts), ticks)


def _check(snapshot: Snapshot, lots: NDArray[np.int64], model: str, level: str) -> None:
    where = f"snapshot {snapshot.id}"
    if model not in snapshot.models:
        raise InputError(where, "model", model, snapshot.lacking(model))
    if level not in LEVELS:
        raise InputError(where, "level", level, f"use one of {', '.join(LEVELS)}")
    if lots.dtype != np.int64 or lots.ndim != 2 or lots.shape[1] != len(snapshot.universe):
        found = Finding(f"{lots.dtype} {lots.shape}")
        raise InputError("holdings", "lots", found, f"give int64 rows of {len(snapshot.universe)} slots")
    bounds = np.array([instrument.bound for instrument in snapshot.universe.instruments], dtype=np.int64)
    beyond = np.argwhere((lots > bounds) | (lots < -bounds))
    if beyond.size:
        account, slot = beyond[0].tolist()
        instrument = snapshot.universe.instruments[slot]
        remedy = f"at most {instrument.bound} either way"
        raise InputError(f"account {account}", f"lots of {instrument.name}", int(lots[account, slot]), remedy)


def _amounts(snapshot: Snapshot, lots: NDArray[np.int64], model: str, level: Level) -> list[Fraction]:
    tables, scale = snapshot.models[model], snapshot.scale
    if isinstance(tables, RateTables) and tables.plain:
        rates = _rates(tables, scale, lots, level) + _haircuts(tables.collaterals, scale, lots, level)
        return [Fraction(x) for x in rates.integers()]
    if isinstance(tables, GridTables) and tables.netted:
        haircuts = _haircuts(tables.collaterals, scale, lots, level)
        factor = Fraction(*tables.loss_factor[level])
        losses = _losses(tables, scale, lots).integers()
        charges = (_contingencies(tables, scale, lots, level) + haircuts).integers()
        return [factor * loss + charge for loss, charge in zip(losses, charges, strict=True)]
    accounts = (requirement(snapshot, row, model=model, level=level) for row in lots.tolist())
    return [found.requirement for found in accounts]


def _losses(tables: GridTables, scale: Sequence[int], lots: NDArray[np.int64]) -> Wide:
    """Sum over units of max(0, -(least profit over cells))."""
    total = zeros((len(lots),))
    for unit in range(len(tables.units)):
        slots = np.flatnonzero(tables.unit_of == unit)
        profit = linear(lots[:, slots], tables.risk[:, slots].T, [scale[slot] for slot in slots.tolist()])
        total = total + (-profit.least()).positive()
    return total


def _contingencies(tables: GridTables, scale: Sequence[int], lots: NDArray[np.int64], level: Level) -> Wide:
    """Perpetuals by |q|, strikes by their naked shorts: one linear form of nonnegative amounts."""
    sizes = [np.abs(lots[:, charge.slot]) for charge in tables.perpetuals]
    sizes += [np.maximum(0, -lots[:, list(charge.slots)].sum(axis=1)) for charge in tables.strikes]
    charges = [charge.charge[level] for charge in tables.perpetuals]
    charges += [charge.charge[level] for charge in tables.strikes]
    factors = [scale[charge.slot] for charge in tables.perpetuals]
    factors += [scale[charge.slots[0]] for charge in tables.strikes]
    if not sizes:
        return zeros((len(lots),))
    table = np.array(charges, dtype=np.int64)[:, None]
    return linear(np.stack(sizes, axis=1), table, factors).least()


def _haircuts(
    collaterals: Sequence[CollateralCharge], scale: Sequence[int], lots: NDArray[np.int64], level: Level
) -> Wide:
    total = zeros((len(lots),))
    for collateral in collaterals:
        slots = list(collateral.slots)
        table = np.array(collateral.charge[level], dtype=np.int64)[:, None]
        equity = linear(lots[:, slots], table, [scale[slot] for slot in slots])
        total = total + equity.least().positive()
    return total


def _rates(tables: RateTables, scale: Sequence[int], lots: NDArray[np.int64], level: Level) -> Wide:
    long = linear(np.maximum(lots, 0), tables.long[level][:, None], scale)
    short = linear(np.maximum(-lots, 0), tables.short[level][:, None], scale)
    return (long + short).least()
