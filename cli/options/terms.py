"""The terms of a statement: options that prover and verifier must give identically."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from zkmargin.algebra import Setup
from zkmargin.argument.documents import RowsDocument
from zkmargin.circuits import CommitmentTerm, CommittedRows, Statement
from zkmargin.cli.options.files import FILE, level_option, model_option, ticks, unix_seconds
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level


@dataclass(frozen=True)
class StatementTerms:
    """The terms of a statement as given on the command line."""

    audience: str
    nonce: str
    threshold: str
    expires: str | None
    level: Level
    model: str

    rows_file: Path | None = None

    def statement(
        self, snapshot: Snapshot, commitments: tuple[CommitmentTerm, ...], setup: Setup
    ) -> Statement:
        """The statement about these commitments; raises InputError if a term cannot be used."""
        return Statement.about(
            snapshot,
            commitments,
            audience=self.audience,
            nonce=self.nonce,
            model=self.model,
            level=self.level,
            threshold=ticks(self.threshold, snapshot.quantum_decimals, "--threshold"),
            expiry=unix_seconds(self.expires, "--expires"),
            rows=self.rows(snapshot, setup),
        )

    def rows(self, snapshot: Snapshot, setup: Setup) -> CommittedRows | None:
        """The published rows, if a file names them; raises InputError if they are not those of the snapshot."""
        if self.rows_file is None:
            return None
        document = RowsDocument.read(self.rows_file)
        where = str(self.rows_file)
        return document.rows(
            where, setup=setup.digest, snapshot=snapshot.id, model=self.model, level=self.level
        )


_OPTIONS = (
    click.option(
        "--audience",
        required=True,
        metavar="NAME",
        help="Name of the verifier; the proof is valid for this audience only.",
    ),
    click.option(
        "--nonce",
        required=True,
        metavar="TEXT",
        help="The verifier's one-time string, so that a proof cannot be reused.",
    ),
    click.option(
        "--threshold",
        default="0",
        show_default=True,
        metavar="USD",
        help="Least excess (account value less requirement), in USD.",
    ),
    click.option(
        "--expires",
        default=None,
        metavar="TIME",
        help="Until when the proof counts, such as 2026-03-14T18:00:00Z; no expiry if left out.",
    ),
    level_option,
    model_option,
    click.option(
        "--rows",
        "rows_file",
        default=None,
        metavar="FILE",
        type=FILE,
        help="Commitments to the model's rows, from zkmargin rows; prover and verifier must use the same.",
    ),
)


def terms_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the terms; it receives them as one argument, `terms`."""

    @functools.wraps(command)
    def with_terms(
        *,
        audience: str,
        nonce: str,
        threshold: str,
        expires: str | None,
        level: Level,
        model: str,
        rows_file: Path | None,
        **rest: Any,
    ) -> None:
        command(terms=StatementTerms(audience, nonce, threshold, expires, level, model, rows_file), **rest)

    wrapped: Callable[..., None] = with_terms
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
