"""Proofs on two EVMs: accepted and refused exactly as by Python."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from tests.argument.toys import TOYS, Case, Toy, case, curve_setup
from tests.verifier.contract.evms import Evm, Outcome, anvil, deployed, stranger
from zkmargin.algebra import MODULUS
from zkmargin.argument.proof import Proof
from zkmargin.circuits import Statement
from zkmargin.verifier import VerificationError, verify
from zkmargin.verifier.contract.artifacts import contracts
from zkmargin.verifier.contract.encoding import (
    FIELD,
    coordinates,
    encode_points,
    encode_proof,
    program_chunks,
)

VERIFIER = contracts()["MarginVerifier"]
SHAPES = {
    **{name: toy for name, toy in TOYS.items() if toy.columns == 1 and not toy.committed},
    "two columns to a helper": Toy(limb_columns=3, group=2),
    "squares, two to a helper": Toy(limb_columns=4, squares=True, group=2),
}
shapes = pytest.mark.parametrize("name", SHAPES)


@cache
def made(name: str) -> tuple[Case, Proof]:
    toy = SHAPES[name]
    found = case(toy, curve_setup(), threshold=toy.excess())
    return found, found.prove()


_PLACES: dict[tuple[int, str], tuple[str, list[str]]] = {}


def placed(evm: Evm, name: str) -> tuple[str, list[str]]:
    """The verifier, and where a toy's program lies, in two parts."""
    if (id(evm), name) not in _PLACES:
        verifier = next((found for (e, _), (found, _) in _PLACES.items() if e == id(evm)), "")
        (program,) = program_chunks(made(name)[0].relation)
        parts = [stored(evm, program[:200]), stored(evm, program[200:])]
        _PLACES[id(evm), name] = verifier or deployed(evm, "MarginVerifier"), parts
    return _PLACES[id(evm), name]


def stored(evm: Evm, data: bytes) -> str:
    code = b"\0" + data
    return evm.run(
        None, b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600a3d393df3") + code
    ).address


def asked(
    evm: Evm,
    name: str,
    statement: Statement,
    proof: bytes,
    *,
    commitments: bytes | None = None,
    threshold: int | None = None,
) -> Outcome:
    verifier, parts = placed(evm, name)
    own = encode_points(term.point for term in statement.commitments)
    arguments = (
        statement.digest,
        parts,
        statement.threshold if threshold is None else threshold,
        own if commitments is None else commitments,
        proof,
    )
    return evm.run(verifier, VERIFIER.call("verify", *arguments), keep=False)


@shapes
def test_a_proof_is_accepted(evm: Evm, name: str) -> None:
    found, proof = made(name)
    verify(found.statement, proof, found.setup)
    outcome = asked(evm, name, found.statement, encode_proof(proof))
    assert outcome.refused is None
    assert outcome.data == b""


@shapes
def test_the_program_is_that_of_the_statement(evm: Evm, name: str) -> None:
    verifier, parts = placed(evm, name)
    found = evm.run(verifier, VERIFIER.call("checkProgram", parts), keep=False)
    assert VERIFIER.answer("checkProgram", found.data) == (made(name)[0].relation.digest, 6)


def test_a_negative_threshold(evm: Evm) -> None:
    toy = SHAPES["one limb column"]
    for threshold in (-1, -(1 << 64), 0):
        found = case(toy, curve_setup(), threshold=threshold)
        assert asked(evm, "one limb column", found.statement, encode_proof(found.prove())).refused is None


@dataclass(frozen=True)
class Change:
    """An altered statement or proof."""

    statement: Statement
    proof: Proof


def with_field(proof: Proof, field: str, value: Any) -> Proof:
    return replace(proof, **{field: value})


