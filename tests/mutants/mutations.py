"""What is broken on purpose, and which tests must notice: every check of the rooms that a verifier leans on.

Checks are found in the source: each `if` that does nothing but raise is a mutant in which it never does. To these come
mutants by hand, where what is checked is an expression.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes:
        file: below the repository.
        line: where it is, for people.
        old, new: the text that is replaced, and by what.
        start: where the text begins in the file.
        tests: one of these must fail.
    """

    file: str
    line: int
    old: str
    new: str
    start: int
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """The mutant in a word: the file and the text, which stay the same when lines move."""
        return f"{self.file}: {' '.join(self.old.split())} -> {self.new}"

    def applied(self, text: str) -> str:
        """The file's text with the change."""
        assert text[self.start : self.start + len(self.old)] == self.old
        return text[: self.start] + self.new + text[self.start + len(self.old) :]


GUARDED: dict[str, tuple[str, ...]] = {
    "verifier/equation.py": (
        "tests/verifier/test_flips.py",
        "tests/verifier/test_binding.py",
        "tests/argument/test_rows.py",
    ),
    "verifier/verify.py": (
        "tests/verifier/test_flips.py",
        "tests/verifier/test_points.py",
        "tests/verifier/test_domain.py",
    ),
    "verifier/batch.py": ("tests/verifier/test_batch.py",),
    "verifier/document.py": ("tests/verifier/test_document.py",),
    "verifier/attestation_checks.py": ("tests/verifier/test_submission.py", "tests/verifier/test_order.py"),
    "verifier/submission.py": (
        "tests/verifier/test_submission.py",
        "tests/verifier/test_submitted_rows.py",
        "tests/verifier/floors/test_attacks.py",
    ),
    "verifier/parameter_floor.py": ("tests/verifier/floors", "tests/verifier/test_policy.py"),
    "verifier/policy.py": ("tests/verifier/test_policy.py",),
    "argument/proof.py": ("tests/argument/test_proof_bytes.py", "tests/argument/test_shape.py"),
    "argument/rows.py": ("tests/argument/test_rows.py",),
    "argument/challenges.py": ("tests/argument/test_conversation.py", "tests/verifier/test_flips.py"),
    "argument/documents.py": ("tests/argument/test_documents.py", "tests/attestation/test_one_encoding.py"),
    "circuits/relation.py": ("tests/circuits/test_refusals.py", "tests/circuits/test_thresholds.py"),
    "circuits/builder.py": ("tests/circuits/test_refusals.py", "tests/circuits/test_widths.py"),
    "circuits/statement.py": (
        "tests/circuits/test_digest.py",
        "tests/verifier/test_binding.py",
        "tests/argument/test_documents.py",
    ),
    "circuits/witness.py": ("tests/circuits/test_witness.py",),
    "verifier/service/store/ledger.py": (
        "tests/verifier/service/test_refusals.py",
        "tests/verifier/service/test_pledges.py",
    ),
    "verifier/grades.py": ("tests/verifier/test_grades.py",),
    "circuits/program_reader.py": ("tests/circuits/test_program_reader.py",),
    "verifier/service/uploads.py": ("tests/verifier/service/test_strangers.py",),
}
"""By file, the tests of its checks."""

_SOLVER = ("tests/circuits/solver",)

