"""The pledge ledger: what may be pledged is decided in one transaction, with the accounts' rows locked.

Covered is the sum of all live pledges that share an account with the proof; the proof must show an excess of at least
its own amount and that. Transactions lock accounts in the order of their names, then pledges in that of theirs, then
the end of the log, so that none waits for another in a circle. On SQLite a transaction that writes is alone anyway.

A pledge that is found to have lapsed is marked so by the same transaction that gives its excess away: from then on no
replica takes it for live, whatever its clock says.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from zkmargin.attestation.documents import ReceiptDocument
from zkmargin.circuits.statement import Statement
from zkmargin.verifier.errors import PolicyError
from zkmargin.verifier.service.problems import ProblemError
from zkmargin.verifier.service.store import event_log as chain
from zkmargin.verifier.service.store.schema import ACCOUNTS, BACKING, NONCES, PLEDGES, POLICIES
from zkmargin.verifier.service.store.statuses import LAPSING, LIVE, MOVES, lapsed, set_statuses
from zkmargin.verifier.submission import PreparedSubmission, too_little_shown

Change = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True)
class Claim:
    """A submission whose proofs hold: what the ledger decides about.

    Attributes:
        prepared: the submission with the verifier's own statements.
        valuation_time: of its snapshot, Unix microseconds.
        nonce_until: until when its nonce works.
        policy: version of the policy that admitted it.
        renews: the pledge that it renews, or None for a new one.
    """

    prepared: PreparedSubmission
    valuation_time: int
    nonce_until: int
    policy: int
    renews: str | None = None

    @property
    def keys(self) -> list[tuple[str, str]]:
        """(venue, account) of each attestation."""
        return [attestation.key for attestation in self.prepared.submission.attestations]

    @property
    def statement(self) -> Statement:
        """The statement about the sum."""
        return self.prepared.statements.total


@dataclass
class _Live:
    """A live pledge as the transaction sees it."""

    id: str
    amount: int
    accounts: set[int]
    row: Any = None


@dataclass
class _State:
    """What the transaction has read and decided so far."""

    accounts: dict[tuple[str, str], Any]
    live: dict[str, _Live]
    used: dict[str, str]
    policy: int
    newest: dict[int, tuple[int, str]] = field(default_factory=dict)
    opened: list[dict[str, Any]] = field(default_factory=list)
    backing: list[dict[str, Any]] = field(default_factory=list)
    nonces: list[dict[str, Any]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


Outcome = ReceiptDocument | ProblemError | PolicyError


class Ledger:
    """Decides, with the key of the service signing what was decided."""

    def __init__(
        self, receipt: Callable[..., ReceiptDocument], skew: Callable[[], int], quantum_decimals: int
    ) -> None:
        """`receipt` signs receipts; `skew` tells by how many seconds clocks may differ."""
        self._receipt, self._skew, self._decimals = receipt, skew, quantum_decimals

    def record(self, connection: Connection, claims: Sequence[Claim], now: int) -> list[Outcome]:
        """Decide about claims in their order, in this transaction: each becomes a pledge, or the reason why not."""
        state = self._read(connection, claims, now)
        outcomes: list[Outcome] = []
        for claim in claims:
            try:
                outcomes.append(self._decide(connection, state, claim, now))
            except (PolicyError, ProblemError) as reason:
                outcomes.append(reason)
        _write(connection, state)
        chain.append(connection, state.changes, now)
        return outcomes

    def covered(
        self, connection: Connection, keys: Sequence[tuple[str, str]], now: int, but: str = ""
    ) -> int:
        """Ticks of live pledges on any of these accounts, without the pledge `but`."""
        question = (
            select(PLEDGES.c.id, PLEDGES.c.amount)
            .distinct()
            .join(BACKING, BACKING.c.pledge == PLEDGES.c.id)
            .join(ACCOUNTS, ACCOUNTS.c.id == BACKING.c.account)
            .where(tuple_(ACCOUNTS.c.venue, ACCOUNTS.c.account).in_(list(keys)), self._alive(now))
        )
        return sum(int(row.amount) for row in connection.execute(question) if row.id != but)

    def _alive(self, now: int) -> Any:
        """A pledge counts until its expiry by anybody's clock; one that is called, until it is released."""
        return PLEDGES.c.status.in_(LIVE) & ~lapsed(now - self._skew())

    def _read(self, connection: Connection, claims: Sequence[Claim], now: int) -> _State:
        keys = sorted({key for claim in claims for key in claim.keys})
        accounts = _locked_accounts(connection, keys)
        ids = [row.id for row in accounts.values()]
        live: dict[str, _Live] = {}
        overdue: set[str] = set()
        question = (
            select(BACKING.c.account, PLEDGES.c.id, PLEDGES.c.amount, PLEDGES.c.status, PLEDGES.c.expiry)
            .join(PLEDGES, BACKING.c.pledge == PLEDGES.c.id)
            .where(BACKING.c.account.in_(ids), PLEDGES.c.status.in_(LIVE))
        )
        for row in connection.execute(question):
            live.setdefault(row.id, _Live(row.id, int(row.amount), set())).accounts.add(row.account)
            if self._overdue(row, now):
                overdue.add(row.id)
        renewed = {claim.renews for claim in claims if claim.renews}
        changes = self._look_again(connection, live, renewed, overdue, now)
        nonces = [claim.prepared.submission.nonce for claim in claims]
        used = connection.execute(select(NONCES.c.nonce, NONCES.c.pledge).where(NONCES.c.nonce.in_(nonces)))
        policy = connection.execute(select(func.max(POLICIES.c.version))).scalar_one()
        return _State(accounts, live, {row.nonce: row.pledge for row in used}, int(policy), changes=changes)

    def move(self, connection: Connection, pledge: str, to: Literal["called", "released"], now: int) -> None:
        """Call or release a pledge. Raises ProblemError if it is not there, or in no status for that."""
        question = select(PLEDGES.c.status, PLEDGES.c.expiry).where(PLEDGES.c.id == pledge).with_for_update()
        row = connection.execute(question).first()
        if row is None:
            raise ProblemError("not-found", f"no pledge {pledge}")
        status = "lapsed" if self._overdue(row, now) else row.status
        if status not in MOVES[to]:
            raise ProblemError("pledge-status", f"{pledge} is {status} and cannot be {to}")
        set_statuses(connection, {pledge: (row.status, to)}, now)

    def _overdue(self, row: Any, now: int) -> bool:
        """Whether a pledge has lapsed, though nobody may have marked it yet."""
        return row.status in LAPSING and row.expiry < now - self._skew()

    def _look_again(
        self, connection: Connection, live: dict[str, _Live], renewed: set[str], overdue: set[str], now: int
    ) -> list[Change]:
        """Lock the pledges that will change: those to be renewed, and those that have lapsed, which end here."""
        changes: list[Change] = []
        if not renewed | overdue:
            return changes
        question = select(PLEDGES).where(PLEDGES.c.id.in_(sorted(renewed | overdue)))
        for row in connection.execute(question.order_by(PLEDGES.c.id).with_for_update()).all():
            ended = row.id in overdue and self._overdue(row, now)
            if ended:
                connection.execute(update(PLEDGES).where(PLEDGES.c.id == row.id).values(status="lapsed"))
                changes.append(("pledge.lapsed", row.id, {"from": row.status}))
            if ended or row.status not in LIVE:
                live.pop(row.id, None)
            elif row.id in live:
                live[row.id].row = row
        return changes

    def _decide(self, connection: Connection, state: _State, claim: Claim, now: int) -> ReceiptDocument:
        submission = claim.prepared.submission
        if claim.policy != state.policy:
            raise ProblemError("policy-changed", "the policy has just been changed; submit again")
        if submission.nonce in state.used:
            raise ProblemError(
                "nonce-used", "this nonce has worked already", {"pledge": state.used[submission.nonce]}
            )
        rows = [state.accounts[key] for key in claim.keys]
        newest = {
            row.id: _newer(state, row, attestation.sequence, attestation.digest.hex())
            for row, attestation in zip(rows, submission.attestations, strict=True)
        }
        ids = set(newest)
        covered = sum(
            pledge.amount
            for pledge in state.live.values()
            if pledge.accounts & ids and pledge.id != claim.renews
        )
        wanted = submission.amount + covered
        shown = submission.threshold + claim.prepared.collateral
        if shown < wanted:
            detail = too_little_shown(shown, wanted, self._decimals)
            raise ProblemError("threshold", f"threshold: {detail}", {"covered": covered})
        receipt = (
            self._open(state, claim, rows, now)
            if claim.renews is None
            else self._renew(connection, state, claim, rows, now)
        )
        state.newest.update(newest)
        state.used[submission.nonce] = receipt.pledge
        state.nonces.append({"nonce": submission.nonce, "pledge": receipt.pledge, "until": claim.nonce_until})
        return receipt

    def _open(self, state: _State, claim: Claim, rows: Sequence[Any], now: int) -> ReceiptDocument:
        submission = claim.prepared.submission
        receipt = self._receipt(claim, f"p-{secrets.token_hex(16)}", now)
        state.opened.append(
            {
                "id": receipt.pledge,
                "subject": submission.subject,
                "status": "active",
                "amount": str(submission.amount),
                "opened": now,
                **_proven(claim, receipt, now),
            }
        )
        state.backing += _backing(claim, receipt.pledge, rows)
        state.live[receipt.pledge] = _Live(receipt.pledge, submission.amount, {row.id for row in rows})
        state.changes.append(("pledge.active", receipt.pledge, _told(claim)))
        return receipt

    def _renew(
        self, connection: Connection, state: _State, claim: Claim, rows: Sequence[Any], now: int
    ) -> ReceiptDocument:
        submission = claim.prepared.submission
        pledge = state.live.get(claim.renews or "")
        if pledge is None or pledge.row is None:
            raise ProblemError("renewal", f"{claim.renews} is no live pledge on these accounts")
        found = pledge.row
        wanted = {
            "subject": found.subject == submission.subject,
            "amount": int(found.amount) == submission.amount,
            "accounts": _accounts_of(connection, pledge.id) == {row.id for row in rows},
            "expiry": submission.expiry >= found.expiry,
            "snapshot": claim.valuation_time >= found.valuation_time,
        }
        for name, holds in wanted.items():
            if not holds:
                detail = f"{name}: a renewal keeps subject, amount and accounts, and goes forward in time"
                raise ProblemError("renewal", detail)
        receipt = self._receipt(claim, pledge.id, now)
        status = "called" if found.status == "called" else "active"
        connection.execute(
            update(PLEDGES)
            .where(PLEDGES.c.id == pledge.id)
            .values(status=status, **_proven(claim, receipt, now))
        )
        connection.execute(delete(BACKING).where(BACKING.c.pledge == pledge.id))
        state.backing += _backing(claim, pledge.id, rows)
        state.changes.append(("pledge.renewed", pledge.id, _told(claim) | {"status": status}))
        return receipt