def changes(name: str) -> Iterator[tuple[str, Change]]:
    """Every scalar one more, every point another, each part of the statement that the toy can have otherwise."""
    found, proof = made(name)
    one = found.statement
    other = proof.opening
    for field in ("limbs", "squares", "helpers", "quotients"):
        for place, _ in enumerate(getattr(proof, field)):
            points = list(getattr(proof, field))
            points[place] = other
            yield f"{field} {place}", Change(one, with_field(proof, field, tuple(points)))
    for field in ("multiplicity", "table_helper", "running_sum", "shifted_opening"):
        yield field, Change(one, with_field(proof, field, other))
    yield "opening", Change(one, replace(proof, opening=proof.multiplicity))
    yield "infinity", Change(one, replace(proof, opening=bytes([0xC0]) + bytes(47)))
    for field in ("limb_values", "square_value"):
        for place, value in enumerate(getattr(proof, field)):
            values = list(getattr(proof, field))
            values[place] = (value + 1) % MODULUS
            yield f"{field} {place}", Change(one, with_field(proof, field, tuple(values)))
    yield "shifted_sum", Change(one, replace(proof, shifted_sum=(proof.shifted_sum + 1) % MODULUS))
    yield "audience", Change(replace(one, audience="desk 2"), proof)
    yield (
        "threshold",
        Change(replace(one, threshold=one.threshold - 1, relation=one.relation.at(one.threshold - 1)), proof),
    )


@shapes
def test_what_python_refuses_is_not_shown(evm: Evm, name: str) -> None:
    setup = curve_setup()
    for what, change in changes(name):
        with pytest.raises(VerificationError):
            verify(change.statement, change.proof, setup)
        outcome = asked(evm, name, change.statement, encode_proof(change.proof))
        assert outcome.refused is not None, what
        assert outcome.refused.name == "NotShown", what


def test_a_threshold_beside_the_statement_counts(evm: Evm) -> None:
    """The digest binds the statement's threshold; the program's last constant must follow the same."""
    found, proof = made("one limb column")
    for threshold in (found.statement.threshold - 1, -found.statement.threshold):
        outcome = asked(evm, "one limb column", found.statement, encode_proof(proof), threshold=threshold)
        assert outcome.refused is not None
        assert outcome.refused.name == "NotShown"
    reach = found.relation.reach
    for threshold in (reach + 1, -reach - 1, -(1 << 255), (1 << 255) - 1):
        outcome = asked(evm, "one limb column", found.statement, encode_proof(proof), threshold=threshold)
        assert outcome.refused is not None
        assert outcome.refused.name == "ThresholdBeyondReach"


def padded(x: int, y: int) -> bytes:
    return x.to_bytes(64, "big") + y.to_bytes(64, "big")


def outside_the_subgroup() -> bytes:
    """A point of the curve that the cofactor takes out of the subgroup: (0, 2) has order 3."""
    return padded(0, 2)


def malformed() -> dict[str, bytes]:
    good = coordinates(made("one limb column")[1].opening)
    x, y = int.from_bytes(good[:64], "big"), int.from_bytes(good[64:], "big")
    return {
        "off the curve": padded(x, (y + 1) % FIELD),
        "x beyond p": padded(x + FIELD, y),
        "y beyond p": padded(x, y + FIELD),
        "x is p": padded(FIELD, 2),
        "padding of x": bytes([1]) + good[1:],
        "padding of y": good[:64] + bytes([1]) + good[65:],
        "outside the subgroup": outside_the_subgroup(),
        "half infinity": padded(0, y),
    }


@pytest.mark.parametrize("what", ["commitment", "first", "helper", "opening", "shifted opening"])
def test_a_malformed_point_is_refused_wherever_it_stands(evm: Evm, what: str) -> None:
    """Also where only the pairing sees it: the opening enters by an addition, which checks no subgroup."""
    found, proof = made("one limb column")
    good = encode_proof(proof)
    places = {"first": 0, "helper": 2, "opening": 6, "shifted opening": 7}
    for name, point in malformed().items():
        if what == "commitment":
            outcome = asked(evm, "one limb column", found.statement, good, commitments=point)
        else:
            start = 128 * places[what]
            spoiled = good[:start] + point + good[start + 128 :]
            outcome = asked(evm, "one limb column", found.statement, spoiled)
        assert outcome.refused is not None, name
        if what == "opening" and name == "outside the subgroup":
            assert outcome.refused.name == "NotShown"
        else:
            assert outcome.refused.name == "MalformedPoint", name


LENGTHS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "a byte short": lambda data: data[:-1],
    "a byte long": lambda data: data + b"\0",
    "a word long": lambda data: data + bytes(32),
    "a point short": lambda data: data[128:],
}


