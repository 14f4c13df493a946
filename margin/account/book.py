"""Whole books of accounts at once: exact excesses, on the grid hundreds of thousands a second.

Accounts are sparse: each lists the slots that it holds. The native kernel adds profits up in 64 bits where a bound,
computed for each account before anything is added, shows that they fit, and in 128 bits elsewhere; `plain_excesses`
is its plain twin, one `requirement` after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.arithmetic.kernels import native
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.units import Level

try:
    from zkmargin import _native
except ImportError:
    _native = None  # type: ignore[assignment]

_WORD = 16
_LARGEST_FACTOR = 1 << 11


@dataclass(frozen=True)
class Accounts:
    """Accounts in compressed rows: account a holds `lots[k]` of `slots[k]` for offsets[a] <= k < offsets[a + 1].

    offsets: int64 (A + 1,). slots: int32. lots: int64. A slot occurs once in an account at most.
    """

    offsets: NDArray[np.int64]
    slots: NDArray[np.int32]
    lots: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Raises InputError unless the arrays cut positions into accounts."""
        wanted = {"offsets": np.int64, "slots": np.int32, "lots": np.int64}
        for name, dtype in wanted.items():
            array = getattr(self, name)
            if array.dtype != dtype or array.ndim != 1:
                raise InputError(
                    "accounts", name, Finding(str(array.dtype)), f"give one row of {dtype.__name__}"
                )
        ends = self.offsets
        if len(ends) == 0 or ends[0] != 0 or ends[-1] != len(self.slots) or (np.diff(ends) < 0).any():
            remedy = f"rise from 0 to the number of positions, {len(self.slots)}"
            raise InputError("accounts", "offsets", Finding("out of order"), remedy)
        if len(self.slots) != len(self.lots):
            raise InputError("accounts", "lots", len(self.lots), "give one number of lots for each slot")

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> Self:
        """Accounts from the lots of each over all slots; raises InputError for lots beyond 64 bits."""
        try:
            whole = [np.asarray(row, dtype=np.int64) for row in rows]
        except OverflowError:
            remedy = "reduce the position to the instrument's bound"
            raise InputError("accounts", "lots", Finding("beyond 64 bits"), remedy) from None
        held = [np.flatnonzero(row) for row in whole]
        offsets = np.cumsum([0, *map(len, held)], dtype=np.int64)
        if not held:
            return cls(offsets, np.zeros(0, np.int32), np.zeros(0, np.int64))
        lots = np.concatenate([row[slots] for row, slots in zip(whole, held, strict=True)])
        return cls(offsets, np.concatenate(held).astype(np.int32), lots)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def dense(self, account: int, count: int) -> list[int]:
        """The lots of one account over all `count` slots."""
        span = slice(int(self.offsets[account]), int(self.offsets[account + 1]))
        row = [0] * count
        for slot, held in zip(self.slots[span].tolist(), self.lots[span].tolist(), strict=True):
            row[slot] += held
        return row


@dataclass(frozen=True)
class Excesses:
    """Per account, in ticks: what it is worth, and by how much that exceeds the requirement (both floored)."""

    account_values: NDArray[np.int64]
    excesses: NDArray[np.int64]


def excesses(
    snapshot: Snapshot, accounts: Accounts, *, model: str = "grid", level: Level = "initial"
) -> Excesses:
    """Account values and excesses of many accounts under a model of the snapshot.

    The grid without rules of a venue has a native kernel; other models are computed account by account.

    Raises InputError for a model that the snapshot lacks, a slot outside the universe, a slot twice in an account, lots
    beyond a bound, and amounts that do not fit 64 bits; it names the account.
    """
    if model not in snapshot.models:
        raise InputError(f"snapshot {snapshot.id}", "model", model, snapshot.lacking(model))
    kernel = _kernel(snapshot, level) if model == "grid" else None
    if kernel is None:
        return plain_excesses(snapshot, accounts, model=model, level=level)
    try:
        data = kernel.run(
            accounts.offsets.astype("<i8").tobytes(),
            accounts.slots.astype("<i4").tobytes(),
            accounts.lots.astype("<i8").tobytes(),
        )
    except ValueError as fault:
        kind, account, slot = fault.args
        raise _error(snapshot, kind, account, slot) from None
    ticks = np.frombuffer(data, "<i8").astype(np.int64).reshape(-1, 2)
    return Excesses(ticks[:, 0], ticks[:, 1])


