"""Timing: medians over repeated calls, two calls side by side, and the peak memory of the process."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Median seconds of two calls made in turn, and the median of their ratios."""

    ours: float
    peer: float
    ratio: float


def seconds(call: Callable[[], object], runs: int = 7) -> float:
    """The median duration of a call over several runs, after one that is not counted."""
    call()
    return statistics.median(_once(call) for _ in range(runs))


def side_by_side(ours: Callable[[], object], peer: Callable[[], object], runs: int = 9) -> Pair:
    """Two calls in turn, so that a machine that slows down slows both."""
    ours()
    peer()
    pairs = [(_once(ours), _once(peer)) for _ in range(runs)]
    return Pair(
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def peak_megabytes() -> float:
    """The peak resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _once(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
