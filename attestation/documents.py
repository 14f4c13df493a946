"""The signed documents: a venue's attestation, an oracle's signature of a snapshot, a submission, and a receipt.

Each has one canonical encoding (see `Document`), and one digest that its signature is over (see `typed_data`). Every
field of a document is covered by that digest. Reading a document checks its form, `check_signature` who signed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints

from zkmargin.argument.documents import (
    LONGEST_PROOF,
    Curve,
    Digest,
    Document,
    Domain,
    PointHex,
    size_in_words,
)
from zkmargin.attestation.names import LONGEST_NAME, PartyName
from zkmargin.attestation.signing import Address, Signature, SignatureError, recover
from zkmargin.attestation.typed_data import ATTESTATION, RECEIPT, SNAPSHOT, WORD, SigningDomain, Struct
from zkmargin.margin.errors import InputError
from zkmargin.margin.units import Level

if TYPE_CHECKING:
    from zkmargin.attestation.keys import SigningKey

LONGEST_TEXT = 256
MOST_ATTESTATIONS = 64
"""Of one submission; each is a term of one sum."""

_UNSIGNED = "0x" + "00" * 65
"""Stands in for the signature while a document's digest is formed."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("write printable characters only")
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME), AfterValidator(_printable)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_printable)]
Seconds = Annotated[int, Field(gt=0, lt=1 << 62)]
"""Unix seconds."""
Microseconds = Annotated[int, Field(gt=0, lt=1 << 62)]
"""Unix microseconds."""
Counter = Annotated[int, Field(gt=0, lt=1 << 63)]
Ticks = Annotated[int, Field(ge=0, lt=1 << 255)]
"""Money in ticks of the snapshot, 10^-quantum_decimals USD."""
ChainId = Annotated[int, Field(gt=0, lt=1 << 63)]


ProofHex = Annotated[
    str,
    Field(pattern=r"^([0-9a-f]{2})+$", max_length=2 * LONGEST_PROOF, json_schema_extra=size_in_words),
]


def _not_zero(digest: str) -> str:
    if not digest.strip("0"):
        raise ValueError("write null where there is none")
    return digest


SomeDigest = Annotated[Digest, AfterValidator(_not_zero)]
"""Never all zeros, which is how the absence of what it is a digest of is signed."""
MapDigest = SomeDigest
"""Of a signed contract map."""
Source = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
"""Where holdings were read, in one word: ledger, custodian, chain, auditor, .."""
OpenOrders = Literal["none", "reserved"]
"""`none`: the account has no open orders; `reserved`: their greatest cost is taken off its balances."""


class SignedDocument(Document):
    """A document with a signature over the EIP-712 digest of all its other fields."""

    STRUCT: ClassVar[Struct]

    chain_id: ChainId
    verifying_contract: Address
    signer: Address
    signature: Signature

    def message(self) -> dict[str, Any]:
        """The members of the struct that is signed."""
        raise NotImplementedError

    @property
    def signing_domain(self) -> SigningDomain:
        """The EIP-712 domain that the document names."""
        return SigningDomain(self.chain_id, self.verifying_contract)

    @property
    def digest(self) -> bytes:
        """The EIP-712 digest that is signed, 32 bytes."""
        return self.signing_domain.digest(self.STRUCT, self.message())

    def check_signature(self, where: str) -> None:
        """Raises InputError unless the signature is the signer's."""
        try:
            found = recover(self.digest, self.signature)
        except SignatureError as error:
            raise InputError(where, "signature", self.signature, str(error)) from None
        if found != self.signer:
            remedy = f"it is not that of {self.signer} over this content; get the document again"
            raise InputError(where, "signature", self.signature, remedy)

    @classmethod
    def sign(cls, key: SigningKey, signing_domain: SigningDomain, /, **fields: Any) -> Self:
        """The document with these fields, signed. Raises InputError if a field cannot be used."""
        content = {
            **fields,
            "chain_id": signing_domain.chain_id,
            "verifying_contract": signing_domain.verifying_contract,
            "signer": key.address,
            "signature": _UNSIGNED,
        }
        draft = cls.accept(content, cls.STRUCT.name.lower())
        signature = key.sign(signing_domain.digest(cls.STRUCT, draft.message()))
        return draft.model_copy(update={"signature": signature})


