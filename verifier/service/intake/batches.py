"""Proofs that arrive together are verified together, away from the event loop, and recorded in one transaction.

While one batch is under way the next collects, so that batches grow with the load and a lone proof waits for nobody. A
bad proof is named, and its neighbours are recorded all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from zkmargin.algebra.setup import Setup
from zkmargin.argument.proof import Proof
from zkmargin.attestation.documents import ReceiptDocument, SubmissionDocument
from zkmargin.circuits.statement import Statement
from zkmargin.verifier.batch import BatchError, verify_batch
from zkmargin.verifier.service import metrics
from zkmargin.verifier.service.intake.challenges import Challenges
from zkmargin.verifier.service.intake.policies import InForce, Policies
from zkmargin.verifier.service.intake.snapshots import Snapshots
from zkmargin.verifier.service.logs import log
from zkmargin.verifier.service.problems import ProblemError, problem_of
from zkmargin.verifier.service.store.clock import Clock
from zkmargin.verifier.service.store.database import Database
from zkmargin.verifier.service.store.ledger import Claim, Ledger, Outcome
from zkmargin.verifier.submission import Expected, prepare_submission

LANES = 2
"""Batches under way at once: one is verified while another is written down."""


@dataclass(frozen=True)
class Offered:
    """A submission as it came.

    Attributes:
        content: its JSON.
        renews: the pledge that it renews, or None for a new one.
    """

    content: bytes
    renews: str | None = None


@dataclass
class Verification:
    """Everything between a submission and its receipt.

    Attributes:
        setup: the ceremony's powers.
        database, clock, ledger, snapshots, policies, challenges: the service's.
    """

    setup: Setup
    database: Database
    clock: Clock
    ledger: Ledger
    snapshots: Snapshots
    policies: Policies
    challenges: Challenges

    def process(self, batch: Sequence[Offered]) -> list[ReceiptDocument | ProblemError]:
        """Verify and record a batch; for each its receipt, or the problem with it. Runs away from the event loop."""
        outcomes = self._attempt(batch)
        late = [place for place, found in enumerate(outcomes) if _policy_changed(found)]
        if late:
            self.policies.look()
            again = self._attempt([batch[place] for place in late])
            for place, outcome in zip(late, again, strict=True):
                outcomes[place] = outcome
        return outcomes

    def _attempt(self, batch: Sequence[Offered]) -> list[ReceiptDocument | ProblemError]:
        now, policy = self.clock.now(), self.policies.current()
        outcomes: dict[int, ReceiptDocument | ProblemError] = {}
        claims: dict[int, Claim] = {}
        for place, offered in enumerate(batch):
            try:
                claims[place] = self._claim(offered, policy, now)
            except Exception as error:
                outcomes[place] = named(error)
        for place, problem in self._bad(claims).items():
            outcomes[place] = problem
            del claims[place]
        if claims:
            for place, outcome in zip(claims, self._record(list(claims.values()), int(now)), strict=True):
                outcomes[place] = outcome if isinstance(outcome, ReceiptDocument) else named(outcome)
        return [outcomes[place] for place in range(len(batch))]

    def _claim(self, offered: Offered, policy: InForce, now: float) -> Claim:
        """Everything but the proofs and the ledger. Raises what `problem_of` has a name for."""
        submission = SubmissionDocument.parse(text(offered.content), "submission")
        until = self.challenges.check(submission.nonce, submission.subject, int(now))
        kept = self.snapshots.get(submission.snapshot)
        rows = None
        if submission.rows is not None:
            rows = self.snapshots.rows(kept, submission.model, submission.level, submission.rows)
        # What is pledged already, and which attestations are newest, only the ledger's transaction can tell.
        expected = Expected(submission.nonce, 0, {})
        prepared = prepare_submission(
            submission,
            kept.snapshot,
            policy.policy,
            self.setup,
            expected,
            now=now,
            relation_of=lambda _, model, level, threshold: kept.relation(model, level, threshold),
            rows=rows,
        )
        return Claim(prepared, kept.snapshot.valuation_time, until, policy.version, offered.renews)

    def _bad(self, claims: dict[int, Claim]) -> dict[int, ProblemError]:
        """The claims with a proof that does not hold."""
        items: list[tuple[Statement, Proof]] = []
        owners: list[int] = []
        for place, claim in claims.items():
            items += claim.prepared.items
            owners += [place] * len(claim.prepared.items)
        if not items:
            return {}
        metrics.BATCH.observe(len(items))
        with metrics.VERIFY.time():
            try:
                verify_batch(items, self.setup)
            except BatchError as error:
                return {owners[place]: named(reason) for place, reason in error.failures.items()}
        return {}

    def _record(self, claims: Sequence[Claim], now: int) -> Sequence[Outcome]:
        with metrics.RECORD.time():
            try:
                return self.database.write(lambda connection: self.ledger.record(connection, claims, now))
            except Exception as error:
                return [named(error)] * len(claims)


class Batches:
    """Collects what arrives together, and hands it to threads."""

    def __init__(self, verification: Verification, most: int, queue: int) -> None:
        """`most` proofs to a batch, `queue` waiting."""
        self._verification, self._most = verification, most
        self._queue: asyncio.Queue[tuple[Offered, asyncio.Future[ReceiptDocument | ProblemError]]]
        self._queue = asyncio.Queue(queue)
        self._pool = ThreadPoolExecutor(LANES, "verify")
        self._lanes: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._lanes = [asyncio.create_task(self._lane()) for _ in range(LANES)]

    async def stop(self) -> None:
        """Finish what waits, then end."""
        await self._queue.join()
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        self._pool.shutdown()

    async def submit(self, offered: Offered) -> ReceiptDocument:
        """The receipt. Raises ProblemError."""
        future: asyncio.Future[ReceiptDocument | ProblemError] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((offered, future))
        except asyncio.QueueFull:
            raise ProblemError("overloaded", "too many proofs are waiting; come back in a second") from None
        outcome = await future
        metrics.PROOFS.labels(outcome.code if isinstance(outcome, ProblemError) else "accepted").inc()
        if isinstance(outcome, ProblemError):
            raise outcome
        return outcome

    async def _lane(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self._queue.get()]
            while len(batch) < self._most and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                offered = [one for one, _ in batch]
                outcomes = await loop.run_in_executor(self._pool, self._verification.process, offered)
            except Exception as error:
                outcomes = [named(error)] * len(batch)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if not future.done():
                    future.set_result(outcome)
                self._queue.task_done()


def text(content: bytes) -> str:
    """The text of a body. Raises ProblemError."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ProblemError("document", "the body is no UTF-8") from None


def named(error: Exception) -> ProblemError:
    """The problem that an error is; one that has no name is logged, and told to nobody."""
    problem = problem_of(error)
    if problem is None:
        log.error("unexpected", exc_info=error)
        return ProblemError("internal", "something went wrong here; it has been logged")
    return problem


def _policy_changed(outcome: ReceiptDocument | ProblemError) -> bool:
    return isinstance(outcome, ProblemError) and outcome.code == "policy-changed"
