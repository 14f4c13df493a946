"""One commitment before and after an expiry: what was committed to proves under the later snapshot, settled slots and
all.
"""

import pytest

from tests.margin.accounts import holdings
from tests.margin.expiring import VENUES, across
from zkmargin.algebra import Setup, backends, ceremony, get_backend
from zkmargin.circuits import CommitmentTerm, Statement, WitnessError
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import OpeningDocument, commit_holdings, prove
from zkmargin.verifier import VerificationError, commitment_term, verify

ROWS = (
    ("USD", "150000"),
    ("BTC", "1.5"),
    ("BTC_USD-near", "0.5", "41000"),
    ("BTC-near", "-20000", "41000"),
    ("BTC_USD-near-C", "-2"),
    ("BTC-near-P", "-1.2"),
    ("BTC_USD-far-P", "1"),
    ("BTC-PERPETUAL", "-30000", "49000"),
)
STYLED = (
    ("BTC_USD-near-C-F", "3", "9000"),
    ("BTC-near-P-F", "-0.5", "0.3"),
    ("BTC_USD-far-C-F", "-1", "9500"),
)
CASES = [(venue, model) for venue in ("", *VENUES) for model in (("grid",) if venue else across()[1].models)]


@pytest.fixture(scope="module")
def setup() -> Setup:
    if "native" not in backends():
        pytest.skip("the native extension is not built here")
    return ceremony(get_backend("native"))


def about(made: Snapshot, opening: OpeningDocument, setup: Setup, model: str, threshold: int) -> Statement:
    """What the verifier forms for himself: the commitment of a document, for the universe of this snapshot."""
    term: CommitmentTerm = commitment_term(opening.commitment(), made.universe, setup, "commitment")
    return Statement.about(made, (term,), audience="lender", nonce="1", model=model, threshold=threshold)


@pytest.mark.parametrize(("venue", "model"), CASES)
def test_a_commitment_made_before_proves_the_excess_after(venue: str, model: str, setup: Setup) -> None:
    earlier, later = across(venue)
    rows = ROWS if venue == "pmrm2" else ROWS + STYLED
    lots = holdings(earlier, *rows).vector(earlier)
    opening = commit_holdings(setup, earlier.universe, tuple(lots))
    secret = opening.opening(later.universe, "opening")
    excess = requirement(later, lots, model=model).excess_ticks
    assert excess != requirement(earlier, lots, model=model).excess_ticks
    statement = about(later, opening, setup, model, excess)
    proof = prove(statement, [secret], setup)
    verify(statement, proof, setup)
    with pytest.raises(WitnessError, match="the threshold"):
        prove(about(later, opening, setup, model, excess + 1), [secret], setup)
    with pytest.raises(VerificationError):
        verify(about(later, opening, setup, model, excess + 1), proof, setup)
    with pytest.raises(VerificationError):
        verify(about(earlier, opening, setup, model, excess), proof, setup)


def test_the_same_holdings_are_read_alike_under_both(setup: Setup) -> None:
    earlier, later = across()
    assert holdings(later, *ROWS, *STYLED).vector(later) == holdings(earlier, *ROWS, *STYLED).vector(earlier)
