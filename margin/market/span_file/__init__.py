"""SPAN risk parameter files: reading the XML, and the contracts that it lists."""
