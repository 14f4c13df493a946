"""The section `correlation` of the parameters: where the covariance comes from, and how far out to look."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from zkmargin.margin.arithmetic.cholesky import check_correlation
from zkmargin.margin.parameters.joint import Coin, CorrelationEntry, no_charge
from zkmargin.margin.parameters.types import Factor, Graded, Multiples, Rates, Strict, rates

FEWEST_DAYS, MOST_DAYS = 2, 5000

_Days = Annotated[int, Field(strict=True, ge=FEWEST_DAYS, le=MOST_DAYS)]
_Horizon = Annotated[int, Field(strict=True, ge=1, le=60)]


class Horizons(Graded[int]):
    """Days for each level; initial is never below maintenance."""

    initial: _Horizon
    maintenance: _Horizon


class CorrelationSection(Strict):
    """Covariance from price history, or given as volatilities and correlations.

    From history: of the daily moves of the last `window` days, and once more of the `stressed_window` days
    on end in which the variances of all underlyings together were greatest. Given: `volatilities` (a year, as
    fractions) and a `correlation` matrix in the order of `coins`, and once more the stressed ones, of which
    either may be left out and is then as in the first.
    """

    source: Literal["history", "given"] = "history"
    window: _Days = 365
    stressed_window: _Days | None = 60
    """None: no second matrix."""
    coins: tuple[Coin, ...] = ()
    volatilities: tuple[Factor, ...] = ()
    correlation: tuple[tuple[CorrelationEntry, ...], ...] = ()
    stressed_volatilities: tuple[Factor, ...] = ()
    stressed_correlation: tuple[tuple[CorrelationEntry, ...], ...] = ()
    horizon: Horizons = Horizons(initial=2, maintenance=1)
    """Days; volatility grows with their root."""
    multiplier: Multiples = Multiples(initial=Decimal(3), maintenance=Decimal("2.33"))
    """Standard deviations that are lost under the covariance matrices."""
    undiversified: Multiples = Multiples(initial=Decimal(1), maintenance=Decimal("0.75"))
    """Standard deviations that are lost in the stress in which exposures do not offset each other."""
    perpetual: Rates = Field(default_factory=no_charge)
    """Contingency on the notional of perpetuals."""
    naked_short: Rates = rates("0.02", "0.006")
    """Contingency on the price of the underlying per naked short option of a strike and expiry, for the
    curvature that a delta does not show: what an option at the money with 30 days left, at a volatility of
    60 %, loses by it in a move of `multiplier` standard deviations over the horizon.
    """

    @model_validator(mode="after")
    def _complete(self) -> Self:
        given = {"coins": self.coins, "volatilities": self.volatilities, "correlation": self.correlation}
        stressed = {
            "stressed_volatilities": self.stressed_volatilities,
            "stressed_correlation": self.stressed_correlation,
        }
        if self.source == "history":
            for name, value in {**given, **stressed}.items():
                if value:
                    raise ValueError(f"{name} is for source = given; leave it out")
            return self
        for name, value in given.items():
            if not value:
                raise ValueError(f"source = given needs {name}")
        for name in ("window", "stressed_window"):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} is for source = history; leave it out")
        if len(set(self.coins)) != len(self.coins):
            raise ValueError("coins lists one twice; keep one")
        self._check("volatilities", self.volatilities, self.correlation)
        if self.stressed_volatilities or self.stressed_correlation:
            self._check("stressed_volatilities", *self.stressed)
        return self

    @property
    def stressed(self) -> tuple[Sequence[Decimal], Sequence[Sequence[Decimal]]]:
        """The stressed volatilities and correlations."""
        return self.stressed_volatilities or self.volatilities, self.stressed_correlation or self.correlation

    def _check(self, name: str, volatilities: Sequence[Decimal], matrix: Sequence[Sequence[Decimal]]) -> None:
        if len(volatilities) != len(self.coins):
            raise ValueError(f"{name} needs {len(self.coins)} numbers, one for each coin")
        check_correlation("parameters", self.coins, matrix)
