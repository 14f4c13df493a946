"""Snapshots as JSON documents: the strict forms that are read, and their checks."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from zkmargin.margin.errors import Finding, InputError, printable
from zkmargin.margin.files.literals import PlainLiterals
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.instruments.instrument import CASH, Instrument, Kind, Premium, Security
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.market.history import PriceHistory
from zkmargin.margin.market.inputs import ExpiryTerms, Inputs, Quote, check_feeds, check_quote
from zkmargin.margin.market.left_out import LONGEST_NAME, LONGEST_REASON, MOST
from zkmargin.margin.market.settled_slots import moving
from zkmargin.margin.market.times import utc_date
from zkmargin.margin.models import MODELS
from zkmargin.margin.scenarios.sharing import SharedTables, with_scenarios
from zkmargin.margin.scenarios.tables import JointTables
from zkmargin.margin.tables.interfaces import Tables
from zkmargin.margin.tables.schema import Entry, adapter

LONGEST_SOURCE = 256
_Name = Annotated[str, Field(max_length=LONGEST_NAME)]
_Sentence = Annotated[str, Field(max_length=LONGEST_REASON)]


class _Strict(PlainLiterals):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


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
    rate: str | None = None


class _HistoryDocument(_Strict):
    first: str
    prices: dict[str, list[str | None]]
    days: list[int] = Field(default_factory=list)


class InputsDocument(_Strict):
    source: str
    indices: dict[str, str]
    quotes: list[Annotated[list[str | None], Field(min_length=4, max_length=5)]]
    terms: list[_TermsDocument] = Field(default_factory=list)
    confidences: dict[str, str] = Field(default_factory=dict)
    cash_price: str | None = None
    history: _HistoryDocument | None = None
    left_out: dict[_Name, _Sentence] = Field(default={}, max_length=MOST)
    without: list[_Sentence] = Field(default=[], max_length=MOST)


class SnapshotDocument(_Strict):
    id: str
    version: Literal[1]
    universe: _UniverseDocument
    valuation_time: int
    quantum_decimals: Literal[6, 9]
    inputs: InputsDocument
    parameters: dict[str, Any]
    marks: list[Entry]
    models: dict[str, Any]


def read_tables(documents: Mapping[str, Any], slots: int, where: str) -> dict[str, Tables]:
    """The tables of all models, each read by its own dataclass."""
    unknown = sorted(set(documents) - set(MODELS))
    if unknown or not documents:
        remedy = f"known models are {', '.join(MODELS)}; build it again"
        raise InputError(where, "models", Finding(", ".join(unknown) or "none"), remedy)
    tables: dict[str, Tables] = {}
    for name, document in documents.items():
        place = f"{where}, model {name}"
        form = MODELS[name].tables_type
        shared = form is JointTables and isinstance(document, Mapping) and "of" in document
        try:
            # As JSON once more: in JSON mode strictness allows a list where a tuple is meant, and nothing
            # else.
            found = adapter(SharedTables if shared else form).validate_json(json.dumps(document))
        except ValidationError as error:
            raise input_error(place, error) from None
        # What a model shares is that of one before it by name, and in canonical encoding is there already.
        tables[name] = with_scenarios(found, tables, place) if shared else found
        tables[name].check(slots, place)
    return tables


def read_history(
    document: _HistoryDocument | None, universe: Universe, inputs: Inputs, valuation_time: int, where: str
) -> PriceHistory | None:
    """The history, which must be one of the instruments' underlyings before the valuation."""
    if document is None:
        return None
    history = PriceHistory.parse(document.first, document.prices, f"{where}, history", document.days)
    if set(history.prices) != set(moving(universe, inputs)):
        named = ", ".join(sorted(history.prices))
        raise InputError(where, "history", named, "must be of the instruments' underlyings; build it again")
    if history.date_of(history.days - 1) >= utc_date(valuation_time):
        last = str(history.date_of(history.days - 1))
        raise InputError(where, "history", last, "is not before the valuation; build it again")
    return history


def read_inputs(document: SnapshotDocument, universe: Universe, where: str) -> Inputs:
    """The inputs, checked as those of a market are."""
    found = document.inputs
    if not found.source.isprintable() or len(found.source) > LONGEST_SOURCE:
        remedy = f"must be at most {LONGEST_SOURCE} printable characters"
        raise InputError(where, "inputs.source", printable(found.source), remedy)
    quotes = tuple(Quote(price or "", *rest) for price, *rest in found.quotes)
    terms = tuple(ExpiryTerms(**dict(expiry)) for expiry in found.terms)
    inputs = Inputs(
        found.source,
        found.indices,
        quotes,
        terms,
        found.confidences,
        found.cash_price,
        left_out=found.left_out,
        without=tuple(found.without),
    )
    check_left_out(inputs, universe, where)
    if len(quotes) != len(universe):
        raise InputError(
            where, "inputs.quotes", Finding(f"{len(quotes)} entries"), f"must have {len(universe)}"
        )
    if set(inputs.indices) != set(moving(universe, inputs)):
        named = ", ".join(sorted(inputs.indices))
        raise InputError(where, "inputs.indices", named, "must be those of the instruments; build it again")
    inputs = replace(
        inputs, history=read_history(found.history, universe, inputs, document.valuation_time, where)
    )
    check_feeds(where, inputs, universe.instruments)
    for instrument, quote in zip(universe.instruments, quotes, strict=True):
        spot = f"{where}, instrument {instrument.name}"
        expiry = inputs.terms_of(instrument)
        check_quote(spot, instrument, quote, inputs.indices, document.valuation_time, terms=expiry)
        if instrument.settlement not in universe:
            raise InputError(spot, "settlement", instrument.settlement, "the universe lacks this balance")
        if instrument.kind in ("balance", "share"):
            check_at_index(spot, instrument, quote, inputs)
    return inputs


def check_left_out(inputs: Inputs, universe: Universe, where: str) -> None:
    """Sentences that a terminal shows as they stand, of names that the universe does not list."""
    for sentence in (*inputs.left_out, *inputs.left_out.values(), *inputs.without):
        if not sentence.isprintable():
            remedy = "must be printable characters; build it again"
            raise InputError(where, "inputs.left_out", printable(sentence), remedy)
    for name in inputs.left_out:
        if name in universe:
            raise InputError(where, "inputs.left_out", name, "is listed, too; build it again")


def check_at_index(where: str, instrument: Instrument, quote: Quote, inputs: Inputs) -> None:
    price = "1" if instrument.underlying == CASH else inputs.indices[instrument.underlying]
    if quote.price != price:
        remedy = f"a {instrument.kind} is priced at its index, {price}"
        raise InputError(where, "price", quote.price, remedy)
