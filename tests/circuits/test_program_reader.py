"""Programs read back: the same relation as far as verification goes, and no other encoding of it."""

from __future__ import annotations

import pytest

from tests.argument.toys import TOYS, Toy
from tests.margin.accounts import tiny
from zkmargin.circuits import RelationError, build_relation
from zkmargin.circuits.program import encode_program
from zkmargin.circuits.program_reader import LARGEST_PROGRAM, ProgramError, decode_program
from zkmargin.circuits.relation import Relation
from zkmargin.margin.units import LEVELS, Level

MODELS = tuple(tiny().models)


def same(read: Relation, relation: Relation) -> None:
    """All that a program says is equal, and so are the bounds that it proves."""
    for name in ("domain", "columns", "squares", "group", "defines", "step", "reach", "constants_at_zero"):
        assert getattr(read, name) == getattr(relation, name)
    assert [(row.limbs, row.free) for row in read.rows] == [(row.limbs, row.free) for row in relation.rows]
    for name in ("holdings", "row_terms", "u_terms", "v_terms"):
        assert getattr(read, name).mappings == getattr(relation, name).mappings
    assert read.digest == relation.digest
    assert read.frame_digest == relation.frame_digest


@pytest.mark.parametrize("name", TOYS)
def test_a_toy_comes_back(name: str) -> None:
    relation = TOYS[name].relation(3)
    same(decode_program(encode_program(relation)), relation)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("model", MODELS)
def test_a_model_comes_back_with_the_bounds_that_it_proves(model: str, level: Level) -> None:
    relation = build_relation(tiny(), model=model, level=level)
    read = decode_program(encode_program(relation))
    same(read, relation)
    assert read.holding_bounds == relation.holding_bounds


def test_a_frame_comes_back_without_holdings() -> None:
    relation = Toy(squares=True).relation()
    read = decode_program(encode_program(relation, frame=True))
    assert read.holdings.nonzeros == 0
    assert read.frame_digest == relation.frame_digest


def test_every_byte_counts() -> None:
    """A changed byte is refused, or is another relation with another digest."""
    relation = Toy(squares=True).relation()
    good = encode_program(relation)
    for at in range(len(good)):
        changed = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        try:
            read = decode_program(changed)
        except (ProgramError, RelationError):
            continue
        assert encode_program(read) == changed
        assert read.digest != relation.digest


def test_every_cut_is_refused() -> None:
    good = encode_program(Toy().relation())
    for end in range(len(good)):
        with pytest.raises(ProgramError):
            decode_program(good[:end])


def test_a_head_that_promises_the_world_is_refused_before_memory_is_taken() -> None:
    good = encode_program(Toy().relation())
    for at in (12, 16, 20):
        with pytest.raises(ProgramError, match="promises more"):
            decode_program(good[:at] + b"\x00\xff\xff\xff" + good[at + 4 :])
    with pytest.raises(ProgramError, match="at most"):
        decode_program(bytes(LARGEST_PROGRAM + 1))


def test_a_holding_that_nothing_bounds_is_refused() -> None:
    """A relation on bounds that an attester vouches for cannot be checked by itself."""
    cut = decode_program(encode_program(Toy().relation()))
    terms = [dict(row) for row in cut.holdings.mappings]
    for row in terms:
        # The equations of this holding alone no longer have it with the coefficient 1 or -1.
        if list(row) == [0]:
            row[0] *= 2
    vars(cut).update(holdings=type(cut.holdings).from_rows(terms, cut.holdings.cols))
    with pytest.raises(RelationError, match="nothing bounds variable 0"):
        decode_program(encode_program(cut))
