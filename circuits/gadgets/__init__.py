"""Gadgets: groups of rows that several margin models share."""
