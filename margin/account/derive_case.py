"""A portfolio case of Derive as a snapshot and holdings, held to the results that the case states."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final

from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.universe import default_domain
from zkmargin.margin.market.derive import DeriveCase, read_derive_case
from zkmargin.margin.snapshot.snapshot import Snapshot

QUANTUM_DECIMALS: Final = 9
DOMAIN: Final = 1024
"""Slots of a case's universe, at least: room for every case there is, and where its proofs are short."""
MODELS: Final = ("grid", "cross", "isolated")
"""What a case has the numbers for."""
_TOLERANCE: Final = Fraction(1, 10**8)


def import_derive_case(path: Path, name: str | None = None) -> tuple[Snapshot, Holdings]:
    """The case in a file, or the one of a name where the file holds several.

    Keys that nobody knows are passed over only if the case states its results and they come out without
    those keys. Raises InputError naming what cannot be used.
    """
    case = read_derive_case(path, name)
    snapshot = Snapshot.build(
        case.market,
        case.parameters,
        quantum_decimals=QUANTUM_DECIMALS,
        domain=max(DOMAIN, default_domain(len(case.market.instruments))),
        only=MODELS,
    )
    positions = [
        Position(name, quantity, None, str(path))
        for name, quantity in case.quantities.items()
        if quantity or name == snapshot.universe.instruments[0].name
    ]
    holdings = Holdings.of(positions, snapshot)
    if case.unknown:
        _confirm(case, snapshot, holdings.vector(snapshot), str(path))
    return snapshot, holdings


def _confirm(case: DeriveCase, snapshot: Snapshot, lots: Sequence[int], where: str) -> None:
    """Raises InputError unless the stated results follow from what was read."""
    unknown = ", ".join(case.unknown)
    if not case.excess:
        raise InputError(
            where, "key", unknown, "unknown; remove it, or add the results that tell if it matters"
        )
    for level, stated in case.excess.items():
        found = (
            requirement(snapshot, lots, model=case.model, level=level).excess / 10**snapshot.money_decimals
        )
        if abs(found - Fraction(stated)) > _TOLERANCE * (1 + abs(Fraction(stated))):
            close = Decimal(round(found * 10**QUANTUM_DECIMALS)).scaleb(-QUANTUM_DECIMALS)
            found_out = f"unknown, and what else is known gives {close} for the {level} result of {stated}"
            raise InputError(where, "key", unknown, f"{found_out}; remove it or correct the case")
