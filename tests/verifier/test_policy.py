"""Policies: read strictly from TOML, with every mistake named."""

from pathlib import Path

import pytest

from tests.attestation.scene import CONTRACT, key, policy
from zkmargin.margin.errors import InputError
from zkmargin.verifier import RULES, Policy, PolicyError
from zkmargin.verifier.parameter_floor import normalised, shortfall

ALPHA, BETA = key("alpha").address, key("beta").address

GOOD = f"""
audience = "lender"
chain_id = 1
verifying_contract = "{CONTRACT}"
required_venues = ["alpha"]
snapshot_age = 60
max_pledge = "250000.50"
each_venue = true

[venues]
alpha = {{ keys = ["{ALPHA}"] }}
beta = {{ keys = ["{BETA}"] }}

[oracles]
pyx = {{ keys = ["{key("oracle").address}"] }}

[models.grid]
level = "maintenance"
[models.grid.minimum.grid]
spot_shocks = ["-0.16", 0.160]
perpetual = {{ initial = 0.02 }}
"""


def test_a_policy_in_toml() -> None:
    read = Policy.parse(GOOD, "policy.toml")
    assert read.venues["alpha"].keys == (ALPHA,)
    assert read.domain.chain_id == 1
    assert read.models["grid"].minimum == {
        "grid": {"spot_shocks": ["-0.16", "0.16"], "perpetual": {"initial": "0.02"}}
    }
    assert read.max_pledge_ticks(6) == 250_000_500_000
    assert read.max_pledge_ticks(0) == 250_000
    assert read.models["grid"].admits("initial")
    assert read.models["grid"].admits("maintenance")
    assert not policy().models["grid"].admits("maintenance")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("chain_id = 1", "chain_id = 0", "chain_id"),
        ("chain_id = 1", 'chain_id = "1"', "chain_id"),
        (f'["{BETA}"]', f'["{BETA}"], maps = []', "venues.beta.maps"),
        (f'["{BETA}"]', f'["{BETA}"], maps = ["{"0" * 64}"]', "venues.beta.maps.0"),
        ("snapshot_age = 60", "snapshot_age = -1", "snapshot_age"),
        ("snapshot_age = 60", "snapshot_agee = 60", "snapshot_agee"),
        ('"250000.50"', "250000.50", "max_pledge"),
        ('"250000.50"', '"-1"', "max_pledge"),
        ('"250000.50"', '"much"', "max_pledge"),
        (f'alpha = {{ keys = ["{ALPHA}"] }}', "alpha = { keys = [] }", "venues.alpha.keys"),
        (ALPHA, ALPHA.lower(), "venues.alpha.keys.0"),
        (BETA, ALPHA, "document.*signs for both alpha and beta"),
        ('required_venues = ["alpha"]', 'required_venues = ["gamma"]', "document.*venues does not list"),
        ('level = "maintenance"', 'level = "none"', "models.grid.level"),
        ("[models.grid", "[models.gird", "models.*there is no model gird"),
        ('spot_shocks = ["-0.16", 0.160]', "spot_shocks = 2020-01-01", "models.grid.minimum"),
        ('audience = "lender"', "", "audience"),
        ('audience = "lender"', "audience = lender", "document"),
    ],
)
def test_mistakes_are_named(old: str, new: str, field: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError, match=f"policy.toml: {field}"):
        Policy.parse(GOOD.replace(old, new), "policy.toml")


FOUND = {
    "grid": {"spot_shocks": ["-0.16", "0", "0.16"], "rate": "0.02", "on": True, "name": "x"},
    "haircuts": {"BTC": "0.05"},
}


@pytest.mark.parametrize(
    ("minimum", "message"),
    [
        ({}, None),
        ({"grid": {"rate": "0.02"}}, None),
        ({"grid": {"rate": "0.0199"}}, None),
        ({"grid": {"rate": "0.021"}}, "grid.rate is 0.02, below 0.021"),
        ({"grid": {"spot_shocks": ["0.160"]}}, None),
        ({"grid": {"spot_shocks": ["0.2", "0"]}}, "grid.spot_shocks lacks 0.2"),
        ({"grid": {"on": True, "name": "x"}}, None),
        ({"grid": {"on": False}}, "grid.on is True, not False"),
        ({"grid": {"name": "y"}}, "grid.name is x, not y"),
        ({"grid": {"rate": {"initial": "1"}}}, "grid.rate.initial is not among"),
        ({"grid": {"rate": ["1"]}}, "grid.rate lacks 1"),
        ({"haircuts": {"ETH": "0.05"}}, "haircuts.ETH is not among"),
        ({"span": {}}, "span is not among"),
    ],
)
def test_minimum_parameters(minimum: dict[str, object], message: str | None) -> None:
    short = shortfall(normalised(minimum), FOUND)
    assert short is None if message is None else short is not None and short.startswith(message)


def test_a_policy_error_names_a_rule() -> None:
    assert PolicyError("hold", "why").code == "hold"
    with pytest.raises(ValueError, match="is not a rule"):
        PolicyError("whim", "why")
    assert all(code == code.lower().replace(" ", "-") for code in RULES)


def test_the_policy_of_the_documentation() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "attestation.md").read_text()
    block = text[text.index('    audience = "bank"') : text.index("Reading is strict")]
    content = "\n".join(line.removeprefix("    ") for line in block.splitlines())
    for name in ("alpha", "beta", "oracle"):
        content = content.replace('"0x..."', f'"{key(name).address}"', 1)
    content = content.replace('"5c1e..."', f'"{"5c" * 32}"')
    read = Policy.parse(content, "attestation.md")
    assert (read.venues["alpha"].maps, read.venues["beta"].maps) == (None, ("5c" * 32,))
    assert read.models["grid"].minimum["grid"]["perpetual"] == {"initial": "0.02"}
    given = set(read.model_fields_set)
    assert set(Policy.model_fields) - given == {"version"}, "the documentation shows every field"
