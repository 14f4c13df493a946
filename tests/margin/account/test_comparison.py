"""All models side by side."""

from dataclasses import replace
from fractions import Fraction

import pytest

from tests.margin.accounts import example, holdings
from zkmargin.margin.account.comparison import compare_models
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot

HELD = (("USD", "400000"), ("BTC-PERPETUAL", "-300000"), ("ETH-30JAN26-3150-C", "-40"))


def test_every_model_of_the_snapshot_is_there_with_its_own_figures() -> None:
    account = holdings(example(), *HELD)
    lots = account.vector(example())
    found = compare_models(example(), account, level="maintenance")
    assert {figures.model for figures in found.models} == set(example().models)
    for figures in found.models:
        own = requirement(example(), lots, model=figures.model, level="maintenance")
        assert (figures.requirement, figures.excess) == (own.requirement_ticks, own.excess_ticks)
        assert figures.requirement + figures.excess == found.account_value


def test_savings_are_counted_from_isolated_margin() -> None:
    found = compare_models(example(), holdings(example(), *HELD))
    first, *others = found.models
    assert (first.model, first.saving, first.share) == ("isolated", 0, Fraction(0))
    for figures in others:
        assert figures.saving == first.requirement - figures.requirement
        assert figures.share == Fraction(figures.saving, first.requirement)
    assert [f.requirement for f in others] == sorted((f.requirement for f in others), reverse=True)


def test_nothing_is_no_share_of_nothing() -> None:
    found = compare_models(example(), holdings(example(), ("USD", "100")))
    assert all(figures.share is None for figures in found.models)
    assert {row["saving_share"] for row in found.to_json()["models"]} == {None}


def test_a_snapshot_without_isolated_margin_says_so() -> None:
    models = {name: tables for name, tables in example().models.items() if name != "isolated"}
    without: Snapshot = replace(example(), models=models)
    with pytest.raises(InputError, match="model: 'isolated'"):
        compare_models(without, holdings(example(), ("USD", "100")))
