"""The choice of kernels on the command line."""

import pytest

from tests.cli.harness import Run


def test_kernels_that_there_are_not_are_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZKMARGIN_KERNELS", "abacus")
    seen = run("info")
    assert (seen.code, seen.out) == (2, "")
    assert all(word in seen.err for word in ("ZKMARGIN_KERNELS", "abacus", "write portable"))
    monkeypatch.setenv("ZKMARGIN_KERNELS", "portable")
    assert run("info").code == 0
