"""Correlation margin: against numpy, against sums by hand, and against input that cannot be used."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.accounts import example, tiny_market
from tests.margin.coins import coin_accounts, coin_market, coin_snapshot
from zkmargin.circuits import build_relation
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market import example_market
from zkmargin.margin.market.history import PriceHistory
from zkmargin.margin.models.correlation.covariance import covariances, moments, stormiest
from zkmargin.margin.models.correlation.tables import CorrelationTables
from zkmargin.margin.parameters.correlation import CorrelationSection
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.units import LEVELS, Level

GIVEN: Mapping[str, Any] = {
    "source": "given",
    "coins": ["BTC", "ETH", "SOL"],
    "volatilities": ["0.5", "0.7", "0.9"],
    "correlation": [["1", "0.8", "0.6"], ["0.8", "1", "0.7"], ["0.6", "0.7", "1"]],
    "stressed_volatilities": ["0.9", "1.1", "1.6"],
    "stressed_correlation": [["1", "0.9", "0.9"], ["0.9", "1", "0.9"], ["0.9", "0.9", "1"]],
    "undiversified": {"initial": "1.5", "maintenance": "1"},
}
COINS = ("BTC", "ETH", "SOL")


def given_snapshot(section: Mapping[str, Any] = GIVEN) -> Snapshot:
    return coin_snapshot(COINS, {"correlation": dict(section)})


MADE = given_snapshot()


def tables_of(made: Snapshot) -> CorrelationTables:
    tables = made.models["correlation"]
    assert isinstance(tables, CorrelationTables)
    return tables


def dollar_deltas(made: Snapshot, lots: list[int]) -> list[float]:
    """Exposures by the published deltas, in USD."""
    money = 10**made.money_decimals
    return [float(Fraction(x, money)) for x in tables_of(made).exposures(made.scale, lots)]


# Against numpy -------------------------------------------------------------------------------------


def in_floating_point(
    made: Snapshot, section: Mapping[str, Any], lots: list[int], level: Level
) -> list[float]:
    """sqrt(x' Sigma x) in USD with Sigma as it was given, for either matrix; and the stress without offsets."""
    x = np.array(dollar_deltas(made, lots))
    given = CorrelationSection.model_validate(dict(section))
    days, multiple = given.horizon.at(level), float(given.multiplier.at(level))
    losses = []
    for volatilities, matrix in ((given.volatilities, given.correlation), given.stressed):
        deviations = np.array([float(v) for v in volatilities]) * np.sqrt(days / 365)
        sigma = np.outer(deviations, deviations) * np.array(matrix, dtype=float)
        losses.append(multiple * np.sqrt(x @ sigma @ x))
    worst = np.array([float(v) for v in given.stressed[0]]) * np.sqrt(days / 365)
    losses.append(float(given.undiversified.at(level)) * float(worst @ np.abs(x)))
    return losses


def agrees(made: Snapshot, section: Mapping[str, Any], lots: list[int], level: Level) -> None:
    """To a billionth: of the loss, or of what is offset in it, and to a millionth of a millionth of a dollar."""
    found = tables_of(made).measures(made.scale, lots, level)
    gross = float(np.abs(dollar_deltas(made, lots)).sum())
    for (_, amount), expected in zip(found, in_floating_point(made, section, lots, level), strict=True):
        loss = float(Fraction(amount, 10**made.money_decimals))
        assert loss == pytest.approx(expected, rel=1e-9, abs=1e-12 + 1e-10 * max(0, gross - 100 * expected))


@settings(max_examples=40, deadline=None)
@given(coin_accounts(MADE), st.sampled_from(LEVELS))
def test_the_loss_is_that_of_floating_point(lots: list[int], level: Level) -> None:
    agrees(MADE, GIVEN, lots, level)


def with_lots(
    exponents: Mapping[str, int], domain: int = 64, bounds: Mapping[str, int] | None = None
) -> Snapshot:
    """The market with other lots and bounds of some instruments, by name or kind."""
    market, limits = coin_market(COINS), bounds or {}
    instruments = tuple(
        replace(
            i,
            lot_exponent=exponents.get(i.name, exponents.get(i.kind, i.lot_exponent)),
            bound=limits.get(i.name, limits.get(i.kind, i.bound)),
        )
        for i in market.instruments
    )
    parameters = parse_parameters({"correlation": dict(GIVEN)}, "test")
    return Snapshot.build(replace(market, instruments=instruments), parameters, domain=domain)


COARSE = {"USD": -6, "option": -3, "perpetual": -6, "future": -6}
FINE: Mapping[str, Mapping[str, int]] = {
    "eighth": {},
    "tenth": {"SOL": -10},
    "twelfth": {"ETH": -12, "SOL": -12},
    "all": {**dict.fromkeys(COINS, -18), **COARSE},
}


@pytest.mark.parametrize("domain", [64, 256, 512, 1024, 2048])
@pytest.mark.parametrize("name", FINE)
def test_fine_lots_lose_no_precision(name: str, domain: int) -> None:
    """One lot of each coin, any number of them, and all at their bounds."""
    made = with_lots(FINE[name], domain, {"option": 1 << 10, "future": 1 << 20, "perpetual": 1 << 20})
    slots = [made.universe.slot(coin) for coin in COINS]
    assert made.left_out == {}
    for level in LEVELS:
        for held in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (123_456_789, 0, -1), (1 - (1 << 54),) * 3):
            lots = [0] * len(made.universe)
            for slot, amount in zip(slots, held, strict=True):
                lots[slot] = amount
            found = tables_of(made).measures(made.scale, lots, level)
            expected = in_floating_point(made, GIVEN, lots, level)
            for (_, amount), loss in zip(found, expected, strict=True):
                # The loss is rounded up to a step of K.
                exact = Fraction(loss) * 10**made.money_decimals
                assert abs(amount - exact) <= exact / 10**9 + tables_of(made).step + 1


