"""The commands on contracts of an EVM chain."""
