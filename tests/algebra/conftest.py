"""Backends and setups shared by the tests of the arithmetic."""

import os
from dataclasses import replace

import pytest

from zkmargin.algebra import Backend, Setup, backends, ceremony, get_backend


@pytest.fixture(scope="session")
def reference() -> Backend:
    return get_backend("reference")


@pytest.fixture(scope="session")
def native() -> Backend:
    if "native" not in backends():
        message = "the native extension is not built here, so there is nothing to compare"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return get_backend("native")


@pytest.fixture(scope="session", params=["native", "reference"])
def backend(request: pytest.FixtureRequest) -> Backend:
    chosen: Backend = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(scope="session")
def setups(native: Backend, reference: Backend) -> tuple[Setup, Setup]:
    """The ceremony on both backends, with nothing kept on disk."""
    return replace(ceremony(native), _directory=None), replace(ceremony(reference), _directory=None)
