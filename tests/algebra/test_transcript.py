"""The transcript: golden vectors, the definition written out again, and no two histories alike."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.algebra import MODULUS, Transcript

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "transcript.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["protocol"]))
def test_golden_vectors(vector: dict[str, object]) -> None:
    transcript = Transcript(str(vector["protocol"]))
    for step in vector["steps"]:  # type: ignore[attr-defined]
        if "challenge" in step:
            assert transcript.challenge(step["label"]) == int(step["challenge"], 16)
        else:
            transcript.append(step["label"], bytes.fromhex(step["append"]))


def test_the_definition_written_out() -> None:
    def framed(data: bytes) -> bytes:
        return len(data).to_bytes(8, "big") + data

    def sha(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    state = sha(b"zkmargin transcript 1" + framed(b"proof"))
    state = sha(state + b"\x01" + framed(b"C") + framed(b"abc"))
    high, low = sha(state + b"\x02" + framed(b"alpha")), sha(state + b"\x03" + framed(b"alpha"))
    first = int.from_bytes(high + low, "big") % MODULUS
    state = sha(state + b"\x04" + framed(b"alpha") + high + low)
    second = int.from_bytes(
        sha(state + b"\x02" + framed(b"beta")) + sha(state + b"\x03" + framed(b"beta")), "big"
    )

    transcript = Transcript("proof")
    transcript.append("C", b"abc")
    assert transcript.challenge("alpha") == first
    assert transcript.challenge("beta") == second % MODULUS


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("challenge"), st.sampled_from(["", "a", "ab", "b"]), st.just(b"")),
        st.tuples(
            st.just("append"),
            st.sampled_from(["", "a", "ab", "b"]),
            st.sampled_from([b"", b"a", b"b", b"ab"]),
        ),
    ),
    max_size=4,
)


def run(steps: list[tuple[str, str, bytes]]) -> int:
    transcript = Transcript("test")
    for kind, label, data in steps:
        if kind == "append":
            transcript.append(label, data)
        else:
            transcript.challenge(label)
    return transcript.challenge("end")


@given(STEPS, STEPS)
@settings(max_examples=200, deadline=None)
def test_different_histories_give_different_challenges(
    first: list[tuple[str, str, bytes]], second: list[tuple[str, str, bytes]]
) -> None:
    assert (run(first) == run(second)) == (first == second)


def test_labels_and_data_do_not_run_into_each_other() -> None:
    histories = [
        [("append", "ab", b"c")],
        [("append", "a", b"bc")],
        [("append", "", b"abc")],
        [("append", "abc", b"")],
        [("append", "a", b"b"), ("append", "", b"c")],
        [("append", "a", b""), ("append", "b", b"c")],
        [("challenge", "abc", b"")],
        [],
    ]
    assert len({run(history) for history in histories}) == len(histories)
    assert Transcript("a").challenge("b") != Transcript("ab").challenge("")


def test_challenges_depend_on_earlier_challenges() -> None:
    once, twice = Transcript("t"), Transcript("t")
    first = once.challenge("x")
    assert twice.challenge("x") == first
    assert once.challenge("x") != first
    assert twice.challenge("y") != once.challenge("y")


def test_helpers_are_appends() -> None:
    plain, helped = Transcript("t"), Transcript("t")
    plain.append("i", (2**256 - 5).to_bytes(32, "big"))
    helped.append_int("i", -5)
    plain.append("s", (7).to_bytes(32, "big"))
    helped.append_scalar("s", 7)
    plain.append("P", b"\xc0" + bytes(47))
    helped.append_point("P", b"\xc0" + bytes(47))
    assert plain.challenge("x") == helped.challenge("x")


@pytest.mark.parametrize(
    "append",
    [
        lambda t: t.append_int("i", 2**255),
        lambda t: t.append_int("i", -(2**255) - 1),
        lambda t: t.append_scalar("s", -1),
        lambda t: t.append_scalar("s", MODULUS),
        lambda t: t.append_point("P", bytes(47)),
        lambda t: t.append_point("P", bytes(96)),
    ],
)
def test_helpers_refuse_what_is_not_canonical(append: Callable[[Transcript], None]) -> None:
    with pytest.raises(ValueError):
        append(Transcript("t"))
