"""Instruments and the universe that gives each of them a slot."""
