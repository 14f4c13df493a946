"""A snapshot: one universe at one moment, and the tables that every requirement and proof follows from."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, ValidationError

from zkmargin.margin.errors import Finding, InputError, printable
from zkmargin.margin.files.canonical_json import canonical_json, digest_of
from zkmargin.margin.files.documents import read_bytes, write_atomically
from zkmargin.margin.files.literals import PlainLiterals
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.instruments.instrument import CASH, Instrument, Kind, Premium, Security
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.market.history import PriceHistory
from zkmargin.margin.market.inputs import ExpiryTerms, Inputs, Quote, check_feeds, check_quote
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.market.settled_slots import moving
from zkmargin.margin.market.settlements import Settlements, kept
from zkmargin.margin.market.times import utc_date
from zkmargin.margin.models import lacking, models
from zkmargin.margin.parameters.document import DEFAULT_PARAMETERS, Parameters, parse_parameters
from zkmargin.margin.snapshot.model_tables import derive, reason
from zkmargin.margin.tables.bounds import check_bounds
from zkmargin.margin.tables.interfaces import Tables
from zkmargin.margin.tables.schema import Entry, adapter, encode_tables
from zkmargin.margin.units import QUANTUM_DECIMALS
from zkmargin.margin.valuation.basis import Basis

VERSION = 1
LONGEST_SOURCE = 256


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
        universe: Universe | None = None,
        settlements: Settlements | None = None,
    ) -> "Snapshot":
        """The snapshot of a market; `domain` overrides the universe's default.

        With the `universe` of an earlier snapshot it keeps those slots, so that commitments made under it serve this
        one, too: instruments that the market lists newly are left out, and what has expired takes its price from
        `settlements`, which may hold more than is wanted. Those of the earlier snapshot are its `settlements`.

        Of a history it keeps what is known at the valuation: the closes of the days before. Of the models
        it carries those that `only` names, or all that market and parameters are enough for; what every one of
        them asks can be proven. Models whose numbers are too large or too fine for that are in `left_out`.

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
        return _derive(universe, market.valuation_time, inputs, parameters, quantum_decimals, named=only)

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
            "models": {name: encode_tables(tables) for name, tables in self.models.items()},
        }

    def reproduce(self) -> None:
        """Derive marks and tables again; InputError if they do not follow from the inputs and parameters."""
        again = _derive(
            self.universe,
            self.valuation_time,
            self.inputs,
            self.parameters,
            self.quantum_decimals,
            named=self.models,
        )
        where = f"snapshot {self.id}"
        remedy = "does not follow from the prices and parameters; do not trust this snapshot"
        differing = np.flatnonzero(self.marks != again.marks)
        if differing.size:
            name = self.universe.instruments[int(differing[0])].name
            raise InputError(where, "mark", name, remedy)
        for name, tables in self.models.items():
            if name not in again.models or encode_tables(tables) != encode_tables(again.models[name]):
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
        found = reason(self.basis, name) if name in models() and name not in self.models else None
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


class _Strict(PlainLiterals):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _InstrumentDocument(_Strict):
    name: str
    kind: Kind
    underlying: str
    settlement: str
    inverse: bool
    expiry: int | None
    strike: str | None
    call: bool | None
    lot_exponent: int
    contract_exponent: int
    bound: int
    multiplier: int
    security: Security | None
    premium: Premium = "paid"


class _UniverseDocument(_Strict):
    domain: int
    instruments: list[_InstrumentDocument]


class _TermsDocument(_Strict):
    underlying: str
    expiry: int
    confidence: str
    fixed: str | None


class _HistoryDocument(_Strict):
    first: str
    prices: dict[str, list[str | None]]


class _InputsDocument(_Strict):
    source: str
    indices: dict[str, str]
    quotes: list[Annotated[list[str | None], Field(min_length=4, max_length=5)]]
    terms: list[_TermsDocument] = Field(default_factory=list)
    confidences: dict[str, str] = Field(default_factory=dict)
    cash_price: str | None = None
    history: _HistoryDocument | None = None


class _SnapshotDocument(_Strict):
    id: str
    version: Literal[1]
    universe: _UniverseDocument
    valuation_time: int
    quantum_decimals: Literal[6, 9]
    inputs: _InputsDocument
    parameters: dict[str, Any]
    marks: list[Entry]
    models: dict[str, Any]


