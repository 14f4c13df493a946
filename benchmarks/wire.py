"""Sending requests as bytes over connections that stay open, so that the load costs less than what it measures."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

CONNECTIONS = 64

Sent = tuple[float, Counter[str], list[float]]
"""Seconds, answers by status, and latencies in seconds."""


def request(method: str, path: str, body: bytes = b"", key: str | None = None) -> bytes:
    """A whole request of HTTP/1.1, of somebody with this key."""
    lines = [f"{method} {path} HTTP/1.1", "host: l", f"content-length: {len(body)}"]
    if body:
        lines.append("content-type: application/json")
    if key:
        lines.append(f"authorization: Bearer {key}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def send(
    port: int, requests: Sequence[bytes], rate: float | None, connections: int = CONNECTIONS
) -> Sent:
    """Send every request once; with a rate, evenly, and latencies count from when each was due."""
    queue: asyncio.Queue[tuple[float | None, bytes]] = asyncio.Queue()
    answers: Counter[str] = Counter()
    latencies: list[float] = []
    started = time.perf_counter()
    for number, content in enumerate(requests):
        queue.put_nowait((started + number / rate if rate else None, content))

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not queue.empty():
            due, content = queue.get_nowait()
            if due is not None:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            begun = due or time.perf_counter()
            writer.write(content)
            answers[await _status(reader)] += 1
            latencies.append(time.perf_counter() - begun)
        writer.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    return time.perf_counter() - started, answers, latencies


async def _status(reader: asyncio.StreamReader) -> str:
    """The status of the next answer, which is read to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
    await reader.readexactly(length)
    return head[9:12].decode()
