"""One door for market files: the form is told by what lies there."""

from pathlib import Path

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.market.csv_pair import FUTURES_FILE, OPTIONS_FILE, read_csv_pair
from zkmargin.margin.market.deribit import read_deribit
from zkmargin.margin.market.quotes import Market


def read_market(directory: Path, *, strict: bool = False) -> Market:
    """The market in a directory: the pair of CSV files, or Deribit's answers as JSON.

    Raises InputError if there is neither.
    """
    if not directory.is_dir():
        raise InputError(
            str(directory), "market", Finding("not a directory"), "name the directory of the market files"
        )
    options, futures = directory / OPTIONS_FILE, directory / FUTURES_FILE
    if options.exists() or futures.exists():
        return read_csv_pair(options, futures, strict=strict)
    return read_deribit(directory, strict=strict)
