"""A masked commitment is the plain one, made without looking at what is held."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.algebra import ceremony, get_backend
from zkmargin.algebra.field import MODULUS
from zkmargin.prover.commit import commit_masked, commit_sparse, random_blinder

HELD = st.dictionaries(st.integers(0, 63), st.integers(-(1 << 62), 1 << 62), max_size=64)


@settings(max_examples=8, deadline=None)
@given(HELD, st.integers(0, MODULUS - 1))
def test_it_commits_to_the_same(held: dict[int, int], blinder: int) -> None:
    setup = ceremony(get_backend())
    plain, masked = (make(setup, 64, held, blinder) for make in (commit_sparse, commit_masked))
    assert setup.backend.encode(plain) == setup.backend.encode(masked)


@pytest.mark.parametrize(
    "held", [{}, {5: 1}, {slot: -slot << 40 for slot in range(64)}], ids=["none", "one", "all"]
)
def test_what_is_multiplied_looks_the_same_whatever_is_held(
    held: dict[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every slot is there, and all quantities are as large as the field's elements are."""
    setup = ceremony(get_backend())
    seen: list[list[int]] = []
    vector = type(setup.backend).vector

    def spy(backend: object, values: list[int]) -> object:
        seen.append(list(values))
        return vector(backend, values)  # type: ignore[arg-type]

    monkeypatch.setattr(type(setup.backend), "vector", spy)
    commit_masked(setup, 64, held, random_blinder())
    # The last sum is over what is public, and the blinder.
    seen = [column for column in seen if len(column) > 3]
    assert [len(column) for column in seen] == [64, 64]
    for column in seen:
        assert len(set(column)) == 64
        assert min(value.bit_length() for value in column) > 230
    assert seen[0] != seen[1] or not held


@pytest.mark.parametrize("slot", [-1, 64])
def test_a_slot_outside_is_refused(slot: int) -> None:
    with pytest.raises(ValueError, match="lies outside"):
        commit_masked(ceremony(get_backend()), 64, {slot: 1}, 1)
