"""The options that say which instruments of a market are listed, and what becomes of those that cannot be used."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from zkmargin.margin.market.choice import Choice, within

strict_option = click.option(
    "--strict", is_flag=True, help="Refuse what cannot be used, in place of leaving it out with a note."
)


def choice_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the argument `choice`, from --coins, --expiries, --strikes and --within."""

    @click.option(
        "--coins",
        "coins",
        multiple=True,
        metavar="COIN,...",
        help="List these coins alone, or names such as 'BTC-25SEP26-*'; may be given several times.",
    )
    @click.option(
        "--expiries",
        multiple=True,
        metavar="DAYS",
        help="List these expiries alone: days, or ranges such as 2026-09-01..2026-12-31.",
    )
    @click.option(
        "--strikes",
        multiple=True,
        metavar="LOW..HIGH",
        help="List options with these strikes alone, in USD, or those within 30% of the forward.",
    )
    @click.option(
        "--within",
        "distances",
        multiple=True,
        metavar="90d|30%",
        help="List what expires within so many days, or options with strikes that near to the forward.",
    )
    @wraps(command)
    def chosen(
        *,
        coins: tuple[str, ...],
        expiries: tuple[str, ...],
        strikes: tuple[str, ...],
        distances: tuple[str, ...],
        **others: Any,
    ) -> None:
        days, near = within(distances)
        command(choice=Choice(coins, (*expiries, *days), (*strikes, *near)), **others)

    return chosen
