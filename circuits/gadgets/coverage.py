"""Rows of what an account lacks in a settlement currency that others must not pay for.

With A the account value, R what is required without this, E_c the equity of a currency and R_c what its units are
asked for, B a public bound and b a bit (b >= 0, 1 - b >= 0):

    E_c - R_c + B (1 - b) >= 0               for every currency: the bit is 1 only if all of them cover their own
    X - A + R + E_c - R_c + B b >= 0         and if it is 0, what is left over is no more than in any of them

The losses in R and R_c are slacks that are at least what the account loses. A prover who takes larger ones only
lowers E_c - R_c, which bounds what is left over, A - R - X, whatever R is. One who leaves the bit at 0 without need
only harms himself. A bound that were too small would refuse an honest account, and never accept a false one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zkmargin.circuits.account_rows import FINEST_FACTOR, AccountRows
from zkmargin.circuits.gadgets.expiry_value import CHOICE
from zkmargin.circuits.relation import Choice, Unit
from zkmargin.margin.tables.grid_additions import Coverage

Terms = dict[int, int]


def cover(
    account: AccountRows, coverage: Coverage, losses: Sequence[Sequence[int]], denominator: int
) -> None:
    """Add the rows, and what is lacking to the requirement; to be called when all else has been required.

    Args:
        account: of a grid.
        coverage: the settlement currencies.
        losses: for each unit the rows that add up to its loss.
        denominator: by which all that is required is multiplied.
    """
    rows, unit = account.rows, Unit("USD", denominator * account.usd.scale)
    worth = account.money(coverage.marks, range(len(account.snapshot.universe)))
    over = {
        currency.name: (
            {slot: denominator * worth[slot] for slot in currency.slots if slot in worth},
            _asked(account, currency.name, [row for place in currency.units for row in losses[place]]),
        )
        for currency in coverage.currencies
    }
    most = denominator * _most(account)
    bit = rows.free("all settlement currencies cover their own", CHOICE, choice=_covered(over), limit=1)
    rows.row("all settlement currencies cover their own, or not", CHOICE, {}, {bit: -1}, constant=1)
    required, slacks = account.collected(1)
    lacking = rows.free("what a settlement currency lacks", account.usd)
    for name, (equity, asked) in over.items():
        terms = {row: -factor for row, factor in asked.items()}
        rows.row(f"{name} covers its own", unit, equity, {**terms, bit: -most}, constant=most)
        rest = {row: slacks.get(row, 0) - asked.get(row, 0) for row in {**slacks, **asked}}
        terms = {row: factor for row, factor in rest.items() if factor}
        form = {
            slot: required.get(slot, 0) - denominator * worth.get(slot, 0) + equity.get(slot, 0)
            for slot in sorted(required.keys() | worth.keys())
        }
        terms |= {lacking: denominator, bit: most}
        rows.row(f"{name}: what it lacks, in full", unit, form, terms, closes=lacking)
    account.require({}, {lacking: denominator})


def _asked(account: AccountRows, name: str, losses: Sequence[int]) -> Terms:
    """What a currency's units are asked for, times the denominator: terms on rows."""
    numerator, denominator = account.tables.loss_factor[account.level]
    if denominator <= FINEST_FACTOR:
        return dict.fromkeys(losses, numerator)
    return {account.whole(f"{name}: losses, as often as they count", denominator, losses, numerator): 1}


def _covered(over: Mapping[str, tuple[Terms, Terms]]) -> Choice:
    def covered(lots: Sequence[int], rows: Mapping[int, int]) -> int:
        return int(
            all(
                sum(money * lots[slot] for slot, money in equity.items())
                >= sum(factor * rows[row] for row, factor in asked.items())
                for equity, asked in over.values()
            )
        )

    return covered


def _most(account: AccountRows) -> int:
    """The greatest magnitude of an equity less what it is asked for, in money units."""
    universe = account.snapshot.universe
    entries = zip(universe.instruments, account.tables.weights(), universe.scale, strict=True)
    return sum(i.bound * weight * scale for i, weight, scale in entries)
