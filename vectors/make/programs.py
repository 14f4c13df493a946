"""Programs as files: valid ones, and ones that are cut, padded, out of order, or written in another way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.argument.toys import TOYS
from vectors.make.files import VectorFile
from zkmargin.circuits.program import encode_program, leading_singles

NOTES = {
    "Head": "The head of 128 bytes says what follows; each number has its range.",
    "Length": "A program is as long as its head says, and not a byte more.",
    "Rows": "A row has its limbs, at most one defining equation, and as many runs as it says.",
    "Order": "Runs rise by variable, then by equation.",
    "Encoding": "A run has the least width, no zeros at its ends and few within.",
}

HEAD, ROW = 128, 8


def programs() -> VectorFile:
    """The file: `program` is read; `sha256` is its digest, by which statements name it."""
    made = VectorFile("programs", NOTES)
    for name, toy in TOYS.items():
        relation = toy.relation()
        made.add(name, {"program": encode_program(relation).hex(), "sha256": relation.digest.hex()})
        frame = encode_program(relation, frame=True)
        made.add(f"{name}, frame", {"program": frame.hex(), "sha256": relation.frame_digest.hex()})
    for comment, content, flag in broken(encode_program(TOYS["squares"].relation())):
        made.add(comment, {"program": content.hex()}, ["program"], [flag])
    return made


def broken(good: bytes) -> Iterator[tuple[str, bytes, str]]:
    """A comment, a program that must be refused, and a flag."""
    yield "empty", b"", "Length"
    yield "the head alone", good[:HEAD], "Length"
    yield "one byte short", good[:-1], "Length"
    yield "one byte long", good + b"\0", "Length"
    yield "another magic", b"zkm2" + good[4:], "Head"
    yield "an unknown mode", _put(good, 4, b"\x02"), "Head"
    yield "the mode of a frame", _put(good, 4, b"\x01"), "Head"
    yield "limbs of 5 bits", _put(good, 5, b"\x05"), "Head"
    yield "limbs of 12 bits", _put(good, 5, b"\x0c"), "Head"
    yield "groups of no columns", _put(good, 6, bytes(2)), "Head"
    yield "no holdings column", _put(good, 8, bytes(2)), "Head"
    yield "more square cells than slots", _put(good, 10, b"\x00\x41"), "Head"
    yield "no square cell where one is used", _put(good, 10, bytes(2)), "Head"
    yield "no equations", _put(good, 12, bytes(4)), "Head"
    yield "2^32 - 1 equations", _put(good, 12, b"\xff" * 4), "Head"
    yield "no rows", _put(good, 16, bytes(4)), "Head"
    yield "2^32 - 1 rows", _put(good, 16, b"\xff" * 4), "Head"
    yield "a leading equation written as a run", _as_run(), "Encoding"
    yield "one run of constants less", _put(good, 24, _less(good[24:28])), "Length"
    yield "a reserved byte", _put(good, 44, b"\x01"), "Head"
    yield "a row without limbs", _put(good, HEAD, b"\x00"), "Rows"
    yield "a row of too many limbs", _put(good, HEAD, b"\x17"), "Rows"
    yield "a row of an equation that there is not", _put(good, HEAD + 1, b"\xff\xff\xff"), "Rows"
    yield "two rows of one equation", _put(good, HEAD + ROW + 1, good[HEAD + 1 : HEAD + 4]), "Rows"
    yield "a row that promises a run more", _put(good, HEAD + 7, bytes([good[HEAD + 7] + 1])), "Rows"
    constants = HEAD + ROW * int.from_bytes(good[16:20], "big")
    yield "a run on a variable that there is not", _put(good, constants, b"\x00\x00\x01"), "Order"
    yield "a run of no entries", _put(good, constants + 6, b"\x00\x00"), "Encoding"
    yield "an unknown width", _put(good, constants + 6, bytes([good[constants + 6] | 0xC0])), "Encoding"
    yield "a run that ends in a zero", _put(good, constants + 8, b"\x80" + bytes(7)), "Encoding"
    yield "a run cut in two", _cut(good, constants), "Encoding"
    yield "step times reach beyond r", _put(good, 96, b"\x7f" + bytes(31)), "Head"
    yield "a run that is wider than it needs", _widened(good, constants), "Encoding"
    last = good[-16:]
    yield "the last run twice", good + last, "Length"
    yield "the last two runs turned round", good[:-32] + last + good[-32:-16], "Order"


def _put(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _less(number: bytes) -> bytes:
    return (int.from_bytes(number, "big") - 1).to_bytes(len(number), "big")


def _as_run() -> bytes:
    """The last of the leading equations is written as a run, which has the same meaning."""
    relation = TOYS["squares"].relation()
    count = leading_singles(relation.holdings)
    with pytest.MonkeyPatch.context() as other:
        other.setattr("zkmargin.circuits.program.leading_singles", lambda _: count - 1)
        return encode_program(relation)


def _cut(good: bytes, at: int) -> bytes:
    """The run of constants at this place as two, its first equation alone."""
    first, count = int.from_bytes(good[at + 3 : at + 6], "big"), good[at + 7]
    entries = good[at + 8 : at + 8 + 8 * count]
    alone = good[at : at + 6] + b"\x00\x01" + entries[-8:]
    rest = good[at : at + 3] + (first + 1).to_bytes(3, "big") + bytes([0, count - 1]) + entries[:-8]
    more = (int.from_bytes(good[24:28], "big") + 1).to_bytes(4, "big")
    return _put(good[:at], 24, more) + alone + rest + good[at + 8 + 8 * count :]


def _widened(good: bytes, at: int) -> bytes:
    """The run at this place with entries of 16 bytes in place of 8."""
    head, count = good[at : at + 8], good[at + 7]
    entries = [good[at + 8 + 8 * k : at + 16 + 8 * k] for k in range(count)]
    wide = b"".join((int.from_bytes(e, "big") - (1 << 63) + (1 << 127)).to_bytes(16, "big") for e in entries)
    return good[:at] + head[:6] + bytes([head[6] | 0x40]) + head[7:] + wide + good[at + 8 + 8 * count :]
