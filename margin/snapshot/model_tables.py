"""From a market with parameters to the tables of its models, of which some may have to be left out."""

from collections.abc import Collection

from zkmargin.margin.arithmetic.fixed import RangeError
from zkmargin.margin.errors import Finding, InputError, UnprovableError
from zkmargin.margin.models import MODELS, Model, needs
from zkmargin.margin.tables.bounds import check_weights
from zkmargin.margin.tables.interfaces import Tables
from zkmargin.margin.valuation.basis import Basis


def derive(
    basis: Basis, named: Collection[str], *, demanded: Collection[str] = ()
) -> tuple[dict[str, Tables], dict[str, str]]:
    """The tables of the models that are named, and the reasons of those that were asked for or are there by default,
    and cannot serve this market.

    Whatever is in the first has rows that can be proven. Models that every snapshot has, and those that are
    demanded, are not left out.

    Raises InputError if a number is out of range, if a demanded model lacks what it needs, or for the reason of a model
    that must not be left out.
    """
    tables: dict[str, Tables] = {}
    reasons: dict[str, str] = {}
    for name, model in MODELS.items():
        if name not in named:
            continue
        try:
            found = _tables(basis, name, model)
        except UnprovableError as reason:
            if name in demanded or model.needs is None:
                raise
            reasons[name] = str(reason)
        else:
            if found is None and name in demanded:
                raise InputError("snapshot", "model", name, needs(name))
            tables |= {} if found is None else {name: found}
            if found is None and basis.parameters.section(name) is not None:
                reasons[name] = f"the parameters have its section, but {needs(name)}"
    return tables, reasons


def reason(basis: Basis, name: str) -> str | None:
    """Why a model was left out of this market's snapshot, if that is why it is not there."""
    try:
        _tables(basis, name, MODELS[name])
    except InputError as found:
        return str(found)
    return None


def _tables(basis: Basis, name: str, model: Model) -> Tables | None:
    try:
        found: Tables | None = model.tables(basis)
    except RangeError as error:
        remedy = "a price or a parameter of the model is too large, or too close to nothing"
        raise UnprovableError(f"model {name}", "numbers", Finding(str(error)), remedy) from None
    if found is not None:
        check_weights("market", basis.universe, basis.universe.scale, name, found.weights())
    return found
