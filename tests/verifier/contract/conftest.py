"""The EVMs of these tests, started once and ended with them."""

from collections.abc import Iterator

import pytest

from tests.verifier.contract.evms import Anvil, Ethereumjs, Evm, anvil, ethereumjs


@pytest.fixture(scope="session")
def node() -> Iterator[Anvil]:
    with anvil() as made:
        yield made


@pytest.fixture(scope="session")
def process() -> Iterator[Ethereumjs]:
    with ethereumjs() as made:
        yield made


@pytest.fixture(params=["anvil", "ethereumjs"])
def evm(request: pytest.FixtureRequest) -> Evm:
    """Each of the two in turn."""
    found: Evm = request.getfixturevalue("node" if request.param == "anvil" else "process")
    return found
