"""`zkmargin snapshot`: build, show and check risk snapshots."""

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from zkmargin.cli.commands.snapshot_sign import at_option, check_signed, policy_option, sign, signature_option
from zkmargin.cli.options.choice import choice_options, strict_option
from zkmargin.cli.options.files import FILE, OUTPUT, named, snapshot_argument
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.market import Market, example_market, read_csv_pair, read_deribit, read_securities
from zkmargin.margin.market.choice import Choice, check_size, chosen
from zkmargin.margin.market.history import read_history
from zkmargin.margin.market.inputs import Quote
from zkmargin.margin.market.settlements import Settlements, joined, read_settlements
from zkmargin.margin.market.times import format_time
from zkmargin.margin.models import MODELS
from zkmargin.margin.parameters.document import PRESETS, Parameters, load_parameters, parse_parameters, preset
from zkmargin.margin.scenarios.tables import JointTables
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.interfaces import Tables
from zkmargin.margin.tables.rates import RateTables


@click.group()
def snapshot() -> None:
    """Build, show or check a risk snapshot.

    A snapshot prices every instrument of a market under every scenario, in integers. Its id is the SHA-256 of all of
    it: two people who have the same id agree on every number that a proof depends on.
    """


@snapshot.command()
@click.option("--options", "options_file", metavar="FILE", type=FILE, help="Option chain, CSV.")
@click.option(
    "--futures", "futures_file", metavar="FILE", type=FILE, help="Futures, perpetuals and index, CSV."
)
@click.option(
    "--deribit",
    "deribit_directory",
    metavar="DIR",
    type=FILE,
    help="Directory of saved answers of Deribit's public API, JSON.",
)
@click.option(
    "--securities",
    "securities_file",
    metavar="FILE",
    type=FILE,
    help="Shares, ETFs, indices, and futures and options on them, CSV.",
)
@click.option("--example", is_flag=True, help="A made-up market of about 100 instruments, to try things out.")
@click.option(
    "--params",
    "parameters_file",
    metavar="FILE",
    type=FILE,
    help="Scenarios and rates, JSON or TOML; what it leaves out keeps its default.",
)
@click.option(
    "--preset",
    "preset_name",
    type=click.Choice(("default", *PRESETS)),
    help="Rules of a venue for the model grid (srm: for isolated); --params changes their numbers.",
)
@click.option(
    "--history",
    "history_file",
    metavar="FILE",
    type=FILE,
    help="Daily closes, CSV: for es and var, and whatever else follows from past prices.",
)
@click.option(
    "--domain",
    type=click.Choice(("64", "128", "256", "512", "1024", "2048")),
    help="Slots of a commitment, by default twice the instruments; 2048 makes proofs of es and var shortest.",
)
@click.option(
    "--universe",
    "universe_file",
    metavar="FILE",
    type=FILE,
    help="An earlier snapshot whose slots to keep, so that commitments made under it serve this one, too.",
)
@click.option(
    "--settlements",
    "settlements_file",
    metavar="FILE",
    type=FILE,
    help="What has expired since settled at, CSV: underlying, expiry_utc, price.",
)
@choice_options
@strict_option
@click.option(
    "--only",
    "named_only",
    multiple=True,
    metavar="MODEL|COIN",
    help="Carry this model and no other, or list this coin (as --coins does); repeat it for several. A model that "
    "cannot be there is an error.",
)
@click.option(
    "--without",
    "without",
    multiple=True,
    metavar="MODEL",
    help="Leave this model out; repeat it for several.",
)
@click.option("-o", "--output", required=True, metavar="FILE", type=OUTPUT, help="The snapshot.")
@json_option
def build(
    *,
    options_file: Path | None,
    futures_file: Path | None,
    deribit_directory: Path | None,
    securities_file: Path | None,
    example: bool,
    parameters_file: Path | None,
    preset_name: str | None,
    history_file: Path | None,
    domain: str | None,
    universe_file: Path | None,
    settlements_file: Path | None,
    choice: Choice,
    strict: bool,
    named_only: tuple[str, ...],
    without: tuple[str, ...],
    output: Path,
    as_json: bool,
) -> None:
    """Build a snapshot from a market.

    The market is a pair of CSV files (--options and --futures), a directory of Deribit's answers (--deribit) with
    CURRENCY.get_instruments.json, CURRENCY.get_book_summary_by_currency.json and CURRENCY.get_index_price.json
    for each currency, a CSV file of a securities market (--securities), or the example.

    An instrument that the market quotes wrongly is left out with a note, and a position in it is then answered with the
    reason; --strict refuses it. A market that is too large for a universe is cut by --coins, --expiries and --strikes.

    With --universe a later snapshot keeps the slots of an earlier one: what the market lists newly is left out, and
    what has expired holds cash, or coin, at its official settlement. Rows of --settlements that nothing needs are
    ignored, so that one file may serve all expiries.

    \b
    Examples:
      zkmargin snapshot build --example -o market.json
      zkmargin snapshot build --options options.csv --futures futures.csv --params desk.toml -o market.json
      zkmargin snapshot build --options options.csv --futures futures.csv --coins BTC --within 90d -o market.json
      zkmargin snapshot build --example --preset deribit -o market.json
      zkmargin snapshot build --securities securities.csv -o market.json
      zkmargin snapshot build --example --only grid --only cross -o market.json
      zkmargin snapshot build --securities today.csv --universe market.json --settlements settled.csv -o today.json
    """
    # Models are written in small letters, coins in capitals.
    only = tuple(name for name in named_only if name in MODELS or name.islower())
    choice = replace(choice, coins=(*choice.coins, *(name for name in named_only if name not in only)))
    with progress(as_json) as step:
        step("reading the market")
        market = _market(
            options_file, futures_file, deribit_directory, securities_file, example, strict=strict
        )
        if universe_file is None:
            market = chosen(market, choice)
            check_size(market)
        elif choice:
            remedy = "the earlier universe says what is listed; leave the choice out"
            raise InputError("command line", "--universe", str(universe_file), remedy)
        parameters = _parameters(parameters_file, preset_name)
        history = read_history(history_file) if history_file else None
        earlier = None if universe_file is None else Snapshot.load(universe_file)
        settlements = _settlements(earlier, settlements_file)
        step("pricing every instrument in every scenario")
        started = time.perf_counter()
        with named(parameters=parameters_file, history=history_file):
            made = Snapshot.build(
                market,
                parameters,
                domain=int(domain) if domain else None,
                history=history,
                only=only or None,
                without=without,
                universe=None if earlier is None else earlier.universe,
                settlements=settlements,
            )
        seconds = time.perf_counter() - started
        step("writing the snapshot")
        made.dump(output)
    document = {**summary(made), "seconds": round(seconds, 6), "output": str(output)}
    if made.left_out:
        document["left_out"] = dict(made.left_out)
    lacking = [Text(f"without {name}: {why}") for name, why in made.left_out.items()]
    answer(
        as_json,
        document,
        Text(f"built in {seconds:.2f} s, written to {output}"),
        summary_table(made),
        *lacking,
    )


