"""Signed documents: attestations, signatures of snapshots and receipts, as signed and with each member changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from vectors.make.files import VectorFile
from vectors.make.proofs import setup
from zkmargin.attestation import AttestationDocument, SigningDomain, SigningKey, SnapshotSignature
from zkmargin.attestation.documents import ReceiptDocument, SignedDocument
from zkmargin.attestation.program import ProgramSignature
from zkmargin.attestation.signing import GROUP_ORDER, address_of

NOTES = {
    "Signed": "As it was signed.",
    "Changed": "One member was changed after signing.",
    "Signature": "The signature is written in another way than the one that is taken, or belongs to no key.",
    "Signer": "Another key signed than the one that the document names.",
    "Document": "A member is missing, unknown, repeated in meaning, or out of its range.",
    "Address": "An address whose case is not its checksum (EIP-55).",
}

DOMAIN = SigningDomain(1, address_of(bytes(19) + b"\x42"))


def key(name: str) -> SigningKey:
    """The key of a name. Nobody keeps it secret."""
    return SigningKey(hashlib.sha256(f"a key of the vectors: {name}".encode()).digest())


def attestation(point: bytes, **changes: Any) -> AttestationDocument:
    """An attestation of a commitment by the venue alpha, with fields changed before it is signed."""
    fields: dict[str, Any] = {
        "setup": setup().digest,
        "universe": "c3" * 32,
        "domain": 64,
        "point": point.hex(),
        "bound": 1 << 40,
        "venue": "alpha",
        "account": "a-7d0c5b1e",
        "subject": key("trader").address,
        "complete": True,
        "source": "ledger",
        "evidence": None,
        "open_orders": "none",
        "contract_map": None,
        "as_of": 1_767_254_400,
        "expiry": 1_767_258_000,
        "sequence": 7,
        "hold": None,
    } | changes
    return AttestationDocument.sign(key(str(fields["venue"])), DOMAIN, **fields)


def _snapshot_signature() -> SnapshotSignature:
    fields = {"snapshot": "5a" * 32, "universe": "c3" * 32, "valuation_time": 1_767_254_400_000_000}
    return SnapshotSignature.sign(key("oracle"), DOMAIN, **fields)


def program_signature(**changes: Any) -> ProgramSignature:
    """An oracle's signature of a program, with fields changed before it is signed."""
    fields: dict[str, Any] = {
        "snapshot": "5a" * 32,
        "universe": "c3" * 32,
        "valuation_time": 1_767_254_400_000_000,
        "model": "grid",
        "level": "initial",
        "quantum_decimals": 6,
        "program": "77" * 32,
    } | changes
    return ProgramSignature.sign(key("oracle"), DOMAIN, **fields)


def _receipt(**changes: Any) -> ReceiptDocument:
    fields: dict[str, Any] = {
        "pledge": "p-" + "0123456789abcdef" * 2,
        "statement": "ab" * 32,
        "attestations": ["01" * 32, "02" * 32],
        "subject": key("trader").address,
        "snapshot": "5a" * 32,
        "model": "grid",
        "level": "initial",
        "threshold": (1 << 255) - 1,
        "amount": 0,
        "secured": False,
        "audience": "bank",
        "nonce": "one question",
        "issued": 1_767_254_500,
        "expiry": 1_767_258_000,
    } | changes
    return ReceiptDocument.sign(key("service"), DOMAIN, **fields)