def plain_excesses(
    snapshot: Snapshot, accounts: Accounts, *, model: str = "grid", level: Level = "initial"
) -> Excesses:
    """The plain twin of `excesses`: one requirement after the other."""
    count = len(snapshot.universe)
    bounds = [instrument.bound for instrument in snapshot.universe.instruments]
    rows = []
    for account in range(len(accounts)):
        span = slice(int(accounts.offsets[account]), int(accounts.offsets[account + 1]))
        seen: set[int] = set()
        for slot, held in zip(accounts.slots[span].tolist(), accounts.lots[span].tolist(), strict=True):
            if not 0 <= slot < count:
                raise _error(snapshot, "slot", account, -1)
            if abs(held) > bounds[slot]:
                raise _error(snapshot, "bound", account, slot)
            if slot in seen:
                raise _error(snapshot, "twice", account, slot)
            seen.add(slot)
        found = requirement(snapshot, accounts.dense(account, count), model=model, level=level)
        row = (found.account_value_ticks, found.excess_ticks)
        if not all(-(1 << 63) <= ticks < 1 << 63 for ticks in row):
            raise _error(snapshot, "wide", account, -1)
        rows.append(row)
    ticks = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return Excesses(ticks[:, 0], ticks[:, 1])


def _error(snapshot: Snapshot, kind: str, account: int, slot: int) -> InputError:
    name = snapshot.universe.instruments[slot].name
    findings = {
        "slot": ("slots", "a slot that the universe lacks", "use slots of the snapshot's universe"),
        "bound": (f"lots of {name}", "beyond the bound", "reduce the position to the instrument's bound"),
        "twice": ("slots", f"{name} twice", "list each slot of an account once"),
        "wide": ("account value", "beyond 64 bits of ticks", "value this account alone"),
    }
    field, value, remedy = findings[kind]
    return InputError(f"account {account}", field, Finding(value), remedy)


_KERNELS: WeakKeyDictionary[Snapshot, dict[Level, _native.GridKernel | None]] = WeakKeyDictionary()


def _kernel(snapshot: Snapshot, level: Level) -> _native.GridKernel | None:
    """The native kernel of a snapshot and level, made once; None where the plain twin must serve."""
    if not native():
        return None
    made = _KERNELS.setdefault(snapshot, {})
    if level not in made:
        made[level] = _built(snapshot, level)
    return made[level]


def _built(snapshot: Snapshot, level: Level) -> _native.GridKernel | None:
    tables = snapshot.models.get("grid")
    if not isinstance(tables, GridTables):
        raise InputError(
            f"snapshot {snapshot.id}", "model", "grid", "the snapshot lacks it; build one that has it"
        )
    if not tables.netted:
        return None
    numerator, denominator = tables.loss_factor[level]
    if max(numerator, denominator) >= _LARGEST_FACTOR:
        return None
    scale = snapshot.scale
    groups = sorted(set(scale))
    count = len(scale)
    strike_of, strike_charges = [-1] * count, []
    for number, strike in enumerate(tables.strikes):
        strike_charges.append(strike.charge[level] * scale[strike.slots[0]])
        for slot in strike.slots:
            strike_of[slot] = number
    perpetual = [0] * count
    for charge in tables.perpetuals:
        perpetual[charge.slot] += charge.charge[level] * scale[charge.slot]
    coin_of, haircut = [-1] * count, [0] * count
    for number, coin in enumerate(tables.collaterals):
        for slot, rate in zip(coin.slots, coin.charge[level], strict=True):
            if coin_of[slot] != -1:
                return None
            coin_of[slot], haircut[slot] = number, rate * scale[slot]
    marks = [mark * factor for mark, factor in zip(snapshot.marks.tolist(), scale, strict=True)]
    return _native.GridKernel(
        (len(tables.cells), len(tables.units), len(tables.collaterals)),
        (numerator, denominator, snapshot.tick),
        _wide(groups),
        np.ascontiguousarray(tables.risk.T).astype("<i8").tobytes(),
        [
            _narrow(column)
            for column in (tables.unit_of.tolist(), map(groups.index, scale), strike_of, coin_of)
        ],
        np.array([i.bound for i in snapshot.universe.instruments], "<i8").tobytes(),
        [_wide(column) for column in (marks, perpetual, strike_charges, haircut)],
    )


def _narrow(values: Iterable[int]) -> bytes:
    return np.array(list(values), "<i4").tobytes()


def _wide(values: Sequence[int]) -> bytes:
    return b"".join(value.to_bytes(_WORD, "little", signed=True) for value in values)
