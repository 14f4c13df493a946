"""`zkmargin place`: which asset to send where, so that every venue's requirement is met at least cost."""

import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.text import Text

from zkmargin.cli.options.files import FILE
from zkmargin.cli.output.planning_tables import rows_table
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.planning.questions.place import Account, Route
from zkmargin.planning.questions.place import place as find_place


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Venue(_Strict):
    name: str
    snapshot: str
    holdings: str
    model: str = "grid"
    level: Level = "initial"
    target: Decimal = Decimal(0)


class _Route(_Strict):
    source: str = Field(alias="from")
    target: str = Field(alias="to")
    asset: str
    fixed: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    rate: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal(0)
    minutes: Annotated[int, Field(ge=0)] = 0


class _Places(_Strict):
    venue: Annotated[list[_Venue], Field(min_length=1)]
    pool: dict[str, Annotated[Decimal, Field(ge=0)]]
    route: list[_Route]


@click.command()
@click.argument("places_file", metavar="PLACES", type=FILE)
@click.option(
    "--within", type=click.IntRange(0), metavar="MINUTES", help="Leave out transfers that take longer."
)
@json_option
def place(*, places_file: Path, within: int | None, as_json: bool) -> None:
    """Place a pool of collateral among accounts at several venues, at the least fees.

    PLACES is TOML: [[venue]] with name, snapshot, holdings, model, level and target; [pool] with units of each asset;
    [[route]] with from, to (a venue or "pool"), asset, fixed (USD), rate and minutes. Files lie beside it.

    \b
    Example:
      zkmargin place places.toml --within 60
    """
    places = _read(places_file)
    with progress(as_json) as step:
        step("reading the accounts")
        accounts = [_account(places_file, venue) for venue in places.venue]
        step("placing collateral")
        routes = [
            Route(r.source, r.target, r.asset, Fraction(r.fixed), Fraction(r.rate), r.minutes)
            for r in places.route
        ]
        pool = {asset: Fraction(units) for asset, units in places.pool.items()}
        found = find_place(accounts, pool, routes, minutes=within)
    document = found.to_json()
    excesses = [{"venue": name, **each} for name, each in document["accounts"].items()]
    lines = [
        rows_table("Transfers", document["transfers"], left=3),
        rows_table("Excess, USD", excesses),
        Text(
            f"fees {document['fee']} USD (none do for less than {document['bound']}), {found.minutes} minutes"
        ),
    ]
    answer(as_json, document, *lines)


def _read(path: Path) -> _Places:
    try:
        document = tomllib.loads(read_text(path), parse_float=Decimal)
    except ValueError as error:
        raise InputError(str(path), "document", Finding(error), "write valid TOML") from None
    try:
        return _Places.model_validate(document)
    except ValidationError as error:
        raise input_error(str(path), error) from None


def _account(places_file: Path, venue: _Venue) -> Account:
    snapshot = Snapshot.load(places_file.parent / venue.snapshot)
    holdings = Holdings.read(places_file.parent / venue.holdings, snapshot)
    target = int(venue.target.scaleb(snapshot.quantum_decimals))
    return Account(venue.name, snapshot, tuple(holdings.vector(snapshot)), venue.model, venue.level, target)
