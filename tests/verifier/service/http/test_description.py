"""The OpenAPI document as an integrator reads it."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from zkmargin.verifier.service.http.app import create_app
from zkmargin.verifier.service.problems import CHECKS, CODES
from zkmargin.verifier.service.process.settings import Settings

GUIDE = Path(__file__).resolve().parents[4] / "docs/service.md"
UNLISTED = {"method"}
"""Only what the document does not list is answered with it."""


@cache
def document() -> dict[str, Any]:
    return create_app(Settings(policy=Path("policy.toml"), key_file=Path("key"))).openapi()


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, found in document()["paths"].items():
        for method, operation in found.items():
            yield f"{method.upper()} {path}", operation


each = pytest.mark.parametrize(("name", "operation"), list(operations()), ids=lambda value: str(value)[:60])


@each
def test_an_operation_says_what_it_does_and_answers(name: str, operation: dict[str, Any]) -> None:
    assert re.fullmatch(r"[A-Z].{8,110}[^.]", operation["summary"])
    assert operation["tags"]
    assert re.fullmatch("[a-z_]+", operation["operationId"])
    closed = {"pledges", "administration"} & set(operation["tags"])
    assert bool(operation.get("security")) == bool(closed)
    for status, answer in operation["responses"].items():
        if int(status) < 400:
            continue
        ((media, content),) = answer["content"].items()
        assert media == "application/problem+json"
        reference, own = content["schema"]["allOf"]
        assert reference == {"$ref": "#/components/schemas/Problem"}
        codes = own["properties"]["code"]["enum"]
        assert all(f"`{code}`: " in answer["description"] for code in codes)
        assert all(int(CODES[code][0] if code in CODES else 422) == int(status) for code in codes)
    if closed:
        assert {"401", "403"} <= set(operation["responses"])


def test_every_code_is_told_somewhere() -> None:
    told = {
        code
        for _, operation in operations()
        for status, answer in operation["responses"].items()
        if int(status) >= 400
        for code in answer["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"][
            "enum"
        ]
    }
    assert told >= set(CODES) - UNLISTED
    assert told >= set(CHECKS)
    guide = GUIDE.read_text()
    own = set(CODES) - {"sequence", "threshold"}
    assert [code for code in own if f"`{code}`" not in guide] == []


def test_every_reference_leads_somewhere_and_bounds_are_whole() -> None:
    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                assert part["$ref"].rpartition("/")[2] in document()["components"]["schemas"]
            for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
                assert not isinstance(part.get(bound), float), f"{bound} {part[bound]} has been rounded"
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(document())


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(set(names)) == len(names)
    assert {scheme["scheme"] for scheme in document()["components"]["securitySchemes"].values()} == {"bearer"}
