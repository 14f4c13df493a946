"""What a command loads before it begins: libraries that it has no use for are not among it."""

import subprocess
import sys

import click
import pytest

from tests.cli.harness import TERMS, Chain
from zkmargin.cli.command import command
from zkmargin.cli.lazy_group import LazyGroup

LARGE = (
    "eth_account",
    "eth_keys",
    "fastapi",
    "httpx",
    "matplotlib",
    "py_ecc",
    "pyarrow",
    "sqlalchemy",
    "uvicorn",
)


def loaded(*words: object) -> set[str]:
    """The top-level modules that a command has loaded when it ends."""
    program = """
import atexit, sys
atexit.register(lambda: print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr))
from zkmargin.cli import main
main()
"""
    command_line = [sys.executable, "-c", program, *map(str, words)]
    return set(subprocess.run(command_line, capture_output=True, text=True, check=True).stderr.split())


def test_help_loads_no_library_but_its_own() -> None:
    assert not loaded("--help") & {*LARGE, "numpy", "pydantic", "rich"}


def test_verifying_loads_neither_services_nor_signatures_nor_pictures(chain: Chain) -> None:
    modules = loaded("verify", chain.snapshot, chain.proof, "--commitment", chain.commitment, *TERMS)
    assert "numpy" in modules
    assert not modules & {*LARGE, "rich"}


@pytest.mark.parametrize("name", command.parts)
def test_the_summary_of_a_command_is_its_help(name: str) -> None:
    part = command.parts[name].load()
    assert part.name == name
    assert (part.help or "").startswith(command.parts[name].summary)


def test_a_command_is_loaded_when_it_is_called_and_once() -> None:
    loads = []
    group = LazyGroup("group")

    @group.part("one", "One.")
    def _one() -> click.Command:
        loads.append("one")
        return click.Command("one", callback=lambda: None)

    context = click.Context(group)
    assert "One." in group.get_help(context)
    assert loads == []
    assert group.get_command(context, "two") is None
    assert group.get_command(context, "one") is group.get_command(context, "one")
    assert loads == ["one"]
