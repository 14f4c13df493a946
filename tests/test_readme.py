"""The README's examples: every command is run, and what it says is what the README says.

`make readme` writes the README anew with what the commands say now.
"""

import doctest
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from zkmargin.cli.command import command

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
REPLAYED = (README, ROOT / "docs/tutorial.md")

# What differs from run to run: times, fresh commitments, and which backend there is.
VARYING = (r"\b\d+(\.\d+)? m?s\b", r"\b[0-9a-f]{96}\b", r"\b(native|reference) backend\b")


def replayed(text: str) -> str:
    """The text with the output of every command in its console blocks put in anew."""
    blocks = re.split(r"(?<=```console\n)(.*?)(?=```)", text, flags=re.DOTALL)
    code = 0
    for place in range(1, len(blocks), 2):
        lines: list[str] = []
        for line in re.sub(r"\\\n\s*", "\\\n", blocks[place]).replace("\\\n", "\0").splitlines():
            if line.startswith("$ "):
                output, code = _run(line[2:].replace("\0", ""), code)
                lines += [line.replace("\0", "\\\n    "), *output]
        blocks[place] = "".join(f"{line}\n" for line in lines)
    return "".join(blocks)


def _run(line: str, last: int) -> tuple[list[str], int]:
    """What a command prints, and its exit code."""
    if line == "echo $?":
        return [str(last)], 0
    program, *arguments = shlex.split(line)
    assert program == "zkmargin", line
    result = CliRunner().invoke(command, arguments)
    return [shown.rstrip() for shown in result.output.rstrip().splitlines()], result.exit_code


def same(text: str) -> str:
    """The text with all that differs from run to run made equal."""
    for pattern in VARYING:
        text = re.sub(pattern, "*", text)
    return text


def readable_root(folder: Path) -> None:
    """Work in a folder that has what the examples read."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    os.chdir(folder)
    # The width of the shell that runs the tests must not decide what the documents show.
    os.environ.pop("COLUMNS", None)


@pytest.mark.parametrize("document", REPLAYED, ids=lambda path: path.name)
def test_the_commands_print_what_the_document_shows(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    readable_root(tmp_path)
    text = document.read_text()
    assert same(replayed(text)) == same(text), "run `make readme` if this is as it should be"


def test_the_python_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    readable_root(tmp_path)
    code = "\n".join(re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL))
    test = doctest.DocTestParser().get_doctest(code, {}, "README", str(README), 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


def test_the_account_shown_is_the_one_that_is_there() -> None:
    shown = re.findall(r"```csv\n(.*?)```", README.read_text(), re.DOTALL)
    assert shown
    assert (ROOT / "examples/holdings.csv").read_text().startswith(shown[0])


@pytest.mark.parametrize(
    "document", [README, *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


if __name__ == "__main__":
    for number, document in enumerate(REPLAYED):
        folder = ROOT / sys.argv[1] / str(number)
        folder.mkdir()
        readable_root(folder)
        document.write_text(replayed(document.read_text()))
