"""Rows of a charge on what legs hedge of each other: the lesser of what gains and what loses in one move.

With y_g = sum exposure q of leg g, M a public bound, and b a bit (b >= 0, 1 - b >= 0):

    p_g >= 0,  p_g - y_g >= 0             p_g is at least max(0, y_g), and p_g - y_g at least max(0, -y_g)
    h - sum p_g + M b >= 0                h is at least what gains,
    h - sum (p_g - y_g) + M (1 - b) >= 0  or at least what loses: so at least the lesser
    c - slope h + offset >= 0             for every tier

Slacks that are larger than they must be make both sides larger, and only cost. Were M too small, an honest account
would be refused, and never a false one accepted.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.gadgets.exposures import CHOICE
from zkmargin.margin.tables.grid_additions import PLAIN, HedgeCharge


def hedge_row(account: AccountRows, charge: HedgeCharge) -> int:
    """The row of what a hedge charge asks for."""
    rows, usd, name = account.rows, account.usd, f"{charge.name}: {charge.kind}"
    forms = []
    for leg in charge.legs:
        pairs = zip(leg.slots, leg.exposure, strict=True)
        forms.append({slot: account.charge(slot, entry) for slot, entry in pairs if entry})
    most = sum(abs(money) * rows.honest[slot] for form in forms for slot, money in form.items())
    gains = []
    for leg, form in zip(charge.legs, forms, strict=True):
        gain = rows.free(f"{name}, {leg.name}: gain", usd)
        losing = {slot: -money for slot, money in form.items()}
        rows.row(f"{name}, {leg.name}: gain covered", usd, losing, {gain: 1}, closes=gain)
        gains.append(gain)

    def less(lots: Sequence[int], _: object) -> int:
        """Whether what loses is less than what gains: whether the legs gain together."""
        return int(sum(money * lots[slot] for form in forms for slot, money in form.items()) > 0)

    bit = rows.free(f"{name}: loses less", CHOICE, choice=less, limit=1)
    rows.row(f"{name}: loses less, or not", CHOICE, {}, {bit: -1}, constant=1)
    hedged = rows.free(f"{name}, hedged", usd)
    sides = dict.fromkeys(gains, -1)
    rows.row(f"{name}, no less than gains", usd, {}, {hedged: 1, bit: most, **sides}, closes=hedged)
    together: dict[int, int] = {}
    for form in forms:
        for slot, money in form.items():
            together[slot] = together.get(slot, 0) + money
    terms = {hedged: 1, bit: -most, **sides}
    rows.row(f"{name}, no less than losses", usd, together, terms, constant=most, closes=hedged)
    if charge.tiers == PLAIN:
        return hedged
    asked = rows.free(name, usd)
    for number, (slope, offset) in enumerate(charge.tiers, 1):
        constant = offset * account.snapshot.tick
        tier = {asked: 1, hedged: -slope}
        rows.row(f"{name}, tier {number}", usd, {}, tier, constant=constant, closes=asked)
    return asked
