"""Canonical JSON: documents with the bytes that stand for them, and texts that are no document."""

from __future__ import annotations

import hashlib

from vectors.make.files import VectorFile
from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.margin.files.documents import parse_json

NOTES = {
    "Integer": "Integers of any size are exact; RFC 8785 has doubles.",
    "Number": "There are no other numbers than integers.",
    "Keys": "Keys are sorted by code point; RFC 8785 sorts by UTF-16 units.",
    "Escapes": "Only the quotation mark, the backslash and characters below U+0020 are escaped.",
    "Twice": "A key occurs once in an object.",
    "Syntax": "No JSON by RFC 8259.",
    "Unicode": "Half of a surrogate pair is no character.",
}

VALID: tuple[tuple[str, str, list[str]], ...] = (
    ("null, booleans, text", '{"c": null, "b": [true, false], "a": ""}', []),
    ("white space is no part of it", " [ 1 ,\n\t2 ] \r\n", []),
    ("empty object and array", '{"a": {}, "b": []}', []),
    ("nested objects are sorted, too", '{"b": {"z": 1, "y": 2}, "a": [{"d": 1, "c": 2}]}', ["Keys"]),
    ("digits, capitals, underscore, small letters", '{"a": 1, "_": 2, "Z": 3, "9": 4, "10": 5}', ["Keys"]),
    ("a prefix stands first", '{"ab": 1, "a": 2, "": 3}', ["Keys"]),
    ("beyond the basic plane after U+FFFD", '{"\\ud83d\\ude00": 1, "\\ufffd": 2}', ["Keys"]),
    ("2^53 + 1", "[9007199254740993]", ["Integer"]),
    ("-2^255", f"[{-(1 << 255)}]", ["Integer"]),
    ("minus zero is zero", "[-0]", ["Integer"]),
    ("escapes with a letter", '["\\"\\\\\\b\\f\\n\\r\\t"]', ["Escapes"]),
    ("escapes with digits, in lower case", '["\\u0000\\u001F\\u007f"]', ["Escapes"]),
    ("a solidus needs no escape", '["\\/"]', ["Escapes"]),
    ("what is printable is not escaped", '["\\u00e9\\u20ac\\u2028"]', ["Escapes"]),
    ("no normalisation", '["\\u00e9", "e\\u0301"]', ["Unicode"]),
    ("a key that JavaScript treats in its own way", '{"__proto__": 1, "constructor": 2}', ["Keys"]),
)

INVALID = (
    ("a fraction", "[1.5]", "Number"),
    ("an integer with a fraction of zero", "[1.0]", "Number"),
    ("an exponent", "[1e3]", "Number"),
    ("NaN", "[NaN]", "Number"),
    ("infinity", "[-Infinity]", "Number"),
    ("a zero in front", "[01]", "Syntax"),
    ("a plus", "[+1]", "Syntax"),
    ("hexadecimal", "[0x10]", "Syntax"),
    ("a repeated key", '{"a": 1, "a": 1}', "Twice"),
    ("a repeated key, escaped once", '{"a": 1, "\\u0061": 2}', "Twice"),
    ("a comma at the end", "[1,]", "Syntax"),
    ("single quotes", "['a']", "Syntax"),
    ("a comment", "[1] // one", "Syntax"),
    ("two documents", "[1] [2]", "Syntax"),
    ("nothing", "", "Syntax"),
    ("an end that is missing", '{"a": [1, 2', "Syntax"),
    ("a control character in a text", '["\t"]', "Syntax"),
    ("an unknown escape", '["\\x41"]', "Syntax"),
    ("the first half of a surrogate pair", '["\\ud800"]', "Unicode"),
    ("the second half of a surrogate pair", '["\\udc00"]', "Unicode"),
    ("halves in the wrong order", '["\\ude00\\ud83d"]', "Unicode"),
    ("nesting without end", "[" * 500 + "]" * 500, "Syntax"),
)


def canonical() -> VectorFile:
    """The file: `json` is read; `canonical` is its encoding, and `sha256` that of the encoding."""
    made = VectorFile("canonical-json", NOTES)
    for comment, text, flags in VALID:
        encoded = canonical_json(parse_json(text, comment))
        digest = hashlib.sha256(encoded).hexdigest()
        made.add(comment, {"json": text, "canonical": encoded.hex(), "sha256": digest}, flags=flags)
    for comment, text, flag in INVALID:
        made.add(comment, {"json": text}, ["document"], [flag])
    return made
