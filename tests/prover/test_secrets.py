"""Holdings and blinders show in no repr, no message and no traceback."""

import json
import traceback
from typing import Any

import pytest

from tests.argument.exposed import exposed_setup
from tests.argument.toys import Case, Toy, case, curve_setup, play
from zkmargin.algebra import MODULUS, get_backend
from zkmargin.argument import Proof
from zkmargin.circuits import Witness
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import Instrument
from zkmargin.margin.instruments.universe import Universe
from zkmargin.prover import Opening, OpeningDocument, ProverError, commit_holdings, prove
from zkmargin.prover.rounds import Rounds

LOTS, BLINDER = 271_828_182, 0x31415926535897932384626433832795ABCDEF
SECRETS = (str(LOTS), str(BLINDER), f"{BLINDER:x}")
USD = Instrument("USD", "balance", "USD", "USD", False, None, None, None, -6, 0, 2**54 - 1)
UNIVERSE = Universe((USD,), 64)
SETUP = exposed_setup()


@pytest.fixture
def document() -> OpeningDocument:
    fresh = commit_holdings(SETUP, UNIVERSE, (LOTS,))
    return fresh.model_copy(update={"blinder": f"{BLINDER:064x}"})


def shows_nothing(*texts: str) -> None:
    for text in texts:
        assert not any(secret in text for secret in SECRETS), text


def told(error: BaseException) -> str:
    """The whole traceback, causes and contexts included where they would be printed."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(error.args)


def test_nothing_secret_is_in_a_repr(document: OpeningDocument) -> None:
    opening = document.opening(UNIVERSE, "file")
    witness = Witness((LOTS,), (LOTS,), (LOTS,))
    rounds = Rounds(SETUP, case(Toy(), SETUP).statement, case(Toy(), SETUP).witness(), [BLINDER])
    for secret in (document, opening, witness, rounds, [opening], {"opening": opening}):
        shows_nothing(repr(secret), str(secret), f"{secret}", f"{secret!r:>10}")


@pytest.mark.parametrize("name", ["native", "reference"])
def test_a_vector_shows_its_length_only(name: str) -> None:
    try:
        backend = get_backend(name)
    except ValueError:
        pytest.skip("the native extension is not built here")
    vector = backend.vector([LOTS, BLINDER])
    shows_nothing(repr(vector), str(vector))


def test_a_provers_columns_show_nothing() -> None:
    for setup in (SETUP, curve_setup()):
        made = case(Toy(squares=True), setup, openings=[Opening((7, -3), BLINDER)])
        rounds = Rounds(setup, made.statement, made.witness(), made.blinders)
        play(rounds)
        for column in (*rounds._limbs, rounds._m, *rounds._squares, rounds._phi):
            values = setup.backend.integers(column.polynomial)[64:]
            assert not any(str(value) in repr(column) for value in values)


def test_the_public_half_holds_nothing_of_the_secret_half(document: OpeningDocument) -> None:
    public = document.commitment()
    assert set(json.loads(public.encode())) == {
        "format", "version", "curve", "setup", "universe", "domain", "point"
    }  # fmt: skip
    shows_nothing(public.encode().decode(), repr(public))


DAMAGED: dict[str, dict[str, Any]] = {
    "an unknown key with a secret": {"rho": f"{BLINDER:064x}"},
    "lots of another type": {"lots": [LOTS]},
    "a quantity in words": {"lots": {"USD": str(LOTS)}},
    "a quantity with a fraction": {"lots": {"USD": LOTS + 0.5}},
    "a short blinder": {"blinder": f"{BLINDER:x}"},
    "an upper-case blinder": {"blinder": f"{BLINDER:064X}"},
    "a blinder that is a number": {"blinder": BLINDER},
    "a blinder and a line feed": {"blinder": f"{BLINDER:064x}\n"},
    "a blinder beyond the order": {"blinder": f"{MODULUS + BLINDER:064x}"},
    "another version": {"version": 2},
    "another curve": {"curve": "BN254"},
    "an unknown format": {"format": "zkmargin/commitment"},
    "a short point": {"point": "ab"},
}


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_opening_is_refused_without_a_word_of_it(
    document: OpeningDocument, change: dict[str, Any]
) -> None:
    content = {**json.loads(document.encode()), **change}
    with pytest.raises(InputError, match="use the file that commit wrote") as refusal:
        OpeningDocument.parse(json.dumps(content), "file")
    shows_nothing(told(refusal.value), str(refusal.value.value), str(refusal.value.field))


def test_a_missing_half_is_refused(document: OpeningDocument) -> None:
    for name in ("lots", "blinder", "point", "universe", "domain", "setup"):
        content = json.loads(document.encode())
        del content[name]
        with pytest.raises(InputError, match=f"file: {name}") as refusal:
            OpeningDocument.parse(json.dumps(content), "file")
        shows_nothing(told(refusal.value))


def test_an_opening_cut_short_is_refused_without_a_word_of_it(document: OpeningDocument) -> None:
    text = document.encode().decode()
    for end in range(1, len(text) - 2, 7):
        with pytest.raises(InputError) as refusal:
            OpeningDocument.parse(text[:end], "file")
        shows_nothing(told(refusal.value))


def test_a_provers_refusal_says_nothing_of_the_opening() -> None:
    made = case(Toy(), SETUP)
    with pytest.raises(ProverError) as refusal:
        prove(made.statement, [Opening((LOTS,), BLINDER)], SETUP)
    shows_nothing(told(refusal.value))


def test_an_instrument_beyond_its_bound_is_named_without_its_quantity() -> None:
    small = Universe((Instrument("USD", "balance", "USD", "USD", False, None, None, None, -6, 0, 5),), 64)
    with pytest.raises(InputError, match="USD") as refusal:
        commit_holdings(SETUP, small, (LOTS,))
    shows_nothing(told(refusal.value))


def test_a_proof_holds_no_secret_in_the_clear() -> None:
    made: Case = case(Toy(), SETUP, openings=[Opening((7, -3), BLINDER)])
    proof: Proof = made.prove()
    shows_nothing(repr(proof), proof.to_bytes().hex())
