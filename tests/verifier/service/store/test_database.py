"""What a database does to those who wait for it."""

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

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
