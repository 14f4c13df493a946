"""Committed rows of snapshots: taken from whoever publishes them, recomputed here, and handed out.

For models over thousands of scenarios a proof that uses them is checked in a time that does not grow with the
scenarios. They follow from the snapshot, so that nobody needs to sign them: one random combination of all is computed
again from the service's own tables, and shows each of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select

from zkmargin.algebra.setup import Setup
from zkmargin.argument.documents import RowsDocument
from zkmargin.argument.rows import RowsError, require_rows
from zkmargin.attestation.exchange import RowsInfo
from zkmargin.circuits.relation import Relation
from zkmargin.circuits.statement import CommittedRows
from zkmargin.margin.errors import InputError
from zkmargin.margin.units import Level
from zkmargin.verifier.service.problems import ProblemError
from zkmargin.verifier.service.store import event_log as chain
from zkmargin.verifier.service.store.schema import ROWS


def named_rows(document: RowsDocument, setup: Setup, snapshot: str) -> CommittedRows:
    """The rows in a document about this setup and snapshot, not yet recomputed. Raises ProblemError."""
    try:
        return document.rows(
            "rows", setup=setup.digest, snapshot=snapshot, model=document.model, level=document.level
        )
    except InputError as error:
        raise ProblemError("rows", str(error)) from None


def recompute(rows: CommittedRows, setup: Setup, relation: Relation) -> None:
    """Check that rows are those of a relation; takes up to seconds. Raises ProblemError."""
    try:
        require_rows(setup, relation, rows)
    except RowsError as error:
        raise ProblemError("rows", f"rows: {error}; they cannot be reproduced from the snapshot") from None


def record(connection: Connection, document: RowsDocument, digest: str, now: int) -> None:
    """Write rows down that were recomputed, unless they are there; the end of the log is locked."""
    if known(connection, document.snapshot, document.model, document.level) is not None:
        return
    names = {"model": document.model, "level": document.level, "digest": digest}
    row = {**names, "snapshot": document.snapshot, "accepted": now, "content": document.encode()}
    connection.execute(insert(ROWS), [row])
    chain.append(connection, [("rows.accepted", document.snapshot, names)], now)


def known(connection: Connection, snapshot: str, model: str, level: Level) -> Any:
    """The row of the database that holds rows, or None."""
    question = select(ROWS).where(ROWS.c.snapshot == snapshot, ROWS.c.model == model, ROWS.c.level == level)
    return connection.execute(question).first()


def listed(connection: Connection, snapshot: str) -> list[RowsInfo]:
    """Which rows of a snapshot there are."""
    question = select(ROWS.c.model, ROWS.c.level, ROWS.c.digest).where(ROWS.c.snapshot == snapshot)
    rows = connection.execute(question.order_by(ROWS.c.model, ROWS.c.level)).mappings()
    return [RowsInfo(**row) for row in rows]
