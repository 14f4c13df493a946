"""What a prover refuses before he proves: openings that are not those of the statement, and accounts out of bounds."""

from dataclasses import replace

import pytest

from tests.argument.exposed import exposed_setup
from tests.argument.toys import Case, Toy, case
from zkmargin.algebra import MODULUS
from zkmargin.circuits import WitnessError
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import Instrument
from zkmargin.margin.instruments.universe import Universe
from zkmargin.prover import OpeningDocument, ProverError, commit, commit_holdings, prove
from zkmargin.verifier import commitment_term, verify

SETUP = exposed_setup()
USD = Instrument("USD", "balance", "USD", "USD", False, None, None, None, -6, 0, 1000)
BTC = Instrument("BTC", "balance", "BTC", "BTC", False, None, None, None, -8, 0, 500)
UNIVERSE = Universe((USD, BTC), 64)


@pytest.fixture
def made() -> Case:
    return case(Toy(columns=2), SETUP)


def test_openings_must_be_those_of_the_commitments_in_their_order(made: Case) -> None:
    first, second = made.openings
    for openings, place in (
        ((second, first), 1),
        ((replace(first, blinder=first.blinder + 1), second), 1),
        ((first, replace(second, lots=(1, *second.lots[1:]))), 2),
        ((first, replace(second, column=0)), 2),
    ):
        with pytest.raises(ProverError, match=f"opening {place} does not belong to commitment {place}"):
            prove(made.statement, openings, SETUP)


def test_there_is_one_opening_for_each_commitment(made: Case) -> None:
    for openings in ((), made.openings[:1], (*made.openings, made.openings[0])):
        with pytest.raises(ProverError, match=f"{len(openings)} openings for 2 commitments"):
            prove(made.statement, openings, SETUP)


def test_a_blinder_counts_modulo_the_order(made: Case) -> None:
    first, second = made.openings
    openings = (replace(first, blinder=first.blinder - MODULUS), second)
    verify(made.statement, prove(made.statement, openings, SETUP), SETUP)


def test_a_quantity_does_not_count_modulo_the_order(made: Case) -> None:
    """The commitment is the same; the integer is not."""
    first, second = made.openings
    openings = (replace(first, lots=(first.lots[0] + MODULUS, *first.lots[1:])), second)
    with pytest.raises(WitnessError, match="beyond the row's range"):
        prove(made.statement, openings, SETUP)


def test_more_holdings_than_slots_are_refused(made: Case) -> None:
    with pytest.raises(ValueError, match="65 holdings do not fit a domain of 64 slots"):
        commit(SETUP, 64, [1] * 65, 1)
    first, second = made.openings
    with pytest.raises(ValueError, match="do not fit"):
        prove(made.statement, (replace(first, lots=(1,) * 65), second), SETUP)


def test_commitments_add() -> None:
    backend = SETUP.backend
    parts = ((5, -2), 11), ((-1, 7), MODULUS - 4)
    points = [commit(SETUP, 64, lots, blinder) for lots, blinder in parts]
    assert backend.msm(points, [1, 1]) == commit(SETUP, 64, (4, 5), 7)


def test_each_step_is_told(made: Case) -> None:
    told: list[tuple[str, int, int]] = []
    prove(made.statement, made.openings, SETUP, lambda *step: told.append(step))
    assert [number for _, number, _ in told] == list(range(7))
    assert {steps for _, _, steps in told} == {7}
    assert [name for name, _, _ in told][:2] == ["witness", "limbs"]


def test_an_opening_document_opens_its_commitment() -> None:
    document = commit_holdings(SETUP, UNIVERSE, (5, -3))
    opening = document.opening(UNIVERSE, "file")
    assert opening.lots == (5, -3)
    point = SETUP.backend.encode(commit(SETUP, 64, opening.lots, opening.blinder))
    assert commitment_term(document.commitment(), UNIVERSE, SETUP, "file").point == point
    assert OpeningDocument.parse(document.encode().decode(), "file") == document


def test_each_commitment_has_a_fresh_blinder() -> None:
    documents = [commit_holdings(SETUP, UNIVERSE, (5, -3)) for _ in range(4)]
    assert len({document.blinder for document in documents}) == 4
    assert len({document.point for document in documents}) == 4


@pytest.mark.parametrize("lots", [(1001, 0), (-1001, 0), (0, 501)])
def test_nothing_beyond_a_bound_is_committed_to(lots: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=r"holdings: (USD|BTC): .*beyond its bound.*: no more than"):
        commit_holdings(SETUP, UNIVERSE, lots)


@pytest.mark.parametrize("lots", [(), (1,), (1, 2, 3)])
def test_there_is_one_quantity_for_each_slot(lots: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="one quantity for each of 2"):
        commit_holdings(SETUP, UNIVERSE, lots)


def test_an_opening_is_for_one_universe() -> None:
    document = commit_holdings(SETUP, UNIVERSE, (5, -3))
    for other in (Universe((BTC, USD), 64), Universe((USD, BTC), 128), Universe((USD,), 64)):
        with pytest.raises(InputError, match="made for another universe"):
            document.opening(other, "file")
