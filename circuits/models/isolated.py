"""The `isolated` model's rows: rates for each position, see `zkmargin.circuits.gadgets.position_rates`."""

from zkmargin.circuits.gadgets.position_rates import build

__all__ = ["build"]