BY_HAND: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "circuits/relation.py",
        "self._check_threshold(threshold)",
        "None",
        ("tests/circuits/test_thresholds.py",),
    ),
    (
        "circuits/relation.py",
        "if total >= MODULUS",
        "if total > 2 * MODULUS",
        ("tests/circuits/test_refusals.py", "tests/circuits/test_thresholds.py"),
    ),
    (
        "argument/rows.py",
        "if relation.holdings not in checked",
        "if not checked",
        ("tests/argument/test_rows.py",),
    ),
    (
        "verifier/service/store/ledger.py",
        "pledge.accounts & ids",
        "pledge.accounts == ids",
        ("tests/verifier/service/test_pledges.py",),
    ),
    ("circuits/models/span/pools.py", "{more: -bound, rest: -1}, constant=bound)", "{rest: 1})", _SOLVER),
    ("circuits/models/span/pools.py", "_minus({more: max(due.bound, 1)}, due.rows))", "{more: 1})", _SOLVER),
    ("circuits/models/span/pools.py", "{bit: bound, long: -1})", "{long: 1})", _SOLVER),
    ("circuits/models/span/pools.py", "{bit: -bound, short: -1}, constant=bound)", "{short: 1})", _SOLVER),
    (
        "circuits/models/span/pools.py",
        "slack = ratio - 1 if number == 0",
        "slack = bound if number == 0",
        _SOLVER,
    ),
    ("circuits/models/span/risk.py", "{row: 1, **later})", "{row: 1})", _SOLVER),
    ("circuits/models/span/risk.py", "{bit: -bound, row: -1}, constant=bound)", "{row: 1})", _SOLVER),
    (
        "circuits/models/span/risk.py",
        "{bit: -2 * bound, twice: -1}, constant=2 * bound)",
        "{bit: -2 * bound, twice: -1}, constant=8 * bound)",
        _SOLVER,
    ),
    ("circuits/models/span/risk.py", "constant=half)", "constant=step)", _SOLVER),
    ("circuits/models/span/risk.py", "constant=step - 1 - half", "constant=step", _SOLVER),
    (
        "circuits/builder.py",
        "self._others.append((_Draft(name, lots, None), {}, {top: -1}, most))",
        "None",
        ("tests/circuits/test_widths.py", *_SOLVER),
    ),
    (
        "circuits/builder.py",
        "self._others.append((_Draft(name, lots, None), {variable: -1}, _NONE, limit))",
        "None",
        ("tests/circuits/test_widths.py", *_SOLVER),
    ),
    (
        "verifier/parameter_floor.py",
        "yield from _short_shares(asked, has)",
        "return",
        ("tests/verifier/floors",),
    ),
    (
        "verifier/parameter_floor.py",
        "yield from _short_collaterals(asked, has, levels)",
        "return",
        ("tests/verifier/floors",),
    ),
    ("verifier/parameter_floor.py", "if has < asked:", "if False:", ("tests/verifier/floors",)),
    ("verifier/parameter_floor.py", "if has > asked:", "if False:", ("tests/verifier/floors",)),
    ("verifier/parameter_floor.py", "elif has != asked:", "elif False:", ("tests/verifier/floors",)),
    (
        "verifier/submission.py",
        "not set(found) & set(pins)",
        "False",
        ("tests/verifier/floors/test_attacks.py",),
    ),
    ("verifier/submission.py", "    snapshot.reproduce()\n", "\n", ("tests/verifier/test_submission.py",)),
    (
        "verifier/submission.py",
        "    verify_batch(prepared.items, setup)\n",
        "\n",
        ("tests/verifier/test_submission.py",),
    ),
    (
        "verifier/service/http/limits.py",
        "own > max(self._most // 2, count)",
        "False",
        ("tests/verifier/service/test_strangers.py",),
    ),
    (
        "attestation/names.py",
        "return _CANONICAL.fullmatch(name) is not None",
        "return True",
        ("tests/venue/test_issue.py",),
    ),
    (
        "margin/files/literals.py",
        "type(value) is type(member) and ",
        "",
        ("tests/attestation/test_one_encoding.py",),
    ),
)
"""File, text, what takes its place, and tests."""


def guards(file: str, tests: tuple[str, ...]) -> Iterator[Mutant]:
    """A mutant for each `if` of a file that only raises: it never does."""
    text = (ROOT / file).read_text()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise):
            test = node.test
            start, old = starts[test.lineno - 1] + test.col_offset, ast.get_source_segment(text, test) or ""
            if text.isascii() or text[start : start + len(old)] == old:
                yield Mutant(file, test.lineno, old, "False", start, tests)


def mutants() -> Iterator[Mutant]:
    """All of them, those by hand first."""
    for file, old, new, tests in BY_HAND:
        text = (ROOT / file).read_text()
        assert text.count(old) == 1, f"{file}: {old!r} is there {text.count(old)} times"
        start = text.index(old)
        yield Mutant(file, text.count("\n", 0, start) + 1, old, new, start, tests)
    for file, tests in GUARDED.items():
        yield from guards(file, tests)
