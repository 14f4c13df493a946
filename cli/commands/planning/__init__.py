"""The commands on plans, one module for each."""