class Hold(Document):
    """The venue keeps the account's collateral locked for one audience, until a time."""

    until: Seconds
    audience: Text


class AttestationDocument(SignedDocument):
    """A venue's word that a commitment, which it computed itself, holds the whole of an account.

    Attributes:
        setup: digest of the powers of tau that the commitment is under.
        universe: digest of the slots and lots.
        domain: n, the number of slots.
        point: the commitment.
        bound: no |q| is greater, in lots; the proof shows each slot's own bound anyway.
        venue: the venue's name; the verifier's policy knows which keys sign for it.
        account: a pseudonym that stays the same for the account.
        subject: address of the key that must sign what is proven.
        complete: whether nothing of the account is left out, debts above all.
        source: where the holdings were read: "ledger" if the venue's own books say so.
        evidence: digest of what they rest on, such as a block's state root with its proofs; None if they rest on the
            signer's word alone.
        open_orders: none, or reserved in the balances.
        contract_map: digest of the signed map by which the venue's contracts were read; None if they have the names
            and sizes of the universe.
        as_of: the moment of the ledger, Unix seconds.
        expiry: Unix seconds after which the attestation no longer counts.
        sequence: grows from one attestation of the account to the next.
        hold: None if the collateral can leave at any time.
        signer: address of the venue's key.
    """

    STRUCT: ClassVar[Struct] = ATTESTATION

    format: Literal["zkmargin/attestation"] = "zkmargin/attestation"
    version: Literal[1] = 1
    curve: Curve = "BLS12-381"
    setup: Digest
    universe: Digest
    domain: Domain
    point: PointHex
    bound: Annotated[int, Field(gt=0, lt=1 << 63)]
    venue: PartyName
    account: PartyName
    subject: Address
    complete: bool
    source: Source
    evidence: SomeDigest | None
    open_orders: OpenOrders
    contract_map: MapDigest | None
    as_of: Seconds
    expiry: Seconds
    sequence: Counter
    hold: Hold | None

    @property
    def key(self) -> tuple[str, str]:
        """(venue, account): what may occur once in a sum."""
        return self.venue, self.account

    def message(self) -> dict[str, Any]:
        return {
            "setup": bytes.fromhex(self.setup),
            "universe": bytes.fromhex(self.universe),
            "slots": self.domain,
            "commitment": bytes.fromhex(self.point),
            "bound": self.bound,
            "venue": self.venue,
            "account": self.account,
            "subject": self.subject,
            "complete": self.complete,
            "source": self.source,
            "evidence": bytes.fromhex(self.evidence) if self.evidence else bytes(WORD),
            "openOrders": self.open_orders,
            "contractMap": bytes.fromhex(self.contract_map) if self.contract_map else bytes(WORD),
            "asOf": self.as_of,
            "expiry": self.expiry,
            "sequence": self.sequence,
            "holdUntil": self.hold.until if self.hold else 0,
            "holdAudience": self.hold.audience if self.hold else "",
        }


class SnapshotSignature(SignedDocument):
    """An oracle's signature over a snapshot's prices. The recipient recomputes all tables.

    Attributes:
        snapshot: its id.
        universe: its universe's digest.
        valuation_time: Unix microseconds.
        signer: address of the oracle's key.
    """

    STRUCT: ClassVar[Struct] = SNAPSHOT

    format: Literal["zkmargin/snapshot-signature"] = "zkmargin/snapshot-signature"
    version: Literal[1] = 1
    snapshot: Digest
    universe: Digest
    valuation_time: Microseconds

    def message(self) -> dict[str, Any]:
        return {
            "snapshot": bytes.fromhex(self.snapshot),
            "universe": bytes.fromhex(self.universe),
            "valuationTime": self.valuation_time,
        }