def test_lots_too_fine_to_be_squared_leave_the_model_out_and_nothing_else() -> None:
    """Beside holdings of billions of dollars a lot of SOL could not be told from rounding."""
    bounds = {"BTC": 2 * 10**13, "ETH": 10**10, "option": 1, "future": 1, "perpetual": 1}
    made = with_lots({"SOL": -18, **COARSE}, 1024, bounds)
    assert set(made.left_out) == {"correlation"}
    assert "one lot is too fine to be squared beside" in made.left_out["correlation"]
    assert {"cross", "isolated", "grid"} <= set(made.models)
    with pytest.raises(InputError, match=r"it had to be left out: .* instrument SOL: lot: .* coarser lot"):
        requirement(made, [0] * len(made.universe), model="correlation")


@settings(max_examples=40, deadline=None)
@given(coin_accounts(MADE), st.sampled_from(LEVELS))
def test_the_loss_is_the_least_that_covers_every_matrix(lots: list[int], level: Level) -> None:
    """By the definition, with every entry rounded as it is written."""
    tables = tables_of(MADE)
    found = requirement(MADE, lots, model="correlation", level=level)
    loss = sum(c.amount for c in found.assessment.charges if c.kind == "correlated loss")
    x = tables.exposures(MADE.scale, lots)
    fine = Fraction(2) ** tables.bits

    def covered(amount: int) -> bool:
        for factor in tables.factors:
            lower = factor.lower[level].tolist()
            sums = [0] * 3
            for slot, held in enumerate(lots):
                unit, money = tables.unit_of[slot], int(tables.delta[slot]) * MADE.scale[slot]
                for k in range(3 if unit >= 0 else 0):
                    sums[k] += held * floor(Fraction(lower[unit][k], 1 << 52) * money * fine + Fraction(1, 2))
            if (amount * fine) ** 2 < sum(part * part for part in sums):
                return False
        pairs = zip(tables.undiversified[level], x, strict=True)
        return (amount << 52) >= sum(each * abs(size) for each, size in pairs)

    assert covered(int(loss))
    assert loss == 0 or not covered(int(loss) - tables.step)
    assert len(found.assessment.considered) == 3
    assert max(c.amount for c in found.assessment.considered) == loss


def test_deltas_are_slopes() -> None:
    """A thousandth more of spot and forward changes values by a thousandth of the deltas, curvature aside."""
    made, step = example_correlation(), Decimal("0.001")
    grid = Snapshot.build(
        example_market(),
        parse_parameters({"grid": {"spot_shocks": [f"{step}", f"-{step}"], "tail_shocks": []}}, "test"),
    ).models["grid"]
    assert isinstance(grid, GridTables)
    moves = {(cell.spot, cell.volatility): row for cell, row in zip(grid.cells, grid.risk, strict=True)}
    slopes = (moves["0.001", "none"] - moves["-0.001", "none"]) / (2 * float(step))
    delta = tables_of(made).delta
    assert slopes == pytest.approx(delta, rel=2e-3, abs=2e6)


def example_correlation() -> Snapshot:
    section = {**GIVEN, "stressed_volatilities": [], "stressed_correlation": []}
    return Snapshot.build(example_market(), parse_parameters({"correlation": section}, "test"))


def test_what_has_no_delta() -> None:
    tables = tables_of(MADE)
    names = {i.name: slot for slot, i in enumerate(MADE.universe.instruments)}
    assert tables.unit_of[names["USD"]] == -1
    assert tables.delta[names["BTC-PERPETUAL"]] == 0
    assert tables.delta[names["BTC"]] == MADE.marks[names["BTC"]]


