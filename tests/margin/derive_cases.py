"""Portfolio cases in Derive's format: the published ones, and invented ones with every feature switched on."""

import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from zkmargin.margin.account.derive_case import MODELS, QUANTUM_DECIMALS
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.market.derive import DeriveCase, parse_derive_case
from zkmargin.margin.snapshot.snapshot import Snapshot

PUBLISHED = Path(__file__).resolve().parents[2] / "../shared/data/derive_pmrm2"

SCENARIOS = [
    *(
        {"SpotShock": spot, "VolShockDirection": move, "DampeningFactor": 1}
        for spot in ("1.12", "1", "0.88")
        for move in ("Up", "None", "Down")
    ),
    {"SpotShock": "3", "VolShockDirection": "Up", "DampeningFactor": "0.1"},
    {"SpotShock": "0.4", "VolShockDirection": "Up", "DampeningFactor": "0.2"},
    {"SpotShock": "1", "VolShockDirection": "LINEAR", "DampeningFactor": 1},
    {"SpotShock": "1", "VolShockDirection": "ABS", "DampeningFactor": 1},
]

PARAMETERS: Mapping[str, Any] = {
    "Scenarios": SCENARIOS,
    "SkewShock": {
        "LINEAR_SCALE_CAP": "0.15",
        "LINEAR_CBASE": "-0.05",
        "ABS_SCALE_CAP": "0.15",
        "ABS_CBASE": "-0.05",
        "MIN_K_STAR": "0.01",
        "MIN_WIDTH_SCALE": "4",
        "VOL_PARAM_STATIC": "0.6",
        "VOL_PARAM_SCALE": "-0.1",
    },
    "VolShock": {
        "VOLRANGEUP": "0.5",
        "MIN_VOL_EVAL_SHOCKED": "0.45",
        "VOLRANGEDOWN": "0.275",
        "SHORTTERMPOWER": "0.3",
        "LONGTERMPOWER": "0.13",
        "DTE_FLOOR": "1",
    },
    "Margin": {
        "MM_LOSS_FACTOR": "0.8",
        "IM_LOSS_FACTOR": "1",
        "SHORT_RATE_MULTSCALE": "0.5",
        "LONG_RATE_MULTSCALE": "1",
        "SHORT_RATE_ADDSCALE": "0.08",
        "LONG_RATE_ADDSCALE": "0.08",
        "BASE_STATIC_DISCOUNT": "0.95",
        "BASE_STATIC_DISCOUNT_NEG": "1.04",
    },
    "BasisContingency": {
        "SCENARIO_SPOT_UP": "1.045",
        "SCENARIO_SPOT_DOWN": "0.955",
        "BASIS_CONT_ADD_FACTOR": "0.5",
        "BASIS_CONT_MULT_FACTOR": "2",
    },
    "OtherContingency": {
        "PEG_LOSS_THRESHOLD": "0.98",
        "PEG_LOSS_FACTOR": "2",
        "CONF_THRESHOLD": "0.55",
        "CONF_MARGIN": "1",
        "MM_PERP_PERCENT": "0.015",
        "IM_PERP_PERCENT": "0.005",
        "MM_OPTION_PERCENT": "0.003",
        "IM_OPTION_PERCENT": "0.002",
    },
}

EXPIRIES = (900, 7200, 794852, 3214052, 20000000)
"""Seconds: within the averaging window, today, days, a month, most of a year."""


def option(expiry: int, strike: str, amount: str, *, call: bool = True, vol: str = "0.7") -> dict[str, Any]:
    return {"Expiry": expiry, "Strike": strike, "IsCall": int(call), "MarkVol": vol, "Amount": amount}


def feed(expiry: int, forward: str = "2700", rate: str = "0.05", confidence: str = "1") -> dict[str, Any]:
    return {
        "FeedExpiry": expiry,
        "Forward": forward,
        "ForwardConfidence": confidence,
        "Rate": rate,
        "RateConfidence": 1,
        "OptionVolConfidences": [1, confidence],
    }


def collateral(name: str, amount: str, **changes: Any) -> dict[str, Any]:
    plain = {
        "Name": name,
        "Amount": amount,
        "Price": "2800",
        "Confidence": 1,
        "IsRiskCancelling": True,
        "MMHaircut": "0.05",
        "IMHaircut": "0.1",
    }
    return plain | changes


