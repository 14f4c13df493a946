"""Marks, option values under shocks, and the charges derived from them."""
