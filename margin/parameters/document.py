"""The parameters of the margin models: ranges checked, unknown keys refused, defaults embedded.

A rate is a fraction (0.02 is 2 %), written as a decimal string or number; shocks are relative moves of
the spot price; times are in days.
"""

import operator
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import parse_json, read_text
from zkmargin.margin.files.literals import PlainLiterals
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.parameters.collateral import Collateral, check_rising
from zkmargin.margin.parameters.correlation import CorrelationSection
from zkmargin.margin.parameters.es import Shortfall
from zkmargin.margin.parameters.grid import Grid
from zkmargin.margin.parameters.span import SpanParameters
from zkmargin.margin.parameters.standard import Standard
from zkmargin.margin.parameters.tiered import Tiered
from zkmargin.margin.parameters.tims import TimsParameters
from zkmargin.margin.parameters.types import Rates, Strict, rates
from zkmargin.margin.parameters.var import ValueAtRisk
from zkmargin.margin.parameters.venues.binance import Binance
from zkmargin.margin.parameters.venues.bybit import Bybit
from zkmargin.margin.parameters.venues.deribit import Deribit
from zkmargin.margin.parameters.venues.okx import Okx
from zkmargin.margin.parameters.venues.pmrm1 import Pmrm1
from zkmargin.margin.parameters.venues.pmrm2 import Pmrm2
from zkmargin.margin.parameters.venues.srm import Srm

VERSION = 1


def _usual_debt(found: Rates) -> bool:
    return found == rates("0.2", "0.1")


class Parameters(PlainLiterals):
    """All that turns a market into tables; a key beyond these is the section of the model that has its name."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    version: Literal[1] = 1
    grid: Grid = Grid()
    standard: Standard = Standard()
    haircuts: Mapping[str, Rates] = {"BTC": rates("0.05", "0.03"), "ETH": rates("0.075", "0.05")}
    """Haircut on a coin's equity, by coin."""
    default_haircut: Rates = rates("0.2", "0.15")
    """For coins that `haircuts` does not list."""
    debts: Annotated[Mapping[str, Rates], Field(exclude_if=operator.not_)] = {}
    """On a debt in a coin, by coin, in the models whose scenarios do not move it."""
    default_debt: Annotated[Rates, Field(exclude_if=_usual_debt)] = rates("0.2", "0.1")
    """For coins that `debts` does not list."""
    collateral: Mapping[str, Collateral] = {}
    """Per coin, how its haircut changes with size, volatility and liquidity, and what its debts count for."""
    pmrm1: Pmrm1 | None = None
    """In place of `grid`, the rules of Derive's first portfolio margin risk manager."""
    pmrm2: Pmrm2 | None = None
    """In place of `grid`, the rules of Derive's second portfolio margin risk manager."""
    deribit: Deribit | None = None
    """In place of `grid`, rules like those of Deribit's portfolio margin."""
    okx: Okx | None = None
    """In place of `grid`, rules like those of OKX's portfolio margin."""
    bybit: Bybit | None = None
    """In place of `grid`, rules like those of Bybit's portfolio margin."""
    binance: Binance | None = None
    """In place of `grid`, rules like those of Binance's unified maintenance margin ratio."""

    srm: Srm | None = None
    """In place of `standard`, in the model `isolated`, the rules of Derive's standard manager."""

    @model_validator(mode="after")
    def _one_venue(self) -> Self:
        given = [name for name in GRID_PRESETS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"the rules of {' and '.join(given)} cannot stand together; keep one")
        return self

    @model_validator(mode="after")
    def _nothing_in_vain(self) -> Self:
        """What a venue's rules stand in place of must not be stated as well, as if it counted."""
        venue = next((name for name in GRID_PRESETS if getattr(self, name) is not None), None)
        if venue is not None and self.grid != Grid():
            raise ValueError(f"grid: the rules of {venue} stand in its place; keep one of the two sections")
        for coin in self.collateral:
            if self.deribit is not None:
                raise ValueError(
                    f"collateral.{coin}: deribit.haircut stands in its place; keep one of the two"
                )
            if self.pmrm1 is not None:
                raise ValueError(f"collateral.{coin}: pmrm1.base stands in its place; keep one of the two")
            if self.pmrm2 is not None and coin in self.pmrm2.collaterals:
                other = f"pmrm2.collaterals.{coin}"
                raise ValueError(f"collateral.{coin}: {other} stands in its place; keep one of the two")
        return self

    @property
    def venue(self) -> Strict | None:
        """The rules of a venue that stand in place of the grid's own."""
        return next((rules for name in GRID_PRESETS if (rules := getattr(self, name)) is not None), None)

    @model_validator(mode="before")
    @classmethod
    def _sections(cls, document: Any) -> Any:
        """Parse each model's section by its type in SECTIONS; refuse keys of no model."""
        if not isinstance(document, Mapping):
            return document
        own = {name: value for name, value in document.items() if name in cls.model_fields}
        kinds = SECTIONS
        for name, value in document.items():
            if name in kinds:
                own[name] = value if isinstance(value, kinds[name]) else _section(name, kinds[name], value)
            elif name not in own:
                known = ", ".join((*cls.model_fields, *kinds))
                raise ValueError(f"unknown key {name!r}; the sections are {known}")
        return own

    @model_validator(mode="after")
    def _rising(self) -> Self:
        for coin, rules in self.collateral.items():
            for tier in rules.tiers[:1]:
                check_rising(self.haircut(coin), tier)
        return self

    def section(self, name: str) -> Any:
        """The section of a model, an instance of its type in SECTIONS; None where none was given."""
        return (self.model_extra or {}).get(name)

    def haircut(self, coin: str) -> Rates:
        """The haircut on a coin's equity."""
        return self.haircuts.get(coin, self.default_haircut)

    def debt(self, coin: str) -> Rates:
        """The rate on a debt in a coin."""
        return self.debts.get(coin, self.default_debt)

    def document(self) -> dict[str, Any]:
        """The fields for the canonical encoding: numbers as canonical decimal strings."""
        absent = {name for name in ("collateral", *PRESETS) if not getattr(self, name)}
        return self.model_dump(mode="json", exclude=absent)


