"""A register and a ledger are their owner's alone, whatever the umask."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from zkmargin.margin.errors import InputError
from zkmargin.venue import Register
from zkmargin.verifier.service.store.database import Database


@pytest.fixture(autouse=True)
def permissive() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def opened(kind: str, path: Path) -> None:
    if kind == "register":
        Register(path).close()
    else:
        database = Database(f"sqlite:///{path}")
        database.migrate()
        with database.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
            assert {mode(found) for found in path.parent.iterdir()} == {0o600}
            connection.rollback()
        database.engine.dispose()


@pytest.mark.parametrize("kind", ["register", "ledger"])
def test_what_is_made_is_the_owners_alone(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "books" / "kept.db"
    opened(kind, path)
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    path.chmod(0o644)
    opened(kind, path)
    assert mode(path) == 0o600


@pytest.mark.parametrize("kind", ["register", "ledger"])
def test_a_place_that_cannot_be_written_is_named(kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"file/kept.db: {kind}"):
        opened(kind, tmp_path / "file" / "kept.db")
