"""The rows of PMRM, Derive's first portfolio margin risk manager: against the engine, and a prover who fills them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.circuits.law import at_the_bounds, law
from tests.circuits.models.test_grid import free_choice, small
from tests.margin.accounts import lots_of, tiny_market
from tests.margin.derive_cases import account
from tests.margin.manager_accounts import pmrm_accounts
from tests.margin.published_pmrm import VERIFIED, Published, document
from zkmargin.margin.market.derive import parse_derive_case
from zkmargin.margin.parameters.document import preset
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import Cell, GridTables
from zkmargin.margin.units import LEVELS, Level

levels = st.sampled_from(LEVELS)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", VERIFIED, ids=lambda case: case.name)
def test_the_published_cases_prove_what_they_leave_over(case: Published, level: Level) -> None:
    law(*account(parse_derive_case(document(case), "case.json")), "grid", level)


@settings(max_examples=30, deadline=None)
@given(pmrm_accounts(), levels)
def test_the_law(case: dict[str, Any], level: Level) -> None:
    law(*account(parse_derive_case(case, "case.json")), "grid", level)


@settings(max_examples=15, deadline=None)
@given(data=st.data(), level=levels)
def test_the_law_in_any_market(data: st.DataObject, level: Level) -> None:
    made = Snapshot.build(tiny_market(), preset("pmrm1"), domain=64)
    law(made, data.draw(lots_of(made)), "grid", level)


def test_an_account_at_its_bounds_fits_the_rows() -> None:
    at_the_bounds(Snapshot.build(tiny_market(), preset("pmrm1"), domain=64), "grid")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(-15, 15), min_size=6, max_size=6), levels)
def test_no_choice_of_free_rows_proves_more(seed: int, lots: list[int], level: Level) -> None:
    """The shape of these tables: no skews, expiries at the lesser of two values, a factor of 1.3, gated confidence."""
    made = small(seed, greater=False)
    tables = made.models["grid"]
    assert isinstance(tables, GridTables)
    shape = replace(
        tables,
        cells=tuple(Cell(move, "0", move, "1", tail=False) for move in ("up", "none", "down", "up")),
        buckets=tuple(replace(bucket, greater=False) for bucket in tables.buckets),
        loss_factor={"initial": (13, 10), "maintenance": (1, 1)},
        exposures=(),
        minimums=(),
        allowances=(),
    )
    free_choice(replace(made, models={"grid": shape}), lots, level)
