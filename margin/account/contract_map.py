"""What a venue calls its contracts, and which slots of a universe they are: read strictly from CSV.

The columns are contract (the venue's name), instrument (the slot), multiplier (units of the slot's quantity to one
contract; negative for a contract that is quoted the other way round), and settlement (what the contract settles in).
A contract that settles otherwise than the slot is another instrument, and needs a slot of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from zkmargin.margin.arithmetic.decimals import parse_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.csv_rows import read_rows
from zkmargin.margin.instruments.universe import Universe


@dataclass(frozen=True)
class Target:
    """The slot of one contract."""

    instrument: str
    multiplier: Decimal


def read_contract_map(path: Path, universe: Universe) -> Mapping[str, Target]:
    """The slots by contract.

    Raises InputError naming line and value for a contract that occurs twice, a slot that the universe lacks, a
    multiplier that is zero or no number, and a settlement that is not the slot's.
    """
    found: dict[str, Target] = {}
    columns = ("contract", "instrument", "multiplier", "settlement")
    for where, row in read_rows(path, columns, numbers=("multiplier",)):
        contract = row["contract"]
        if not contract or contract in found:
            remedy = "occurs twice; keep one row" if contract else "write the venue's name of the contract"
            raise InputError(where, "contract", contract, remedy)
        found[contract] = target(row["instrument"], row["multiplier"], row["settlement"], universe, where)
    return found


def target(name: str, multiplier: str, settlement: str, universe: Universe, where: str) -> Target:
    """The slot of one row of a map.

    Raises InputError for a slot that the universe lacks, a multiplier that is zero or no number, and a settlement
    that is not the slot's.
    """
    if name not in universe:
        raise InputError(where, "instrument", name, "not listed by the snapshot; use a name of its universe")
    factor = parse_decimal(multiplier, where, "multiplier")
    if not factor:
        raise InputError(where, "multiplier", multiplier, "write a number other than zero")
    own = universe.instruments[universe.slot(name)].settlement
    if settlement != own:
        remedy = f"{name} settles in {own}; a contract that settles otherwise needs another slot"
        raise InputError(where, "settlement", settlement, remedy)
    return Target(name, factor)
