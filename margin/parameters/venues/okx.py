"""Parameters of a portfolio margin like OKX's, with the numbers that it announced in January 2025.

Sources, by what they say: [A] *OKX will update margin calculation rules for the portfolio margin mode* (December 2024:
one risk unit a coin, MR9); [B] *OKX will further adjust portfolio margin parameters* (2 January 2025: MR1, MR4, MR6,
MR7 by coin); [C] *Portfolio margin mode: cross-margin trading (Risk Unit Merge)* (help centre, 3 December 2024,
updated in 2025: what each part is, coins of each class, volatility by term in points and in a percentage).
What stands under none of them is ours.
"""

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from zkmargin.margin.parameters.types import FACTOR_PLACES, Factor, Number, Rate, Shock, Strict, at_most
from zkmargin.margin.parameters.venues.pmrm2 import LossFactors, Positive

_Start = Annotated[Number, Field(ge=0, le=10**11)]
_Moves = Annotated[tuple[Shock, ...], Field(min_length=1, max_length=41)]
_Extremes = Annotated[tuple[Shock, ...], Field(max_length=8)]


class Step(Strict):
    """From `start` USD of the raw minimum charge on, every further dollar of it counts `multiplier` times."""

    start: _Start
    multiplier: Annotated[int, Field(ge=1, le=1000)]


class SpreadStep(Strict):
    """From `start` USD on, every further dollar that is hedged across stablecoins is charged `rate`."""

    start: _Start
    rate: Annotated[Rate, at_most(4)]


class VolatilityTerm(Strict):
    """The moves of an implied volatility at a term; between two terms they lie on a line, beyond they are level."""

    days: Annotated[Number, Field(ge=0, le=4000)]
    move: Factor
    """As a share of the volatility."""
    points: Factor = Decimal(0)
    """As an addition to it: 0.3 is 30 points of volatility."""


class Moves(Strict):
    """What differs from coin to coin."""

    spot_shocks: _Moves = tuple(Decimal(percent).scaleb(-2) for percent in range(-12, 13, 4))
    """MR1, each with volatility up, unchanged and down [B]."""
    extreme_moves: _Extremes = (Decimal("-0.24"), Decimal("0.24"))
    """MR6, with volatility unchanged [B]."""
    annual_move: Rate = Decimal("0.05")
    """MR4: the move of a forward a year away against spot [B]."""


class CoinClass(Moves):
    """Coins with other moves; a class without coins is that of all others."""

    coins: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9.]{0,11}$")], ...] = ()


class RoundLossFactors(LossFactors):
    """Factors of at most 12 decimal places."""

    initial: Annotated[Positive, at_most(FACTOR_PLACES)]
    maintenance: Annotated[Positive, at_most(FACTOR_PLACES)]


def _class(coins: str, spot: tuple[int, int, int], extreme: int, annual: str) -> CoinClass:
    moves = sorted({sign * move for move in (0, *spot) for sign in (1, -1)})
    return CoinClass(
        coins=tuple(coins.split()),
        spot_shocks=tuple(Decimal(move).scaleb(-2) for move in moves),
        extreme_moves=tuple(Decimal(sign * extreme).scaleb(-2) for sign in (-1, 1)),
        annual_move=Decimal(annual),
    )


_CLASSES = (
    _class("SOL DOGE PEPE XRP BNB SHIB LTC ORDI WLD BCH ADA", (6, 12, 18), 36, "0.15"),
    _class("", (8, 16, 25), 50, "0.3"),
)
_STEPS = tuple(
    Step(start=Decimal(start), multiplier=multiplier)
    for start, multiplier in (
        (0, 1), (250_000, 2), (500_000, 4), (1_000_000, 6), (2_000_000, 8), (3_000_000, 10), (4_000_000, 12),
    )
)  # fmt: skip
_SPREADS = tuple(
    SpreadStep(start=Decimal(start), rate=Decimal(rate))
    for start, rate in ((0, "0.0075"), (1_000_000, "0.0175"), (5_000_000, "0.025"))
)
_TERMS = tuple(
    VolatilityTerm(days=Decimal(days), move=Decimal(move), points=Decimal(points))
    for days, move, points in ((0, "0.5", "0.3"), (30, "0.35", "0.25"), (60, "0.25", "0.2"))
)


