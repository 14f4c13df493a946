"""The account of the demonstration: invented, hedged across futures, options and coins of the example market."""

from decimal import Decimal

from zkmargin.margin.account.holdings import Position

_ROWS = """
USD                    400000
BTC                         6
ETH                        60
BTC-PERPETUAL         -300000  88050
BTC_USD-PERPETUAL        1.25  87990
ETH-PERPETUAL         -120000  3001.5
BTC-27MAR26           -150000  89200
ETH_USD-30JAN26            15  2990
BTC-9JAN26-75000-P         -5
BTC-9JAN26-84000-P          5
BTC-9JAN26-93000-C         -4
BTC-9JAN26-101000-C         4
BTC-30JAN26-75000-P         8
BTC-30JAN26-84000-P        -6
BTC-30JAN26-88000-C         3
BTC-30JAN26-101000-C       -6
BTC-27MAR26-66000-P         3
BTC-27MAR26-119000-C        5
ETH-9JAN26-2850-P          50
ETH-9JAN26-2550-P         -50
ETH-30JAN26-3150-C        -40
ETH-30JAN26-3450-C         60
ETH-27MAR26-2550-P        -25
ETH-27MAR26-2250-P         35
"""


def example_positions() -> tuple[Position, ...]:
    """24 positions: coins, USD, perpetuals, futures, and spreads of options."""
    return tuple(_position(*row.split()) for row in _ROWS.strip().splitlines())


def _position(instrument: str, quantity: str, entry: str | None = None) -> Position:
    price = None if entry is None else Decimal(entry)
    return Position(instrument, Decimal(quantity), price, "example account")
