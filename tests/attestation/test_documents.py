"""Signed documents: one encoding, strict reading, and a signature over every field."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.attestation.scene import AUDIENCE, CONTRACT, DOMAIN, key, market_snapshot, now
from zkmargin.attestation import (
    AttestationDocument,
    ContractMapDocument,
    ReceiptDocument,
    SignedDocument,
    SnapshotSignature,
)
from zkmargin.margin.errors import InputError

HEX = "ab" * 32
POINT = "8f" + "ab" * 47


def attestation(**changes: Any) -> AttestationDocument:
    fields = {
        "setup": HEX,
        "universe": "cd" * 32,
        "domain": 256,
        "point": POINT,
        "bound": 1000,
        "venue": "alpha",
        "account": "alice",
        "subject": key("trader").address,
        "complete": True,
        "source": "chain",
        "evidence": "56" * 32,
        "open_orders": "none",
        "contract_map": "12" * 32,
        "as_of": now(),
        "expiry": now() + 60,
        "sequence": 7,
        "hold": {"until": now() + 30, "audience": AUDIENCE},
    }
    return AttestationDocument.sign(key("alpha"), DOMAIN, **(fields | changes))


def snapshot_signature() -> SnapshotSignature:
    snapshot = market_snapshot()
    return SnapshotSignature.sign(
        key("oracle"),
        DOMAIN,
        snapshot=snapshot.id,
        universe=snapshot.universe.digest,
        valuation_time=snapshot.valuation_time,
    )


def receipt() -> ReceiptDocument:
    return ReceiptDocument.sign(
        key("service"),
        DOMAIN,
        pledge="p1",
        statement=HEX,
        attestations=[HEX, "cd" * 32],
        subject=key("trader").address,
        snapshot="ef" * 32,
        model="grid",
        level="initial",
        threshold=5 * 10**30,
        amount=3,
        secured=True,
        audience=AUDIENCE,
        nonce="n",
        issued=now(),
        expiry=now() + 9,
    )


def contract_map() -> ContractMapDocument:
    return ContractMapDocument.sign(
        key("alpha"),
        DOMAIN,
        venue="alpha",
        universe="cd" * 32,
        as_of=now(),
        contracts=[
            {"contract": name, "instrument": "BTC-PERPETUAL", "multiplier": size, "settlement": "BTC"}
            for name, size in (("XBT-100", "100"), ("XBT-SPREAD", "-0.5"))
        ],
    )


def signed() -> list[SignedDocument]:
    plain = attestation(hold=None, contract_map=None, evidence=None)
    return [attestation(), plain, snapshot_signature(), receipt(), contract_map()]


@pytest.mark.parametrize("document", signed(), ids=lambda document: type(document).__name__)
def test_what_is_signed_is_read_back_and_checked(document: SignedDocument, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    path.write_bytes(document.encode())
    again = type(document).read(path)
    assert again == document
    assert again.encode() == document.encode()
    again.check_signature(str(path))


def changed(name: str, value: Any) -> list[Any]:
    """Other values that a field could have and still be read."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, list) and isinstance(value[0], dict):
        others = {"contract": "A", "instrument": "BTC", "multiplier": "101", "settlement": "USD"}
        return [value[:1], *([{**value[0], name: other}, value[1]] for name, other in others.items())]
    if isinstance(value, list):
        return [value[:1], [*value[::-1]]]
    if isinstance(value, dict):
        return [None, {**value, "until": value["until"] + 1}, {**value, "audience": "other"}]
    if value is None:
        return ["34" * 32] if name in ("contract_map", "evidence") else [{"until": 5, "audience": "x"}]
    if name in ("signer", "subject", "verifying_contract"):
        return [key("somebody").address]
    others = {"open_orders": "reserved", "level": "maintenance"}
    return [others[name]] if name in others else [value[:-1] + ("1" if value[-1] != "1" else "2")]


UNSIGNED = {"format", "version", "curve", "signature"}
"""Fixed by the form: any other value is not read at all."""


@pytest.mark.parametrize("document", signed(), ids=lambda document: type(document).__name__)
def test_every_field_is_signed(document: SignedDocument) -> None:
    content = document.model_dump(mode="json")
    for name in content.keys() - UNSIGNED:
        for value in [512] if name == "domain" else changed(name, content[name]):
            forged = type(document).accept({**content, name: value}, "forged")
            with pytest.raises(InputError, match="forged: signature"):
                forged.check_signature("forged")


@pytest.mark.parametrize("document", signed(), ids=lambda document: type(document).__name__)
def test_what_is_fixed_cannot_be_otherwise(document: SignedDocument) -> None:
    content = document.model_dump(mode="json")
    for name in UNSIGNED & content.keys():
        wrong = 2 if name == "version" else "other"
        with pytest.raises(InputError, match=f"x: {name}"):
            type(document).accept({**content, name: wrong}, "x")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "0x" + "ab" * 20),
        ("subject", "nobody"),
        ("domain", 4096),
        ("point", POINT[:-2]),
        ("account", ""),
        ("account", "a\nb"),
        ("account", "a" * 129),
        ("venue", "bell\x07"),
        ("expiry", -1),
        ("expiry", 5.0),
        ("expiry", "5"),
        ("sequence", 0),
        ("sequence", 1 << 63),
        ("open_orders", "some"),
        ("contract_map", "00" * 32),
        ("contract_map", "AB" * 32),
        ("contract_map", ""),
        ("complete", 1),
        ("source", ""),
        ("source", "Ledger"),
        ("source", "a" * 33),
        ("evidence", "00" * 32),
        ("evidence", "ab"),
        ("hold", {"until": 5}),
        ("hold", {"until": 5, "audience": "x", "more": 1}),
        ("signature", "0x"),
        ("chain_id", 0),
        ("extra", 1),
    ],
)
def test_errors_name_the_field(field: str, value: object) -> None:
    content = {**attestation().model_dump(mode="json"), field: value}
    with pytest.raises(InputError) as caught:
        AttestationDocument.accept(content, "a.json")
    assert str(caught.value).startswith(f"a.json: {field}")


def test_a_key_that_occurs_twice_is_refused() -> None:
    text = attestation().encode().decode().replace('"account":', '"account":"bob","account":', 1)
    with pytest.raises(InputError, match=r"account.*occurs twice"):
        AttestationDocument.parse(text, "a.json")


def test_the_encoding_is_canonical() -> None:
    document = attestation()
    content = json.loads(document.encode())
    assert document.encode() == json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_another_contract_is_another_digest() -> None:
    document = attestation()
    assert document.verifying_contract == CONTRACT
    other = document.model_copy(update={"verifying_contract": key("else").address})
    assert other.digest != document.digest
