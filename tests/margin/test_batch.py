"""Many accounts at once: the integers of one by one."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.accounts import NOW, example, lots_of, tiny
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.batch import requirements
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.quotes import assemble
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.wide import Wide, linear

words = st.integers(-(1 << 115), 1 << 115)


def wide(values: list[int]) -> Wide:
    high = np.array([value >> 54 for value in values], dtype=np.int64)
    return Wide(high, np.array([value & ((1 << 54) - 1) for value in values], dtype=np.int64))


@given(pairs=st.lists(st.tuples(words, words), min_size=1, max_size=6))
@settings(max_examples=80)
def test_words_of_integers(pairs: list[tuple[int, int]]) -> None:
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    assert (wide(left) + wide(right)).integers() == [a + b for a, b in pairs]
    assert (-wide(left)).integers() == [-a for a in left]
    assert wide(left).positive().integers() == [max(0, a) for a in left]
    rows = Wide(wide(left).high[None, :], wide(left).low[None, :])
    assert rows.least().integers() == [min(left)]


@given(data=st.data())
@settings(max_examples=60)
def test_linear_forms_are_exact(data: st.DataObject) -> None:
    slots = data.draw(st.integers(1, 5))
    lots = data.draw(st.lists(st.integers(-(1 << 54), 1 << 54), min_size=slots, max_size=slots))
    table = data.draw(st.lists(st.integers(-(1 << 40), 1 << 40), min_size=slots, max_size=slots))
    scale = data.draw(st.lists(st.sampled_from([1, 10, 10**4]), min_size=slots, max_size=slots))
    found = linear(np.array([lots]), np.array(table)[:, None], scale).least().integers()
    assert found == [sum(q * v * f for q, v, f in zip(lots, table, scale, strict=True))]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["grid", "isolated", "cross"])
@given(accounts=st.lists(lots_of(example(), 1 << 54), min_size=1, max_size=4))
@settings(max_examples=12, deadline=None)
def test_batches_equal_single_accounts(accounts: list[list[int]], name: str, level: Level) -> None:
    found = requirements(example(), np.array(accounts, dtype=np.int64), model=name, level=level)
    for number, lots in enumerate(accounts):
        alone = requirement(example(), lots, model=name, level=level)
        assert found.account_values[number] == alone.account_value
        assert found.requirements[number] == alone.requirement
        assert found.excess_ticks[number] == alone.excess_ticks


@pytest.mark.parametrize("name", list(tiny().models))
def test_every_model_takes_full_accounts_in_several_chunks(name: str) -> None:
    bounds = np.array([i.bound for i in tiny().universe.instruments], dtype=np.int64)
    accounts = np.stack([bounds, -bounds] * 600)
    found = requirements(tiny(), accounts, model=name)
    for number in (0, 1, -1):
        alone = requirement(tiny(), accounts[number].tolist(), model=name)
        assert (found.account_values[number], found.requirements[number]) == (
            alone.account_value,
            alone.requirement,
        )


def test_a_market_of_balances_alone() -> None:
    snapshot = Snapshot.build(assemble("balances", NOW, {"BTC": Decimal(50000)}, []), domain=64)
    lots = [10**9, 10**8]
    found = requirements(snapshot, np.array([lots], dtype=np.int64))
    assert found.requirements == (requirement(snapshot, lots).requirement,)


def test_no_accounts_no_requirements() -> None:
    assert requirements(tiny(), np.zeros((0, len(tiny().universe)), dtype=np.int64)).excess_ticks == ()


def test_wrong_batches_are_refused() -> None:
    count = len(tiny().universe)
    lots = np.zeros((2, count), dtype=np.int64)
    with pytest.raises(InputError, match="give int64 rows"):
        requirements(tiny(), lots[:, 1:])
    with pytest.raises(InputError, match="give int64 rows"):
        requirements(tiny(), lots.astype(float))
    with pytest.raises(InputError, match="the snapshot has"):
        requirements(tiny(), lots, model="wild")
    with pytest.raises(InputError, match="initial, maintenance"):
        requirements(tiny(), lots, level="sometimes")  # type: ignore[arg-type]
    lots[1, 3] = np.iinfo(np.int64).min
    with pytest.raises(InputError, match=r"account 1: lots of BTC_USD-PERPETUAL"):
        requirements(tiny(), lots)