def test_hedges_cancel_under_a_matrix_and_not_in_the_stress() -> None:
    """Long BTC and short ETH of the same value: perfectly correlated they lose nothing."""
    ones = [["1", "1", "1"]] * 3
    made = given_snapshot(
        {**GIVEN, "volatilities": ["0.5"] * 3, "correlation": ones, "stressed_volatilities": [],
         "stressed_correlation": []}
    )  # fmt: skip
    lots = [10**13, 298415 * 10**4, -8821040 * 10**4, *[0] * (len(made.universe) - 3)]
    (_, together), (_, apart) = tables_of(made).measures(made.scale, lots, "initial")
    assert together * 10**12 < apart
    assert apart > 10**made.money_decimals


def test_the_naked_short_charge_stands_in_for_curvature() -> None:
    """Short straddles without delta are not free."""
    slot = next(s for s, i in enumerate(MADE.universe.instruments) if i.kind == "option")
    lots = [0] * len(MADE.universe)
    lots[slot] = -10
    kinds = {c.kind for c in requirement(MADE, lots, model="correlation").assessment.charges}
    assert kinds == {"correlated loss", "short options of a strike"}


def test_initial_is_never_below_maintenance() -> None:
    lots = [10**13, 3 * 10**8, -(10**9), *[2] * (len(MADE.universe) - 3)]
    initial, maintenance = (requirement(MADE, lots, model="correlation", level=level) for level in LEVELS)
    assert initial.requirement > maintenance.requirement


