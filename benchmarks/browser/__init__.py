"""Verification in a browser, beside snarkjs's."""
