"""Relations for many thresholds out of one: equal to those that are built from their beginning."""

import pytest

from zkmargin.circuits import RelationError, Thresholds, build_relation
from zkmargin.margin.market import example_market
from zkmargin.margin.snapshot import Snapshot

SNAPSHOT = Snapshot.build(example_market())


@pytest.mark.parametrize("model", ["grid", "cross"])
def test_each_equals_the_relation_built_from_its_beginning(model: str) -> None:
    family = Thresholds(SNAPSHOT, model=model)
    for threshold in (0, 1, -1, 250_000_000_000, 10**18, -(10**18), 10**24, 10**21, -(10**45), -(10**46), 0):
        built = build_relation(SNAPSHOT, model=model, threshold=threshold)
        made = family.at(threshold)
        assert made.digest == built.digest
        assert made.frame_digest == built.frame_digest
        assert made.rows == built.rows


def test_relations_share_their_matrices_but_not_their_constants() -> None:
    family = Thresholds(SNAPSHOT, model="cross")
    one, other = family.at(1), family.at(2)
    assert one.holdings is other.holdings
    assert one.limb_weights is other.limb_weights
    assert one.constants[:-1] == other.constants[:-1]
    assert one.constants[-1] != other.constants[-1]
    assert one.digest != other.digest


def test_a_threshold_that_could_wrap_around_is_refused() -> None:
    with pytest.raises(RelationError, match="too many"):
        Thresholds(SNAPSHOT, model="cross").at(-(1 << 235))
    with pytest.raises(RelationError, match="could wrap around"):
        Thresholds(SNAPSHOT, model="cross").at(1 << 260)
