"""Fails unless the environment that runs this is the locked one: nothing missing, nothing else, nothing newer.

    python .ci/locked.py requirements/*.txt

pip installs the locks with --no-deps, so nothing is resolved and no version can depend on the day. What is left to
prove is that a lock is complete, and that what was found in the environment came from it.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PRODUCT = "zkmargin"
PIN = re.compile(r"^[A-Za-z0-9][^\\#]*", re.MULTILINE)


def locked(texts: Iterable[str]) -> dict[str, str]:
    """Read the pins of requirement files that hold on this machine.

    Args:
        texts: the contents of the files.

    Returns:
        The version of each distribution, by its normalised name.

    Raises:
        ValueError: a line is no exact pin, or two files pin one distribution differently.
    """
    versions: dict[str, str] = {}
    for line in (line for text in texts for line in PIN.findall(text)):
        requirement = Requirement(line.strip())
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        name = canonicalize_name(requirement.name)
        specifiers = list(requirement.specifier)
        if len(specifiers) != 1 or specifiers[0].operator != "==":
            raise ValueError(f"{name}: a lock pins one version with ==, not {line.strip()!r}")
        version = specifiers[0].version
        if versions.setdefault(name, version) != version:
            raise ValueError(f"{name}: locked as {versions[name]} and as {version}")
    return versions


def differences(pins: Mapping[str, str], installed: Mapping[str, str]) -> list[str]:
    """List, one line each, where the installed versions are not the locked ones."""
    lines = []
    for name in sorted({*pins, *installed} - {PRODUCT}):
        pin, version = pins.get(name), installed.get(name)
        if pin is None:
            lines.append(f"{name} {version} is installed, and no lock names it")
        elif version is None:
            lines.append(f"{name} {pin} is locked, and not installed")
        elif version != pin:
            lines.append(f"{name} is locked as {pin}, and installed as {version}")
    return lines


def unmet(requirements: Iterable[str], pins: Mapping[str, str], extras: Iterable[str]) -> list[str]:
    """List, one line each, the requirements that a set of pins does not satisfy.

    Args:
        requirements: PEP 508 requirements, as a distribution's metadata gives them.
        pins: the locked version of each distribution, by its normalised name.
        extras: the extras whose requirements count too.
    """
    lines = []
    for requirement in map(Requirement, requirements):
        marker = requirement.marker
        if marker is not None and not any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        name = canonicalize_name(requirement.name)
        if name == PRODUCT:
            continue
        if name not in pins:
            lines.append(f"{PRODUCT} needs {requirement}, and no lock names it: run make lock")
        elif not requirement.specifier.contains(pins[name], prereleases=True):
            lines.append(f"{PRODUCT} needs {requirement}, and {pins[name]} is locked: run make lock")
    return lines


def main(paths: list[str]) -> int:
    """Compare the running environment with the locks, report on standard error, and return the exit code."""
    pins = locked(Path(path).read_text() for path in paths)
    found: dict[str, Distribution] = {canonicalize_name(each.name): each for each in distributions()}
    lines = differences(pins, {name: each.version for name, each in found.items()})
    if PRODUCT in found:
        metadata = found[PRODUCT].metadata
        extras = metadata.get_all("Provides-Extra") or []
        lines += unmet(metadata.get_all("Requires-Dist") or [], pins, extras)
    else:
        lines.append(f"{PRODUCT} itself is not installed")
    for line in lines:
        print(f"lock: {line}", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
