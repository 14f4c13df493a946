"""The options of commands that trade: what trades cost, what may be traded, and the account that they start from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from zkmargin.cli.commands.venue_map import chosen_targets, map_options
from zkmargin.cli.options.files import FILE, holdings_argument, snapshot_argument
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.arithmetic.decimals import parse_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.planning.costs import CostModel, Pricing, load_costs, read_book
from zkmargin.planning.plan import Limits
from zkmargin.planning.trades import tradable_slot


@dataclass(frozen=True)
class Given:
    """A snapshot with its costs, and an account in lots by slot."""

    pricing: Pricing
    lots: list[int]

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot."""
        return self.pricing.snapshot


def account_options(command: Callable[..., None]) -> Callable[..., None]:
    """SNAPSHOT, HOLDINGS, --map, --costs and --book; the command receives `given`."""

    def with_account(
        *,
        snapshot_file: Path,
        holdings_file: Path,
        map_file: Path | None,
        map_signer: str | None,
        costs_file: Path | None,
        book_file: Path | None,
        **rest: Any,
    ) -> None:
        snapshot = Snapshot.load(snapshot_file)
        contracts = chosen_targets(map_file, map_signer, snapshot.universe)
        holdings = Holdings.read(holdings_file, snapshot, contracts)
        pricing = read_pricing(snapshot, costs_file, book_file)
        command(given=Given(pricing, holdings.vector(snapshot)), **rest)

    with_account.__name__, with_account.__doc__ = command.__name__, command.__doc__
    with_account.__dict__.update(command.__dict__)
    book_option = click.option(
        "--book", "book_file", metavar="FILE", type=FILE,
        help="Best prices: CSV with instrument, bid, ask and, if known, depth; other columns are passed over.",
    )  # fmt: skip
    costs_option = click.option(
        "--costs", "costs_file", metavar="FILE", type=FILE,
        help="Half spreads, fees and impact as TOML; 3 bp on futures, 4 % of mark and 2 bp of notional on options.",
    )  # fmt: skip
    wrapped: Callable[..., None] = map_options(costs_option(book_option(with_account)))
    return snapshot_argument(holdings_argument(wrapped))


def read_pricing(snapshot: Snapshot, costs_file: Path | None, book_file: Path | None) -> Pricing:
    """What trades cost by these files, or as usual. Raises InputError."""
    costs = CostModel() if costs_file is None else load_costs(costs_file)
    return Pricing(snapshot, costs, {} if book_file is None else read_book(book_file, snapshot))


def limit_options(command: Callable[..., None]) -> Callable[..., None]:
    """--only, --coins, --largest, --legs and --time-limit; the command receives `limits`, still to be read."""
    for option in (
        click.option("--time-limit", type=click.FloatRange(0, 3600), default=1.0, show_default=True, metavar="SECONDS",
                     help="How long whole lots are searched for; 0 rounds the linear program."),
        click.option("--legs", type=click.IntRange(1, 1000), metavar="COUNT",
                     help="The largest number of instruments that are traded."),
        click.option("--largest", multiple=True, metavar='"NAME QUANTITY"',
                     help="The largest trade in an instrument; repeat it for several."),
        click.option("--coins", is_flag=True, help="Coins may be bought and sold for USD, too."),
        click.option("--only", multiple=True, metavar="NAME",
                     help="An instrument that may be traded; repeat it for several. All contracts if left out."),
    ):  # fmt: skip
        command = option(command)
    return command


def chosen_limits(
    snapshot: Snapshot,
    *,
    only: Sequence[str],
    coins: bool,
    largest: Sequence[str],
    legs: int | None,
    time_limit: float,
) -> Limits:
    """The limits that the options say. Raises InputError for a name or size that cannot be."""
    sizes = {}
    for text in largest:
        name, _, written = text.strip().rpartition(" ")
        slot = tradable_slot(snapshot, name.strip(), "--largest")
        lots = (
            parse_decimal(written, "--largest", f"quantity of {name}")
            / snapshot.universe.instruments[slot].lot
        )
        if lots < 0:
            raise InputError("--largest", f"quantity of {name}", written, "write a size, zero or more")
        sizes[snapshot.universe.instruments[slot].name] = int(lots)
    return Limits(tuple(only) or None, coins, sizes, legs, time_limit)
