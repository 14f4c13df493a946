import subprocess
import sys

import pytest

from zkmargin import algebra
from zkmargin.algebra import backends, get_backend


def test_the_preferred_backend_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZKMARGIN_BACKEND", raising=False)
    assert get_backend() is get_backend(backends()[0])
    assert get_backend("reference").name == "reference"


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZKMARGIN_BACKEND", "reference")
    assert get_backend().name == "reference"
    monkeypatch.setenv("ZKMARGIN_BACKEND", "abacus")
    with pytest.raises(ValueError, match="'abacus' is not available: choose one of"):
        get_backend()


def test_everything_runs_without_the_extension() -> None:
    program = (
        "import sys; sys.modules['zkmargin._native'] = None\n"
        "from zkmargin.algebra import backends, get_backend\n"
        "print(backends(), get_backend().name)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "('reference',) reference"


def test_the_extension_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zkmargin.algebra.native", None)
    assert algebra._native() is None


def test_the_reference_is_loaded_when_it_is_used() -> None:
    program = (
        "import sys; from zkmargin.algebra import get_backend\n"
        "assert 'py_ecc' not in sys.modules; get_backend('reference'); assert 'py_ecc' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_public_names_exist() -> None:
    for name in algebra.__all__:
        assert hasattr(algebra, name)
