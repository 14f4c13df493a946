"""Everything that one worker process of the service holds, put together from its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from zkmargin.algebra import ceremony, get_backend
from zkmargin.algebra.setup import Setup
from zkmargin.attestation.documents import ReceiptDocument
from zkmargin.verifier.service import metrics
from zkmargin.verifier.service.intake.api_keys import KeyRing
from zkmargin.verifier.service.intake.batches import Batches, Verification
from zkmargin.verifier.service.intake.challenges import Challenges
from zkmargin.verifier.service.intake.oracles import Oracle
from zkmargin.verifier.service.intake.policies import Policies
from zkmargin.verifier.service.intake.queue import Intake
from zkmargin.verifier.service.intake.snapshots import Snapshots
from zkmargin.verifier.service.logs import log
from zkmargin.verifier.service.problems import ProblemError, UnavailableError
from zkmargin.verifier.service.process.settings import Settings
from zkmargin.verifier.service.process.webhooks import Courier
from zkmargin.verifier.service.store.clock import Clock
from zkmargin.verifier.service.store.database import Database
from zkmargin.verifier.service.store.event_stream import Feed
from zkmargin.verifier.service.store.ledger import Claim, Ledger
from zkmargin.verifier.service.store.receipts import signed_receipt
from zkmargin.verifier.service.store.statuses import RenewalTerms, age, due

WEBHOOK_ROUND_SECONDS = 0.5
POLICY_SECONDS = 2.0
CLOCK_SECONDS = 2.0


class Service:
    """One worker's parts.

    Attributes:
        settings, database, clock, keys, policies, snapshots, challenges, ledger, verification: see their rooms.
        intake, strangers: where what oracles answer is taken in, and what anybody hands in.
        batches, feed: live in the event loop, from `start` to `stop`.
    """

    batches: Batches
    feed: Feed

    def __init__(self, settings: Settings, setup: Setup | None = None) -> None:
        """Migrates the database. Raises InputError or UnavailableError."""
        self.settings = settings
        self.key = settings.signing_key()
        self.setup = setup or ceremony(get_backend())
        self.database = Database(settings.database_url)
        self.database.migrate()
        self.clock = Clock(self.database)
        self.keys = KeyRing(self.database, settings.first_admin_key())
        self.policies = Policies(self.database)
        self.policies.begin(settings.first_policy(), int(self.clock.now()))
        self.snapshots = Snapshots(self.database, self.policies, self.setup, settings.quantum_decimals)
        self.intake, self.strangers = Intake("intake"), Intake("strangers")
        self.challenges = Challenges(self.key, settings.challenge_seconds, self._skew)
        self.ledger = Ledger(self._receipt, self._skew, settings.quantum_decimals)
        self.verification = Verification(
            self.setup,
            self.database,
            self.clock,
            self.ledger,
            self.snapshots,
            self.policies,
            self.challenges,
        )
        self._courier = Courier(
            self.database,
            self.key,
            settings.webhook_seconds,
            settings.webhook_attempts,
            settings.webhook_backoff,
            private=settings.webhook_private,
        )
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, in the running event loop."""
        self.batches = Batches(self.verification, self.settings.batch, self.settings.queue)
        self.batches.start()
        self.feed = Feed(self.database, self.settings.event_seconds)
        rounds: list[tuple[Callable[[], Any], float]] = [
            (self._age, self.settings.sweep_seconds),
            (lambda: self._courier.round(self.clock.now()), WEBHOOK_ROUND_SECONDS),
            (self.policies.look, POLICY_SECONDS),
            (self.clock.look, CLOCK_SECONDS),
        ]
        self._tasks = [asyncio.create_task(_every(seconds, _in_thread(work))) for work, seconds in rounds]
        self._tasks += [
            asyncio.create_task(_every(self.settings.oracle_seconds, self._oracle(url).pull))
            for url in self.settings.oracles
        ]
        self._tasks.append(asyncio.create_task(self.feed.watch()))

    async def stop(self) -> None:
        """Finish what is under way, and let go of everything."""
        self.feed.stop()
        await self.batches.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.intake.close()
        self.strangers.close()
        self._courier.close()
        self.database.close()

    def _oracle(self, url: str) -> Oracle:
        limit, seconds = self.settings.snapshot_limit, self.settings.pull_seconds
        return Oracle(url, self.snapshots, self.intake, self.clock.now, limit=limit, seconds=seconds)

    def _receipt(self, claim: Claim, pledge: str, now: int) -> ReceiptDocument:
        return signed_receipt(self.key, self.policies.current().policy.domain, claim, pledge, now)

    def _skew(self) -> int:
        return self.policies.current().policy.clock_skew

    def _age(self) -> None:
        terms = RenewalTerms(self.settings.renew_seconds, self._skew(), int(self.clock.now()))
        if self.database.read(lambda c: due(c, terms)):
            metrics.MOVES.inc(self.database.write(lambda c: age(c, terms)))


def _in_thread(work: Callable[[], Any]) -> Callable[[], Awaitable[Any]]:
    return lambda: asyncio.to_thread(work)


async def _every(seconds: float, work: Callable[[], Awaitable[Any]]) -> None:
    """Do some work again and again; what fails is logged, and done again."""
    while True:
        try:
            await work()
        except (UnavailableError, ProblemError) as error:
            log.warning("background", extra={"cause": str(error)})
        except Exception as error:
            log.error("background", exc_info=error)
        await asyncio.sleep(seconds)
