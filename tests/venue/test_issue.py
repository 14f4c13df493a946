"""Attesting to one account: own commitments only, fresh randomness, rising sequences, holds that last."""

import inspect
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.attestation.scene import (
    AUDIENCE,
    DOMAIN,
    Desk,
    ceremony_setup,
    holdings,
    key,
    market_snapshot,
    now,
)
from zkmargin import venue as venue_room
from zkmargin.attestation import Hold
from zkmargin.margin.errors import InputError
from zkmargin.prover import commit
from zkmargin.venue import Account, Moment, Register, Venue, attest
from zkmargin.venue.issue import CLOCK_SKEW, sign


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.open(tmp_path, "alpha")


def test_the_attestation_is_of_the_ledgers_holdings(desk: Desk) -> None:
    held = holdings(USD="250000", BTC="3", BTC_PERPETUAL="-50000")
    made = desk.attest(held=held)
    snapshot, attestation = market_snapshot(), made.attestation
    opening = made.opening.opening(snapshot.universe, "opening")
    assert list(opening.lots) == held.vector(snapshot)
    setup = ceremony_setup()
    point = commit(setup, snapshot.universe.domain, opening.lots, opening.blinder)
    assert attestation.point == made.opening.point == setup.backend.encode(point).hex()
    assert attestation.signer == key("alpha").address
    assert attestation.subject == key("trader").address
    assert attestation.signing_domain == DOMAIN
    assert (attestation.universe, attestation.domain) == (snapshot.universe.digest, snapshot.universe.domain)
    assert attestation.complete
    attestation.check_signature("attestation")


def test_randomness_is_fresh_each_time(desk: Desk) -> None:
    made = [desk.attest() for _ in range(3)]
    assert len({one.attestation.point for one in made}) == 3
    assert len({one.opening.blinder for one in made}) == 3
    assert len({one.attestation.digest for one in made}) == 3
    assert [one.attestation.sequence for one in made] == [1, 2, 3]


def test_no_way_in_for_a_commitment_made_elsewhere() -> None:
    """C_X - C_A, signed blindly, would take account A out of a sum: nothing that signs takes a point."""
    words = ("point", "commitment", "opening", "blinder", "attestation")
    for function in (attest, sign, venue_room.attest_book, Venue, venue_room.Account, venue_room.Moment):
        assert not {name for name in inspect.signature(function).parameters if any(w in name for w in words)}


def test_sequences_are_of_the_venue_and_survive(tmp_path: Path) -> None:
    first = Desk.open(tmp_path, "alpha")
    assert first.attest("alice").attestation.sequence == 1
    assert first.attest("bob").attestation.sequence == 2
    first.register.close()
    again = Desk.open(tmp_path, "alpha")
    assert again.attest("alice").attestation.sequence == 3
    assert again.register.newest("alice") == 3
    assert again.register.newest("bob") == 2
    assert again.register.newest("carol") == 0


def test_an_accounts_moment_never_goes_back(desk: Desk) -> None:
    desk.attest(as_of=now())
    desk.attest(as_of=now())
    with pytest.raises(InputError, match="is out already; attest a later moment"):
        desk.attest(as_of=now() - 1)
    assert desk.attest("bob", as_of=now() - 1).attestation.sequence == 3


def test_a_moment_lies_in_the_past_and_lasts() -> None:
    clock = int(time.time())
    assert Moment.lasting(60, clock + CLOCK_SKEW - 5).expiry == clock + CLOCK_SKEW + 55
    with pytest.raises(
        InputError, match=rf"attestation: as_of: {clock + 3600}: the clock is at Unix second \d+"
    ):
        Moment.lasting(60, clock + 3600)
    for expiry in (clock, clock - 1):
        with pytest.raises(InputError, match=f"attestation: expiry: {expiry}: write a time after"):
            Moment(clock, expiry)
    with pytest.raises(InputError, match="lifetime: 0"):
        Moment.lasting(0)


@pytest.mark.parametrize(
    "name",
    [
        "alice ",
        " alice",
        "\tbob",
        "e\u0301",
        "\u00e9",
        "Alice",
        "ALICE",
        "al ice",
        "\u0430lice",
        "-a",
        "a-",
        "a\u200bb",
        "",
    ],
)
def test_no_name_looks_like_anothers(name: str) -> None:
    with pytest.raises(InputError, match="another would look like it"):
        Account(name, key("trader").address)


def test_a_subject_has_a_key() -> None:
    with pytest.raises(InputError, match="this address has no known private key"):
        Account("alice", "0x" + "00" * 20)


def test_open_orders_in_a_ledger_that_has_none(desk: Desk) -> None:
    with pytest.raises(InputError, match="open_orders: 'none': the ledger reserves margin for open orders"):
        desk.attest(held=holdings(USD="100", open_orders="10"))
    assert desk.register.newest("alice") == 0


def test_a_hold_lasts_and_is_nobody_elses(desk: Desk) -> None:
    hold = Hold(until=now() + 100, audience=AUDIENCE)
    assert desk.attest(hold=hold).attestation.hold == hold
    assert desk.attest().attestation.hold == hold, "a hold that lasts is carried on"
    shorter, longer = (Hold(until=now() + t, audience=AUDIENCE) for t in (50, 500))
    assert desk.attest(hold=shorter).attestation.hold == hold, "and not shortened"
    assert desk.attest(hold=longer).attestation.hold == longer
    with pytest.raises(InputError, match="is held for 'lender' until"):
        desk.attest(hold=Hold(until=now() + 900, audience="another"))
    later = now() + 501
    assert desk.attest(as_of=later).attestation.hold is None, "it ends"
    other = Hold(until=later + 9, audience="another")
    assert desk.attest(as_of=later, hold=other).attestation.hold == other


def test_what_was_refused_used_no_sequence(desk: Desk) -> None:
    with pytest.raises(InputError, match="hold until"):
        desk.attest(hold=Hold(until=now(), audience=AUDIENCE))
    with pytest.raises(InputError, match="account"):
        desk.attest("bad\x07name")
    assert desk.attest().attestation.sequence == 1


def test_a_quantity_beyond_its_bound_is_refused(desk: Desk) -> None:
    with pytest.raises(InputError, match="hold at most"):
        desk.attest(held=holdings(BTC=str(10**11)))


@pytest.mark.parametrize("content", [b"not a database at all, but some text of a file", None])
def test_a_register_that_cannot_be_used(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file" / "register.db" if content is None else tmp_path / "register.db"
    (tmp_path / "file").touch()
    if content:
        path.write_bytes(content * 100)
    with pytest.raises(InputError, match=r"register\.db: register"):
        Register(path)


def test_nothing_secret_is_shown(desk: Desk) -> None:
    made = desk.attest(held=holdings(USD="1234567"))
    for shown in (repr(made), str(made), repr(desk.venue)):
        assert made.opening.blinder not in shown
        assert "1234567" not in shown


def test_many_at_once_get_a_sequence_each(tmp_path: Path) -> None:
    """Threads of two registers over one file, as of two processes."""
    desks = [Desk.open(tmp_path, "alpha") for _ in range(2)]
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda number: desks[number % 2].attest(f"account-{number % 5}"), range(40)))
    assert sorted(one.attestation.sequence for one in made) == list(range(1, 41))
    for account in range(5):
        newest = max(
            one.attestation.sequence for one in made if one.attestation.account == f"account-{account}"
        )
        assert desks[0].register.newest(f"account-{account}") == newest
