"""Loading what proofs need: snapshots with derived tables, the setup, committed rows."""

from collections.abc import Sequence
from pathlib import Path

from zkmargin.algebra import Setup
from zkmargin.argument.documents import RowsDocument
from zkmargin.argument.rows import RowsError, check_rows
from zkmargin.circuits import CommittedRows, build_relation
from zkmargin.circuits.relation import Relation
from zkmargin.cli.options.backend import chosen_setup
from zkmargin.cli.output.terminal import Step
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot.snapshot import Snapshot


def reproduced_snapshot(path: Path, step: Step, model: str | None = None) -> Snapshot:
    """The snapshot in a file, with marks and tables derived again from its prices and parameters: those of the model
    that is to be proven about, or of all.

    A doctored table could let a verifier ask for rows that betray positions, or a prover cover too little; what
    remains to be trusted are the prices themselves. Raises InputError.
    """
    step("reading the snapshot")
    snapshot = Snapshot.load(path)
    step("deriving its tables again")
    snapshot.reproduce(None if model is None else (model,))
    return snapshot


def check_committed(setup: Setup, relation: Relation, rows: CommittedRows, where: str) -> None:
    """Raises InputError unless the committed rows are those of the relation."""
    try:
        check_rows(setup, relation, rows)
    except RowsError as error:
        remedy = f"{error}: do not use this file; make it again with zkmargin rows"
        raise InputError(where, "rows", Finding("not those of the snapshot"), remedy) from None


def rows_to_publish(files: Sequence[Path], snapshot: Snapshot, step: Step) -> list[RowsDocument]:
    """The committed rows in these files, each of another model or level of the snapshot. Raises InputError.

    Services refuse a snapshot whole if rows beside it are not its own, so that they are checked here first.
    """
    found: dict[tuple[str, str], RowsDocument] = {}
    for path in files:
        document, where = RowsDocument.read(path), str(path)
        model, level = document.model, document.level
        if (model, level) in found:
            remedy = "there are rows of this model at this level already; name them once"
            raise InputError(where, "model", f"{model} at {level}", remedy)
        setup = chosen_setup()
        rows = document.rows(where, setup=setup.digest, snapshot=snapshot.id, model=model, level=level)
        step(f"checking the rows of {model} at {level}")
        check_committed(setup, build_relation(snapshot, model=model, level=level), rows, where)
        found[model, level] = document
    return list(found.values())
