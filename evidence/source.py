"""From what a signer says on the command line to the reader of a source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from zkmargin.attestation import SigningDomain, VerifiedMap
from zkmargin.attestation.documents import OpenOrders
from zkmargin.evidence.custodian import Custodian
from zkmargin.evidence.reading import Reader
from zkmargin.margin.errors import Finding, InputError

Value = TypeVar("Value")


@dataclass(frozen=True)
class Sources:
    """What the sources need; each takes its own.

    Attributes:
        plan: of a chain or an auditor, TOML.
        roots: files of signed roots.
        holdings: of a custodian's ledger.
        account: its pseudonym there.
        owner: address of the account's owner.
        as_of: the ledger's moment, Unix seconds.
        open_orders: of the ledger.
        contracts: the signed map of the source's contracts.
    """

    plan: Path | None
    roots: tuple[Path, ...]
    holdings: Path | None
    account: str | None
    owner: str
    as_of: int
    open_orders: OpenOrders
    contracts: VerifiedMap | None


def reader_of(source: str, sources: Sources, domain: SigningDomain) -> Reader:
    """The reader of a source: chain, custodian or auditor. Raises InputError for what it lacks."""
    if source == "custodian":
        holdings = _given(sources.holdings, "--holdings", "name the ledger's file")
        account = _given(sources.account, "--account", "give the account's pseudonym")
        return Custodian(
            account, sources.owner, holdings, sources.as_of, sources.open_orders, sources.contracts
        )
    plan = _given(sources.plan, "--plan", "say in a file what to read")
    # Tries and exchanges are libraries of their own: the extra `evidence` brings them.
    if source == "chain":
        from zkmargin.evidence.chain import BlockRootDocument, ChainPlan, ChainReader  # noqa: PLC0415

        roots = [BlockRootDocument.read(path) for path in sources.roots]
        return ChainReader(ChainPlan.read(plan), domain, roots)
    contracts = _given(sources.contracts, "--map", "sign a map of the venue's contracts: each needs a row")
    from zkmargin.evidence.auditor import Auditor, AuditPlan  # noqa: PLC0415

    return Auditor(AuditPlan.read(plan), contracts)


def _given(value: Value | None, flag: str, remedy: str) -> Value:
    if value is None:
        raise InputError("command line", flag, Finding("missing"), remedy)
    return value
