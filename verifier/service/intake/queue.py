"""Where snapshots and rows are taken in: one at a time, on a thread of its own.

Deriving tables and rows again takes a core for up to seconds, and anybody may hand in what an oracle published. With a
thread of its own, it delays neither proofs nor the threads that everything else waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from zkmargin.verifier.service.problems import ProblemError

T = TypeVar("T")

MOST_WAITING = 16


class Intake:
    """A queue with one thread behind it: one for the oracles that are asked, another for whoever hands something in."""

    def __init__(self, name: str = "intake") -> None:
        self._pool = ThreadPoolExecutor(1, name)
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Do some work in its turn. Raises ProblemError if too much waits, and whatever the work raises."""
        if self._waiting >= MOST_WAITING:
            raise ProblemError("overloaded", "too many snapshots and rows are waiting; come back in a second")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Finish what is under way, and begin nothing more."""
        self._pool.shutdown(cancel_futures=True)
