"""What every command says about itself: help, examples, defaults, completion, and the documents that name it."""

import contextlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.harness import Run
from zkmargin.cli.command import command

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(sys.executable).with_name("zkmargin")

Words = tuple[str, ...]

WITHOUT_EXAMPLE = {("demo",), ("demo-portable",), ("demo-evidence",), ("info",)}
"""Commands whose name alone is an example."""


def commands(
    part: click.Command = command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it."""
    yield path, part
    if isinstance(part, click.Group):
        context = click.Context(part)
        for name in part.list_commands(context):
            inner = part.get_command(context, name)
            assert inner is not None
            yield from commands(inner, (*path, name))


ALL = dict(commands())
LEAVES = {path: part for path, part in ALL.items() if not isinstance(part, click.Group)}


def options(part: click.Command) -> list[click.Option]:
    return [option for option in part.params if isinstance(option, click.Option)]


@pytest.mark.parametrize("path", ALL, ids="-".join)
def test_every_command_explains_itself(run: Run, path: tuple[str, ...]) -> None:
    seen = run(*path, "--help")
    assert seen.code == 0
    assert f"Usage: {' '.join(('zkmargin', *path))}" in seen.out
    if path in LEAVES and path not in WITHOUT_EXAMPLE:
        examples = seen.out.partition("Example")[2].partition("\nOptions:")[0]
        assert f"zkmargin {' '.join(path)}" in examples
    for option in options(ALL[path]):
        assert option.help, option.opts
        given = option.to_info_dict()["default"]
        if given not in (None, False) and not option.multiple:
            assert option.show_default, f"{option.opts}: the default is not shown"


@pytest.mark.parametrize("path", ALL, ids="-".join)
def test_an_unknown_option_is_named(run: Run, path: tuple[str, ...]) -> None:
    seen = run(*path, "--colour")
    assert (seen.code, seen.out) == (2, "")
    assert "--colour" in seen.err


def test_a_misspelt_command_is_answered_with_the_likeliest(run: Run) -> None:
    seen = run("plege")
    assert seen.code == 2
    assert "'pledge'" in seen.err


def test_every_command_prints_json_unless_it_serves() -> None:
    without = {path for path, part in LEAVES.items() if all("--json" not in o.opts for o in options(part))}
    assert without == {("serve",), ("venue", "serve")}


def test_the_document_on_json_names_every_command() -> None:
    section = (ROOT / "docs/formats.md").read_text().partition("## What `--json` prints")[2]
    named = re.findall(r"^\| `([a-z -]+)` \|", section, re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == {" ".join(path) for path in LEAVES} - {"serve", "venue serve"}


def test_every_command_is_reachable_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    for name in command.parts:
        assert re.search(rf"[` -]{name}\b", text), name


@pytest.mark.skipif(not SCRIPT.exists(), reason="the command is not installed as a script here")
@pytest.mark.parametrize(
    ("typed", "completed"),
    [("ple", {"pledge"}), ("receipt ", {"get", "verify"}), ("pledge list --sta", {"--status"})],
)
def test_the_shell_completes_commands_and_options(typed: str, completed: set[str]) -> None:
    words = f"zkmargin {typed}"
    environment = {
        **os.environ,
        "_ZKMARGIN_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    ran = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert {line.split(",")[-1] for line in ran.stdout.splitlines()} == completed


def test_the_readme_says_how_the_shell_completes(run: Run) -> None:
    assert "_ZKMARGIN_COMPLETE=bash_source zkmargin" in (ROOT / "README.md").read_text()


def written(text: str) -> Iterator[list[str]]:
    """The commands of a text that stand at the beginning of a line, continued lines joined, without comments."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip().removeprefix("$ ").startswith("zkmargin "):
            yield shlex.split(line.strip().removeprefix("$ "), comments=True)[1:]


DOCUMENTS = {
    path.name: path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
}
HELP = {" ".join(path): part.help or "" for path, part in ALL.items()}


def examples(texts: dict[str, str]) -> Iterator[object]:
    for name, text in texts.items():
        for number, words in enumerate(written(text)):
            yield pytest.param(words, id=f"{name}-{number}")


def called(words: list[str]) -> click.Context:
    """The context of a command with these words; raises click's errors. Files are not read."""
    part: click.Command = command
    context = click.Context(command, info_name="zkmargin")
    while isinstance(part, click.Group):
        inner = part.get_command(context, words.pop(0))
        assert inner is not None
        part = inner
    return part.make_context(part.name, words, parent=context)


@pytest.mark.parametrize("words", list(examples(HELP)))
def test_examples_of_the_help_are_whole(words: list[str]) -> None:
    called(words).close()


@pytest.mark.parametrize("words", list(examples(DOCUMENTS)))
def test_examples_of_the_documents_have_options_that_there_are(words: list[str]) -> None:
    with contextlib.suppress(click.MissingParameter):
        called(words).close()
