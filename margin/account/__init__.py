"""Accounts: holdings, contract maps, requirements, books, Greeks, reports and comparisons."""
