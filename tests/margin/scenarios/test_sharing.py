"""Models over the same joint scenarios hold them once, in a file and in memory."""

import json

import pytest

from tests.margin.accounts import tiny_market
from tests.margin.joint import DRAWN, ONE_COIN, drawn_example, joint
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json, digest_of
from zkmargin.margin.market import example_market
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot


def test_the_same_scenarios_are_written_once() -> None:
    made = drawn_example()
    document = json.loads(made.encode())
    assert document["models"]["var"].keys() == {"of", "confidence", "perpetuals", "strikes", "collaterals"}
    assert document["models"]["var"]["of"] == "es"
    assert joint(made, "var").risk is joint(made, "es").risk
    again = Snapshot.parse(made.encode(), "made")
    assert again.id == made.id
    assert joint(again, "var").risk is joint(again, "es").risk
    assert (joint(again, "var").risk == joint(made, "var").risk).all()
    assert joint(again, "var").confidence == joint(made, "var").confidence != joint(made, "es").confidence
    again.reproduce()
    again.reproduce(("var",))


def test_other_scenarios_are_their_own() -> None:
    sections = {"es": ONE_COIN, "var": {**ONE_COIN, "seed": "eight"}}
    made = Snapshot.build(tiny_market(), parse_parameters(sections, "x"), domain=64)
    document = json.loads(made.encode())
    assert "of" not in document["models"]["var"]
    assert (joint(made, "var").risk != joint(made, "es").risk).any()


@pytest.mark.parametrize("of", ["grid", "var", "nothing"])
def test_scenarios_of_a_model_that_has_none_are_refused(of: str) -> None:
    made = Snapshot.build(tiny_market(), parse_parameters({"es": ONE_COIN, "var": ONE_COIN}, "x"), domain=64)
    document = json.loads(made.encode())
    document["models"]["var"]["of"] = of
    body = {key: value for key, value in document.items() if key != "id"}
    document["id"] = digest_of(canonical_json(body))
    with pytest.raises(InputError, match=r"model var: of: .*no model of that name has joint scenarios"):
        Snapshot.parse(canonical_json(document), "made")


def test_contingencies_stay_each_model_s_own() -> None:
    rates = {"initial": "0.1", "maintenance": "0.05"}
    sections = {"es": DRAWN, "var": {**DRAWN, "perpetual": rates}}
    made = Snapshot.build(example_market(), parse_parameters(sections, "x"), domain=256)
    again = Snapshot.parse(made.encode(), "made")
    assert joint(again, "var").perpetuals
    assert not joint(again, "es").perpetuals
    assert joint(again, "var").risk is joint(again, "es").risk
