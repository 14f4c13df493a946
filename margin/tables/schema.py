"""The forms of table entries: how the dataclasses of `tables` and of the models travel in a snapshot file.

A model's tables are frozen dataclasses over the annotated types below. Reading is strict: integers only,
each within its range, no unknown and no missing key; writing gives what the canonical encoding takes.
"""

import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, ConfigDict, Field, PlainSerializer, TypeAdapter

from zkmargin.margin.errors import InputError

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


def fitting(amounts: Iterable[int], where: str, field: str, remedy: str) -> tuple[int, ...]:
    """Amounts as they are; InputError with this remedy if one needs more than 63 bits."""
    found = tuple(amounts)
    if max(found, default=0) > LARGEST:
        raise InputError(where, field, max(found), f"quanta do not fit 63 bits; {remedy}")
    return found


def _int64(values: Any) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def _matrix(values: list[list[int]]) -> NDArray[np.int64]:
    if len({len(row) for row in values}) > 1:
        raise ValueError("the rows have different lengths; build it again")
    return _int64(values)


def _listed(values: NDArray[np.int64]) -> Any:
    return values.tolist()


@dataclass(frozen=True)
class _PackedDocument:
    """A large matrix in few bytes: entries row by row, little-endian two's complement of `bytes` each, base64."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    columns: Annotated[int, Field(ge=1, le=2048)]
    bytes: Annotated[int, Field(ge=1, le=8)]
    data: str


def _unpacked(packed: _PackedDocument) -> NDArray[np.int64]:
    try:
        content = binascii.a2b_base64(packed.data.encode(), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("is not base64; build it again") from None
    width = packed.bytes
    if not content or len(content) % (width * packed.columns):
        raise ValueError(f"does not hold rows of {packed.columns} entries; build it again")
    entries = np.frombuffer(content, np.uint8).reshape(-1, width)
    words = np.zeros((len(entries), 8), np.uint8)
    # The bytes above the stored ones repeat the sign: entries are shifted up, and down again.
    words[:, 8 - width :] = entries
    return (words.view("<i8")[:, 0] >> np.int64(8 * (8 - width))).reshape(-1, packed.columns)


def _packed(values: NDArray[np.int64]) -> Any:
    """In the least width that holds every entry, so that there is one way to write a matrix."""
    extremes = (int(values.min()), int(values.max()))
    bits = 1 + max((entry if entry >= 0 else ~entry).bit_length() for entry in extremes)
    width = -(-bits // 8)
    words = np.ascontiguousarray(values, "<i8").view(np.uint8).reshape(-1, 8)
    data = binascii.b2a_base64(words[:, :width].tobytes(), newline=False).decode()
    return {"columns": values.shape[1], "bytes": width, "data": data}


if TYPE_CHECKING:
    Packed = NDArray[np.int64]
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
    Packed = Annotated[_PackedDocument, AfterValidator(_unpacked), PlainSerializer(_packed)]
    """(S, N) int64, for large matrices."""


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