def test_the_snapshot_reads_back_and_reproduces(tmp_path: Path) -> None:
    MADE.dump(tmp_path / "s.json")
    again = Snapshot.load(tmp_path / "s.json")
    again.reproduce()
    lots = [10**13, 5 * 10**8, *[-3] * (len(MADE.universe) - 2)]
    found = [requirement(made, lots, model="correlation").requirement for made in (MADE, again)]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "change",
    [
        {"volatilities": ["0.5", "0.7", "0.91"]},
        {"correlation": [["1", "0.8", "0.6"], ["0.8", "1", "0.71"], ["0.6", "0.71", "1"]]},
        {"stressed_volatilities": ["0.9", "1.1", "1.61"]},
        {"stressed_correlation": [["1", "0.9", "0.9"], ["0.9", "1", "0.8"], ["0.9", "0.8", "1"]]},
        {"horizon": {"initial": 3, "maintenance": 1}},
        {"multiplier": {"initial": "3.01", "maintenance": "2.33"}},
        {"undiversified": {"initial": "1.51", "maintenance": "1"}},
        {"perpetual": {"initial": "0.01", "maintenance": "0.01"}},
        {"naked_short": {"initial": "0.06", "maintenance": "0.03"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_parameter_changes_the_rows(change: Mapping[str, Any]) -> None:
    changed = given_snapshot({**GIVEN, **change})
    assert changed.id != MADE.id
    one, other = (build_relation(made, model="correlation") for made in (MADE, changed))
    assert one.digest != other.digest


# From history ---------------------------------------------------------------------------------------


def history(days: int, seed: int = 7, names: tuple[str, ...] = ("BTC", "ETH")) -> PriceHistory:
    """Random walks with one stretch, days 100 to 130, three times as wild."""
    drawn = np.random.default_rng(seed)
    prices: dict[str, tuple[str | None, ...]] = {}
    for name in names:
        steps = drawn.normal(0, 0.02, days)
        steps[100:130] *= 3
        walk = 1000 * np.exp(np.cumsum(steps))
        prices[name] = tuple(f"{price:.4f}".rstrip("0").rstrip(".") for price in walk)
    return PriceHistory(date(2025, 1, 1), prices)


def test_covariance_from_history_is_numpys() -> None:
    made = history(300)
    section = CorrelationSection(window=90, stressed_window=30)
    normal, stressed = covariances(section, ("BTC", "ETH"), made, "test")
    closes = np.array([[float(p or 0) for p in made.prices[name]] for name in ("BTC", "ETH")])
    moves = closes[:, 1:] / closes[:, :-1] - 1
    for found, days in ((normal, moves[:, -90:]), (stressed, moves[:, 99:129])):
        assert np.array(found.matrix, dtype=float) == pytest.approx(days @ days.T / days.shape[1], rel=1e-6)
    assert normal.label == f"90 days to {made.date_of(299)}"
    assert stressed.label == f"30 days to {made.date_of(129)}"


def test_moments_and_the_stormiest_stretch_by_hand() -> None:
    assert moments([[10**9, 0], [10**9, -(10**9)]]) == (
        (Fraction(1, 2), Fraction(1, 2)),
        (Fraction(1, 2), Fraction(1)),
    )
    assert stormiest([[1, 5, -5, 0, 0]], 2) == 1
    assert stormiest([[3, 3, 3]], 1) == 0


def test_a_history_alone_is_enough() -> None:
    """The windows are as long as it allows: the valuation is on day 365, and has 364 moves behind it."""
    made = Snapshot.build(tiny_market(), domain=64, history=history(500, names=("BTC",)))
    assert [factor.label.split(" to ")[0] for factor in tables_of(made).factors] == ["364 days", "60 days"]
    made.reproduce()
    short = PriceHistory(date(2025, 12, 30), {"BTC": ("1", "2")})
    assert "correlation" not in Snapshot.build(tiny_market(), domain=64, history=short).models


def test_underlyings_that_move_as_one_are_no_obstacle() -> None:
    """A singular matrix is positive semi-definite."""
    one = history(300, names=("BTC",))
    twice = PriceHistory(one.first, {"BTC": one.prices["BTC"], "ETH": one.prices["BTC"]})
    section = {"correlation": {"window": 90, "stressed_window": 30}}
    made = Snapshot.build(
        coin_market(("BTC", "ETH")), parse_parameters(section, "test"), domain=64, history=twice
    )
    lower = tables_of(made).factors[0].lower["initial"]
    assert lower[1, 1] == 0 != lower[1, 0] == lower[0, 0]


# Input that cannot be used --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"correlation": [["1", "0.8", "0.6"], ["0.7", "1", "0.7"], ["0.6", "0.7", "1"]]}, "not symmetric"),
        (
            {"correlation": [["1", "0.9", "-0.9"], ["0.9", "1", "0.9"], ["-0.9", "0.9", "1"]]},
            "not positive semi-definite",
        ),
        (
            {"stressed_correlation": [["1", "0.9", "-0.9"], ["0.9", "1", "0.9"], ["-0.9", "0.9", "1"]]},
            "not positive semi-definite",
        ),
        ({"correlation": [["1", "0.8", "0.6"], ["0.8", "0.9", "0.7"], ["0.6", "0.7", "1"]]}, "write 1"),
        ({"correlation": [["1", "0.8"], ["0.8", "1"]]}, "write 3 rows"),
        ({"correlation": [["1", "2", "0"], ["2", "1", "0"], ["0", "0", "1"]]}, "between -1 and 1"),
        ({"volatilities": ["0.5", "0.7"]}, "volatilities needs 3 numbers"),
        ({"stressed_volatilities": ["0.5"]}, "stressed_volatilities needs 3 numbers"),
        ({"volatilities": []}, "source = given needs volatilities"),
        ({"volatilities": ["0.5", "0.7", "-0.1"]}, "volatilities"),
        ({"coins": ["BTC", "ETH", "BTC"]}, "lists one twice"),
        ({"source": "history"}, "is for source = given"),
        ({"multiplier": {"initial": "1", "maintenance": "2"}}, "below maintenance"),
        ({"horizon": {"initial": 1, "maintenance": 2}}, "below maintenance"),
        ({"horizon": {"initial": 0, "maintenance": 0}}, "horizon"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_sections_that_cannot_be_used(change: Mapping[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_parameters({"correlation": {**GIVEN, **change}}, "test")


@pytest.mark.parametrize(
    ("section", "made", "words"),
    [
        ({**GIVEN, "coins": ["BTC", "ETH", "XRP"]}, None, "add the coin with its volatility"),
        ({}, None, "the snapshot has no price history"),
        ({"window": 400}, history(300, names=COINS), "the history is too short: it has 299 daily moves"),
        (
            {"window": 90, "stressed_window": 1000},
            history(300, names=COINS),
            "stressed_window: 1000: the history is too short",
        ),
        ({}, history(600), "no column of the history has this name"),
    ],
)
def test_markets_that_lack_something(
    section: Mapping[str, Any], made: PriceHistory | None, words: str
) -> None:
    parameters = parse_parameters({"correlation": dict(section)}, "test")
    with pytest.raises(InputError, match=words):
        Snapshot.build(coin_market(COINS), parameters, domain=64, history=made)


def test_a_snapshot_without_the_model_says_what_it_needs() -> None:
    with pytest.raises(InputError, match="model: 'correlation'"):
        requirement(example(), [0] * len(example().universe), model="correlation")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: replace(t, unit_of=t.unit_of + 1), "names a unit that is not listed"),
        (lambda t: replace(t, delta=t.delta[1:]), "must have"),
        (lambda t: replace(t, units=t.units[:2]), "unit|must have"),
        (
            lambda t: replace(
                t,
                factors=(
                    replace(t.factors[0], lower={level: m.T for level, m in t.factors[0].lower.items()}),
                ),
            ),
            "not lower triangular",
        ),
    ],
)
def test_tables_that_do_not_fit_are_refused(change: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        change(tables_of(MADE)).check(len(MADE.universe), "snapshot")
