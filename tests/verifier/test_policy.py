"""Policies: read strictly from TOML, with every mistake named."""

from pathlib import Path

import pytest

from tests.attestation.scene import CONTRACT, key, policy
from zkmargin.margin.errors import InputError
from zkmargin.margin.parameters.document import DEFAULT_PARAMETERS
from zkmargin.margin.units import LEVELS
from zkmargin.verifier import RULES, Policy, PolicyError
from zkmargin.verifier.parameter_floor import least_parameters, normalised, shortfall

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


@pytest.mark.parametrize(
    ("model", "minimum", "message"),
    [
        ("grid", {"grid": {"perpetual": {"initial": "0.03"}}}, "grid.perpetual.initial is 0.02, below 0.03"),
        ("grid", {"grid": {"perpetual": {"initial": "0.0199"}}}, None),
        ("grid", {"grid": {"perpetual": {"initial": "0.0200", "maintenance": "0.01"}}}, None),
        ("grid", {"grid": {"spot_shocks": ["-0.16", "0.160"]}}, None),
        ("grid", {"grid": {"spot_shocks": ["-0.16", "0.2", "0.16"]}}, "grid.spot_shocks lacks 0.2"),
        ("grid", {"grid": {"volatility": {"up": "0.4"}}}, "grid.volatility.up is 0.5, not 0.4"),
        ("grid", {"okx": {}}, "the section grid prices grid in place of okx"),
        ("grid", {"haircuts": {"ETH": {"initial": "0.08"}}}, "haircuts.ETH.initial is 0.075, below 0.08"),
        ("cross", {"standard": {"option": {"initial": "0.16"}}}, "standard.option.initial is 0.15, below"),
        ("cross", {"collateral": {"BTC": {}}}, "collateral.BTC is not among the snapshot's parameters"),
        ("es", {"es": {"confidence": "39/40"}}, "es.confidence.maintenance is 19/20, below 39/40"),
        ("tims", {"tims": {"minimum_scope": "group"}}, "tims.minimum_scope is account, not group"),
        (
            "correlation",
            {"correlation": {"window": 30}},
            "correlation is not among the snapshot's parameters",
        ),
        ("tiered", {"tiered": {"threshold": 1}}, "tiered is not among the snapshot's parameters"),
        ("span", {}, None),
    ],
)
def test_minimum_parameters(model: str, minimum: dict[str, object], message: str | None) -> None:
    least = least_parameters(model, normalised(minimum))
    short = shortfall(least, DEFAULT_PARAMETERS, model, ("BTC", "ETH", "SOL"), LEVELS)
    assert short is None if message is None else short is not None and short.startswith(message), short


@pytest.mark.parametrize(
    ("models", "field"),
    [
        ('[models.grid.minimum.standard]\nfuture = {{ initial = "0.1" }}', "standard.*does not price grid"),
        ('[models.tims.minimum.haircuts.BTC]\ninitial = "0.1"', "haircuts.*does not price tims"),
        ("[models.grid.minimum.grid]\n[models.grid.minimum.okx]", "grid.*okx stands in its place"),
        ("[models.grid.minimum.okx]\n[models.grid.minimum.pmrm2]", "pmrm2 and okx cannot stand together"),
        (
            '[models.grid.minimum.deribit]\n[models.grid.minimum.haircuts.BTC]\ninitial = "0.1"',
            "haircuts.*deribit.haircut stands in its place",
        ),
        (
            '[models.grid.minimum.pmrm2.collaterals.BTC]\nhaircut = {{ maintenance = "0.1", addition = "0" }}\n'
            '[models.grid.minimum.haircuts.BTC]\ninitial = "0.1"',
            "haircuts.BTC.*pmrm2.collaterals.BTC stands in its place",
        ),
        ('[models.grid.minimum.grid]\nspot_shock = ["0.1"]', "spot_shock.*unknown key"),
        ('[models.grid.minimum.grid]\ntail_damping = "2"', "tail_damping.*at most 1"),
        (
            '[models.cross.minimum.standard.future]\nmaintenance = "0.5"',
            "initial 0.02 is below maintenance 0.5",
        ),
        ("[models.tiered]", "tiered.*has no defaults"),
        ('[models.grid]\npins = ["12"]', "pins"),
        ("[models.grid]\npins = []", "pins"),
    ],
)
def test_a_minimum_that_would_not_hold_is_refused(models: str, field: str) -> None:
    text = GOOD[: GOOD.index("[models.grid]")] + models.format()
    with pytest.raises(InputError, match=f"policy.toml: .*{field}"):
        Policy.parse(text, "policy.toml")


def test_without_a_minimum_the_defaults_are_least() -> None:
    assert policy().least_parameters["grid"] == DEFAULT_PARAMETERS
    pinned = policy(models={"grid": {"pins": ["0" * 64]}, "cross": {"pins": ["0" * 64], "minimum": {}}})
    assert set(pinned.least_parameters) == {"cross"}
    assert policy(models={"grid": {"level": "maintenance"}}).models["grid"].levels == LEVELS
    assert policy().models["grid"].levels == ("initial",)


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
    assert read.models["grid"].minimum == {"grid": {"perpetual": {"initial": "0.02"}}}
    given = set(read.model_fields_set)
    assert set(Policy.model_fields) - given == {"version"}, "the documentation shows every field"