class Okx(Moves):
    """MMR = max(max(MR1, MR2, MR6) + MR3 + MR4 + MR5 + MR9, MR7) for each coin, MR8 on debts, and IMR 1.3 times the
    first; see `zkmargin.margin.models.grid.okx`. The moves stated here are those of BTC and ETH.
    """

    majors: tuple[str, ...] = ("BTC", "ETH")
    classes: Annotated[tuple[CoinClass, ...], Field(max_length=20)] = _CLASSES
    """All other coins [B]; where none has a class without coins, they move as the majors do."""
    extreme_damping: Rate = Decimal("0.5")
    """MR6: half of the loss counts [C]."""
    volatility_terms: Annotated[tuple[VolatilityTerm, ...], Field(min_length=1, max_length=20)] = _TERMS
    """MR1: the moves up, and down, by the term of the option; the greater loss of both kinds counts [C]."""
    decay_days: Annotated[Number, Field(ge=0, le=30)] = Decimal(1)
    """MR2: the loss of so many days passing [C: 24 hours]; 0 for none."""
    term_share: Rate = Decimal("0.2")
    """MR3: of what expiries hedge of each other in MR1's move of volatility."""
    rate_move: Rate = Decimal("0.01")
    """MR5: a move of interest rates at all terms, up or down."""
    spread_steps: Annotated[tuple[SpreadStep, ...], Field(max_length=20)] = _SPREADS
    """MR9: on what contracts in dollars and contracts in stablecoins hedge of each other; the rates of the
    announcement's example [A].
    """
    future_cost: Rate = Decimal("0.0005")
    """MR7: of the notional of futures and perpetuals, either side."""
    option_cost: Rate = Decimal("0.0003")
    """MR7: of the index, for every option; of a long one that is paid, its mark at most."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)] = _STEPS
    """MR7: the multipliers, rising [B]."""
    loss_factor: RoundLossFactors = RoundLossFactors(initial=Decimal("1.3"), maintenance=Decimal(1))

    @model_validator(mode="after")
    def _rising(self) -> Self:
        starts = [step.start for step in self.steps]
        multipliers = [step.multiplier for step in self.steps]
        rising = all(a < b for a, b in pairwise(starts)) and all(a < b for a, b in pairwise(multipliers))
        if starts[0] or not rising:
            raise ValueError("steps: start at 0, and let starts and multipliers rise from step to step")
        spreads = [(step.start, step.rate) for step in self.spread_steps]
        if spreads and (spreads[0][0] or any(a[0] >= b[0] or a[1] >= b[1] for a, b in pairwise(spreads))):
            raise ValueError("spread_steps: start at 0, and let starts and rates rise from step to step")
        if any(a.days >= b.days for a, b in pairwise(self.volatility_terms)):
            raise ValueError("volatility_terms: put them in order of their days, each once")
        return self

    @model_validator(mode="after")
    def _alike(self) -> Self:
        """Every coin has as many scenarios as any other, so that one table holds them all."""
        named = [coin for each in self.classes for coin in (each.coins or ("all others",))]
        if len({*named, *self.majors}) != len(named) + len(self.majors):
            raise ValueError("classes: a coin is in two classes; keep one")
        for each in self.classes:
            for name in ("spot_shocks", "extreme_moves"):
                if len(getattr(each, name)) != len(getattr(self, name)):
                    raise ValueError(f"classes: {name} must be as many as those of {', '.join(self.majors)}")
        return self

    def of(self, coin: str) -> Moves:
        """The moves of a coin."""
        if coin in self.majors:
            return self
        others = next((each for each in self.classes if not each.coins), self)
        return next((each for each in self.classes if coin in each.coins), others)
