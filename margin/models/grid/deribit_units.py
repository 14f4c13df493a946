"""The units of rules like Deribit's: the contracts of a coin, by settlement currency where that is segregated."""

from collections.abc import Sequence
from dataclasses import dataclass

from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.parameters.venues.deribit import Deribit
from zkmargin.margin.valuation.basis import Basis, underlyings


@dataclass(frozen=True)
class Unit:
    """The contracts of one coin; of a segregated account, those of them that settle in one currency."""

    name: str
    underlying: str
    usd: bool
    """Whether all of them settle in USD."""
    slots: tuple[int, ...]


def risk_units(basis: Basis, rules: Deribit) -> tuple[Unit, ...]:
    """The units of a market, coin by coin; a coin's balance is part of its first."""
    found = []
    for underlying in underlyings(basis.universe):
        members: dict[str, list[int]] = {underlying: []}
        for slot, instrument in enumerate(basis.universe.instruments):
            if instrument.underlying == underlying:
                apart = rules.collateral == "segregated" and instrument.settlement == CASH
                members.setdefault(CASH if apart else underlying, []).append(slot)
        contracts = [slot for slot in members[underlying] if not _is_balance(basis, slot)]
        if not contracts and len(members) > 1:
            members = {CASH: sorted(members[underlying] + members[CASH])}
        found += [_unit(basis, underlying, currency, slots) for currency, slots in members.items()]
    return tuple(found)


def _unit(basis: Basis, underlying: str, currency: str, slots: Sequence[int]) -> Unit:
    contracts = [basis.universe.instruments[slot] for slot in slots if not _is_balance(basis, slot)]
    usd = bool(contracts) and all(instrument.settlement == CASH for instrument in contracts)
    name = f"{underlying}, settled in {CASH}" if currency == CASH else underlying
    return Unit(name, underlying, usd, tuple(slots))


def _is_balance(basis: Basis, slot: int) -> bool:
    return basis.universe.instruments[slot].kind == "balance"