def document(
    options: Sequence[Mapping[str, Any]] = (),
    feeds: Sequence[Mapping[str, Any]] = (),
    *,
    collaterals: Sequence[Mapping[str, Any]] = (),
    parameters: Mapping[str, Mapping[str, str]] | None = None,
    **scenario: Any,
) -> dict[str, Any]:
    """A case with some of its parameters changed; parameters by section."""
    rules = {
        title: {**section, **(parameters or {}).get(title, {})} if isinstance(section, Mapping) else section
        for title, section in PARAMETERS.items()
    }
    account = {
        "Cash": "1000",
        "Collaterals": list(collaterals),
        "SpotPrice": "2681.6",
        "SpotConfidence": 1,
        "NumPerps": 0,
        "PerpPrice": "2690.5",
        "PerpConfidence": 1,
        "UnrealisedPerpPNL": 0,
        "UnrealisedFunding": 0,
        "StablePrice": "1.0002",
        "StableConfidence": 1,
        "Options": list(options),
        "OptionFeeds": list(feeds),
    }
    return deepcopy({"Scenario": account | scenario, "Parameters": rules})


RARE: list[dict[str, Any]] = [
    {"options": [option(0, "2600", "3"), option(0, "2900", "-1", call=False)], "feeds": [feed(0)]},
    {"options": [option(-86400, "2600", "-3")], "feeds": [feed(-86400)]},
    {"options": [option(60, "2700", "-3", vol="400")], "feeds": [feed(60)]},
    {"options": [option(1, "2700", "5", vol="0")], "feeds": [feed(1)]},
    {"options": [option(794852, "2700", "-5", vol="95")], "feeds": [feed(794852, rate="-0.3")]},
    {"options": [option(794852, "2700", "0")], "feeds": [feed(794852)]},
    {"options": [option(40000000, "2700", "-7")], "feeds": [feed(40000000, rate="2.5")]},
    {"options": [option(157680000, "2700", "-7")], "feeds": [feed(157680000, rate="4")]},
    {"options": [option(3214052, "27", "1")], "feeds": [feed(3214052, forward="0.000000001")]},
    {"SpotConfidence": 0, "NumPerps": "-3.000000001", "PerpConfidence": 0},
    {"StablePrice": "0.01", "collaterals": [collateral("usdt", "1000", Price="0.3", Confidence="0")]},
    {"UnrealisedPerpPNL": "-12.5", "UnrealisedFunding": "3.25", "NumPerps": "1000000"},
    {"Cash": "-1e9", "collaterals": [collateral("x", "0"), collateral("x", "1e-9")]},
    {"options": [option(794852, "27", "-1")], "feeds": [feed(3214052), feed(794852), feed(794852)]},
    {
        "options": [option(794852, "0.0125", "-250000.5"), option(3214052, "0.011", "80000", call=False)],
        "feeds": [feed(794852, "0.0121"), feed(3214052, "0.0122", confidence="0.2")],
        "SpotPrice": "0.012",
        "NumPerps": "-1e6",
        "PerpPrice": "0.01213",
        "collaterals": [collateral("x", "3e9", Price="0.0000123"), collateral("usdt", "9e5", Price="1")],
    },
    {"SpotPrice": "95000", "NumPerps": "1e6", "PerpPrice": "95100", "Cash": "-9e9"},
    {
        "collaterals": [collateral("x", "400000", Price="95000", IsRiskCancelling=0)],
        "parameters": {"Margin": {"MM_LOSS_FACTOR": "4.678950957734081"}},
    },
]
"""Expired, about to expire, without volatility or with far too much, hardly worth anything today, unsure feeds,
cash that is worth little, a feed stated twice, a cheap coin, more money than billionths can count, nothing at risk
under a fine factor."""

EXTREMES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "VolShock": (
        {
            "VOLRANGEUP": "0",
            "VOLRANGEDOWN": "0",
            "SHORTTERMPOWER": "0",
            "LONGTERMPOWER": "0",
            "DTE_FLOOR": "0",
        },
        {"VOLRANGEUP": "10", "VOLRANGEDOWN": "10", "SHORTTERMPOWER": "10", "LONGTERMPOWER": "10"},
    ),
    "SkewShock": (
        {"LINEAR_CBASE": "-10", "ABS_CBASE": "-10", "MIN_K_STAR": "0", "MIN_WIDTH_SCALE": "0.001"},
        {"LINEAR_SCALE_CAP": "10", "ABS_SCALE_CAP": "10", "LINEAR_CBASE": "10", "VOL_PARAM_SCALE": "20"},
    ),
    "Margin": (
        {"IM_LOSS_FACTOR": "0.5", "MM_LOSS_FACTOR": "0.5", "BASE_STATIC_DISCOUNT": "0"},
        {"IM_LOSS_FACTOR": "10", "SHORT_RATE_ADDSCALE": "10", "LONG_RATE_ADDSCALE": "10"},
    ),
    "BasisContingency": (
        {"SCENARIO_SPOT_DOWN": "0", "BASIS_CONT_ADD_FACTOR": "0", "BASIS_CONT_MULT_FACTOR": "0"},
        {"SCENARIO_SPOT_UP": "2.9", "BASIS_CONT_ADD_FACTOR": "20", "BASIS_CONT_MULT_FACTOR": "20"},
    ),
    "OtherContingency": (
        {"CONF_THRESHOLD": "0", "MM_PERP_PERCENT": "0", "IM_PERP_PERCENT": "0", "PEG_LOSS_FACTOR": "0"},
        {"CONF_THRESHOLD": "1", "CONF_MARGIN": "20", "MM_PERP_PERCENT": "3", "IM_OPTION_PERCENT": "2"},
    ),
}
"""By section: parameters at the lower ends of the ranges that the venue's contracts allow, and at the upper ones."""


