"""The form of a file of vectors: after that of Wycheproof's, with a result for each test and the reason for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zkmargin.algebra import ceremony, get_backend
from zkmargin.argument.challenges import PROTOCOL

FOLDER = Path(__file__).resolve().parent.parent
VERSION = 1
"""Of the form of the files; what they hold follows the protocol, which each file names."""


@dataclass(frozen=True)
class Test:
    """One test.

    Attributes:
        comment: what is tried.
        content: what a verifier is given, as members of the test.
        reasons: the codes of which a verifier names one as it refuses; none if it must accept.
        flags: names of notes of the file.
    """

    comment: str
    content: Mapping[str, Any]
    reasons: Sequence[str] = ()
    flags: Sequence[str] = ()


@dataclass
class VectorFile:
    """A file of tests.

    Attributes:
        kind: what a test is given to; see the README.
        notes: what each flag means.
        shared: members of the file beside the tests, which tests refer to.
        tests: in order; they are numbered from 1.
    """

    kind: str
    notes: Mapping[str, str]
    shared: Mapping[str, Any] = field(default_factory=dict)
    tests: list[Test] = field(default_factory=list)

    def add(
        self, comment: str, content: Mapping[str, Any], reasons: Iterable[str] = (), flags: Iterable[str] = ()
    ) -> None:
        """Add a test; a verifier must accept it if there is no reason to refuse it."""
        self.tests.append(Test(comment, content, tuple(reasons), tuple(flags)))

    def encode(self) -> bytes:
        """The file, one test to a line, so that what changes can be read."""
        head = {
            "format": "zkmargin/vectors",
            "version": VERSION,
            "kind": self.kind,
            "protocol": PROTOCOL,
            "setup": ceremony(get_backend()).digest,
            "notes": dict(self.notes),
            "count": len(self.tests),
            **self.shared,
        }
        lines = [f"{json.dumps(name)}: {_compact(value)}" for name, value in head.items()]
        tests = [_compact(self._test(number, test)) for number, test in enumerate(self.tests, start=1)]
        body = ",\n".join(lines) + ',\n"tests": [\n' + ",\n".join(tests) + "\n]"
        return f"{{\n{body}\n}}\n".encode()

    def _test(self, number: int, test: Test) -> dict[str, Any]:
        if unknown := set(test.flags) - self.notes.keys():
            raise ValueError(f"{self.kind}: no note explains {unknown}")
        return {
            "id": number,
            "comment": test.comment,
            "flags": list(test.flags),
            **test.content,
            "result": "invalid" if test.reasons else "valid",
            "reasons": list(test.reasons),
        }


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
