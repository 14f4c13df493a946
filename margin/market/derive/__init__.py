"""Portfolio cases of Derive's PMRM 2: one account with its market, its parameters and its results, in JSON."""

from zkmargin.margin.market.derive.case import DeriveCase, read_derive_case

__all__ = ["DeriveCase", "read_derive_case"]
