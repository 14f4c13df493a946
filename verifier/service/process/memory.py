"""Keeping a worker's memory small and its pauses short."""

from __future__ import annotations

import ctypes
import gc

M_ARENA_MAX = -8
"""Of glibc's mallopt."""

ARENAS = 2


def share_arenas() -> None:
    """Let all threads allocate from a few arenas, else each keeps what it once needed. Without glibc: nothing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)


def settle() -> None:
    """What the start has made stays: the collector need not go through it again while requests wait."""
    gc.collect()
    gc.freeze()
