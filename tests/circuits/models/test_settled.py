"""Every model's rows with slots that have settled and options of both premium styles: the law, at both levels."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.circuits.law import at_the_bounds, law
from tests.margin.expiring import VENUES, across, as_balances, settled_slots
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS

CASES = [(venue, model) for venue in ("", *VENUES) for model in (("grid",) if venue else across()[1].models)]
cases = pytest.mark.parametrize(("venue", "model"), CASES)


def accounts(made: Snapshot) -> st.SearchStrategy[list[int]]:
    """Up to 30 positions, and cash of either sign."""
    count = len(made.universe)
    held = st.dictionaries(st.integers(1, count - 1), st.integers(-(10**6), 10**6), max_size=30)
    cash = st.integers(-(10**14), 10**14)
    return st.builds(lambda lots, usd: [usd, *(lots.get(slot, 0) for slot in range(1, count))], held, cash)


@cases
@given(data=st.data())
@settings(max_examples=4, deadline=None)
def test_the_excess_proves_and_one_tick_more_does_not(venue: str, model: str, data: st.DataObject) -> None:
    made = data.draw(st.sampled_from(across(venue)))
    law(made, data.draw(accounts(made)), model, data.draw(st.sampled_from(LEVELS)))


@cases
def test_what_is_owed_cannot_be_left_out(venue: str, model: str) -> None:
    """An account that only owes settled contracts, and the same account that owes the balances."""
    made = across(venue)[1]
    lots = [0] * len(made.universe)
    lots[0] = 10**11
    for slot in settled_slots(made):
        lots[slot] = -20
    for level in LEVELS:
        law(made, lots, model, level)
        law(made, as_balances(made, lots), model, level)


@pytest.mark.fuzz
@cases
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_law_at_length(venue: str, model: str, data: st.DataObject) -> None:
    made = data.draw(st.sampled_from(across(venue)))
    law(made, data.draw(accounts(made)), model, data.draw(st.sampled_from(LEVELS)))


@cases
def test_at_the_bounds(venue: str, model: str) -> None:
    at_the_bounds(across(venue)[1], model)
