"""Tables over the same joint scenarios are written once: the others name whose scenarios are theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import ConfigDict, Field

from zkmargin.margin.errors import InputError
from zkmargin.margin.scenarios.tables import JointTables
from zkmargin.margin.tables.charges import CollateralCharge, PerpetualCharge, StrikeCharge
from zkmargin.margin.tables.schema import STRICT, Ratio, encode_tables
from zkmargin.margin.units import ByLevel


@dataclass(frozen=True)
class SharedTables:
    """All of joint tables but their units, labels, moves and risk, which are those of the model `of`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    of: Annotated[str, Field(min_length=1, max_length=64)]
    confidence: ByLevel[Ratio]
    perpetuals: tuple[PerpetualCharge, ...]
    strikes: tuple[StrikeCharge, ...]
    collaterals: tuple[CollateralCharge, ...]


def encode_models(models: Mapping[str, Any]) -> dict[str, Any]:
    """The documents of all tables by model; scenarios that two have in common are those of the first by name."""
    first: dict[str, JointTables] = {}
    documents: dict[str, Any] = {}
    for name in sorted(models):
        tables = models[name]
        of = next((other for other in first if _alike(first[other], tables)), None)
        if of is None:
            documents[name] = encode_tables(tables)
            if isinstance(tables, JointTables):
                first[name] = tables
        else:
            rest = tables.confidence, tables.perpetuals, tables.strikes, tables.collaterals
            documents[name] = encode_tables(SharedTables(of, *rest))
    return documents


def _alike(first: JointTables, tables: Any) -> bool:
    if not isinstance(tables, JointTables) or (first.units, first.labels) != (tables.units, tables.labels):
        return False
    pairs = ((first.moves, tables.moves), (first.risk, tables.risk))
    return all(ours is theirs or np.array_equal(ours, theirs) for ours, theirs in pairs)


def with_scenarios(shared: SharedTables, models: Mapping[str, Any], where: str) -> JointTables:
    """The tables with the scenarios of the model that they name; InputError if it has none of its own."""
    found = models.get(shared.of)
    if not isinstance(found, JointTables):
        raise InputError(where, "of", shared.of, "no model of that name has joint scenarios; build it again")
    return replace(
        found,
        confidence=shared.confidence,
        perpetuals=shared.perpetuals,
        strikes=shared.strikes,
        collaterals=shared.collaterals,
    )
