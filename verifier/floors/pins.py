"""Pins: the digest of all parameters that price a model at a level, for policies that take no others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from zkmargin.margin.files.canonical_json import canonical_json, digest_of
from zkmargin.margin.parameters.document import Parameters
from zkmargin.margin.units import Level
from zkmargin.verifier.floors.sections import is_graded, pricing_sections, section

VERSION = 1


def pricing_document(parameters: Parameters, model: str, level: Level) -> dict[str, Any]:
    """What a pin is the digest of: every section that prices the model, with the numbers of that level alone.

    Args:
        parameters: of a snapshot.
        model: the name of a margin model.
        level: initial or maintenance.

    Returns:
        Canonical values: numbers as decimal text; None for a model's own section that was left to its defaults.
    """
    written = parameters.model_dump(mode="json")
    return {
        "version": VERSION,
        "model": model,
        "level": level,
        "sections": {
            name: _at(part := _stated(parameters, name), written.get(name, _dumped(part)), level)
            for name in pricing_sections(model, parameters)
        },
    }


def pricing_pin(parameters: Parameters, model: str, level: Level) -> str:
    """The SHA-256 of `pricing_document` in canonical encoding, 64 hex digits."""
    return digest_of(canonical_json(pricing_document(parameters, model, level)))


def _stated(parameters: Parameters, name: str) -> Any:
    """A section as it was stated; what liabilities make of debts stands in `collateral`."""
    return parameters.debts if name == "debts" else section(parameters, name)


def _dumped(value: Any) -> Any:
    """A section that the document leaves out because it is at its default, as it would be written."""
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else {}


def _at(value: Any, written: Any, level: Level) -> Any:
    """A part of the parameters as it is written, without the numbers of the other level."""
    if isinstance(value, BaseModel):
        other = "maintenance" if level == "initial" else "initial"
        dropped = {other} if is_graded(value) else set()
        kept = (name for name in type(value).model_fields if name in written and name not in dropped)
        return {name: _at(getattr(value, name), written[name], level) for name in kept}
    if isinstance(value, Mapping):
        return {name: _at(part, written[name], level) for name, part in value.items()}
    if isinstance(value, tuple):
        return [_at(*pair, level) for pair in zip(value, written, strict=True)]
    return written
