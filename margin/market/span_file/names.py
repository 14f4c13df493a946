"""Names of the contracts of a SPAN file: product, contract month, strike and type, and more only where they collide."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from zkmargin.margin.market.span_file.contracts import Contract, Identity


def named(contracts: Sequence[Contract]) -> list[Contract]:
    """Every contract under a name that no other has.

    A name is PRODUCT-MONTH, or PRODUCT-MONTH-STRIKE-TYPE. Those that collide have the exchange before it; if they still
    collide the day of settlement behind the month, then the codes of product family and contract behind it all.
    """
    names = [contract.identity.plain for contract in contracts]
    for form in (_with_exchange, _with_day, _with_codes):
        counts = Counter(names)
        names = [
            form(contract.identity) if counts[name] > 1 else name
            for contract, name in zip(contracts, names, strict=True)
        ]
    return [_renamed(contract, name) for contract, name in zip(contracts, names, strict=True)]


def _renamed(contract: Contract, name: str) -> Contract:
    instrument = replace(contract.listing.instrument, name=name)
    return replace(contract, listing=replace(contract.listing, instrument=instrument))


def _with_exchange(identity: Identity) -> str:
    return f"{identity.exchange}:{identity.plain}"


def _with_day(identity: Identity) -> str:
    product, month, *option = identity.parts
    day = identity.day if identity.day != month else ""
    return f"{identity.exchange}:" + "-".join(part for part in (product, month, day, *option) if part)


def _with_codes(identity: Identity) -> str:
    return f"{_with_day(identity)}:{identity.family}:{identity.code}"
