"""The few public names: all there, all what they say, and none loaded before it is used."""

import subprocess
import sys

import pytest

import zkmargin


@pytest.mark.parametrize("name", zkmargin.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(zkmargin, name) is not None


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'everything'"):
        _ = zkmargin.everything


def test_margining_loads_no_cryptography() -> None:
    code = "import sys, zkmargin; zkmargin.build_report; print([m for m in sys.modules if 'zkmargin.' in m])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "zkmargin.margin.account.report" in loaded
    for room in ("algebra", "circuits", "argument", "prover", "verifier"):
        assert f"zkmargin.{room}" not in loaded