def extreme(section: str, side: int) -> dict[str, Any]:
    """A book of three expiries under parameters at one end; cash at a price that makes factors as fine as can be."""
    options = [
        option(expiry, strike, amount, call=call)
        for expiry in (86400, 3214052, 20000000)
        for strike, amount, call in (("2500", "-2", True), ("2700", "3", False), ("3200", "-1", False))
    ]
    feeds = [feed(86400, confidence="0.6"), feed(3214052, rate="0.2"), feed(20000000, rate="0.9")]
    return document(
        options,
        feeds,
        parameters={section: EXTREMES[section][side]},
        NumPerps="-2",
        SpotConfidence="0.9",
        collaterals=[collateral("wsteth", "4")],
        StablePrice="0.912345678901234567",
    )


def parse(case: Mapping[str, Any]) -> DeriveCase:
    return parse_derive_case(case, "case.json")


def account(case: DeriveCase, domain: int | None = None) -> tuple[Snapshot, list[int]]:
    """The snapshot of a case and its lots."""
    snapshot = Snapshot.build(
        case.market, case.parameters, quantum_decimals=QUANTUM_DECIMALS, only=MODELS, domain=domain
    )
    positions = (Position(name, quantity) for name, quantity in case.quantities.items())
    return snapshot, Holdings.of(positions, snapshot).vector(snapshot)


@cache
def published() -> tuple[Path, ...]:
    """The published cases; skips where they are absent, but never in CI."""
    found = tuple(sorted(PUBLISHED.glob("*.json")))
    if not found and not os.environ.get("CI"):
        pytest.skip("the published cases are not beside the repository")
    assert found, "the published cases must be there"
    return found


def _decimal(low: str, high: str, places: int) -> st.SearchStrategy[str]:
    return st.decimals(Decimal(low), Decimal(high), places=places).map(str)


_CONFIDENCES = st.sampled_from(("0", "0.2", "0.54", "0.55", "1"))


@st.composite
def cases(draw: st.DrawFn, largest: int = 60) -> dict[str, Any]:
    """Up to `largest` options over some expiries, perpetuals, collaterals; any feature may be on."""
    expiries = draw(st.lists(st.sampled_from((-60, *EXPIRIES)), unique=True, max_size=3))
    options = [
        option(
            draw(st.sampled_from(expiries)),
            draw(st.sampled_from(("1500", "2600", "2700", "2750.5", "4000"))),
            draw(_decimal("-50", "50", 3)),
            call=draw(st.booleans()),
        )
        for _ in range(draw(st.integers(0, largest)) if expiries else 0)
    ]
    feeds = [
        feed(expiry, draw(_decimal("2000", "3500", 2)), draw(_decimal("-0.1", "0.3", 3)), draw(_CONFIDENCES))
        for expiry in expiries
    ]
    held = draw(st.sampled_from(("0", "1.5", "-20")))
    names = draw(st.lists(st.sampled_from(("USDT", "wETH", "rswETH")), unique=True, max_size=2))
    collaterals = [
        collateral(
            name,
            draw(_decimal("0", "30", 4)),
            Confidence=draw(_CONFIDENCES),
            IsRiskCancelling=draw(st.booleans()),
        )
        for name in names
    ]
    greater = {"BASE_STATIC_DISCOUNT": "1.1", "BASE_STATIC_DISCOUNT_NEG": "0.9"}
    margin = greater if draw(st.booleans()) else {}
    return document(
        options,
        feeds,
        collaterals=collaterals,
        parameters={"Margin": margin},
        Cash=draw(_decimal("-5000", "50000", 6)),
        NumPerps=held,
        SpotConfidence=draw(_CONFIDENCES),
        PerpConfidence=draw(_CONFIDENCES),
        StablePrice=draw(st.sampled_from(("1.0002", "0.97", "0.5"))),
    )
