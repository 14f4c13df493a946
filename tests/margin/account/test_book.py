"""Books of accounts: the kernel against one requirement after the other, and every account that cannot be valued."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zkmargin.margin.account import book as module
from zkmargin.margin.account.book import Accounts, excesses, plain_excesses
from zkmargin.margin.arithmetic.kernels import native
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.example import example_market
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return Snapshot.build(example_market())


def book(snapshot: Snapshot, count: int, positions: int, size: float, seed: int = 7) -> Accounts:
    """Accounts that hold up to `size` of each bound, at least a lot."""
    drawn = np.random.default_rng(seed)
    universe = snapshot.universe
    bounds = np.array([instrument.bound for instrument in universe.instruments], dtype=np.float64)
    slots = np.concatenate([drawn.choice(len(universe), positions, replace=False) for _ in range(count)])
    lots = np.rint(drawn.uniform(-1, 1, len(slots)) * np.maximum(1, bounds[slots] * size)).astype(np.int64)
    offsets = np.arange(0, count * positions + 1, positions, dtype=np.int64)
    return Accounts(offsets, slots.astype(np.int32), lots)


def same(snapshot: Snapshot, accounts: Accounts, level: Level) -> None:
    fast, plain = excesses(snapshot, accounts, level=level), plain_excesses(snapshot, accounts, level=level)
    assert fast.excesses.tolist() == plain.excesses.tolist()
    assert fast.account_values.tolist() == plain.account_values.tolist()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("size", [1e-6, 1e-4, 1e-3])
def test_a_book_is_its_accounts_one_by_one(snapshot: Snapshot, level: Level, size: float) -> None:
    """The largest size passes 64 bits within groups, so that the wide sums are taken too."""
    same(snapshot, book(snapshot, 40, 30, size), level)


def test_empty_accounts_and_an_empty_book(snapshot: Snapshot) -> None:
    nothing = Accounts(np.zeros(3, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))
    assert excesses(snapshot, nothing).excesses.tolist() == [0, 0]
    none = Accounts(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))
    assert len(excesses(snapshot, none).excesses) == 0


def test_the_plain_twin_serves_where_the_kernel_cannot(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = book(snapshot, 5, 20, 1e-6)
    expected = excesses(snapshot, accounts).excesses.tolist()
    monkeypatch.setenv("ZKMARGIN_BACKEND", "reference")
    assert excesses(snapshot, accounts).excesses.tolist() == expected


def test_a_factor_too_fine_for_the_kernel_is_left_to_the_plain_twin() -> None:
    factors = {"initial": "1", "maintenance": "0.80001"}
    parameters = parse_parameters({"grid": {"loss_factor": factors}}, "test")
    fine = Snapshot.build(example_market(), parameters)
    same(fine, book(fine, 5, 20, 1e-6), "maintenance")
    assert module._kernel(fine, "maintenance") is None


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("slots", "lots", "message"),
    [
        ([0, 500], [1, 1], "account 1: slots: a slot that the universe lacks"),
        ([0, -1], [1, 1], "account 1: slots: a slot that the universe lacks"),
        ([0, 4], [1, 1 << 40], "account 1: lots of .*: beyond the bound"),
        ([0, 4], [1, -(1 << 63)], "account 1: lots of .*: beyond the bound"),
    ],
)
def test_an_account_that_cannot_be_valued_is_named(
    snapshot: Snapshot, plain: bool, slots: list[int], lots: list[int], message: str
) -> None:
    accounts = Accounts(np.array([0, 1, 2]), np.array(slots, np.int32), np.array(lots))
    with pytest.raises(InputError, match=message):
        (plain_excesses if plain else excesses)(snapshot, accounts)


@pytest.mark.parametrize("plain", [False, True])
def test_a_slot_twice_and_amounts_beyond_64_bits_are_named(snapshot: Snapshot, plain: bool) -> None:
    value = plain_excesses if plain else excesses
    twice = Accounts(np.array([0, 2]), np.array([3, 3], np.int32), np.array([1, 1]))
    with pytest.raises(InputError, match=r"account 0: slots: .* twice"):
        value(snapshot, twice)
    bitcoin = snapshot.universe.slot("BTC")
    vast = Accounts(
        np.array([0, 1]),
        np.array([bitcoin], np.int32),
        np.array([snapshot.universe.instruments[bitcoin].bound]),
    )
    with pytest.raises(InputError, match="account 0: account value: beyond 64 bits"):
        value(snapshot, vast)


@pytest.mark.parametrize(
    ("offsets", "slots", "lots", "message"),
    [
        (np.array([0, 1]), np.array([1]), np.array([1]), "slots: int64"),
        (np.array([0, 2]), np.array([1], np.int32), np.array([1]), "offsets"),
        (np.array([1, 1]), np.array([1], np.int32), np.array([1]), "offsets"),
        (np.array([0, 1]), np.array([1], np.int32), np.array([1, 2]), "lots"),
    ],
)
def test_arrays_that_are_no_book_are_refused(
    offsets: np.ndarray, slots: np.ndarray, lots: np.ndarray, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Accounts(offsets, slots, lots)


def test_a_snapshot_without_the_grid_is_refused(snapshot: Snapshot) -> None:
    poor = replace(snapshot, models={"cross": snapshot.models["cross"]})
    if native():
        with pytest.raises(InputError, match="grid"):
            excesses(poor, book(snapshot, 1, 3, 1e-6))


def test_accounts_are_made_of_their_lots() -> None:
    made = Accounts.of([[0, 3, -2], [0, 0, 0], (5, 0, 1)])
    assert made.offsets.tolist() == [0, 2, 2, 4]
    assert made.slots.tolist() == [1, 2, 0, 2]
    assert made.lots.tolist() == [3, -2, 5, 1]
    assert [made.dense(account, 3) for account in range(3)] == [[0, 3, -2], [0, 0, 0], [5, 0, 1]]
    assert len(Accounts.of([])) == 0
    with pytest.raises(InputError, match="accounts: lots: beyond 64 bits: reduce the position"):
        Accounts.of([[1 << 63]])
