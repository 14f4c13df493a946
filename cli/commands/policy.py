"""`zkmargin policy`: pin parameters in a policy, and check a policy against a snapshot."""

from pathlib import Path
from typing import Any

import click
from rich.text import Text

from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.options.files import FILE, level_option, model_option, named, snapshot_argument
from zkmargin.cli.output.terminal import answer, json_option
from zkmargin.margin.errors import InputError
from zkmargin.margin.models import lacking
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.verifier import Policy, PolicyError, check_parameters
from zkmargin.verifier.floors.pins import pricing_document, pricing_pin


@click.group()
def policy() -> None:
    """Pin the parameters of a snapshot in a policy, or check a policy against one.

    A policy holds the parameters of snapshots to least ones, or to the digests of those that it knows.
    """


@policy.command()
@snapshot_argument
@model_option
@level_option
@json_option
def pin(snapshot_file: Path, model: str, level: Any, as_json: bool) -> None:
    """Print the digest of all parameters that price a model at a level.

    A policy that lists it under the model's pins takes no snapshot with other parameters.

    \b
    Example:
      zkmargin policy pin market.json --model grid
    """
    snapshot = Snapshot.load(snapshot_file)
    if model not in snapshot.models:
        raise InputError("command line", "--model", model, lacking(model, snapshot.models))
    digest = pricing_pin(snapshot.parameters, model, level)
    document = {
        "model": model,
        "level": level,
        "pin": digest,
        "parameters": pricing_document(snapshot.parameters, model, level),
    }
    answer(as_json, document, Text(digest))


@policy.command()
@click.argument("policy_file", metavar="POLICY", type=FILE)
@snapshot_argument
@json_option
def check(policy_file: Path, snapshot_file: Path, as_json: bool) -> None:
    """Check that a snapshot's parameters ask no less than a policy, under every model that both have.

    Exit code 1 names the first parameter that may ask less of some account.

    \b
    Example:
      zkmargin policy check bank.toml market.json
    """
    accepted, snapshot = Policy.read(policy_file), Snapshot.load(snapshot_file)
    both = [model for model in accepted.models if model in snapshot.models]
    if not both:
        raise InputError(
            str(policy_file),
            "models",
            ", ".join(accepted.models),
            f"the snapshot has none of them; it has {', '.join(snapshot.models)}",
        )
    with named(snapshot=snapshot_file):
        for model in both:
            try:
                check_parameters(snapshot, accepted, model, accepted.models[model].levels)
            except PolicyError as error:
                raise NotProvenError(f"{model}: {error}") from None
    answer(
        as_json,
        {"snapshot": snapshot.id, "models": both},
        Text(f"{', '.join(both)}: no parameter asks less than the policy"),
    )
