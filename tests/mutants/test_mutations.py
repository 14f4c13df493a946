"""The list of mutants fits the source: every text is there, and every test that must notice exists."""

import ast

from tests.mutants.mutations import GUARDED, ROOT, mutants
from tests.mutants.run import EXPLAINED


def test_every_mutant_is_a_change_that_python_reads() -> None:
    found = list(mutants())
    assert len({mutant.name for mutant in found}) > 100
    for mutant in found:
        changed = mutant.applied((ROOT / mutant.file).read_text())
        ast.parse(changed)
        for test in mutant.tests:
            assert (ROOT / test).exists(), test


def test_every_file_with_checks_has_some() -> None:
    files = {mutant.file for mutant in mutants()}
    assert set(GUARDED) <= files
    assert EXPLAINED.exists()
