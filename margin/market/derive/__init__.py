"""Cases of Derive's risk managers (PMRM, PMRM 2, SRM): one account with its market and its results, in JSON."""

from zkmargin.margin.market.derive.case import DeriveCase, parse_derive_case, read_derive_case

__all__ = ["DeriveCase", "parse_derive_case", "read_derive_case"]
