"""The provable margin models: a builder of rows for each. To add one, write a module with `build` and list it here.

A builder turns a snapshot's tables into the relation "the account value covers the requirement and the threshold".
Its name is its module's name, and the same as the model's in `zkmargin.margin.models`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.models import correlation, cross, es, grid, isolated, span, tiered, tims, var


class Builder(Protocol):
    """Adds the rows of one model, and returns the number by which it multiplied the requirement."""

    def __call__(self, account: AccountRows) -> int: ...


BUILDERS: Mapping[str, Builder] = MappingProxyType(
    {
        "correlation": correlation.build,
        "cross": cross.build,
        "es": es.build,
        "grid": grid.build,
        "isolated": isolated.build,
        "span": span.build,
        "tiered": tiered.build,
        "tims": tims.build,
        "var": var.build,
    }
)
"""The builders by model name, in alphabetical order."""
