"""What is signed or hashed has one encoding: no truth value, float or exponent stands in for a number."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel, ValidationError

import zkmargin.attestation.contract_map
import zkmargin.attestation.documents
import zkmargin.prover.opening
import zkmargin.venue.book  # noqa: F401 - documents of every room
from tests.attestation.scene import market_snapshot, policy
from tests.verifier.floors.search import parsed
from zkmargin.argument.documents import Document
from zkmargin.attestation import AttestationDocument
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.verifier import Policy


def documents(kind: type[BaseModel] = Document) -> list[type[BaseModel]]:
    return [kind, *(found for below in kind.__subclasses__() for found in documents(below))]


LITERALS = [
    (kind, name, member)
    for kind in documents()
    for name, hint in get_type_hints(kind, include_extras=False).items()
    if name in kind.model_fields and str(get_origin(hint)) == "typing.Literal"
    for member in get_args(hint)
    if isinstance(member, int)
]


def test_every_kind_of_document_is_seen() -> None:
    assert {kind.__name__ for kind, _, _ in LITERALS} >= {
        "AttestationDocument", "ContractMapDocument", "ReceiptDocument", "RowsDocument", "SubmissionDocument",
    }  # fmt: skip


@pytest.mark.parametrize("other", [1, 1.0, "true", 0, None])
def test_complete_is_true_or_false(other: object) -> None:
    assert "complete" in errors(AttestationDocument, {"complete": other})
    for own in (True, False):
        assert "complete" not in errors(AttestationDocument, {"complete": own})


REFUSED = "text: .*must be {!r} here|text: .*missing|text: .*damaged or of another version"


def errors(kind: type[BaseModel], content: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as found:
        kind.model_validate(content)
    return {str(error["loc"][0]): error["msg"] for error in found.value.errors() if error["loc"]}


@pytest.mark.parametrize("found", LITERALS, ids=lambda found: f"{found[0].__name__}.{found[1]}")
def test_a_literal_takes_its_own_type_alone(found: tuple[type[Document], str, Any]) -> None:
    kind, name, member = found
    own = "true" if member is True else str(member)
    for other in ("true", "1.0", "10e-1", "1e0", '"1"', "1"):
        if other != own:
            with pytest.raises(
                InputError,
                match=rf"text: .*must be {member!r} here|text: .*missing|text: .*damaged or of another version",
            ):
                kind.parse(f'{{"{name}": {other}}}', "text")
            findings = errors(kind, {name: json.loads(other, parse_float=Decimal)})
            assert f"must be {member!r} here" in findings[name]


@pytest.mark.parametrize("other", [True, 1.0])
def test_neither_do_policies_parameters_and_snapshots(other: Any) -> None:
    content = {**policy().model_dump(mode="json"), "version": other}
    with pytest.raises(InputError, match="version"):
        Policy.accept(content, "policy")
    assert parsed({"version": other}) is None
    text = market_snapshot().encode().decode()
    for place in ('"version":1', '"parameters":{'):
        assert text.count(place)
    changed = text.replace('"version":1', f'"version":{json.dumps(other)}')
    with pytest.raises(InputError):
        Snapshot.parse(changed.encode(), "text")
