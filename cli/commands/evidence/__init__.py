"""The commands on evidence of holdings, one module for each."""
