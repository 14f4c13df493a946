"""Ports for servers of the tests, so that no two tests that run at once are given the same one."""

import os
import re
import socket
from itertools import count

LOOPBACK = "127.0.0.1"
FIRST, BLOCK, WORKERS = 12_000, 1_000, 20
"""Below the ports that connections are given (32,768 on Linux), a block for each worker that runs tests."""

_numbers = count(os.getpid())


def free_port() -> int:
    """A port of this worker's block that nobody listens on, and that was not handed out shortly before."""
    worker = re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or "0"
    first = FIRST + BLOCK * (int(worker) % WORKERS)
    for _ in range(BLOCK):
        port = first + next(_numbers) % BLOCK
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port of {first} to {first + BLOCK - 1} is free")