def signatures() -> VectorFile:
    """The file: `document` is read, its EIP-712 `digest` formed, and its signature checked."""
    found = VectorFile("signatures", NOTES)
    point = setup().backend.encode(setup().backend.generator())

    def good(comment: str, document: SignedDocument) -> None:
        content = {"document": document.model_dump(mode="json"), "digest": document.digest.hex()}
        found.add(comment, content, flags=["Signed"])

    def bad(comment: str, content: Mapping[str, Any], reason: str, flag: str) -> None:
        found.add(comment, {"document": dict(content)}, [reason], [flag])

    signed = attestation(point)
    held = {"hold": {"until": 1_767_300_000, "audience": "bank"}}
    good("attestation", signed)
    good("attestation with a hold", attestation(point, **held))
    good("attestation by a map, on evidence, of a part", attestation(
        point, contract_map="11" * 32, evidence="22" * 32, complete=False, source="chain", open_orders="reserved"
    ))  # fmt: skip
    good("attestation with every character of a name", attestation(point, account="0a.b_c:d/e@f-9"))
    good("attestation at the ends of its ranges", attestation(
        point, bound=(1 << 63) - 1, as_of=1, expiry=(1 << 62) - 1, sequence=(1 << 63) - 1, domain=2048, source="a" * 32
    ))  # fmt: skip
    good("signature of a snapshot", _snapshot_signature())
    good("signature of a program", program_signature())
    good("receipt", _receipt())
    good("receipt of a secured pledge", _receipt(secured=True, amount=1, level="maintenance"))
    for document in (attestation(point, **held), _snapshot_signature(), program_signature(), _receipt()):
        name = document.STRUCT.name
        content = document.model_dump(mode="json")
        for member, value in _changes(content):
            bad(f"{name}: another {member}", {**content, member: value}, "signature", "Changed")
    content = signed.model_dump(mode="json")
    for comment, signature, reason in _signatures(signed):
        bad(f"signature: {comment}", {**content, "signature": signature}, reason, "Signature")
    bad("another signer named", {**content, "signer": key("beta").address}, "signature", "Signer")
    for comment, changes in _unreadable(content):
        bad(comment, {**content, **changes}, "document", "Document")
    for comment, spelling in (
        ("capitals", "ALICE"),
        ("a space", "alice "),
        ("a letter beyond ASCII", "\u0430lice"),
    ):
        bad(f"an account's name with {comment}", {**content, "account": spelling}, "document", "Document")
    bad("a member less", {k: v for k, v in content.items() if k != "hold"}, "document", "Document")
    lower = content["signer"].lower()
    bad("a signer in small letters", {**content, "signer": lower}, "document", "Address")
    bad(
        "a subject in capitals",
        {**content, "subject": "0x" + content["subject"][2:].upper()},
        "document",
        "Address",
    )
    return found


def _changes(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Another value for each member that is signed."""
    others: dict[str, Any] = {
        "level": "maintenance",
        "open_orders": "reserved",
        "contract_map": "33" * 32,
        "evidence": "33" * 32,
        "attestations": ["02" * 32, "01" * 32],
        "hold": {"until": 1_767_300_001, "audience": "bank"},
        "domain": 128,
    }
    for member, value in content.items():
        if member in {"format", "version", "curve", "signer", "signature"}:
            continue
        if member in others:
            yield member, others[member]
        elif isinstance(value, bool):
            yield member, not value
        elif isinstance(value, int):
            yield member, value - 1 if value > 1 else value + 1
        elif value.startswith("0x"):
            yield member, key("nobody").address
        elif member in {"setup", "universe", "snapshot", "statement", "point", "program"}:
            yield member, value[:-1] + ("0" if value[-1] != "0" else "1")
        else:
            yield member, value + "x"


def _signatures(signed: SignedDocument) -> Iterator[tuple[str, str, str]]:
    data = bytes.fromhex(signed.signature[2:])
    r, s, v = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:64], "big"), data[64]

    def written(r: int, s: int, v: int) -> str:
        return "0x" + (r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])).hex()

    yield "s in the upper half", written(r, GROUP_ORDER - s, 55 - v), "signature"
    yield "v of 0 or 1", written(r, s, v - 27), "signature"
    yield "v of EIP-155", written(r, s, v + 10), "signature"
    yield "the other v", written(r, s, 55 - v), "signature"
    yield "r of 0", written(0, s, v), "signature"
    yield "s of 0", written(r, 0, v), "signature"
    yield "r of the group's order", written(GROUP_ORDER, s, v), "signature"
    yield "r on no point", written(5, s, v), "signature"
    yield "one more in s", written(r, s + 1, v), "signature"
    yield "in capitals", "0x" + signed.signature[2:].upper(), "document"
    yield "without 0x", signed.signature[2:], "document"
    yield "one byte short", signed.signature[:-2], "document"
    yield "one byte long", signed.signature + "00", "document"


def _unreadable(content: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "a member more", {"note": ""}
    yield "another format", {"format": "zkmargin/receipt"}
    yield "another version", {"version": 2}
    yield "another curve", {"curve": "BN254"}
    yield "slots that are too many", {"domain": 2049}
    yield "a bound of 0", {"bound": 0}
    yield "a bound of 2^63", {"bound": 1 << 63}
    yield "a bound as text", {"bound": str(content["bound"])}
    yield "no venue", {"venue": ""}
    yield "a venue of 129 characters", {"venue": "v" * 129}
    yield "a venue with a tab", {"venue": "al\tpha"}
    yield "complete as a number", {"complete": 1}
    yield "a source in capitals", {"source": "Ledger"}
    yield "evidence of zeros", {"evidence": "00" * 32}
    yield "a map of zeros", {"contract_map": "00" * 32}
    yield "open orders of another kind", {"open_orders": "some"}
    yield "a negative moment", {"as_of": -1}
    yield "a hold without an audience", {"hold": {"until": 1}}
    yield "a point in capitals", {"point": content["point"].upper()}
    yield "chain 0", {"chain_id": 0}