def _locked_accounts(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """The accounts' rows, made where they are missing, and locked in order."""
    rows = [{"venue": venue, "account": account, "sequence": 0, "digest": ""} for venue, account in keys]
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(ACCOUNTS).on_conflict_do_nothing(), rows)
    question = (
        select(ACCOUNTS)
        .where(tuple_(ACCOUNTS.c.venue, ACCOUNTS.c.account).in_(keys))
        .order_by(ACCOUNTS.c.venue, ACCOUNTS.c.account)
        .with_for_update()
    )
    return {(row.venue, row.account): row for row in connection.execute(question)}


def _write(connection: Connection, state: _State) -> None:
    """Write at once what was decided about all claims."""
    for table, rows in ((PLEDGES, state.opened), (BACKING, state.backing), (NONCES, state.nonces)):
        if rows:
            connection.execute(insert(table), rows)
    if state.newest:
        change = update(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("which"))
        connection.execute(
            change.values(sequence=bindparam("to_sequence"), digest=bindparam("to_digest")),
            [
                {"which": account, "to_sequence": sequence, "to_digest": digest}
                for account, (sequence, digest) in sorted(state.newest.items())
            ],
        )


def _newer(state: _State, row: Any, sequence: int, digest: str) -> tuple[int, str]:
    """The newest attestation of an account with this one seen; PolicyError if a newer one, or its twin, is known."""
    known = state.newest.get(row.id, (row.sequence, row.digest))
    if sequence < known[0] or (sequence == known[0] and digest != known[1]):
        name = f"{row.account!r} at {row.venue!r}"
        raise PolicyError("sequence", f"{name}: sequence {sequence} is not newer than {known[0]}")
    return sequence, digest


