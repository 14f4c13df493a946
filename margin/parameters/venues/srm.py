"""The parameters of Derive's standard manager, SRM.

Names follow what they do; in brackets stands the name in the venue's contract, StandardManager. The defaults are
those of its published portfolio cases (config-local, and TestStandardManager_Portfolio_Cases for base assets). Ranges
are those outside which the contract refuses a number: setPerpMarginRequirements, setOptionMarginParams,
setOracleContingencyParams, setDepegParameters and setBaseMarginParams.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from zkmargin.margin.parameters.types import Graded, Number, Rate, Rates, Strict, rates

_Scale = Annotated[Number, Field(ge=1, le=3)]
_SpotShare = Annotated[Number, Field(ge=0, le=Decimal("1.2"))]


class UnpairedCalls(Graded[Decimal]):
    """How many times the forward a short call counts that no long call of its expiry pays for."""

    initial: _Scale
    """[unpairedIMScale]"""
    maintenance: _Scale
    """[unpairedMMScale]"""


class ShortOption(Strict):
    """The charge on one short option by itself, beside its mark M; S is the spot price, out the part of it that the
    option is out of the money.

    Maintenance: call S for a call, max(put S, put_mark M) for a put. Initial: max(most - out, least) S; for a put at
    least `scale` times maintenance, marks included.
    """

    most: _SpotShare = Decimal("0.15")
    """[maxSpotReq]"""
    least: _SpotShare = Decimal("0.1")
    """[minSpotReq]"""
    call: Rate = Decimal("0.075")
    """[mmCallSpotReq]"""
    put: Rate = Decimal("0.075")
    """[mmPutSpotReq]"""
    put_mark: Rate = Decimal("0.075")
    """[MMPutMtMReq]"""
    scale: _Scale = Decimal("1.05")
    """[mmOffsetScale]"""
    unpaired: UnpairedCalls = UnpairedCalls(initial=Decimal("1.2"), maintenance=Decimal("1.1"))


class OracleContingency(Strict):
    """Where the confidence c of a feed is below its threshold, initial margin asks (1 - c) factor of the spot price."""

    perpetual: Rate = Decimal("0.4")
    """[perpThreshold], of the lesser of spot's and the perpetual's own"""
    option: Rate = Decimal("0.4")
    """[optionThreshold], of the least of spot's, the forward's and the volatilities'"""
    base: Rate = Decimal("0.4")
    """[baseThreshold], of spot's"""
    factor: Rate = Decimal("0.4")
    """[OCFactor]"""


class BaseAsset(Strict):
    """The part of its spot price that a coin counts for: `factor` at maintenance, `factor` times `initial_scale` at
    initial.
    """

    factor: Rate = Decimal("0.8")
    """[marginFactor]"""
    initial_scale: Rate = Decimal(1)
    """[IMScale]"""


class Depeg(Strict):
    """Below `threshold` USD for one unit of cash, initial margin asks factor * (threshold - price) of the spot price
    for every perpetual and every short option.
    """

    threshold: Rate = Decimal("0.98")
    factor: Annotated[Number, Field(ge=0, le=3)] = Decimal("1.2")
    """[depegFactor]"""


class SrmMarket(Strict):
    """The numbers of one market."""

    perpetual: Rates = rates("0.065", "0.05")
    """On the notional of perpetuals and futures, at their own price [imPerpReq, mmPerpReq]."""
    option: ShortOption = ShortOption()
    confidence: OracleContingency = OracleContingency()
    base: BaseAsset = BaseAsset()


class Srm(SrmMarket):
    """All of SRM: the numbers of every market, and of those that have their own."""

    depeg: Depeg = Depeg()
    markets: Mapping[str, SrmMarket] = {}
    """By underlying: in place of the numbers above, all of them."""

    def market(self, underlying: str) -> SrmMarket:
        """The numbers of one market."""
        return self.markets.get(underlying, self)
