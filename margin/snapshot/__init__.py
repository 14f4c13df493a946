"""Snapshots: a market, its parameters and the tables derived from them, under one digest."""
