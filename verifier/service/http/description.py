"""The OpenAPI document: what FastAPI gathers, with the schemas of bodies that endpoints read by themselves.

Schemas come from pydantic directly: FastAPI's copies hold bounds as floating-point numbers, and 2^255 is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter

from zkmargin.verifier.service.http.access import REFERENCE, SCHEMAS

SUMMARY = (
    "Verifies proofs of solvency over attested accounts, records what is pledged, and watches that it stays proven. "
    "Amounts are integers in ticks of 10^-quantum_decimals USD, which may be wider than 64 bits. Errors are problem "
    "documents (RFC 9457) whose `code` never changes its meaning. Bodies are read strictly: unknown and repeated "
    "members are refused."
)

TAGS = [
    {"name": "proofs", "description": "From a question to a receipt; anybody may ask."},
    {"name": "markets", "description": "Snapshots that oracles signed, and commitments to their rows."},
    {"name": "pledges", "description": "What is pledged, and every change; with a protocol's key."},
    {"name": "administration", "description": "Policy, keys and webhooks; with an administration key."},
    {"name": "operation", "description": "For whoever runs the service."},
]


def describe(app: FastAPI, routes: Sequence[APIRoute]) -> None:
    """Complete the OpenAPI document of an application with these routes."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(_answers(routes))
            schemas.update(SCHEMAS)
            for operation in (one for path in document["paths"].values() for one in path.values()):
                _summarise(operation)
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]


def _summarise(operation: dict[str, Any]) -> None:
    """What an operation does is its first sentence, not its function's name."""
    first, _, rest = operation.pop("description").partition("\n")
    operation["summary"] = first.rstrip(".")
    if rest.strip():
        operation["description"] = rest.strip()


def _answers(routes: Sequence[APIRoute]) -> dict[str, Any]:
    """The schema of everything that is answered, by name."""
    found: dict[str, Any] = {}
    for model in (route.response_model for route in routes if route.response_model is not None):
        schema = TypeAdapter(model).json_schema(ref_template=REFERENCE)
        found.update(schema.pop("$defs", {}))
        if isinstance(model, type) and issubclass(model, BaseModel):
            found[model.__name__] = schema
    return found
