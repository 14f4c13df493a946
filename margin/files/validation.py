"""Validation errors of pydantic as input errors that name the field, the value and the remedy."""

from collections.abc import Mapping

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from zkmargin.margin.errors import Finding, InputError

# What pydantic finds by itself, as instructions.
_REMEDIES = {
    "greater_than": "write a number above {gt}",
    "greater_than_equal": "write a number that is at least {ge}",
    "less_than": "write a number below {lt}",
    "less_than_equal": "write a number that is at most {le}",
    "too_short": "list at least {min_length}",
    "too_long": "list at most {max_length}",
    "string_too_short": "write at least {min_length} characters",
    "string_too_long": "write at most {max_length} characters",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "string_type": "write a text in quotes",
    "bool_type": "write true or false",
    "tuple_type": "write an array: [...]",
    "list_type": "write an array: [...]",
}


_KINDS = {list: "array", tuple: "array", str: "string", bool: "true or false", type(None): "null"}


def input_error(where: str, error: ValidationError) -> InputError:
    """The first finding of a validation, with the dotted path of its field."""
    finding = error.errors(include_url=False)[0]
    field = ".".join(map(str, finding["loc"])) or "document"
    match finding["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            return InputError(where, field, finding["input"], "unknown key; remove it or correct its name")
        case "missing":
            return InputError(
                where, field, Finding("missing"), "add the key, or name a file of the right kind"
            )
        case "json_invalid":
            return InputError(where, field, Finding(finding["ctx"]["error"]), "write valid JSON")
        case "literal_error":
            return InputError(where, field, finding["input"], f"must be {finding['ctx']['expected']} here")
        case "model_type" | "dataclass_type" | "dict_type":
            found = Finding(f"a JSON {_KINDS.get(type(finding['input']), 'number')}")
            return InputError(where, field, found, "write an object: {...}")
        case _:
            return _refused(where, field, finding)


def _refused(where: str, field: str, finding: ErrorDetails) -> InputError:
    """A value out of its range or of another type, or an object whose fields do not go together."""
    if finding["type"] in _REMEDIES:
        remedy = _REMEDIES[finding["type"]].format_map(finding.get("ctx", {}))
        return InputError(where, field, finding["input"], remedy)
    cause = finding.get("ctx", {}).get("error")
    whole = isinstance(finding["input"], Mapping | BaseModel)
    if not isinstance(cause, InputError):
        value = Finding("inconsistent") if whole else finding["input"]
        return InputError(where, field, value, finding["msg"].removeprefix("Value error, "))
    if not whole:
        return InputError(where, field, finding["input"], cause.remedy)
    inner = ".".join((*map(str, finding["loc"]), cause.field))
    return InputError(where, inner, cause.value, cause.remedy)
