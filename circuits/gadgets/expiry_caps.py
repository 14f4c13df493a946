"""Rows of expiries that are asked for no more than they can come to lose, and of named charges on sizes.

With I what the rates ask for an expiry's options, V their marks, long less short, and P >= max(q, 0) their long sides:

    g_j >= 0                           for each strike above the lowest: 1 if it, or a higher one, is held, else 0
    M g_j - sum (2 P - q) >= 0         over the options at strike j
    g_j - g_j+1 >= 0                   so that what is held at a strike opens all below it
    D >= 0,  D + sum payoff_j q + M (1 - g_j) >= 0       D is at least what the expiry comes to owe at any price
    C >= 0,  C + sum unpaired q >= 0                     C is at least what unpaired short calls are asked for
    G >= 0,  b >= 0,  M b - G >= 0,  I - V - D - C + M (1 - b) - G >= 0

and G is taken off the requirement. With b = 0 nothing is; with b = 1 no more than I - (V + D + C), and with a larger b
less, so that what is left is at least the lesser of the two (I itself enters the requirement, and a larger P cancels).
D, C and P only harm a prover who takes more of them. So does a g_j above what it has to be; it cannot be 0 with
something held at its strike or above, because of the two rows that bind it. Without them D would fall short of nothing,
but what no held option is struck at would count: short calls that nothing pays for owe more at every higher strike that
is listed. An expiry without calls needs none. No bound M can make a false account pass: were one too small, an honest
one would be refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.relation import Unit
from zkmargin.margin.models.isolated.expiries import expiry_loss
from zkmargin.margin.tables.rate_additions import ExpiryCap, SizeCharge
from zkmargin.margin.tables.rates import RateTables

_CHOICE = Unit("or 1")
_LOTS = Unit("lots")

Form = dict[int, int]
"""Money per lot by slot."""


def size_charge(account: AccountRows, charge: SizeCharge) -> None:
    """Add a charge on sizes to the requirement."""
    sides = zip(charge.slots, charge.long[account.level], charge.short[account.level], strict=True)
    for slot, long, short in sides:
        if long or short:
            account.magnitude(slot, account.charge(slot, long), account.charge(slot, short))


class ExpiryCapRows:
    """The rows of one expiry."""

    def __init__(self, account: AccountRows, expiry: ExpiryCap) -> None:
        self.account, self.expiry = account, expiry
        self.tables: RateTables = account.tables

    def add(self) -> None:
        """Add the rows, and take what the cap takes off the requirement."""
        rows, usd, name = self.account.rows, self.account.usd, self.expiry.label
        owed, unpaired = self._owed(), self._unpaired()
        apart, sides = self._apart()
        most = sum(money * rows.honest[slot] for slot, money in apart.items())
        least = self._reach(owed, unpaired)
        bit = rows.free(f"{name}: capped", _CHOICE, choice=self._capped, limit=1)
        relief = rows.free(f"{name}: relief of the cap", usd, choice=self._relief, limit=most)
        rows.row(f"{name}: no relief unless capped", usd, {}, {bit: most, relief: -1})
        terms = {
            **sides,
            bit: -least,
            relief: -1,
            owed: -1,
            **({unpaired: -1} if unpaired is not None else {}),
        }
        negative = {slot: -money for slot, money in apart.items()}
        rows.row(f"{name}: no more relief than the cap gives", usd, negative, terms, constant=least)
        self.account.require({}, {relief: -1})

    def _apart(self) -> tuple[Form, dict[int, int]]:
        """I - V: with l and s the rates of either side it is (l + s) (P - q), on holdings (without sign) and rows."""
        level, form, rows = self.account.level, {}, {}
        for slot in self.expiry.slots:
            both = int(self.tables.long[level][slot]) + int(self.tables.short[level][slot])
            if both:
                form[slot] = self.account.charge(slot, both)
                rows[self.account.long_side(slot)] = form[slot]
        return form, rows

    def _owed(self) -> int:
        """The row of the most that the expiry comes to owe at a settlement price."""
        rows, usd, expiry = self.account.rows, self.account.usd, self.expiry
        opened = self._opened() if any(expiry.unpaired[self.account.level]) else {}
        owed = rows.free(f"{expiry.label}: owed at settlement", usd)
        for place, price in enumerate(expiry.prices):
            pays = zip(expiry.slots, expiry.payoffs[place].tolist(), strict=True)
            form = {slot: self.account.charge(slot, payoff) for slot, payoff in pays if payoff}
            if place in opened:
                most = sum(money * rows.honest[slot] for slot, money in form.items())
                terms, constant = {owed: 1, opened[place]: -most}, most
            else:
                terms, constant = {owed: 1}, 0
            name = f"{expiry.label}: owed at {price}"
            rows.row(name, usd, form, terms, constant=constant, closes=owed)
        return owed

    def _opened(self) -> Mapping[int, int]:
        """By place among the prices: the row of a strike that is 1 while it or a higher one is held."""
        rows, bits = self.account.rows, {}
        for place in range(2, len(self.expiry.prices)):
            name = f"{self.expiry.label}: {self.expiry.prices[place]} or more held"
            above = [s for s, at in zip(self.expiry.slots, self.expiry.strikes, strict=True) if at >= place]
            here = [s for s, at in zip(self.expiry.slots, self.expiry.strikes, strict=True) if at == place]
            bits[place] = rows.free(name, _CHOICE, choice=partial(_held, above), limit=1)
            if place > 2:
                lower = {bits[place - 1]: 1, bits[place]: -1}
                rows.row(f"{name}: so is every lower strike", _CHOICE, {}, lower)
            sizes = {self.account.long_side(slot): -2 for slot in here}
            most = sum(rows.honest[slot] for slot in here)
            terms = {**sizes, bits[place]: most}
            rows.row(f"{name}: nothing at it unless so", _LOTS, dict.fromkeys(here, 1), terms)
        return bits

    def _unpaired(self) -> int | None:
        """The row of what short calls are asked for that no long call pays for; None where there are no calls."""
        rows, usd = self.account.rows, self.account.usd
        charges = zip(self.expiry.slots, self.expiry.unpaired[self.account.level], strict=True)
        form = {slot: self.account.charge(slot, charge) for slot, charge in charges if charge}
        if not form:
            return None
        name = f"{self.expiry.label}: unpaired calls"
        unpaired = rows.free(name, usd)
        rows.row(f"{name} covered", usd, form, {unpaired: 1}, closes=unpaired)
        return unpaired

    def _reach(self, *made: int | None) -> int:
        """The most that some rows can come to in an honest account."""
        return sum(self.account.rows.greatest(row) for row in made if row is not None)

    def _relief(self, lots: Sequence[int], _: object) -> int:
        found = expiry_loss(self.expiry, self.tables, self.account.snapshot.scale, lots, self.account.level)
        return 0 if found is None else found.relief

    def _capped(self, lots: Sequence[int], rows: object) -> int:
        return int(self._relief(lots, rows) > 0)


def _held(slots: Sequence[int], lots: Sequence[int], _: object) -> int:
    return int(any(lots[slot] for slot in slots))