def _accounts_of(connection: Connection, pledge: str) -> set[int]:
    rows = connection.execute(select(BACKING.c.account).where(BACKING.c.pledge == pledge))
    return {row.account for row in rows}


def _proven(claim: Claim, receipt: ReceiptDocument, now: int) -> dict[str, Any]:
    """The columns that every proof of a pledge sets."""
    submission = claim.prepared.submission
    return {
        "threshold": str(submission.threshold),
        "secured": claim.prepared.secured,
        "snapshot": submission.snapshot,
        "valuation_time": claim.valuation_time,
        "model": submission.model,
        "level": submission.level,
        "proven": now,
        "expiry": submission.expiry,
        "receipt": receipt.encode().decode(),
    }


def _backing(claim: Claim, pledge: str, rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"pledge": pledge, "account": row.id, "attestation": one.digest.hex(), "signer": one.signer}
        for row, one in zip(rows, claim.prepared.submission.attestations, strict=True)
    ]


def _told(claim: Claim) -> dict[str, Any]:
    """What the log tells of a proof; amounts as text, since other languages' numbers end sooner."""
    submission = claim.prepared.submission
    return {
        "amount": str(submission.amount),
        "threshold": str(submission.threshold),
        "secured": claim.prepared.secured,
        "snapshot": submission.snapshot,
        "expiry": submission.expiry,
        "statement": claim.statement.digest.hex(),
    }
