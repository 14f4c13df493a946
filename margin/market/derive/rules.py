"""The parameters of a case as those of the pmrm2 rules."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.derive.part import Part
from zkmargin.margin.parameters.document import Parameters, parse_parameters

# Where each number of `Parameters` goes.
_TARGETS: Final[Mapping[str, Mapping[str, str]]] = {
    "SkewShock": {
        "LINEAR_SCALE_CAP": "skew.linear.base",
        "LINEAR_CBASE": "skew.linear.slope",
        "ABS_SCALE_CAP": "skew.absolute.base",
        "ABS_CBASE": "skew.absolute.slope",
        "MIN_K_STAR": "skew.minimum",
        "MIN_WIDTH_SCALE": "skew.width",
        "VOL_PARAM_STATIC": "skew.level",
        "VOL_PARAM_SCALE": "skew.trend",
    },
    "VolShock": {
        "VOLRANGEUP": "volatility.up",
        "MIN_VOL_EVAL_SHOCKED": "volatility.minimum",
        "VOLRANGEDOWN": "volatility.down",
        "SHORTTERMPOWER": "volatility.short_power",
        "LONGTERMPOWER": "volatility.long_power",
        "DTE_FLOOR": "volatility.floor_days",
    },
    "Margin": {
        "MM_LOSS_FACTOR": "loss_factor.maintenance",
        "IM_LOSS_FACTOR": "loss_factor.initial",
        "SHORT_RATE_MULTSCALE": "short_discount.multiplier",
        "LONG_RATE_MULTSCALE": "long_discount.multiplier",
        "SHORT_RATE_ADDSCALE": "short_discount.addition",
        "LONG_RATE_ADDSCALE": "long_discount.addition",
        "BASE_STATIC_DISCOUNT": "long_discount.base",
        "BASE_STATIC_DISCOUNT_NEG": "short_discount.base",
    },
    "BasisContingency": {
        "SCENARIO_SPOT_UP": "basis.up",
        "SCENARIO_SPOT_DOWN": "basis.down",
        "BASIS_CONT_ADD_FACTOR": "basis.addition",
        "BASIS_CONT_MULT_FACTOR": "basis.multiplier",
    },
    "OtherContingency": {
        "PEG_LOSS_THRESHOLD": "peg.threshold",
        "PEG_LOSS_FACTOR": "peg.factor",
        "CONF_THRESHOLD": "confidence.threshold",
        "CONF_MARGIN": "confidence.margin",
        "MM_PERP_PERCENT": "perpetual.maintenance",
        "IM_PERP_PERCENT": "perpetual.addition",
        "MM_OPTION_PERCENT": "naked_short.maintenance",
        "IM_OPTION_PERCENT": "naked_short.addition",
    },
}
_DERIVED: Final = frozenset({"IM_PERP_PERCENT_NORMAL", "IM_OPTION_PERCENT_NORMAL"})
"""Sums of two others."""
_DIRECTIONS: Final = {"Up": "up", "None": "none", "Down": "down", "LINEAR": "linear", "ABS": "absolute"}
_FACTORS: Final = frozenset({"basis.up", "basis.down"})
"""Written as factors on the price in a case, as moves in our parameters."""


def read_parameters(case: Part, underlying: str, collaterals: Mapping[str, Part]) -> Parameters:
    """The rules of a case; `collaterals` by the coin's name. InputError naming the key and the value."""
    part = case.part("Parameters", frozenset({"Scenarios", *_TARGETS}))
    rules: dict[str, Any] = {"scenarios": _scenarios(part.parts("Scenarios"))}
    for title, keys in _TARGETS.items():
        section = part.part(title, frozenset(keys) | _DERIVED)
        for key, target in keys.items():
            value = section.number(key)
            _put(rules, target.split("."), canonical_decimal(value - 1 if target in _FACTORS else value))
    rules["collaterals"] = {
        name: {
            "haircut": {"maintenance": entry.text("MMHaircut"), "addition": entry.text("IMHaircut")},
            "cancels": underlying if entry.flag("IsRiskCancelling") else None,
        }
        for name, entry in collaterals.items()
    }
    return parse_parameters({"pmrm2": rules}, part.place)


def _scenarios(parts: Sequence[Part]) -> list[dict[str, str]]:
    return [
        {
            "spot": canonical_decimal(part.number("SpotShock") - 1),
            "volatility": _direction(part),
            "damping": part.text("DampeningFactor", "1"),
        }
        for part in parts
    ]


def _direction(part: Part) -> str:
    written = part.needed("VolShockDirection")
    if not isinstance(written, str) or written not in _DIRECTIONS:
        remedy = f"use one of {', '.join(_DIRECTIONS)}"
        raise InputError(part.place, "VolShockDirection", written, remedy)
    return _DIRECTIONS[written]


def _put(document: dict[str, Any], path: Sequence[str], value: str) -> None:
    *parents, last = path
    for parent in parents:
        document = document.setdefault(parent, {})
    document[last] = value
