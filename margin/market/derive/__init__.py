"""Portfolio cases of Derive's PMRM 2: one account with its market, its parameters and its results, in JSON."""

from zkmargin.margin.market.derive.case import DeriveCase, parse_derive_case, read_derive_case

__all__ = ["DeriveCase", "parse_derive_case", "read_derive_case"]
