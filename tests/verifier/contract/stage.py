"""A ledger on an EVM with an oracle, two venues and a trader, over a market of one coin whose proofs are quick."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.attestation.scene import key
from tests.verifier.contract.evms import CHAIN_ID, RICH, Evm, Outcome, deployed
from tests.verifier.service.world import TICKS, setup, snapshot
from zkmargin.attestation import AttestationDocument, SigningDomain, SubmissionDocument, SubmissionTerms
from zkmargin.attestation.program import ProgramSignature
from zkmargin.circuits import build_relation
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import Opening, commit_holdings, prove_submission
from zkmargin.verifier import Policy
from zkmargin.verifier.contract.encoding import program_chunks
from zkmargin.verifier.contract.ledger import (
    deployment,
    ledger,
    owner_calls,
    publication_call,
    submission_call,
)

AUDIENCE = "vault"
START = 1_900_000_000
Account = tuple[AttestationDocument, Opening]


def policy(address: str, **changes: Any) -> Policy:
    content = {
        "audience": AUDIENCE,
        "chain_id": CHAIN_ID,
        "verifying_contract": address,
        "venues": {name: {"keys": [key(name).address]} for name in ("alpha", "beta")},
        "oracles": {"pyx": {"keys": [key("oracle").address, key("oracle 2").address]}},
        "models": {"grid": {"level": "initial"}},
        "snapshot_age": 600,
        "attestation_age": 3600,
        "longest_expiry": 86400,
        "max_pledge": "1000000",
        "max_attestations": 4,
    }
    return Policy.accept({**content, **changes}, "policy")


@dataclass
class Stage:
    """One deployment."""

    evm: Evm
    verifier: str
    address: str
    chain_id: int = CHAIN_ID
    sequence: int = 0
    taken: Snapshot = field(init=False)

    @classmethod
    def deploy(cls, evm: Evm, *, quorum: int = 1, verifier: str = "", **changes: Any) -> "Stage":
        verifier = verifier or deployed(evm, "MarginVerifier")
        own = policy(RICH.address, **changes)
        made = evm.run(None, deployment(RICH.address, verifier, own, 6, 120))
        assert made.refused is None, made.refused
        for call in owner_calls(own, [RICH.address], quorum):
            assert evm.run(made.address, call).refused is None
        return cls(evm, verifier, made.address)

    @property
    def domain(self) -> SigningDomain:
        return SigningDomain(self.chain_id, self.address)

    def call(self, function: str, *arguments: Any, sender: str = RICH.address, keep: bool = True) -> Outcome:
        return self.evm.run(self.address, ledger().call(function, *arguments), sender=sender, keep=keep)

    def read(self, function: str, *arguments: Any) -> Any:
        found = self.call(function, *arguments, keep=False)
        assert found.refused is None, found.refused
        values = ledger().answer(function, found.data)
        return values[0] if len(values) == 1 else values

    def signed_program(self, taken: Snapshot, signer: str = "oracle", **changes: Any) -> ProgramSignature:
        content = {
            "snapshot": taken.id,
            "universe": taken.universe.digest,
            "valuation_time": taken.valuation_time,
            "model": "grid",
            "level": "initial",
            "quantum_decimals": taken.quantum_decimals,
            "program": build_relation(taken).digest.hex(),
        }
        return ProgramSignature.sign(key(signer), changes.pop("domain", self.domain), **(content | changes))

    def chunks(self, taken: Snapshot) -> list[str]:
        found = []
        for chunk in program_chunks(build_relation(taken)):
            stored = self.call("store", chunk)
            assert stored.refused is None, stored.refused
            found.append(ledger().answer("store", stored.data)[0])
        return found

    def publish(self, taken: Snapshot, signers: Sequence[str] = ("oracle",)) -> Outcome:
        signatures = [self.signed_program(taken, signer) for signer in signers]
        return self.evm.run(self.address, publication_call(signatures, self.chunks(taken)))

    def begin(self, moment: int = START, btc: str = "88210.4") -> Snapshot:
        """A snapshot of this moment, published."""
        self.evm.at(moment + 1)
        self.taken = snapshot(moment, btc)
        found = self.publish(self.taken)
        assert found.refused is None, found.refused
        return self.taken

    def attest(self, venue: str = "alpha", account: str = "a", usd: int = 250_000, **fields: Any) -> Account:
        """An attested account with so many dollars, and as many coins as `coins` says."""
        self.sequence += 1
        universe = self.taken.universe
        lots = [0] * len(universe)
        lots[universe.slot("USD")] = usd * TICKS
        opening = commit_holdings(setup(), universe, tuple(lots))
        moment = self.taken.valuation_time // 10**6
        content = {
            "setup": setup().digest,
            "universe": universe.digest,
            "domain": universe.domain,
            "point": opening.point,
            "bound": universe.largest_bound,
            "venue": venue,
            "account": account,
            "subject": key("trader").address,
            "complete": True,
            "source": "ledger",
            "evidence": None,
            "open_orders": "none",
            "contract_map": None,
            "as_of": moment,
            "expiry": moment + 3600,
            "sequence": self.sequence,
            "hold": {"until": moment + 7200, "audience": AUDIENCE},
            **fields,
        }
        signing_domain = content.pop("signing_domain", self.domain)
        signer = key(content.pop("signer", venue))
        return AttestationDocument.sign(signer, signing_domain, **content), opening.opening(
            universe, "opening"
        )

    def submission(self, accounts: Sequence[Account], **changes: Any) -> SubmissionDocument:
        fields: dict[str, Any] = {
            "model": "grid",
            "level": "initial",
            "threshold": 100_000 * TICKS,
            "amount": 100_000 * TICKS,
            "audience": AUDIENCE,
            "nonce": str(self.read("nonces", key("trader").address)),
            "expiry": self.taken.valuation_time // 10**6 + 1800,
        }
        owner = key(changes.pop("owner", "trader"))
        terms = SubmissionTerms(**(fields | changes))
        return prove_submission(list(accounts), self.taken, terms, owner, setup())

    def calldata(self, submission: SubmissionDocument, renews: int | None = None) -> bytes:
        """What pledges a submission, whatever it is worth."""
        return submission_call(submission, build_relation(self.taken), renews)

    def pledge(
        self, submission: SubmissionDocument, *, renews: int | None = None, keep: bool = True
    ) -> Outcome:
        return self.evm.run(
            self.address, self.calldata(submission, renews), sender=key("trader").address, keep=keep
        )
