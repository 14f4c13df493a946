"""Market input: what a venue published at one moment, read strictly from files or made as an example."""

from zkmargin.margin.market.csv_pair import read_csv_pair
from zkmargin.margin.market.deribit import read_deribit
from zkmargin.margin.market.example import example_market
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.market.securities import read_securities
from zkmargin.margin.market.settlements import Settlements, read_settlements
from zkmargin.margin.market.sources import read_market

__all__ = [
    "Market",
    "Settlements",
    "example_market",
    "read_csv_pair",
    "read_deribit",
    "read_market",
    "read_securities",
    "read_settlements",
]
