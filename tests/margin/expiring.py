"""Markets before and after an expiry, with options of either premium style, invented for tests."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from tests.margin.accounts import MONTH, NOW
from tests.margin.joint import DRAWN, year
from zkmargin.margin.market.quotes import Listing, Market, assemble, future, option
from zkmargin.margin.market.settled_slots import settlement_value
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot

NEXT = MONTH + 60 * 86_400_000_000
AFTER = MONTH + 3_600_000_000
"""An hour after the first expiry."""
SETTLED = Decimal(40000)
INDEX = Decimal(50000)
STRIKES = {True: Decimal(32000), False: Decimal(52000)}
"""In the money at the settlement: a call came to 0.2 coins, a put to 0.3."""

SECTIONS: dict[str, Any] = {
    "tiered": {"threshold": "100000"},
    "es": DRAWN | {"coins": ["BTC"], "volatilities": ["0.5"], "correlation": [["1"]]},
    "span": {
        "commodities": [
            {
                "name": "BTC",
                "price_scan_range": "15%",
                "volatility_scan_range": "25%",
                "tiers": [{"name": "near", "last": "2026-02"}, {"name": "far", "first": "2026-03"}],
                "intra_spreads": [
                    {
                        "priority": 1,
                        "charge": "120.5",
                        "legs": [
                            {"tier": "near", "side": "A", "ratio": "1"},
                            {"tier": "far", "side": "B", "ratio": "1"},
                        ],
                    }
                ],
                "short_option_minimum": "2%",
                "cap_option_value": True,
            }
        ]
    },
}
VENUES = ("binance", "bybit", "deribit", "okx", "pmrm2")


def listings(expiry: int, tag: str, *, futures_style: bool = True) -> list[Listing]:
    """Futures and options of one expiry, linear and inverse, paid and (if wanted) futures-style."""
    found = []
    for inverse, form in ((True, ""), (False, "_USD")):
        dated = future(f"BTC{form}-{tag}", "BTC", inverse=inverse, expiry=expiry)
        found.append(Listing(dated, Decimal("50400"), "row"))
        for call, strike in STRIKES.items():
            name = f"BTC{form}-{tag}-{'C' if call else 'P'}"
            paid = option(name, "BTC", inverse=inverse, expiry=expiry, strike=strike, call=call)
            mark = Decimal("0.2") if inverse else Decimal(10000)
            styles = [paid, replace(paid, name=f"{name}-F", premium="futures-style")]
            for listed in styles if futures_style else styles[:1]:
                found.append(Listing(listed, mark, "row", Decimal("0.6"), Decimal("50400")))
    return found


def perpetuals() -> list[Listing]:
    forms = ((True, ""), (False, "_USD"))
    made = (future(f"BTC{form}-PERPETUAL", "BTC", inverse=inverse, expiry=None) for inverse, form in forms)
    return [Listing(perpetual, Decimal("50010"), "row") for perpetual in made]


def before(*, futures_style: bool = True) -> Market:
    """Two expiries ahead."""
    dated = listings(MONTH, "near", futures_style=futures_style)
    dated += listings(NEXT, "far", futures_style=futures_style)
    return assemble("before", NOW, {"BTC": Decimal(48000)}, perpetuals() + dated)


def after(*, futures_style: bool = True, more: Sequence[Listing] = ()) -> Market:
    """The first expiry has passed."""
    dated = listings(NEXT, "far", futures_style=futures_style)
    return assemble("after", AFTER, {"BTC": INDEX}, [*perpetuals(), *dated, *more])


def earlier_snapshot(venue: str = "", *, futures_style: bool = True) -> Snapshot:
    """Before the expiry, with tables of all models; under the rules of a venue in the grid if one is named."""
    document = SECTIONS | ({venue: {}} if venue else {})
    parameters = parse_parameters(document, "test")
    market = before(futures_style=futures_style and venue != "pmrm2")
    return Snapshot.build(market, parameters, domain=64, history=year())


def later_snapshot(earlier: Snapshot, settled: Decimal = SETTLED) -> Snapshot:
    """The same slots after the first expiry."""
    styled = any(i.premium == "futures-style" for i in earlier.universe.instruments)
    return Snapshot.build(
        after(futures_style=styled),
        earlier.parameters,
        history=year(),
        universe=earlier.universe,
        settlements={("BTC", MONTH): settled},
    )


@cache
def across(venue: str = "") -> tuple[Snapshot, Snapshot]:
    """Before and after."""
    earlier = earlier_snapshot(venue)
    return earlier, later_snapshot(earlier)


def settled_slots(made: Snapshot) -> list[int]:
    return [slot for slot, quote in enumerate(made.inputs.quotes) if quote.settled is not None]


def as_balances(made: Snapshot, lots: Sequence[int]) -> list[int]:
    """The account with cash and coins in place of what has settled; what came to parts of a lot is no integer."""
    found = list(lots)
    for slot in settled_slots(made):
        instrument = made.universe.instruments[slot]
        balance = made.universe.slot(instrument.settlement)
        value = settlement_value(instrument, Fraction(made.inputs.quotes[slot].settled or 0))
        worth = (
            found[slot] * Fraction(instrument.lot) * value / Fraction(made.universe.instruments[balance].lot)
        )
        assert worth.denominator == 1
        found[slot], found[balance] = 0, found[balance] + int(worth)
    return found