class ReceiptDocument(SignedDocument):
    """A service's word that it verified a proof and recorded a pledge.

    Attributes:
        pledge: the pledge's name in the service.
        statement: digest of the statement about the sum.
        attestations: digests of the attestations behind the sum, in its order.
        subject: whose account it is.
        snapshot, model, level: what it was proven under.
        threshold: the excess that was shown, in ticks.
        amount: the pledge, in ticks.
        secured: whether every attestation holds its collateral for the audience until the expiry.
        audience, nonce: the service's.
        issued: Unix seconds.
        expiry: Unix seconds until which the pledge counts if it is renewed in time; as signed by the subject.
        signer: address of the service's key.
    """

    STRUCT: ClassVar[Struct] = RECEIPT

    format: Literal["zkmargin/receipt"] = "zkmargin/receipt"
    version: Literal[1] = 1
    pledge: Text
    statement: Digest
    attestations: Annotated[list[Digest], Field(min_length=1, max_length=MOST_ATTESTATIONS)]
    subject: Address
    snapshot: Digest
    model: Name
    level: Level
    threshold: Ticks
    amount: Ticks
    secured: bool
    audience: Text
    nonce: Text
    issued: Seconds
    expiry: Seconds

    def message(self) -> dict[str, Any]:
        names = ("pledge", "subject", "model", "level", "threshold", "amount", "secured", "audience", "nonce")
        return {
            **{name: getattr(self, name) for name in (*names, "issued", "expiry")},
            "statement": bytes.fromhex(self.statement),
            "attestations": [bytes.fromhex(digest) for digest in self.attestations],
            "snapshot": bytes.fromhex(self.snapshot),
        }


class SubmissionDocument(Document):
    """A submission to a verifier: attestations, one proof for their sum, and the subject's signature.

    The verifier forms all statements from the attestations in this order, its own snapshot and policy.

    Attributes:
        setup: digest of the powers of tau.
        snapshot: id of the snapshot.
        model, level: what the proofs are under.
        rows: digest of the committed rows that all proofs use; None if they use none.
        threshold: what the excess of the sum reaches, in ticks: the amount and every live pledge on its accounts, less
            what collateral counts for.
        collateral: by venue whose accounts are not complete, what their excess reaches by itself, in ticks.
        amount: the new pledge, in ticks; 0 to show solvency only.
        audience, nonce: the verifier's.
        expiry: Unix seconds after which the proof and the pledge no longer count.
        attestations: one for each account.
        proof: of the statement about the sum.
        venue_proofs: of the statement about each venue alone, by its name, if the policy asks for them or its accounts
            are not complete; empty if not.
        subject: address of the key that signed, the subject of every attestation.
        signature: the subject's, over the digests of all statements (the sum's, then each venue's by first
            occurrence), amount, audience, nonce and expiry.
    """

    format: Literal["zkmargin/submission"] = "zkmargin/submission"
    version: Literal[1] = 1
    setup: Digest
    snapshot: Digest
    model: Name
    level: Level
    rows: Digest | None = None
    threshold: Ticks
    collateral: Annotated[
        dict[Name, Ticks], Field(max_length=MOST_ATTESTATIONS, json_schema_extra=size_in_words)
    ] = Field(default_factory=dict)
    amount: Ticks
    audience: Text
    nonce: Text
    expiry: Seconds
    attestations: Annotated[
        list[AttestationDocument],
        Field(min_length=1, max_length=MOST_ATTESTATIONS, json_schema_extra=size_in_words),
    ]
    proof: ProofHex
    venue_proofs: Annotated[
        dict[PartyName, ProofHex], Field(max_length=MOST_ATTESTATIONS, json_schema_extra=size_in_words)
    ]
    subject: Address
    signature: Signature
