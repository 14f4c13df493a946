"""Placing collateral: accounts at several venues, one pool, and transfers that cost fees and take time.

The excess of each account is concave in what is sent to it, so it lies below each of its tangents (Kelley, The
cutting-plane method for solving convex programs, 1960). A small program finds the cheapest transfers under the tangents
found so far; the exact engine values every account there; where one falls short its tangent is added, and so on until
none does. Slopes come from the accounts' own rows. Amounts are rounded up to a lot, and the engine has the last word.
Under a model with bits tangents may cut off what would do: then the transfers are good, but perhaps not the cheapest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import highspy
import numpy as np
from highspy._core import _Highs  # the class above it prints a banner when it is made

from zkmargin.margin.arithmetic.decimals import canonical_decimal, nearest, scaled_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.planning.costs import Pricing
from zkmargin.planning.engine import Engine
from zkmargin.planning.plan import InfeasibleError
from zkmargin.planning.questions.contributions import excess_slopes

POOL = "pool"
_ROUNDS = 60


@dataclass(frozen=True)
class Account:
    """One account at a venue, and what its excess must reach in ticks."""

    name: str
    snapshot: Snapshot
    lots: tuple[int, ...]
    model: str = "grid"
    level: Level = "initial"
    target: int = 0

    @property
    def engine(self) -> Engine:
        """Its exact engine."""
        return Engine(self.snapshot, self.model, self.level)


@dataclass(frozen=True)
class Route:
    """A way for one asset from the pool or an account to another.

    Attributes:
        source, target: names of accounts, or "pool".
        asset: a balance.
        fixed: USD for a transfer of any size.
        rate: share of what is sent that the transfer costs.
        minutes: until it arrives.
    """

    source: str
    target: str
    asset: str
    fixed: Fraction = Fraction(0)
    rate: Fraction = Fraction(0)
    minutes: int = 0


@dataclass(frozen=True)
class Transfer:
    """So much of an asset along a route; the fee in USD."""

    route: Route
    lots: int
    quantity: str
    fee: Fraction

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "from": self.route.source,
            "to": self.route.target,
            "asset": self.route.asset,
            "quantity": self.quantity,
            "fee": f"{float(self.fee):.6f}",
            "minutes": self.route.minutes,
        }


@dataclass(frozen=True)
class Placement:
    """Transfers, what they cost in USD and how long they take, and the excess of every account in ticks."""

    transfers: tuple[Transfer, ...]
    fee: Fraction
    minutes: int
    before: Mapping[str, int]
    after: Mapping[str, int]
    bound: float
    """USD below which no transfers do, for models without bits."""
    quantum_decimals: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "transfers": [transfer.to_json() for transfer in self.transfers],
            "fee": f"{float(self.fee):.6f}",
            "bound": f"{self.bound:.6f}",
            "minutes": self.minutes,
            "accounts": {
                name: {
                    "excess_before": scaled_decimal(self.before[name], self.quantum_decimals[name]),
                    "excess_after": scaled_decimal(self.after[name], self.quantum_decimals[name]),
                }
                for name in self.before
            },
        }


def place(
    accounts: Sequence[Account],
    pool: Mapping[str, Fraction],
    routes: Sequence[Route],
    *,
    minutes: int | None = None,
) -> Placement:
    """The cheapest transfers after which every account reaches its target.

    Args:
        accounts: at the venues; names must differ.
        pool: units of each asset that are free to be sent.
        routes: that may be used.
        minutes: leaves out routes that take longer.

    Raises:
        InfeasibleError: some account cannot be brought to its target.
        InputError: a route or asset is not there.
    """
    names = [account.name for account in accounts]
    if len(set(names)) != len(names) or POOL in names:
        raise InputError(
            "place", "venue", Finding(", ".join(names)), f"give each a name of its own, not {POOL}"
        )
    usable = [route for route in routes if minutes is None or route.minutes <= minutes]
    for route in routes:
        _check_route(route, accounts, pool)
    return _Placing(accounts, dict(pool), usable).solve()


def _check_route(route: Route, accounts: Sequence[Account], pool: Mapping[str, Fraction]) -> None:
    by_name = {account.name: account for account in accounts}
    for end in (route.source, route.target):
        if end == POOL:
            continue
        if end not in by_name:
            raise InputError(
                "place", "route", end, f"no venue has this name; use {POOL} or one of {', '.join(by_name)}"
            )
        universe = by_name[end].snapshot.universe
        if route.asset not in universe or universe.instruments[universe.slot(route.asset)].kind != "balance":
            raise InputError("place", "asset", route.asset, f"{end} has no such balance; take the route out")
    if route.source == route.target:
        raise InputError("place", "route", route.source, "it leads back to itself; take it out")
    if route.fixed < 0 or not 0 <= route.rate < 1:
        raise InputError(
            "place", "route", f"{float(route.rate)}", "fees are zero or more, and a rate below 1"
        )


@dataclass(frozen=True)
class _Tangent:
    """excess <= constant + slopes times net deposits, in USD and units of assets."""

    account: int
    slopes: Mapping[str, float]
    constant: float


class _Placing:
    def __init__(
        self, accounts: Sequence[Account], pool: Mapping[str, Fraction], routes: Sequence[Route]
    ) -> None:
        self.accounts, self.pool, self.routes = list(accounts), dict(pool), list(routes)
        self.prices = [self._price(route) for route in self.routes]
        self.tangents: list[_Tangent] = []

    def solve(self) -> Placement:
        before = {account.name: account.engine.excess(account.lots) for account in self.accounts}
        sent = [0] * len(self.routes)
        bound = 0.0
        for _ in range(_ROUNDS):
            short = [n for n, account in enumerate(self.accounts) if self._excess(n, sent) < account.target]
            if not short:
                return self._told(sent, before, bound)
            for n in range(len(self.accounts)):
                self.tangents.append(self._tangent(n, sent))
            found = self._master()
            if found is None:
                raise self._infeasible(short)
            sent, bound = found
        raise self._infeasible(short)

    def _price(self, route: Route) -> Fraction:
        """USD for a unit of the asset."""
        if route.asset == CASH:
            return Fraction(1)
        account = next(a for a in self.accounts if a.name in (route.source, route.target))
        return Fraction(account.snapshot.inputs.indices[route.asset])

    def _lot(self, route: Route) -> Fraction:
        """The coarsest lot of the asset at either end."""
        lots = []
        for account in self.accounts:
            if account.name in (route.source, route.target):
                universe = account.snapshot.universe
                lots.append(Fraction(universe.instruments[universe.slot(route.asset)].lot))
        return max(lots)

    def _held(self, n: int, sent: Sequence[int]) -> list[int]:
        account = self.accounts[n]
        held, universe = list(account.lots), account.snapshot.universe
        for route, lots in zip(self.routes, sent, strict=True):
            sign = (route.target == account.name) - (route.source == account.name)
            if sign and lots:
                slot = universe.slot(route.asset)
                held[slot] += sign * int(lots * self._lot(route) / Fraction(universe.instruments[slot].lot))
        return held

    def _excess(self, n: int, sent: Sequence[int]) -> int:
        return self.accounts[n].engine.excess(self._held(n, sent))

    def _tangent(self, n: int, sent: Sequence[int]) -> _Tangent:
        """At what has been sent so far."""
        account = self.accounts[n]
        held, universe = self._held(n, sent), account.snapshot.universe
        slopes = excess_slopes(Pricing(account.snapshot), held, model=account.model, level=account.level)
        constant = self._excess(n, sent) / 10**account.snapshot.quantum_decimals
        per_unit: dict[str, float] = {}
        for asset in {route.asset for route in self.routes if account.name in (route.source, route.target)}:
            slot = universe.slot(asset)
            lot = Fraction(universe.instruments[slot].lot)
            per_unit[asset] = float(slopes.get(slot, Fraction(0)) / lot)
            constant -= per_unit[asset] * float((held[slot] - account.lots[slot]) * lot)
        return _Tangent(n, per_unit, constant)

    def _master(self) -> tuple[list[int], float] | None:
        """Amounts along the routes in lots of their assets, rounded up, and the least cost under the tangents.

        What may be sent is a lot a route less than what is there, so that rounding up does not pass it.
        """
        count = len(self.routes)
        fixed = [n for n, route in enumerate(self.routes) if route.fixed]
        width = count + len(fixed)
        cost, upper = np.zeros(width), np.full(width, highspy.kHighsInf)
        rows: list[tuple[dict[int, float], float, float]] = []
        for n, (route, price) in enumerate(zip(self.routes, self.prices, strict=True)):
            cost[n] = float(route.rate * price) + 1e-12
            upper[n] = self._room(route)
        for k, n in enumerate(fixed):
            cost[count + k], upper[count + k] = float(self.routes[n].fixed), 1.0
            rows.append(({count + k: upper[n], n: -1.0}, 0.0, highspy.kHighsInf))
        for asset in sorted({route.asset for route in self.routes if POOL in (route.source, route.target)}):
            terms = {
                n: float((route.source == POOL) - (route.target == POOL))
                for n, route in enumerate(self.routes)
                if route.asset == asset and POOL in (route.source, route.target)
            }
            spare = sum((self._lot(self.routes[n]) for n in terms), Fraction(0))
            there = float(self.pool.get(asset, Fraction(0)) - spare)
            rows.append((terms, -highspy.kHighsInf, max(0.0, there)))
        for account in self.accounts:
            for asset in {route.asset for route in self.routes if route.source == account.name}:
                slot = account.snapshot.universe.slot(asset)
                terms = self._net(account.name, asset, -1.0)
                spare = sum((self._lot(self.routes[n]) for n in terms), Fraction(0))
                held = account.lots[slot] * Fraction(account.snapshot.universe.instruments[slot].lot)
                rows.append((terms, -highspy.kHighsInf, max(0.0, float(held - spare))))
        for tangent in self.tangents:
            account = self.accounts[tangent.account]
            goal = account.target / 10**account.snapshot.quantum_decimals - tangent.constant
            terms = {}
            for asset, slope in tangent.slopes.items():
                terms.update({n: each * slope for n, each in self._net(account.name, asset, 1.0).items()})
            rows.append((terms, goal + 2e-6, highspy.kHighsInf))
        found = _minimum(cost, upper, rows, count)
        if found is None:
            return None
        amounts, bound = found
        lots = [
            -(-Fraction(float(each)).limit_denominator(10**12) // self._lot(route)) if each > 1e-9 else 0
            for each, route in zip(amounts[:count], self.routes, strict=True)
        ]
        return [int(each) for each in lots], bound

    def _net(self, name: str, asset: str, sign: float) -> dict[int, float]:
        return {
            n: sign * ((route.target == name) - (route.source == name))
            for n, route in enumerate(self.routes)
            if route.asset == asset and name in (route.source, route.target)
        }

    def _room(self, route: Route) -> float:
        """No more than all that there is."""
        whole = float(self.pool.get(route.asset, Fraction(0)))
        for account in self.accounts:
            universe = account.snapshot.universe
            if route.asset in universe:
                slot = universe.slot(route.asset)
                whole += max(0.0, float(account.lots[slot] * Fraction(universe.instruments[slot].lot)))
        return whole

    def _told(self, sent: Sequence[int], before: Mapping[str, int], bound: float) -> Placement:
        transfers = []
        for route, price, lots in zip(self.routes, self.prices, sent, strict=True):
            if lots:
                quantity = lots * self._lot(route)
                fee = route.fixed + route.rate * quantity * price
                places = nearest(quantity * 10**12)
                text = scaled_decimal(places, 12).rstrip("0").rstrip(".")
                transfers.append(Transfer(route, lots, text, fee))
        after = {account.name: self._excess(n, sent) for n, account in enumerate(self.accounts)}
        return Placement(
            tuple(transfers), sum((t.fee for t in transfers), Fraction(0)),
            max((t.route.minutes for t in transfers), default=0), before, after, max(0.0, bound),
            {account.name: account.snapshot.quantum_decimals for account in self.accounts},
        )  # fmt: skip

    def _infeasible(self, short: Sequence[int]) -> InfeasibleError:
        names = ", ".join(self.accounts[n].name for n in short)
        free = ", ".join(
            f"{canonical_decimal(_decimal(units))} {asset}" for asset, units in self.pool.items()
        )
        remedy = f"the pool has {free or 'nothing'}; add collateral or a route, or allow slower ones"
        return InfeasibleError("place", "target", Finding(f"{names} cannot be brought to it"), remedy)


def _decimal(value: Fraction) -> Any:
    from decimal import Decimal  # noqa: PLC0415

    return Decimal(value.numerator) / Decimal(value.denominator)


def _minimum(
    cost: Any, upper: Any, rows: Sequence[tuple[Mapping[int, float], float, float]], count: int
) -> tuple[Any, float] | None:
    """The least cost and where it is; columns from `count` on are 0 or 1."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cost), len(rows)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), upper
    lp.row_lower_, lp.row_upper_ = (
        np.array([low for _, low, _ in rows]),
        np.array([high for _, _, high in rows]),
    )
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(terms) for terms, _, _ in rows)]).astype(np.int32)
    lp.a_matrix_.index_ = np.array([at for terms, _, _ in rows for at in terms], np.int32)
    lp.a_matrix_.value_ = np.array([value for terms, _, _ in rows for value in terms.values()], np.float64)
    if len(cost) > count:
        kinds = highspy.HighsVarType
        lp.integrality_ = [kinds.kContinuous] * count + [kinds.kInteger] * (len(cost) - count)
    highs = _Highs()
    for option, value in (("output_flag", False), ("threads", 1), ("random_seed", 1), ("time_limit", 10.0)):
        highs.setOptionValue(option, value)
    highs.passModel(lp)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    info = highs.getInfo()
    return np.array(highs.getSolution().col_value), float(
        info.mip_dual_bound if len(cost) > count else info.objective_function_value
    )
