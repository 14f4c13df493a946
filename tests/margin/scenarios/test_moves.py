"""Scenario sets: from history against fractions and floating point, and drawn with the moments asked for."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pytest

from tests.margin.joint import DRAWN, falling
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.history import BILLION, PriceHistory
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.parameters.es import Shortfall
from zkmargin.margin.scenarios.moves import SEED_DAYS, Filtered, ScenarioSet, scenario_set

NAMES = ("BTC", "ETH")

GOLDEN = [[-44096980, -80697444], [-17544921, -17254715]]


def section(**fields: Any) -> Shortfall:
    found: Shortfall = parse_parameters({"es": fields}, "test").section("es")
    return found


def scenarios(history: PriceHistory | None = None, **fields: Any) -> ScenarioSet:
    return scenario_set(section(**fields), NAMES, history or falling(), "test")


@pytest.mark.parametrize("horizon", [1, 3])
def test_plain_moves_are_ratios_of_closes(horizon: int) -> None:
    history, found = falling(), scenarios(horizon=horizon)
    # ETH begins on day 10, so the first whole move ends `horizon` days later.
    ends = range(10 + horizon, history.days)
    assert len(found.labels) == len(ends) == len(found.moves)
    assert found.labels[0] == f"{history.date_of(10)} to {history.date_of(10 + horizon)}"
    for row, end in zip(found.moves.tolist(), ends, strict=True):
        for move, name in zip(row, NAMES, strict=True):
            ratio = Fraction(history.prices[name][end] or 0) / Fraction(
                history.prices[name][end - horizon] or 0
            )
            assert abs(move - (ratio - 1) * BILLION) <= Fraction(1, 2)


def test_the_most_recent_cells_are_taken() -> None:
    every, last = scenarios(), scenarios(cells=7)
    assert last.labels == every.labels[-7:]
    assert last.moves.tolist() == every.moves[-7:].tolist()


@pytest.mark.parametrize("horizon", [1, 4])
def test_filtered_moves_follow_the_filter_in_floating_point(horizon: int) -> None:
    history, decay = falling(), 0.9
    found = scenarios(horizon=horizon, filter_lambda="0.9")
    for name, column in zip(NAMES, found.moves.T.tolist(), strict=True):
        prices = [float(price) for price in history.prices[name] if price is not None]
        returns = [log(b / a) for a, b in pairwise(prices)]
        variance = sum(r * r for r in returns[:SEED_DAYS]) / len(returns[:SEED_DAYS])
        standard = []
        for r in returns:
            standard.append(r / sqrt(variance))
            variance = decay * variance + (1 - decay) * r * r
        ends = range(len(standard) - len(column), len(standard))
        for move, end in zip(column, ends, strict=True):
            wanted = exp(sqrt(variance) * sum(standard[end - horizon + 1 : end + 1])) - 1
            assert move / BILLION == pytest.approx(wanted, rel=1e-8, abs=2e-9)


def test_the_filter_on_an_earlier_day_knows_nothing_of_later_ones() -> None:
    history = falling()
    early = PriceHistory(history.first, {name: column[:45] for name, column in history.prices.items()})
    whole, part = (Filtered.of(h, "ETH", Decimal("0.94")) for h in (history, early))
    ends = range(15, 45)
    assert whole.moves(2, ends, today=44) == part.moves(2, ends)


def test_a_price_that_never_moves_has_scenarios_of_zero() -> None:
    flat = PriceHistory(falling().first, {"BTC": ("5",) * 40, "ETH": ("7",) * 40})
    for fields in ({}, {"filter_lambda": "0.5"}):
        assert not scenarios(flat, **fields).moves.any()


def test_drawn_moves_have_the_moments_asked_for() -> None:
    found = scenarios(**(DRAWN | {"cells": 10000, "horizon": 5}))
    logs = np.log1p(found.moves / BILLION)
    assert found.labels[9999] == "draw 10000"
    for column, volatility in zip(logs.T, (0.5, 0.7), strict=True):
        deviation = volatility * sqrt(5 / 365)
        assert float(column.std()) == pytest.approx(deviation, rel=0.03)
        assert float(column.mean()) == pytest.approx(-(deviation**2) / 2, abs=4 * deviation / 100)
    assert float(np.corrcoef(logs.T)[0, 1]) == pytest.approx(0.8, abs=0.02)
    assert abs(float(np.expm1(logs).mean())) < 0.004


def test_a_seed_decides_and_the_order_of_coins_in_a_universe_does_not() -> None:
    one = scenarios(**DRAWN)
    assert one.moves.tolist() == scenarios(**DRAWN).moves.tolist()
    assert one.moves.tolist() != scenarios(**(DRAWN | {"seed": "eight"})).moves.tolist()
    turned = scenario_set(section(**DRAWN), NAMES[::-1], None, "test")
    assert turned.moves.tolist() == one.moves[:, ::-1].tolist()
    assert one.moves[:2].tolist() == GOLDEN


def test_perfect_correlation_moves_all_alike() -> None:
    fields = DRAWN | {"volatilities": ["0.5", "0.5"], "correlation": [["1", "1"], ["1", "1"]]}
    found = scenarios(**fields).moves
    assert found[:, 0].tolist() == found[:, 1].tolist()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"cells": 50},
            "cells: 50: the history is too short: 50 moves over 1 days of BTC, ETH are wanted; it has 49",
        ),
        ({"horizon": 60}, "cells: 1: the history is too short: 1 moves over 60 days"),
    ],
)
def test_a_short_history_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        scenarios(**fields)
    assert message in str(refused.value)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(
        InputError, match="source: 'history': the snapshot has no price history; build it with"
    ):
        scenario_set(section(), NAMES, None, "test")
    with pytest.raises(InputError, match="history: 'SOL': no such column: the history has BTC, ETH"):
        scenario_set(section(), ("SOL",), falling(), "test")
    with pytest.raises(InputError, match="coins: 'SOL': add the coin with its volatility"):
        scenario_set(section(**DRAWN), ("BTC", "SOL"), None, "test")
    with pytest.raises(InputError, match="coins: none: scenarios need an instrument"):
        scenario_set(section(**DRAWN), (), None, "test")


def test_absurd_moves_are_refused() -> None:
    jump = PriceHistory(falling().first, {"BTC": ("1", "1002"), "ETH": ("1", "1")})
    with pytest.raises(InputError, match="BTC rises more than 1000 times"):
        scenarios(jump)
    with pytest.raises(InputError, match="ETH rises more than 1000 times"):
        scenarios(**(DRAWN | {"volatilities": ["0.5", "10"], "horizon": 60, "cells": 20000, "seed": "a"}))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"confidence": "0"}, "test: es.confidence.initial: '0': must lie strictly between 0 and 1"),
        ({"confidence": "1"}, "must lie strictly between 0 and 1"),
        ({"confidence": "-0.5"}, "must lie strictly between 0 and 1"),
        ({"confidence": "5/4"}, "must lie strictly between 0 and 1"),
        ({"confidence": "1/0"}, "confidence.initial: '1/0': write a finite decimal number"),
        ({"confidence": "0.99999999999"}, "the denominator must be at most"),
        (
            {"confidence": {"initial": "0.9", "maintenance": "0.95"}},
            "initial 9/10 is below maintenance 19/20",
        ),
        ({"cells": 0}, "test: es.cells: 0: write a number that is at least 1"),
        ({"cells": 20001}, "es.cells: 20001: write a number that is at most 20000"),
        ({"horizon": 0}, "es.horizon"),
        ({"horizon": "2"}, "es.horizon: '2': write a whole number"),
        ({"filter_lambda": "1"}, "filter_lambda: '1': must lie strictly between 0 and 1"),
        ({"filter_lambda": "0"}, "filter_lambda: '0': must lie strictly between 0 and 1"),
        ({"seed": "seven"}, "seed is for source = drawn"),
        ({"source": "guess"}, "es.source"),
        ({"colour": "red"}, "es.colour: 'red': unknown key"),
        ({"source": "drawn"}, "test: es: inconsistent: source = drawn needs coins"),
        (DRAWN | {"seed": ""}, "es.seed"),
        (DRAWN | {"filter_lambda": "0.9"}, "filter_lambda is for source = history"),
        (DRAWN | {"coins": ["BTC", "BTC"]}, "coins lists one twice"),
        (DRAWN | {"volatilities": ["0.5"]}, "volatilities needs 2 numbers"),
        (
            DRAWN | {"correlation": [["1", "0.5"], ["0.4", "1"]]},
            "test: es.correlation of ETH with BTC: 0.4: the matrix is not sym",
        ),
        (DRAWN | {"correlation": [["1", "1.5"], ["1.5", "1"]]}, "a correlation lies between -1 and 1"),
        (DRAWN | {"correlation": [["1"]]}, "correlation: 1 rows: write 2 rows"),
        (
            DRAWN
            | {
                "coins": ["A", "B", "C"],
                "volatilities": ["1", "1", "1"],
                "correlation": [["1", "0.9", "-0.9"], ["0.9", "1", "0.9"], ["-0.9", "0.9", "1"]],
            },
            "not positive semi-definite",
        ),
    ],
)
def test_bad_sections_are_refused_by_field(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        section(**fields)


def test_a_section_is_written_one_way() -> None:
    written = parse_parameters({"es": {"confidence": "0.975", "filter_lambda": "0.940"}}, "test").document()
    assert written["es"]["confidence"] == {"initial": "39/40", "maintenance": "39/40"}
    assert written["es"]["filter_lambda"] == "0.94"
    assert parse_parameters(written, "test").document() == written
