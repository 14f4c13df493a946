"""A snapshot: one universe at one moment, and the tables that every requirement and proof follows from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.canonical_json import canonical_json, digest_of
from zkmargin.margin.files.documents import read_bytes, write_atomically
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.instruments.instrument import Instrument
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.market.history import PriceHistory
from zkmargin.margin.market.inputs import Inputs
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.market.settled_slots import moving
from zkmargin.margin.market.settlements import Settlements, kept
from zkmargin.margin.market.times import utc_date
from zkmargin.margin.models import MODELS, lacking
from zkmargin.margin.parameters.document import DEFAULT_PARAMETERS, Parameters, parse_parameters
from zkmargin.margin.scenarios.sharing import encode_models
from zkmargin.margin.snapshot.model_tables import derive, reason
from zkmargin.margin.snapshot.snapshot_file import SnapshotDocument, read_inputs, read_tables
from zkmargin.margin.tables.bounds import check_bounds
from zkmargin.margin.tables.interfaces import Tables
from zkmargin.margin.tables.schema import encode_tables
from zkmargin.margin.units import QUANTUM_DECIMALS
from zkmargin.margin.valuation.basis import Basis

VERSION = 1


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Content-addressed: `id` is the SHA-256 of all the rest in canonical encoding.

    Money is counted in units of 10^-money_decimals USD, small enough that lots times table entries are exact:
    q lots at entry v are q * v * scale[i] units.
    """

    version: int
    id: str
    universe: Universe
    valuation_time: int
    """Unix microseconds."""
    quantum_decimals: int
    """Table entries are multiples of 10^-quantum_decimals USD, the quantum or tick."""
    inputs: Inputs
    parameters: Parameters
    marks: NDArray[np.int64]
    """(N,): value in quanta per contract."""
    models: Mapping[str, Tables]
    """Tables by the name of the model."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Of a snapshot that was just built: the models that cannot serve this market, each with the reason."""

    @classmethod
    def build(
        cls,
        market: Market,
        parameters: Parameters = DEFAULT_PARAMETERS,
        *,
        domain: int | None = None,
        quantum_decimals: int = QUANTUM_DECIMALS[0],
        history: PriceHistory | None = None,
        only: Collection[str] | None = None,
        without: Collection[str] = (),
        universe: Universe | None = None,
        settlements: Settlements | None = None,
    ) -> "Snapshot":
        """The snapshot of a market; `domain` overrides the universe's default.

        With the `universe` of an earlier snapshot it keeps those slots, so that commitments made under it serve this
        one, too: instruments that the market lists newly are left out, and what has expired takes its price from
        `settlements`, which may hold more than is wanted. Those of the earlier snapshot are its `settlements`.

        Of a history it keeps what is known at the valuation: the closes of the days before. Of the models it carries
        those that `only` names, or all that market and parameters are enough for, without those that `without` names;
        what every one of them asks can be proven. Models whose numbers are too large or too fine for that are in
        `left_out`.

        Raises InputError naming the instrument if a number is out of range, or for an unknown quantum; and with a
        universe if the market quotes one of its instruments no more or otherwise, or if one has expired and has no
        settlement.
        """
        if quantum_decimals not in QUANTUM_DECIMALS:
            known = " or ".join(map(str, QUANTUM_DECIMALS))
            raise InputError("snapshot", "quantum_decimals", quantum_decimals, f"use {known}")
        if universe is None:
            universe, inputs = Universe(market.instruments, domain or 0), market.inputs
        else:
            if domain not in (None, universe.domain):
                remedy = f"the universe has a domain of {universe.domain}; leave it out"
                raise InputError("snapshot", "domain", domain, remedy)
            inputs = kept(market, universe, settlements or {})
        if history is not None:
            past = history.known_before(utc_date(market.valuation_time), moving(universe, inputs))
            inputs = replace(inputs, history=past)
        named = _chosen(only, without)
        return _derive(
            universe,
            market.valuation_time,
            inputs,
            parameters,
            quantum_decimals,
            named=named,
            demanded=() if only is None else named,
        )

    @classmethod
    def load(cls, path: Path | str) -> "Snapshot":
        """The snapshot in a file.

        Raises InputError if it cannot be read, if it is not a snapshot of this version in canonical encoding, or if
        its content does not match its id.
        """
        return cls.parse(read_bytes(Path(path)), str(path))

    @classmethod
    def parse(cls, content: bytes, where: str) -> "Snapshot":
        """The snapshot in these bytes; raises InputError as `load` does, naming where they came from."""
        return _parse(content, where)

    def dump(self, path: Path | str) -> None:
        """Write the canonical encoding, at once or not at all; InputError if the place is not writable."""
        write_atomically(Path(path), self.encode())

    def encode(self) -> bytes:
        """The canonical encoding, id included."""
        return _with_id(self.id, canonical_json(self.body()))

    def body(self) -> dict[str, Any]:
        """All fields but the id."""
        return {
            "version": self.version,
            "universe": self.universe.document(),
            "valuation_time": self.valuation_time,
            "quantum_decimals": self.quantum_decimals,
            "inputs": self.inputs.document(),
            "parameters": self.parameters.document(),
            "marks": self.marks.tolist(),
            "models": encode_models(self.models),
        }

    def reproduce(self, only: Collection[str] | None = None) -> None:
        """Derive marks and tables again, of the models that `only` names or of all.

        Raises InputError if they do not follow from the inputs and parameters, or if there is no such model.
        """
        named = self.models if only is None else only
        for name in named:
            if name not in self.models:
                raise InputError(f"snapshot {self.id}", "model", name, self.lacking(name))
        again = _derive(
            self.universe,
            self.valuation_time,
            self.inputs,
            self.parameters,
            self.quantum_decimals,
            named=named,
            demanded=named,
        )
        where = f"snapshot {self.id}"
        remedy = "does not follow from the prices and parameters; do not trust this snapshot"
        differing = np.flatnonzero(self.marks != again.marks)
        if differing.size:
            name = self.universe.instruments[int(differing[0])].name
            raise InputError(where, "mark", name, remedy)
        for name in named:
            derived = again.models.get(name)
            if derived is None or encode_tables(self.models[name]) != encode_tables(derived):
                raise InputError(where, "model", name, remedy)

    @cached_property
    def basis(self) -> Basis:
        """What models see: what has settled is there as the balance that it came to."""
        return Basis.of(
            self.universe, self.valuation_time, self.inputs, self.parameters, self.quantum_decimals
        )

    @property
    def settlements(self) -> Settlements:
        """The official price in USD of every underlying, expiry and settlement currency that has settled."""
        settled = self.inputs.settlements(self.universe.instruments)
        return {(i.underlying, i.expiry or 0, i.settlement): Decimal(price) for i, price in settled}

    def lacking(self, name: str) -> str:
        """What to do where this snapshot does not carry a model, or why it had to be left out."""
        found = reason(self.basis, name) if name in MODELS and name not in self.models else None
        return lacking(name, self.models) if found is None else f"it had to be left out: {found}"

    @property
    def money_decimals(self) -> int:
        """Decimal places of the money unit."""
        return self.quantum_decimals + self.universe.finest

    @property
    def scale(self) -> tuple[int, ...]:
        """Per slot, the money units of one lot at a table entry of one quantum."""
        return self.universe.scale

    @property
    def tick(self) -> int:
        """Money units of one quantum."""
        return int(10**self.universe.finest)