@pytest.mark.parametrize("change", LENGTHS.values(), ids=LENGTHS.keys())
def test_other_lengths_are_refused(evm: Evm, change: Callable[[bytes], bytes]) -> None:
    found, proof = made("one limb column")
    outcome = asked(evm, "one limb column", found.statement, change(encode_proof(proof)))
    assert outcome.refused is not None
    assert outcome.refused.name == "ProofLength"
    commitments = change(encode_points(term.point for term in found.statement.commitments))
    outcome = asked(evm, "one limb column", found.statement, encode_proof(proof), commitments=commitments)
    assert outcome.refused is not None
    assert outcome.refused.name == "CommitmentLength"


@pytest.mark.parametrize("value", [MODULUS, (1 << 256) - 1])
def test_scalars_are_below_the_order(evm: Evm, value: int) -> None:
    found, proof = made("several limb columns")
    data = encode_proof(proof)
    for back in range(1, 5):
        end = len(data) - 32 * (back - 1)
        spoiled = data[: end - 32] + value.to_bytes(32, "big") + data[end:]
        outcome = asked(evm, "several limb columns", found.statement, spoiled)
        assert outcome.refused is not None
        assert outcome.refused.name == "ScalarOutOfRange"


def test_programs_that_are_none(evm: Evm) -> None:
    """What is checked when a program is published, so that verification may rely on it."""
    verifier, _ = placed(evm, "one limb column")
    (good,) = program_chunks(made("one limb column")[0].relation)
    rows = int.from_bytes(good[16:20], "big")
    run = 128 + 8 * rows
    spoiled = {
        "empty": b"",
        "a head short": good[:127],
        "a byte short": good[:-1],
        "a byte long": good + b"\0",
        "magic": b"zkm2" + good[4:],
        "a frame": good[:4] + b"\x01" + good[5:],
        "t": good[:5] + b"\x05" + good[6:],
        "t beyond": good[:5] + b"\x0c" + good[6:],
        "no group": good[:6] + bytes(2) + good[8:],
        "two holdings columns": good[:8] + b"\x00\x02" + good[10:],
        "too many single equations": good[:20] + (1 << 20).to_bytes(4, "big") + good[24:],
        "a run more": good[:24] + (int.from_bytes(good[24:28], "big") + 1).to_bytes(4, "big") + good[28:],
        "a run of a row less": good[:28] + bytes(4) + good[32:],
        "zeros that are none": good[:63] + b"\x01" + good[64:],
        "a row without limbs": good[:128] + b"\0" + good[129:],
        "an equation beyond": good[: run + 3] + b"\xff\xff\xff" + good[run + 6 :],
        "a variable beyond": good[:run] + b"\x00\x00\x01" + good[run + 3 :],
        "a width that is none": good[: run + 6] + bytes([good[run + 6] | 0xC0]) + good[run + 7 :],
    }
    for name, data in spoiled.items():
        found = evm.run(verifier, VERIFIER.call("checkProgram", [stored(evm, data)]), keep=False)
        assert found.refused is not None, name
        assert found.refused.name == "ProgramUnsupported", name


def test_an_evm_without_the_precompiles_is_refused() -> None:
    """At deployment, and at verification where somebody put the code in place all the same."""
    found, proof = made("one limb column")
    with anvil() as modern:
        verifier = deployed(modern, "MarginVerifier")
        code = modern.ask("eth_getCode", verifier, "latest")
    with anvil(hardfork="cancun") as old:
        refused = old.run(None, VERIFIER.creation(), keep=False).refused
        assert refused is not None
        assert refused.name == "PrecompileMissing"
        verifier = stranger()
        old.ask("anvil_setCode", verifier, code)
        (program,) = program_chunks(found.relation)
        commitments = encode_points(term.point for term in found.statement.commitments)
        call = VERIFIER.call(
            "verify",
            found.statement.digest,
            [stored(old, program)],
            found.statement.threshold,
            commitments,
            encode_proof(proof),
        )
        outcome = old.run(verifier, call, keep=False)
        assert outcome.refused is not None
        assert (outcome.refused.name, outcome.refused.arguments) == ("PrecompileMissing", (12,))
