"""The `cross` model's rows: rates for each position, see `zkmargin.circuits.rates`."""

from zkmargin.circuits.rates import build

__all__ = ["build"]
