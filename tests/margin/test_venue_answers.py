"""Accounts margined beside what their venue has said of them: the documentation's example and a recorded answer."""

import json
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.margin.formulas import black76
from tests.margin.venue_answers import documented, recorded, vector
from zkmargin.margin.errors import InputError
from zkmargin.margin.venue_answers.comparison import VenueComparison, compare_answer
from zkmargin.margin.venue_answers.deribit import read_answer

HUNDRED = (0.16 / 0.84 + 0.01) * 100


def compared(tmp_path: Path, answer: dict[str, Any], *tickers: dict[str, Any]) -> VenueComparison:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(answer))
    files = []
    for number, ticker in enumerate(tickers):
        files.append(tmp_path / f"ticker{number}.json")
        files[-1].write_text(json.dumps(ticker))
    return compare_answer(read_answer(path, tuple(files)))


@pytest.mark.parametrize(("answer", "count"), [(documented, 2), (recorded, 1)])
def test_every_published_cell_and_charge(
    tmp_path: Path, answer: Callable[[], dict[str, Any]], count: int
) -> None:
    """Cells to 10^-6 coins, charges to 0.1 %."""
    found = compared(tmp_path, answer())
    positions = [line for line in found.cells if not line.of.endswith("all")]
    assert len(positions) == 35 * count
    assert len(found.cells) >= 35 * count + 27
    for line in found.cells:
        assert abs(line.difference) <= Decimal("1e-6"), line
    ours = {line.part: line for line in found.charges if line.ours is not None}
    for part in ("worst case", "roll shock", "delta shock", "risk matrix", "maintenance"):
        assert abs(ours[part].difference) <= Decimal("0.001") * abs(ours[part].venue), part


def test_what_no_rule_here_makes_is_named(tmp_path: Path) -> None:
    found = compared(tmp_path, documented())
    apart = {line.part: line.note for line in found.charges if not line.agrees}
    assert apart.keys() == {"mmp margin", "open orders margin", "initial"}
    assert "market makers' protection" in apart["mmp margin"]
    assert found.to_json()["agrees"] is False
    assert compared(tmp_path, recorded()).to_json()["agrees"] is True


def test_another_number_of_the_venue_s_is_seen(tmp_path: Path) -> None:
    """The comparison is no tautology: a vector, a price or a parameter that differs shows."""
    answer = documented()
    answer["result"]["initial_risk_vectors"]["BTC-PERPETUAL"]["extended"][0] = -0.3
    found = compared(tmp_path, answer)
    assert [line.part for line in found.cells if not line.agrees] == ["tail -66 %, volatility up"]
    answer = documented()
    answer["result"]["model_params"]["currency"]["btc"]["min_annualised_move"] = 0.02
    assert {line.part for line in compared(tmp_path, answer).charges if not line.agrees} >= {"roll shock"}


def option_answer(*, reverse: bool) -> dict[str, Any]:
    """A short option: its vector by another pricing, volatility moves in either order."""
    answer, name = documented(), "BTC-28JUN24-66000-C"
    result = answer["result"]
    forward, years = 67371.75, (1719561600 - 1718619740.501) / (365 * 86400)
    scale = (30 / 365 / years) ** 0.3
    vols = [max(0.55 * (1 + 0.5 * scale), 0.5), 0.55, 0.55 * (1 - 0.25 * scale)]
    now = black76(forward, 66000, 0.55, years, True) / forward

    def change(move: float, vol: float) -> float:
        moved = forward * (1 + move)
        return -2 * (black76(moved, 66000, vol, years, True) / moved - now)

    standard = [change(k / 25, vol) for k in range(-4, 5) for vol in (reversed(vols) if reverse else vols)]
    tails = []
    for move in (-0.66, -0.33, 0.5, 1, 2, 3, 4, 5):
        edge = 1.16 if move > 0 else 0.84
        tails.append(change(move, vols[0]) * 0.16 / abs(move) * (1 + move) / edge)
    result["portfolio"]["position"] = {name: -2}
    result["initial_risk_vectors"] = {name: {"standard": standard, "extended": tails}}
    result["ticker"] = {name: {"mark_price": 0.04, "mark_iv": 55, "underlying_price": forward}}
    del result["aggregated_risk_vectors"]
    return answer


@pytest.mark.parametrize("reverse", [False, True])
def test_options_in_either_order_of_volatility_moves(tmp_path: Path, reverse: bool) -> None:
    found = compared(tmp_path, option_answer(reverse=reverse))
    assert max(abs(line.difference) for line in found.cells) < Decimal("1e-8")


def test_an_option_that_the_answer_does_not_quote(tmp_path: Path) -> None:
    answer = option_answer(reverse=False)
    (name,) = answer["result"]["ticker"]
    quote = answer["result"]["ticker"][name]
    answer["result"]["ticker"][name] = {"mark_price": 0.04}
    with pytest.raises(InputError, match=r"mark_iv: missing: .*save public/ticker"):
        compared(tmp_path, answer)
    ticker = {"result": {"instrument_name": name, **quote}}
    assert compared(tmp_path, answer, ticker).cells


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    answer = deepcopy(recorded())
    change(answer)
    return answer


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            changed(lambda a: a.pop("margins")),
            "margins: missing: save the answer of private/pme/simulate whole",
        ),
        (changed(lambda a: a["margins"].update(btc={})), "ask the venue for one currency"),
        (
            changed(lambda a: a["model_params"]["currency_pair"]["eth_usd"].pop("m_inc")),
            "eth_usd.m_inc: missing",
        ),
        (
            changed(lambda a: a["portfolio"]["position"].update({"ETH-SPOT": 1})),
            "portfolio.position: 'ETH-SPOT': perpetuals, futures and options",
        ),
        (
            changed(lambda a: a["initial_risk_vectors"]["ETH-PERPETUAL"].update(standard=[1])),
            r"standard: 1 entries: a vector of 27 numbers",
        ),
        (
            changed(lambda a: a["ticker"]["ETH-PERPETUAL"].update(mark_price=-1)),
            "mark_price: '-1': write a number greater than zero",
        ),
        (
            changed(lambda a: a["portfolio"]["position"].update({"ETH-99FEB26": 1})),
            "has no day such as 28JUN24",
        ),
    ],
)
def test_a_broken_answer_is_named(tmp_path: Path, answer: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        compared(tmp_path, answer)
    assert "answer.json" in str(refused.value)


def test_a_hundred_bitcoins(tmp_path: Path) -> None:
    """The size of the example, a hundredfold: 20.05 BTC."""
    answer = documented()
    result = answer["result"]
    result["portfolio"]["position"] = {"BTC-PERPETUAL": 100}
    nine = [100 * k / 25 / (1 + k / 25) for k in range(-4, 5)]
    result["initial_risk_vectors"] = {"BTC-PERPETUAL": vector(*nine)}
    del result["aggregated_risk_vectors"]
    found = compared(tmp_path, answer)
    assert all(line.agrees for line in found.cells)
    (matrix,) = (line for line in found.charges if line.part == "risk matrix")
    assert float(matrix.ours or 0) == pytest.approx(HUNDRED, rel=1e-8)
