"""The program of a relation: read back by a reader of its own, it says what the relation says and nothing twice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.argument.toys import TOYS, Toy
from zkmargin.circuits import Relation, RelationError, build_relation
from zkmargin.circuits.matrix import IntMatrix
from zkmargin.circuits.program import (
    LONGEST_GAP,
    LONGEST_RUN,
    _matrix_runs,
    encode_program,
    encode_run,
    leading_singles,
    plain_runs,
)
from zkmargin.margin.market import example_market
from zkmargin.margin.snapshot.snapshot import Snapshot


@dataclass
class Reader:
    """Reads a program from its front."""

    data: bytes
    at: int = 0
    head: dict[str, int] = field(default_factory=dict)

    def number(self, size: int) -> int:
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "big")

    def runs(self, count: int) -> dict[int, dict[int, int]]:
        found: dict[int, dict[int, int]] = {}
        for _ in range(count):
            variable, first, size = self.number(3), self.number(3), self.number(2)
            width = 8 << (size >> 14)
            for place in reversed(range(size & 0x3FFF)):
                entry = self.number(width) - (1 << (8 * width - 1))
                if entry:
                    assert first + place not in found.setdefault(variable, {})
                    found[variable][first + place] = entry
        return found


NAMES = (
    *(("mode", 1), ("bits", 1), ("group", 2), ("columns", 2), ("squares", 2), ("equations", 4), ("rows", 4)),
    *(("single", 4), ("constants", 4), ("row runs", 4), ("u runs", 4), ("v runs", 4), ("holding runs", 4)),
    *(("zeros", 20), ("step", 32), ("reach", 32)),
)


def by_columns(matrix: IntMatrix) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {}
    for equation, row in enumerate(matrix.mappings):
        for variable, value in row.items():
            found.setdefault(variable, {})[equation] = value
    return found


def check_program(relation: Relation, frame: bool) -> None:
    reader = Reader(encode_program(relation, frame=frame))
    assert reader.data[:4] == b"zkm1"
    reader.at = 4
    head = {name: reader.number(size) for name, size in NAMES}
    assert reader.at == 128
    assert (head["mode"], head["zeros"]) == (int(frame), 0)
    assert (head["step"], head["reach"], head["group"]) == (relation.step, relation.reach, relation.group)
    assert (head["bits"], head["columns"], head["squares"]) == (
        relation.bits,
        relation.columns,
        relation.squares,
    )
    assert (head["equations"], head["rows"]) == (relation.equations, len(relation.rows))
    own, runs = {}, []
    for index, row in enumerate(relation.rows):
        assert reader.number(1) == row.limbs
        place = reader.number(3)
        if place:
            own[index] = {place - 1: -1}
        runs.append(reader.number(4))
    constants = reader.runs(head["constants"]).get(0, {})
    assert [constants.get(i, 0) for i in range(relation.equations)] == list(relation.constants_at_zero)
    assert sum(runs) == head["row runs"]
    terms: dict[int, dict[int, int]] = {}
    for index, count in enumerate(runs):
        found = reader.runs(count)
        assert set(found) <= {index}
        if own.get(index) or found:
            terms[index] = own.get(index, {}) | found.get(index, {})
    assert terms == by_columns(relation.row_terms)
    assert reader.runs(head["u runs"]) == by_columns(relation.u_terms)
    assert reader.runs(head["v runs"]) == by_columns(relation.v_terms)
    if frame:
        assert (head["single"], head["holding runs"]) == (0, 0)
    else:
        wanted = by_columns(relation.holdings)
        found = reader.runs(head["holding runs"])
        for slot in range(head["single"]):
            found.setdefault(slot, {})[slot] = 1
        assert found == wanted
    assert reader.at == len(reader.data)


@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS.keys())
def test_a_toy_is_read_back(toy: Toy, frame: bool) -> None:
    check_program(toy.relation(threshold=7), frame)


SNAPSHOT = Snapshot.build(example_market())


@pytest.mark.parametrize("model", ["grid", "cross", "span", "isolated"])
def test_a_model_is_read_back(model: str) -> None:
    relation = build_relation(SNAPSHOT, model=model)
    check_program(relation, False)
    assert leading_singles(relation.holdings) == len(SNAPSHOT.universe)


entries = st.one_of(
    st.integers(-9, 9), st.sampled_from((1 << 63, -1 << 63, (1 << 63) - 1, (1 << 127) - 1, -1 << 127))
)
matrices = st.lists(st.dictionaries(st.integers(0, 3), entries, max_size=4), max_size=30)


@settings(max_examples=150, deadline=None)
@given(matrices, st.integers(0, 3))
def test_all_runs_at_once_are_those_found_one_by_one(rows: list[dict[int, int]], skip: int) -> None:
    matrix = IntMatrix.from_rows(rows, 4)
    data, counts = _matrix_runs(matrix, skip=skip)
    left = {v: {e: a for e, a in c.items() if e >= skip} for v, c in by_columns(matrix).items()}
    runs = plain_runs(left)
    assert data == b"".join(map(encode_run, runs))
    assert counts.tolist() == [sum(run[0] == variable for run in runs) for variable in range(4)]


def spaced(*places: int) -> Iterator[Mapping[int, int]]:
    return ({0: 1} if place in places else {} for place in range(max(places) + 1))


@pytest.mark.parametrize(
    ("places", "runs"),
    [
        ((0, 1 + LONGEST_GAP), 1),
        ((0, 2 + LONGEST_GAP), 2),
        (tuple(range(0, LONGEST_RUN, 2)), 1),
        (tuple(range(LONGEST_RUN + 1)), 2),
        ((*range(0, LONGEST_RUN, 2), LONGEST_RUN, LONGEST_RUN + 1), 2),
        (tuple(range(2 * LONGEST_RUN + 1)), 3),
    ],
)
def test_where_a_run_ends(places: tuple[int, ...], runs: int) -> None:
    matrix = IntMatrix.from_rows(spaced(*places), 1)
    plain = plain_runs(by_columns(matrix))
    assert len(plain) == runs
    assert all(run[2][0] and run[2][-1] for run in plain)
    assert _matrix_runs(matrix)[0] == b"".join(map(encode_run, plain))


def test_leading_equations_are_counted_as_far_as_they_are_of_one_slot_each() -> None:
    def count(*rows: dict[int, int]) -> int:
        return leading_singles(IntMatrix.from_rows(rows, 3))

    assert count() == 0
    assert count({}) == 0
    assert count({0: 1}, {1: 1}, {2: 1}, {0: 1}) == 3
    assert count({0: 1}, {1: 2}, {2: 1}) == 1
    assert count({0: 1}, {1: 1, 2: 1}) == 1
    assert count({0: 1}, {2: 1}) == 1
    assert count({0: 1 << 64}) == 0


def test_a_constant_beyond_256_bits_is_refused() -> None:
    assert encode_run((0, 0, [(1 << 255) - 1]))[6] >> 6 == 2
    with pytest.raises(RelationError, match="256 bits"):
        encode_run((0, 0, [1 << 255]))