@snapshot.command()
@snapshot_argument
@click.option("--instruments", is_flag=True, help="List the instruments with their marks, too.")
@json_option
def show(*, snapshot_file: Path, instruments: bool, as_json: bool) -> None:
    """Show what a snapshot is about.

    \b
    Example:
      zkmargin snapshot show market.json --instruments
    """
    with progress(as_json) as step:
        step("reading the snapshot")
        loaded = Snapshot.load(snapshot_file)
    document = summary(loaded)
    tables = [summary_table(loaded)]
    if instruments:
        document["listing"] = [
            {**instrument.document(), **_quoted(quote)}
            for instrument, quote in zip(loaded.universe.instruments, loaded.inputs.quotes, strict=True)
        ]
        tables.append(instrument_table(loaded))
    answer(as_json, document, *tables)


@snapshot.command()
@snapshot_argument
@signature_option
@policy_option
@at_option
@json_option
def check(
    *,
    snapshot_file: Path,
    signature_file: Path | None,
    policy_file: Path | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Derive every mark and table again from the prices and parameters that the snapshot names.

    Loading a snapshot checks that its content matches its id; this checks that its tables were derived correctly. With
    --snapshot-signature and --policy it also checks that a risk oracle whom the policy trusts vouches for the prices,
    and that the snapshot is fresh: exit code 1 if not.

    \b
    Example:
      zkmargin snapshot check market.json
    """
    if policy_file is not None and signature_file is None:
        remedy = "name the oracle's signature; without it the policy is not asked"
        raise InputError("command line", "--snapshot-signature", Finding("missing"), remedy)
    with progress(as_json) as step:
        step("reading the snapshot")
        loaded = Snapshot.load(snapshot_file)
        step("pricing every instrument in every scenario")
        loaded.reproduce()
        oracle = check_signed(loaded, signature_file, policy_file, at)
    lines = [f"{loaded.id}: every mark and table follows from the prices and parameters"]
    lines += [f"signed by the oracle {oracle}"] if oracle else []
    answer(as_json, {"id": loaded.id, "reproduced": True, "oracle": oracle}, *map(Text, lines))


snapshot.add_command(sign)


def _parameters(parameters_file: Path | None, preset_name: str | None) -> Parameters:
    """From a file, by the name of a preset, or the preset with the numbers that the file changes.

    Raises InputError if the file has the rules of another venue, or of a grid that the preset stands in place of.
    """
    if parameters_file is None:
        return preset(preset_name or "default")
    loaded = load_parameters(parameters_file)
    if preset_name is None:
        return loaded
    if preset_name == "default":
        if loaded.venue is not None:
            remedy = f"{parameters_file} has the rules of a venue; leave the preset out"
            raise InputError("command line", "--preset", preset_name, remedy)
        return loaded
    if getattr(loaded, preset_name) is not None:
        return loaded
    return parse_parameters({**loaded.document(), preset_name: {}}, str(parameters_file))


def _settlements(earlier: Snapshot | None, settlements_file: Path | None) -> Settlements:
    """Those of the earlier snapshot and of the file; raises InputError if they differ, or if only a file is named."""
    if earlier is None:
        if settlements_file is not None:
            remedy = "name the snapshot whose instruments have settled with --universe"
            raise InputError("command line", "--settlements", str(settlements_file), remedy)
        return {}
    if settlements_file is None:
        return earlier.settlements
    return joined(earlier.settlements, read_settlements(settlements_file), str(settlements_file))


def _market(
    options: Path | None,
    futures: Path | None,
    deribit: Path | None,
    securities: Path | None,
    example: bool,
    *,
    strict: bool,
) -> Market:
    """The market from the one source that is named; raises InputError if there is none, or more."""
    pair = options is not None or futures is not None
    given = pair + (deribit is not None) + (securities is not None) + example
    if given != 1:
        found = Finding("several sources" if given else "no source")
        remedy = "give one source: --options and --futures, or --deribit, or --securities, or --example"
        raise InputError("command line", "market", found, remedy)
    if example:
        return example_market()
    if deribit is not None:
        return read_deribit(deribit, strict=strict)
    if securities is not None:
        return read_securities(securities, strict=strict)
    if options is None or futures is None:
        missing = "--options" if options is None else "--futures"
        raise InputError(
            "command line", missing, Finding("missing"), "the CSV files come as a pair; name both"
        )
    return read_csv_pair(options, futures, strict=strict)


def instant(microseconds: int) -> str:
    """A moment as people write it."""
    moment = datetime.fromtimestamp(microseconds / 1_000_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def summary(made: Snapshot) -> dict[str, Any]:
    """A summary of a snapshot as plain JSON values."""
    kinds = Counter(instrument.kind for instrument in made.universe.instruments)
    return {
        "id": made.id,
        "universe": made.universe.digest,
        "source": made.inputs.source,
        "valuation_time": format_time(made.valuation_time),
        "instruments": len(made.universe),
        "kinds": dict(sorted(kinds.items())),
        "domain": made.universe.domain,
        "tick": f"{10**-made.quantum_decimals:.{made.quantum_decimals}f}",
        "indices": dict(made.inputs.indices),
        "settled": len(made.inputs.settlements(made.universe.instruments)),
        **({"instruments_left_out": dict(made.inputs.left_out)} if made.inputs.left_out else {}),
        **({"without": list(made.inputs.without)} if made.inputs.without else {}),
        "models": {name: _scope(tables) for name, tables in made.models.items()},
    }


def _quoted(quote: Quote) -> dict[str, Any]:
    """The price column of a listing: the mark, or the settlement."""
    if quote.settled is not None:
        return {"settled": quote.settled}
    return {"price": quote.price, "volatility": quote.volatility}


def _scope(tables: Tables) -> str:
    """The size of a model's tables, in words."""
    if isinstance(tables, JointTables):
        return f"{len(tables.labels)} joint scenarios, {len(tables.units)} underlyings"
    if isinstance(tables, GridTables):
        return f"{len(tables.cells)} scenarios, {len(tables.units)} underlyings"
    return "rates per position" if isinstance(tables, RateTables) else "tables of its own"


def summary_table(made: Snapshot) -> Table:
    """The summary for people."""
    document = summary(made)
    kinds = ", ".join(f"{count} {kind}s" for kind, count in document["kinds"].items())
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("snapshot", made.id)
    table.add_row("universe", f"{made.universe.digest}, domain {made.universe.domain}")
    table.add_row("source", document["source"])
    table.add_row("valued at", instant(made.valuation_time))
    settled = f"; {document['settled']} have settled" if document["settled"] else ""
    gone = f"; {len(made.inputs.left_out)} left out" if made.inputs.left_out else ""
    table.add_row("instruments", f"{len(made.universe)}: {kinds}{settled}{gone}")
    if gone:
        table.add_row("left out", ", ".join(made.inputs.left_out))
    for sentence in made.inputs.without:
        table.add_row("without", sentence)
    table.add_row("index", ", ".join(f"{coin} {price} USD" for coin, price in document["indices"].items()))
    for name, scope in document["models"].items():
        table.add_row(f"model {name}", scope)
    return table


def instrument_table(made: Snapshot) -> Table:
    """Every instrument with what the market says of it."""
    table = Table("slot", "instrument", "kind", "settles in")
    for title in ("lot", "price", "volatility", "mark, USD"):
        table.add_column(title, justify="right")
    rows = zip(made.universe.instruments, made.inputs.quotes, made.marks.tolist(), strict=True)
    for slot, (instrument, quote, mark) in enumerate(rows):
        usd = mark / 10**made.quantum_decimals / 10**instrument.contract_exponent
        table.add_row(
            str(slot),
            instrument.name,
            instrument.kind,
            instrument.settlement,
            f"{instrument.lot:f}",
            quote.price or f"settled at {quote.settled}",
            quote.volatility or "",
            f"{usd:,.4f}",
        )
    return table
