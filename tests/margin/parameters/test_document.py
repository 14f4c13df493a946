"""Parameters, and the cells that follow from them."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from zkmargin.margin.errors import InputError
from zkmargin.margin.parameters.document import (
    DEFAULT_PARAMETERS,
    Parameters,
    load_parameters,
    parse_parameters,
)
from zkmargin.margin.parameters.grid import (
    Grid,
)
from zkmargin.margin.units import LEVELS
from zkmargin.margin.valuation.grid_cells import grid_cells, tail_damping


def test_the_default_grid_has_33_cells() -> None:
    cells = grid_cells(DEFAULT_PARAMETERS.grid)
    assert len(cells) == 33
    assert [cell.tail for cell in cells].count(True) == 6
    assert cells[0].label == "spot -16 %, volatility up"
    assert cells[-1].label == "tail +300 %, volatility up"
    assert {cell.spot for cell in cells if not cell.tail} == {
        "-0.16", "-0.12", "-0.08", "-0.04", "0", "0.04", "0.08", "0.12", "0.16",
    }  # fmt: skip
    assert all(cell.damping == "1" for cell in cells if not cell.tail)


def test_tails_are_damped_by_their_distance() -> None:
    grid = DEFAULT_PARAMETERS.grid
    assert tail_damping(grid, Decimal("-0.66")) == Fraction(32, 660)
    assert tail_damping(grid, Decimal(3)) == Fraction(32, 3000)
    assert tail_damping(grid, Decimal("0.001")) == 1


def test_initial_charges_are_never_below_maintenance() -> None:
    grid, standard = DEFAULT_PARAMETERS.grid, DEFAULT_PARAMETERS.standard
    pairs = [grid.loss_factor, grid.perpetual, grid.naked_short, standard.future, standard.option]
    for rates in (*pairs, standard.option_minimum, *DEFAULT_PARAMETERS.haircuts.values()):
        assert rates.at("initial") >= rates.at("maintenance") >= 0
    assert [DEFAULT_PARAMETERS.haircut("DOGE").at(level) for level in LEVELS] == [
        Decimal("0.2"),
        Decimal("0.15"),
    ]


def test_the_document_gives_the_parameters_again() -> None:
    document = DEFAULT_PARAMETERS.document()
    assert parse_parameters(document, "x") == DEFAULT_PARAMETERS
    assert parse_parameters(json.loads(json.dumps(document)), "x").document() == document
    assert parse_parameters({}, "x") == DEFAULT_PARAMETERS


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.json", '{"grid": {"spot_shocks": [-0.1, "0", 0.10], "tail_damping": 0.5}}'),
        ("p.toml", '[grid]\nspot_shocks = [-0.1, "0", 0.10]\ntail_damping = 0.5\n'),
    ],
)
def test_files_in_either_form(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    found = load_parameters(tmp_path / name)
    assert found.grid.spot_shocks == (Decimal("-0.1"), Decimal(0), Decimal("0.1"))
    assert found.grid.tail_damping == Decimal("0.5")
    assert found.standard == Parameters().standard


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"gird": {}}, "gird: .*unknown key"),
        ({"version": 2}, "version"),
        ({"grid": {"spot_shocks": []}}, "grid.spot_shocks"),
        ({"grid": {"spot_shocks": ["-1"]}}, "grid.spot_shocks.0: '-1'"),
        ({"grid": {"spot_shocks": ["0.1", "0.10"]}}, "shock twice"),
        ({"grid": {"tail_shocks": ["0"]}}, "no damping"),
        ({"grid": {"tail_shocks": ["11"]}}, "grid.tail_shocks.0"),
        ({"grid": {"tail_damping": "nan"}}, "finite"),
        ({"grid": {"tail_damping": None}}, "write a decimal number"),
        ({"grid": {"volatility": {"up": "inf"}}}, "grid.volatility.up"),
        ({"grid": {"volatility": {"down": "1.5"}}}, "grid.volatility.down"),
        ({"grid": {"volatility": {"floor_days": 0}}}, "grid.volatility.floor_days"),
        ({"grid": {"loss_factor": {"initial": "0.5", "maintenance": "0.8"}}}, "below maintenance"),
        ({"grid": {"loss_factor": {"initial": "0.5"}}}, "grid.loss_factor.maintenance: missing: add the key"),
        ({"standard": {"future": {"initial": "-0.1", "maintenance": "-0.2"}}}, "standard.future.initial"),
        ({"haircuts": {"BTC": {"initial": "2", "maintenance": "1"}}}, "haircuts.BTC.initial"),
        ([], "document"),
    ],
)
def test_wrong_parameters_are_named(document: Any, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        parse_parameters(document, "params.json")
    assert str(caught.value).startswith("params.json: ")


@pytest.mark.parametrize(
    ("name", "text"), [("p.json", "{"), ("p.toml", "= 1"), ("p.json", '{"grid": {}, "grid": {}}')]
)
def test_files_that_are_no_documents(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=r"write valid|occurs twice"):
        load_parameters(tmp_path / name)


def test_a_core_without_moves_has_no_tails_left() -> None:
    grid = Grid(spot_shocks=(Decimal(0),), tail_shocks=())
    assert [cell.label for cell in grid_cells(grid)] == [
        "spot 0 %, volatility up", "spot 0 %, volatility unchanged", "spot 0 %, volatility down",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("grid", "reason"),
    [
        ({"loss_factor": {"initial": "1", "maintenance": "0.1234567890123"}}, "12 decimal places"),
        ({"volatility": {"floor_days": "0.00000000000000000001"}}, "floor_days"),
    ],
)
def test_numbers_that_no_table_can_hold_are_refused(grid: Any, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_parameters({"grid": grid}, "params.json")


TIER = {"above": "10", "initial": "0.3", "maintenance": "0.2"}
ETH_BY_RULES = {"ETH": {"haircut": {"maintenance": "0.1", "addition": "0.05"}}}
GIVEN = {"source": "given", "coins": ["BTC"], "volatilities": ["0.5"], "correlation": [["1"]]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"pmrm2": {}, "grid": {"tail_damping": "0.3"}}, "grid: the rules of pmrm2 stand in its place"),
        ({"deribit": {}, "grid": {"spot_shocks": ["0.1"]}}, "grid: the rules of deribit stand in its place"),
        ({"deribit": {"tail_moves": ["0.5", "0"]}}, "tail_moves: a move of 0 is no tail; leave it out"),
        ({"okx": {}, "grid": {"currencies": {"USDC": "0.1"}}}, "grid: the rules of okx stand in its place"),
        (
            {"pmrm2": {"collaterals": ETH_BY_RULES}, "collateral": {"ETH": {"tiers": [TIER]}}},
            r"collateral.ETH: pmrm2.collaterals.ETH stands in its place",
        ),
        ({"deribit": {}, "collateral": {"BTC": {"tiers": [TIER]}}}, "collateral.BTC: deribit.haircut stands"),
        ({"collateral": {"BTC": {"measured_in": "usd"}}}, "measured_in: there are no tiers"),
        (
            {"collateral": {"BTC": {"volatility": {"reference": "0.5", "observed": "0.6", "days": 40}}}},
            "days: 40 of the history do not count beside observed",
        ),
        ({"correlation": {**GIVEN, "window": 100}}, "window is for source = history"),
        ({"correlation": {**GIVEN, "stressed_window": None}}, "stressed_window is for source = history"),
    ],
)
def test_nothing_is_passed_over(document: dict[str, Any], message: str) -> None:
    """What has no effect beside another setting is refused, in words that name both."""
    with pytest.raises(InputError, match=message):
        parse_parameters(document, "params.json")


def test_what_counts_beside_a_venue_is_kept() -> None:
    tiers = {"BTC": {"tiers": [TIER]}}
    for document in (
        {"okx": {}, "collateral": tiers},
        {"pmrm2": {"collaterals": ETH_BY_RULES}, "collateral": tiers},
    ):
        parameters = parse_parameters(document, "params.json")
        assert parse_parameters(parameters.document(), "again") == parameters
