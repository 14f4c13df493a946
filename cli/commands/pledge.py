"""`zkmargin pledge`: what a protocol does with the pledges that its service has recorded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import click
from rich.table import Table
from rich.text import Text

from zkmargin.cli.options.files import shown_time
from zkmargin.cli.options.service import (
    API_KEY_VARIABLE,
    api_key_option,
    asking,
    check_pledge,
    pledge_argument,
    required_api_key,
    service_option,
)
from zkmargin.cli.output.terminal import answer, json_option
from zkmargin.client import Client, Pledge, ServiceError, calls
from zkmargin.margin.arithmetic.decimals import scaled_decimal
from zkmargin.margin.errors import Finding, InputError

STATUSES = ("active", "stale", "called", "released", "lapsed")
KEY_CODES = ("unauthorized", "forbidden")


@click.group()
def pledge() -> None:
    """Look after pledges as a protocol, with its key."""


@pledge.command("list")
@service_option
@api_key_option
@click.option("--status", type=click.Choice(STATUSES), help="Only those; all if left out.")
@json_option
def list_pledges(*, url: str, api_key_file: Path | None, status: str | None, as_json: bool) -> None:
    """List the pledges that a service has recorded.

    \b
    Example:
      zkmargin pledge list --service https://verifier.example --api-key-file lender.key --status stale
    """
    with asking(
        url, required_api_key(api_key_file), wrong=lambda error: _wrong(error, api_key_file)
    ) as client:
        found = list(_all_pledges(client, status))
        # A ledger counts all its pledges in the tick of its snapshots, whichever that is.
        decimals = client.send(calls.snapshot(found[0].snapshot)).quantum_decimals if found else None
    document = {"pledges": [_document(one, decimals) for one in found], "quantum_decimals": decimals}
    answer(as_json, document, _table(found, decimals) if found else Text("no pledges"))


@pledge.command("call")
@pledge_argument
@service_option
@api_key_option
@json_option
def call(*, identity: str, url: str, api_key_file: Path | None, as_json: bool) -> None:
    """Call a pledge: claim what was pledged. It stands, and does not lapse, until you release it.

    \b
    Example:
      zkmargin pledge call p-2fa8fc4dd3022a6053c3d563439e9fe1 --service https://verifier.example \\
          --api-key-file lender.key
    """
    _act(identity, "call", url, api_key_file, as_json)


@pledge.command("release")
@pledge_argument
@service_option
@api_key_option
@json_option
def release(*, identity: str, url: str, api_key_file: Path | None, as_json: bool) -> None:
    """Release a pledge: it counts no more, and what it took of the excess is free again.

    \b
    Example:
      zkmargin pledge release p-2fa8fc4dd3022a6053c3d563439e9fe1 --service https://verifier.example \\
          --api-key-file lender.key
    """
    _act(identity, "release", url, api_key_file, as_json)


def _act(
    identity: str, action: Literal["call", "release"], url: str, api_key_file: Path | None, as_json: bool
) -> None:
    check_pledge(identity)

    def wrong(error: ServiceError) -> InputError | None:
        return _wrong(error, api_key_file, identity)

    with asking(url, required_api_key(api_key_file), wrong=wrong) as client:
        found = client.send(calls.act(identity, action))
    answer(as_json, found.model_dump(mode="json"), Text(f"{found.id} is {found.status}"))


def _wrong(error: ServiceError, api_key_file: Path | None, identity: str = "") -> InputError | None:
    """Which argument is wrong, if the service refuses for that."""
    if error.code in KEY_CODES:
        where, field = (str(api_key_file), "key") if api_key_file else ("environment", API_KEY_VARIABLE)
        remedy = "name a protocol's key of this service, as its administration handed it out"
        return InputError(where, field, Finding(error.detail), remedy)
    if error.code in ("not-found", "parameter"):
        remedy = "the service has no such pledge; pledge list shows those that it has"
        return InputError("command line", "PLEDGE", identity, remedy)
    return None


def _document(one: Pledge, decimals: int | None) -> dict[str, object]:
    return {**one.model_dump(mode="json"), "usd": scaled_decimal(one.amount, decimals or 0)}


def _table(found: list[Pledge], decimals: int | None) -> Table:
    table = Table("Pledge", "Status", "USD", "Secured", "Accounts", "Until", box=None)
    table.columns[2].justify = "right"
    for one in found:
        accounts = ", ".join(f"{account.account} at {account.venue}" for account in one.accounts)
        until = shown_time(one.expiry)
        usd = scaled_decimal(one.amount, decimals or 0)
        table.add_row(*map(Text, (one.id, one.status, usd, "yes" if one.secured else "no", accounts, until)))
    return table


def _all_pledges(client: Client, status: str | None) -> Iterator[Pledge]:
    after: str | None = None
    while True:
        page = client.send(calls.pledges(status, after=after))
        yield from page.pledges
        after = page.after
        if after is None:
            return
