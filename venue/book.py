"""Attesting to a whole book: streamed, on all cores, in parts that appear whole or not at all.

A run writes into a directory of its owner:

    book.json                        what the run is about, and its one sequence; written first
    part-00000.attestations.jsonl    one attestation a line, in the canonical encoding
    part-00000.openings.jsonl        the openings of the same accounts, line for line: SECRET, mode 0600
    ...

A part is there once its attestations are: its openings were written before. A run that was interrupted is continued by
the same command: parts that are there stay, the others are made with fresh randomness, under the same sequence, and
nothing was handed out twice.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from zkmargin.argument.documents import Digest, Document
from zkmargin.attestation import Address, Hold
from zkmargin.attestation.documents import ChainId, Counter, MapDigest, OpenOrders, Seconds
from zkmargin.attestation.names import PartyName
from zkmargin.attestation.secret_file import OWNER_ONLY
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.venue.book_rows import Stretch, check_whole, stretches
from zkmargin.venue.book_worker import Carried, Made, Task, begin_process, make_part, warm
from zkmargin.venue.issue import Moment, Venue, begin
from zkmargin.venue.register import Register

ACCOUNTS_PER_PART = 1000
OWNER_DIRECTORY = 0o700
MANIFEST = "book.json"
DRAFT = ".draft-"
"""Files whose names begin so were being written when a run was interrupted."""

Progress = Callable[[int], None]
"""Told how many accounts are done."""


class BookDocument(Document):
    """The inputs of a run; a run is resumed only if all of them are the same.

    Attributes:
        book: SHA-256 of the file of positions.
        venue, signer, chain_id, verifying_contract, universe, setup: of every attestation.
        snapshot: whose marks stand for entry prices that are not given.
        open_orders, contract_map: of every attestation.
        as_of, expiry, sequence: of every attestation.
        accounts_per_part: how the book is cut.
    """

    format: Literal["zkmargin/book"] = "zkmargin/book"
    version: Literal[1] = 1
    book: Digest
    venue: PartyName
    signer: Address
    chain_id: ChainId
    verifying_contract: Address
    snapshot: Digest
    universe: Digest
    setup: Digest
    open_orders: OpenOrders
    contract_map: MapDigest | None
    as_of: Seconds
    expiry: Seconds
    sequence: Counter
    accounts_per_part: int


@dataclass(frozen=True)
class Book:
    """A finished run.

    Attributes:
        accounts: in the book.
        parts: that they are in.
        made: parts made by this call; the others were there.
        document: what the run is about.
    """

    accounts: int
    parts: int
    made: int
    document: BookDocument


def attest_book(
    venue: Venue,
    book: Path,
    directory: Path,
    moment: Moment,
    register: Register,
    *,
    open_orders: OpenOrders = "none",
    workers: int | None = None,
    accounts_per_part: int = ACCOUNTS_PER_PART,
    progress: Progress | None = None,
) -> Book:
    """Attest to every account of a book.

    Args:
        venue: who attests.
        book: Parquet or CSV; see `book_rows`.
        directory: where the run writes; made if it is not there. With a run in it, that run is continued, at its own
            moment.
        moment: as-of time and expiry of a new run.
        register: of the venue. Holds that last are carried on.
        open_orders: none, or reserved in the balances, for all accounts.
        workers: processes; as many as cores if left out.
        accounts_per_part: how the book is cut.
        progress: told how many accounts are done.

    Raises:
        InputError: a row that cannot be held, an account whose rows do not stand together, a directory with another
            run in it, a book that is written to meanwhile, or no room.
    """
    with _alone_in(directory):
        cut = {"open_orders": open_orders, "accounts_per_part": accounts_per_part}
        check_whole(book)
        begin(venue, moment, register)
        document = _begin(_content(venue, book) | cut, directory, moment, register)
        warm(venue)
        run = Run(venue, book, directory, document, register)
        return run.finish(workers or os.cpu_count() or 1, progress or (lambda done: None))


@dataclass(frozen=True)
class Run:
    """A run that has begun; the directory is ours alone."""

    venue: Venue
    book: Path
    directory: Path
    document: BookDocument
    register: Register

    def finish(self, workers: int, tell: Progress) -> Book:
        """Make every part that is not there. Raises InputError as `attest_book` does."""
        holds = self.register.live_holds(self.document.as_of)
        accounts = parts = made = 0
        running: dict[Future[Made], Stretch] = {}
        with _processes(self.venue, workers) as pool:
            for stretch in stretches(self.book, self.document.accounts_per_part):
                parts, accounts = parts + 1, accounts + stretch.accounts
                if attestations_file(self.directory, stretch.number).exists():
                    tell(stretch.accounts)
                    continue
                if len(running) >= 2 * workers:
                    made += self._collect(running, tell)
                running[pool.submit(make_part, self._task(stretch, holds))] = stretch
            while running:
                made += self._collect(running, tell)
        if _digest(self.book) != self.document.book:
            remedy = "it was written to meanwhile; hand out nothing, and attest to the book anew in another directory"
            raise InputError(str(self.book), "book", Finding("changed"), remedy)
        return Book(accounts, parts, made, self.document)

    def _task(self, stretch: Stretch, holds: dict[str, Hold]) -> Task:
        names = set(stretch.rows.column("account").to_pylist()) if holds else set()
        return Task(
            rows=encoded(stretch.rows),
            book=str(self.book),
            moment=Moment(self.document.as_of, self.document.expiry),
            sequence=self.document.sequence,
            open_orders=self.document.open_orders,
            holds={name: hold for name, hold in holds.items() if name in names},
        )

    def _collect(self, running: dict[Future[Made], Stretch], tell: Progress) -> int:
        """Write the parts that are ready, waiting for one at least; how many they were."""
        ready, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in sorted(ready, key=lambda future: running[future].number):
            stretch, made = running.pop(future), self._made(future)
            self.register.record(made.issued)
            # Openings first: the part is there when its attestations are.
            _replace(openings_file(self.directory, stretch.number), made.openings)
            _replace(attestations_file(self.directory, stretch.number), made.attestations)
            tell(stretch.accounts)
        return len(ready)

    def _made(self, future: Future[Made]) -> Made:
        """The result of the process. Raises InputError, also if the process died."""
        try:
            return future.result()
        except BrokenProcessPool:
            remedy = "run the same command again, with fewer workers if memory is short"
            raise InputError(str(self.directory), "workers", Finding("a process died"), remedy) from None


def attestations_file(directory: Path, part: int) -> Path:
    """The attestations of a part."""
    return directory / f"part-{part:05d}.attestations.jsonl"


def openings_file(directory: Path, part: int) -> Path:
    """The openings of a part: secret."""
    return directory / f"part-{part:05d}.openings.jsonl"


def _content(venue: Venue, book: Path) -> dict[str, Any]:
    return {
        "book": _digest(book),
        "venue": venue.name,
        "signer": venue.key.address,
        "chain_id": venue.domain.chain_id,
        "verifying_contract": venue.domain.verifying_contract,
        "universe": venue.snapshot.universe.digest,
        "snapshot": venue.snapshot.id,
        "contract_map": None if venue.contracts is None else venue.contracts.digest,
        "setup": venue.setup.digest,
    }


def _begin(content: dict[str, Any], directory: Path, moment: Moment, register: Register) -> BookDocument:
    """The run in the directory, which must be this one, or a new one."""
    manifest = directory / MANIFEST
    if manifest.exists():
        found = BookDocument.read(manifest)
        for name, value in content.items():
            if getattr(found, name) != value:
                remedy = f"another run is in this directory, and this one has {value!r}; name a new directory"
                raise InputError(str(manifest), name, getattr(found, name), remedy)
        register.check_begun(found.sequence)
        for draft in directory.glob(f"{DRAFT}*"):
            draft.unlink()
        return found
    if any(directory.iterdir()):
        remedy = "name a directory that is empty, or holds a run of the same book"
        raise InputError(str(directory), "directory", Finding("not empty"), remedy)
    sequence = register.begin_book(moment.as_of)
    times = {"as_of": moment.as_of, "expiry": moment.expiry, "sequence": sequence}
    document = BookDocument.accept({**content, **times}, "book")
    write_atomically(manifest, document.encode())
    return document


def _digest(book: Path) -> str:
    try:
        with book.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        reason = Finding(error.strerror or "unreadable")
        raise InputError(str(book), "file", reason, "name a readable file") from None


@contextmanager
def _processes(venue: Venue, count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that have the venue in memory; what is not begun is dropped if the block fails."""
    # Spawned, not forked: the threads of the native extension do not survive a fork.
    pool = ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=begin_process, initargs=(Carried.of(venue),)
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Lock the directory. Raises InputError if another run holds it, or it cannot be used."""
    handle = None
    try:
        directory.mkdir(mode=OWNER_DIRECTORY, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if handle is not None:
            os.close(handle)
        busy = isinstance(error, BlockingIOError)
        reason = "another run is writing into it" if busy else error.strerror or "unusable"
        remedy = "wait for it, or name another directory" if busy else "name a writable directory"
        raise InputError(str(directory), "directory", Finding(reason), remedy) from None
    try:
        yield
    finally:
        os.close(handle)


def _replace(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, at once or not at all. Raises InputError."""
    draft = path.with_name(f"{DRAFT}{path.name}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, OWNER_ONLY)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        reason = Finding(error.strerror or "unwritable")
        raise InputError(str(path), "file", reason, "make room, and run the same command again") from None


def encoded(rows: pa.Table) -> bytes:
    """The rows alone, without the rest of the buffers that they are a slice of."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())
