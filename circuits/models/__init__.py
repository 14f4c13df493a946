"""One builder for each margin model; a module here with a `build` function is a provable model.

A builder turns a snapshot's tables into the relation "the account value covers the requirement and the threshold".
Its name is its module's name, and the same as the model's in `zkmargin.margin.models`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Protocol

from zkmargin.circuits.account_rows import AccountRows


class Builder(Protocol):
    """Adds the rows of one model, and returns the number by which it multiplied the requirement."""

    def __call__(self, account: AccountRows) -> int: ...


@cache
def builders() -> dict[str, Builder]:
    """All builders by name, found by looking at the modules of this package."""
    found: dict[str, Builder] = {}
    for module in pkgutil.iter_modules(__path__):
        build = getattr(importlib.import_module(f"{__name__}.{module.name}"), "build", None)
        if build is not None:
            found[module.name] = build
    return found
