"""The transcript by itself: sequences of what is absorbed and drawn, with each challenge."""

from __future__ import annotations

from typing import Any

from vectors.make.files import VectorFile
from zkmargin.algebra import Transcript

NOTES = {
    "Framing": "Lengths stand before labels and data: sequences that concatenate to the same bytes differ.",
    "Order": "What is absorbed in another order gives other challenges.",
    "Unicode": "Labels are UTF-8.",
}

Step = tuple[str, bytes | None]
"""A label with what is absorbed under it, or with None for a challenge."""

SEQUENCES: dict[str, tuple[str, list[Step], list[str]]] = {
    "no message": ("zkmargin/margin-argument/2", [("alpha", None)], []),
    "the same challenge twice": ("p", [("x", None), ("x", None), ("x", None)], []),
    "empty label and data": ("", [("", b""), ("", None)], []),
    "a label that ends in the data": ("p", [("ab", b"c"), ("x", None)], ["Framing"]),
    "data that starts in the label": ("p", [("a", b"bc"), ("x", None)], ["Framing"]),
    "two messages": ("p", [("a", b"1"), ("b", b"2"), ("x", None)], ["Order"]),
    "the same two turned round": ("p", [("b", b"2"), ("a", b"1"), ("x", None)], ["Order"]),
    "a message before and after a challenge": ("p", [("a", b"1"), ("x", None), ("a", b"1"), ("x", None)], []),
    "a label beyond ASCII": ("\u2205", [("\u03b1\U0001f4a1", b"\x00\xff"), ("\u03b2", None)], ["Unicode"]),
    "a long message": ("p", [("data", bytes(range(256)) * 40), ("x", None)], []),
}


def transcripts() -> VectorFile:
    """The file: `steps` are absorbed in order; where a step has `challenge`, that one is drawn."""
    made = VectorFile("transcript", NOTES)
    for comment, (protocol, steps, flags) in SEQUENCES.items():
        transcript = Transcript(protocol)
        written: list[dict[str, Any]] = []
        for label, data in steps:
            if data is None:
                written.append({"label": label, "challenge": f"{transcript.challenge(label):064x}"})
            else:
                transcript.append(label, data)
                written.append({"label": label, "append": data.hex()})
        made.add(comment, {"name": protocol, "steps": written}, flags=flags)
    return made
