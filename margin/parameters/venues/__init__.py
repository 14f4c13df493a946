"""The sections of venues' rules, one module for each."""
