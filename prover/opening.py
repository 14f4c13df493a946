"""The opening as a document: the secret half of a commitment, kept by the owner of the holdings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError

from zkmargin.algebra.field import MODULUS
from zkmargin.algebra.setup import Setup
from zkmargin.argument.documents import CommitmentDocument, Curve, Digest, Document, Domain, PointHex, Version
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.instruments.universe import Universe
from zkmargin.prover.commit import Opening, commit_masked, commit_sparse, random_blinder


class OpeningDocument(Document):
    """Holdings in lots, by instrument, and the blinder. Nothing secret shows in its repr or in errors."""

    format: Literal["zkmargin/opening"] = "zkmargin/opening"
    version: Version = 1
    curve: Curve = "BLS12-381"
    setup: Digest
    universe: Digest
    domain: Domain
    point: PointHex
    lots: Annotated[dict[str, int], Field(repr=False)]
    blinder: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", repr=False)]

    @classmethod
    def accept(cls, content: Any, where: str) -> Self:
        """The document with this content. Raises InputError, which names the field but never a secret value."""
        try:
            document = cls.model_validate(content)
        except ValidationError as error:
            found = input_error(where, error)
            remedy = "the opening is damaged or of another version; use the file that commit wrote"
            raise InputError(where, found.field, "not as written", remedy) from None
        if int(document.blinder, 16) >= MODULUS:
            raise InputError(
                where, "blinder", "not below the field's order", "use the file that commit wrote"
            )
        return document

    def commitment(self) -> CommitmentDocument:
        """The public half."""
        return CommitmentDocument(
            setup=self.setup, universe=self.universe, domain=self.domain, point=self.point
        )

    def opening(self, universe: Universe, where: str) -> Opening:
        """The opening over the slots of its universe.

        Raises:
            InputError: it was made for another universe, or names an instrument that this one lacks.
        """
        if (self.universe, self.domain) != (universe.digest, universe.domain):
            remedy = f"it was made for another universe than {universe.digest}; commit again"
            raise InputError(where, "universe", self.universe, remedy)
        lots = [0] * len(universe)
        for name, held in self.lots.items():
            lots[universe.slot(name)] = held
        return Opening(tuple(lots), int(self.blinder, 16))


def commit_holdings(setup: Setup, universe: Universe, lots: tuple[int, ...]) -> OpeningDocument:
    """Commit to holdings under a fresh blinder.

    Args:
        setup: the ceremony's powers.
        universe: slots and domain.
        lots: one integer for each slot, within the instruments' bounds.

    Returns:
        The opening, whose `commitment()` is the public half.

    Raises:
        InputError: a quantity lies beyond its instrument's bound, or the count is wrong.
    """
    if len(lots) != len(universe):
        raise InputError("holdings", "slots", len(lots), f"give one quantity for each of {len(universe)}")
    return commit_slots(setup, universe, {slot: held for slot, held in enumerate(lots) if held})


def commit_slots(
    setup: Setup, universe: Universe, held: Mapping[int, int], *, masked: bool = False
) -> OpeningDocument:
    """Like `commit_holdings`, from the lots of the slots that hold any; `masked`: in a time that does not tell of them.

    Raises:
        InputError: a quantity lies beyond its instrument's bound.
    """
    named: dict[str, int] = {}
    for slot, lots in held.items():
        instrument = universe.instruments[slot]
        if abs(lots) > instrument.bound:
            remedy = f"no more than {instrument.bound} lots can be committed to"
            raise InputError("holdings", instrument.name, "beyond its bound", remedy)
        if lots:
            named[instrument.name] = lots
    blinder = random_blinder()
    point = (commit_masked if masked else commit_sparse)(setup, universe.domain, held, blinder)
    return OpeningDocument(
        setup=setup.digest,
        universe=universe.digest,
        domain=universe.domain,
        point=setup.backend.encode(point).hex(),
        lots=named,
        blinder=f"{blinder:064x}",
    )


def is_opening(path: Path) -> bool:
    """Whether a file is the JSON document of an opening; one that cannot be read is none."""
    try:
        content = json.loads(path.read_bytes()) if path.suffix.lower() == ".json" else None
    except (OSError, ValueError, RecursionError):
        return False
    return (
        isinstance(content, dict) and content.get("format") == OpeningDocument.model_fields["format"].default
    )