def _derive(
    universe: Universe,
    valuation_time: int,
    inputs: Inputs,
    parameters: Parameters,
    quantum_decimals: int,
    *,
    named: Collection[str] | None,
) -> Snapshot:
    basis = Basis.of(universe, valuation_time, inputs, parameters, quantum_decimals)
    tables, reasons = derive(basis, named or models(), demanded=named or ())
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
        document = _SnapshotDocument.model_validate_json(content)
    except ValidationError as error:
        raise input_error(where, error) from None
    instruments = tuple(Instrument(**dict(i)) for i in document.universe.instruments)
    universe = Universe(instruments, document.universe.domain)
    inputs = _inputs(document, universe, where)
    if len(document.marks) != len(universe):
        raise InputError(
            where, "marks", Finding(f"{len(document.marks)} entries"), f"must have {len(universe)}"
        )
    tables = _tables(document.models, len(universe), where)
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


def _tables(documents: Mapping[str, Any], slots: int, where: str) -> dict[str, Tables]:
    """The tables of all models, each read by its own dataclass."""
    unknown = sorted(set(documents) - set(models()))
    if unknown or not documents:
        remedy = f"known models are {', '.join(models())}; build it again"
        raise InputError(where, "models", Finding(", ".join(unknown) or "none"), remedy)
    tables: dict[str, Tables] = {}
    for name, document in documents.items():
        place = f"{where}, model {name}"
        try:
            # As JSON once more: in JSON mode strictness allows a list where a tuple is meant, and nothing
            # else.
            tables[name] = adapter(models()[name].TABLES).validate_json(json.dumps(document))
        except ValidationError as error:
            raise input_error(place, error) from None
        tables[name].check(slots, place)
    return tables


def _history(
    document: _HistoryDocument | None, universe: Universe, inputs: Inputs, valuation_time: int, where: str
) -> PriceHistory | None:
    """The history, which must be one of the instruments' underlyings before the valuation."""
    if document is None:
        return None
    history = PriceHistory.parse(document.first, document.prices, f"{where}, history")
    if set(history.prices) != set(moving(universe, inputs)):
        named = ", ".join(sorted(history.prices))
        raise InputError(where, "history", named, "must be of the instruments' underlyings; build it again")
    if history.date_of(history.days) > utc_date(valuation_time):
        last = str(history.date_of(history.days - 1))
        raise InputError(where, "history", last, "is not before the valuation; build it again")
    return history


def _inputs(document: _SnapshotDocument, universe: Universe, where: str) -> Inputs:
    """The inputs, checked as those of a market are."""
    found = document.inputs
    if not found.source.isprintable() or len(found.source) > LONGEST_SOURCE:
        remedy = f"must be at most {LONGEST_SOURCE} printable characters"
        raise InputError(where, "inputs.source", printable(found.source), remedy)
    quotes = tuple(Quote(price or "", *rest) for price, *rest in found.quotes)
    terms = tuple(ExpiryTerms(**dict(expiry)) for expiry in found.terms)
    inputs = Inputs(found.source, found.indices, quotes, terms, found.confidences, found.cash_price)
    if len(quotes) != len(universe):
        raise InputError(
            where, "inputs.quotes", Finding(f"{len(quotes)} entries"), f"must have {len(universe)}"
        )
    if set(inputs.indices) != set(moving(universe, inputs)):
        named = ", ".join(sorted(inputs.indices))
        raise InputError(where, "inputs.indices", named, "must be those of the instruments; build it again")
    inputs = replace(
        inputs, history=_history(found.history, universe, inputs, document.valuation_time, where)
    )
    check_feeds(where, inputs, universe.instruments)
    for instrument, quote in zip(universe.instruments, quotes, strict=True):
        spot = f"{where}, instrument {instrument.name}"
        expiry = inputs.terms_of(instrument)
        check_quote(spot, instrument, quote, inputs.indices, document.valuation_time, terms=expiry)
        if instrument.settlement not in universe:
            raise InputError(spot, "settlement", instrument.settlement, "the universe lacks this balance")
        if instrument.kind in ("balance", "share"):
            _check_at_index(spot, instrument, quote, inputs)
    return inputs


def _check_at_index(where: str, instrument: Instrument, quote: Quote, inputs: Inputs) -> None:
    price = "1" if instrument.underlying == CASH else inputs.indices[instrument.underlying]
    if quote.price != price:
        remedy = f"a {instrument.kind} is priced at its index, {price}"
        raise InputError(where, "price", quote.price, remedy)