def _section(name: str, kind: type[BaseModel], document: Any) -> BaseModel:
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        found = input_error("parameters", error)
        field = name if found.field == "document" else f"{name}.{found.field}"
        raise InputError("parameters", field, found.value, found.remedy) from None


SECTIONS: Mapping[str, type[BaseModel]] = {
    "correlation": CorrelationSection,
    "es": Shortfall,
    "span": SpanParameters,
    "tiered": Tiered,
    "tims": TimsParameters,
    "var": ValueAtRisk,
}
"""The optional sections, each named as the model whose parameters it holds."""

GRID_PRESETS: Mapping[str, type[Strict]] = {
    "pmrm1": Pmrm1,
    "pmrm2": Pmrm2,
    "deribit": Deribit,
    "okx": Okx,
    "bybit": Bybit,
    "binance": Binance,
}
"""Rules of venues that may stand in place of the grid's own, by their section."""

PRESETS: Mapping[str, type[Strict]] = {**GRID_PRESETS, "srm": Srm}
"""All rules of venues, by their section."""

DEFAULT_PARAMETERS = Parameters()


def preset(name: str) -> Parameters:
    """The default parameters with the rules of a venue; InputError for an unknown name."""
    if name == "default":
        return DEFAULT_PARAMETERS
    if name not in PRESETS:
        raise InputError("parameters", "preset", name, f"use one of default, {', '.join(PRESETS)}")
    return parse_parameters({name: {}}, f"preset {name}")


def parse_parameters(document: object, where: str) -> Parameters:
    """Parameters from a parsed document; what it leaves out keeps its default.

    Raises InputError naming the key for unknown keys and values out of range.
    """
    if isinstance(document, Mapping):
        known = (*Parameters.model_fields, *SECTIONS)
        for name in document:
            if name not in known:
                remedy = f"unknown key; remove it or correct its name: {', '.join(known)}"
                raise InputError(where, str(name), document[name], remedy)
    try:
        return Parameters.model_validate(document)
    except ValidationError as error:
        raise input_error(where, error) from None


def load_parameters(path: Path) -> Parameters:
    """Parameters from a .json or .toml file; raises InputError if it cannot be used."""
    text = read_text(path)
    if path.suffix.lower() != ".toml":
        return parse_parameters(parse_json(text, str(path)), str(path))
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise InputError(str(path), "document", Finding(error), "write valid TOML") from None
    return parse_parameters(document, str(path))