def _chosen(only: Collection[str] | None, without: Collection[str]) -> Collection[str]:
    """The models to carry by name: all but those left out, or of those that are named."""
    known = ", ".join(MODELS)
    for name in (*(only or ()), *without):
        if name not in MODELS:
            raise InputError("snapshot", "model", name, f"no model has this name; known models are {known}")
    chosen = [name for name in MODELS if (only is None or name in only) and name not in without]
    if not chosen:
        raise InputError(
            "snapshot", "models", Finding("none"), "a snapshot carries a model at least; name one"
        )
    return chosen


def _derive(
    universe: Universe,
    valuation_time: int,
    inputs: Inputs,
    parameters: Parameters,
    quantum_decimals: int,
    *,
    named: Collection[str],
    demanded: Collection[str],
) -> Snapshot:
    basis = Basis.of(universe, valuation_time, inputs, parameters, quantum_decimals)
    tables, reasons = derive(basis, named, demanded=demanded)
    nameless = Snapshot(
        VERSION, "", universe, valuation_time, quantum_decimals, inputs, parameters, basis.marks, tables,
        reasons,
    )  # fmt: skip
    return _identified(nameless, "market")[0]


def _identified(nameless: Snapshot, where: str) -> tuple[Snapshot, bytes]:
    """The snapshot with its id, and its encoding, once it is certain that no account can overflow."""
    check_bounds(where, nameless.universe, nameless.scale, nameless.marks.tolist(), nameless.models)
    body = canonical_json(nameless.body())
    identity = digest_of(body)
    return replace(nameless, id=identity), _with_id(identity, body)


def _with_id(identity: str, body: bytes) -> bytes:
    """The encoding of the body with the id: "id" sorts before all other keys."""
    return b'{"id":"%s",%s' % (identity.encode(), body[1:])


def _parse(content: bytes, where: str) -> Snapshot:
    try:
        document = SnapshotDocument.model_validate_json(content)
    except ValidationError as error:
        raise input_error(where, error) from None
    instruments = tuple(Instrument(**dict(i)) for i in document.universe.instruments)
    universe = Universe(instruments, document.universe.domain)
    inputs = read_inputs(document, universe, where)
    if len(document.marks) != len(universe):
        raise InputError(
            where, "marks", Finding(f"{len(document.marks)} entries"), f"must have {len(universe)}"
        )
    tables = read_tables(document.models, len(universe), where)
    nameless = Snapshot(
        document.version,
        "",
        universe,
        document.valuation_time,
        document.quantum_decimals,
        inputs,
        parse_parameters(document.parameters, where),
        np.array(document.marks, dtype=np.int64),
        tables,
    )
    snapshot, encoding = _identified(nameless, where)
    if snapshot.id != document.id:
        remedy = f"its content has the id {snapshot.id}; the file was changed, get or build it again"
        raise InputError(where, "id", document.id, remedy)
    if encoding != content.removesuffix(b"\n"):
        raise InputError(
            where, "document", Finding("another encoding"), "a snapshot is canonical JSON; build it again"
        )
    return snapshot
