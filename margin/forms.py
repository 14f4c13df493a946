"""The forms of table entries: how the dataclasses of `tables` and of the models travel in a snapshot file.

A model's tables are frozen dataclasses over the annotated types below. Reading is strict: integers only,
each within its range, no unknown and no missing key; writing gives what the canonical encoding takes.
"""

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, ConfigDict, Field, PlainSerializer, TypeAdapter

LARGEST = (1 << 63) - 1

STRICT = ConfigDict(extra="forbid", strict=True)
"""Set as `__pydantic_config__` of every dataclass that travels in tables."""

Entry = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
"""Quanta per contract, of either sign."""

Amount = Annotated[int, Field(ge=0, le=LARGEST)]
"""Quanta per contract, not negative."""

Denominator = Annotated[int, Field(ge=1, le=LARGEST)]
Ratio = tuple[Amount, Denominator]
"""A factor that is not negative: numerator and denominator."""

Slot = Annotated[int, Field(ge=0, le=2047)]


def _int64(values: Any) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def _matrix(values: list[list[int]]) -> NDArray[np.int64]:
    if len({len(row) for row in values}) > 1:
        raise ValueError("the rows have different lengths; build it again")
    return _int64(values)


def _listed(values: NDArray[np.int64]) -> Any:
    return values.tolist()


if TYPE_CHECKING:
    Column = NDArray[np.int64]
    AmountColumn = NDArray[np.int64]
    Matrix = NDArray[np.int64]
else:
    Column = Annotated[list[Entry], AfterValidator(_int64), PlainSerializer(_listed)]
    """(N,) int64."""
    AmountColumn = Annotated[list[Amount], AfterValidator(_int64), PlainSerializer(_listed)]
    """(N,) int64, not negative."""
    Matrix = Annotated[list[list[Entry]], AfterValidator(_matrix), PlainSerializer(_listed)]
    """(S, N) int64."""


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def adapter(tables: type[Any]) -> TypeAdapter[Any]:
    """What reads and writes tables of this type, made once."""
    if tables not in _ADAPTERS:
        _ADAPTERS[tables] = TypeAdapter(tables)
    return _ADAPTERS[tables]


def encode_tables(tables: Any) -> dict[str, Any]:
    """The document of tables, ready for the canonical encoding."""
    document: dict[str, Any] = adapter(type(tables)).dump_python(tables, mode="json")
    return document
