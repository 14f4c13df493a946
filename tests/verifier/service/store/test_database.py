"""What a database does to those who wait for it."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from tests.verifier.service.conftest import DATABASES
from zkmargin.verifier.service.problems import UnavailableError
from zkmargin.verifier.service.store.database import Database


@pytest.mark.parametrize("kind", DATABASES)
def test_nobody_waits_for_ever_for_who_holds_the_ledger(
    kind: str, new_database: Callable[[str], str]
) -> None:
    url = new_database(kind)
    holder, waiting = Database(url), Database(url, lock_seconds=0.4)
    holder.migrate()
    held, done = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        connection.execute(text("UPDATE head SET sequence = sequence"))
        held.set()
        assert done.wait(20)

    thread = threading.Thread(target=holder.write, args=(hold,))
    thread.start()
    try:
        assert held.wait(10)
        begun = time.monotonic()
        with pytest.raises(UnavailableError):
            waiting.write(lambda c: c.execute(text("UPDATE head SET sequence = sequence")))
        assert 0.3 < time.monotonic() - begun < 5
        # Who only reads is not in anybody's way.
        assert waiting.read(lambda c: c.execute(text("SELECT count(*) FROM head")).scalar()) == 1
    finally:
        done.set()
        thread.join()
    waiting.write(lambda c: c.execute(text("UPDATE head SET sequence = sequence")))
    for database in (holder, waiting):
        database.close()


@pytest.mark.parametrize("kind", DATABASES)
def test_a_ledger_that_takes_no_writes_is_not_ready(kind: str, new_database: Callable[[str], str]) -> None:
    database = Database(new_database(kind))
    database.migrate()
    database.check()
    stop = "PRAGMA query_only = ON" if kind == "sqlite" else "SET default_transaction_read_only = on"

    def refuse_writes(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(stop)
        if kind != "sqlite":
            connection.commit()
        cursor.close()

    event.listen(database.engine, "connect", refuse_writes)
    database.engine.dispose()
    with pytest.raises(UnavailableError):
        database.check()
    # Who only reads is still answered.
    assert database.read(lambda c: c.execute(text("SELECT count(*) FROM head")).scalar()) == 1
    event.remove(database.engine, "connect", refuse_writes)
    database.engine.dispose()
    database.check()
    database.close()


def test_after_a_change_that_failed_a_whole_one_is_tried(new_database: Callable[[str], str]) -> None:
    database = Database(new_database("sqlite"))
    database.migrate()
    pages = int(database.read(lambda c: c.execute(text("PRAGMA page_count")).scalar()) or 0)
    database.write(lambda c: c.execute(text("CREATE TABLE filler (content TEXT)")))

    def fill(connection: Connection) -> None:
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        connection.execute(text("INSERT INTO filler VALUES (zeroblob(10000000))"))

    with pytest.raises(UnavailableError, match="full"):
        database.write(fill)
    tried: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *of: tried.append(of[2]))
    database.check()
    database.check()
    updates = [statement for statement in tried if statement.startswith("UPDATE")]
    assert [statement.endswith("WHERE 1 = 0") for statement in updates] == [False, True]
    database.close()
