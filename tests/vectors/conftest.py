"""Prints the table of vectors and verifiers at the end of a run."""

from __future__ import annotations

import pytest

from tests.vectors.agreement import TABLE, lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Called once, after all tests."""
    if TABLE:
        terminalreporter.section("vectors that came out as they should, by verifier")
        for line in lines(TABLE):
            terminalreporter.write_line(line)
