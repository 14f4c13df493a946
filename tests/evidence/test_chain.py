"""Chain state on a real chain: what is read is there, and whatever is not proven, owned or agreed is refused."""

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.attestation.scene import DOMAIN, ceremony_setup, key, market_snapshot
from tests.evidence.stage import COIN, STRANGER, TRADER, World, issuer, option_name
from zkmargin.attestation.signing import address_bytes
from zkmargin.evidence import attest_reading
from zkmargin.evidence.chain import ChainPlan, ChainReader
from zkmargin.evidence.chain.proofs import AccountProof, proven_account
from zkmargin.evidence.chain.reader import Anyone
from zkmargin.evidence.chain.state import ProvenState
from zkmargin.evidence.chain.storage import in_mapping
from zkmargin.evidence.example import example_contracts
from zkmargin.evidence.reading import Reading
from zkmargin.margin.errors import InputError
from zkmargin.prover import commit


def read(plan: ChainPlan, subject: str = TRADER) -> Reading:
    return ChainReader(plan, DOMAIN).read(market_snapshot(), subject)


def quantities(reading: Reading) -> dict[str, Decimal]:
    return {position.instrument: position.quantity for position in reading.positions}


def test_a_wallets_tokens_are_read_and_never_complete(world: World) -> None:
    found = read(world.wallet())
    assert quantities(found) == {"USD": Decimal("250000.5")}
    assert not found.complete


def test_an_account_that_lists_what_it_holds_is_complete(world: World) -> None:
    found = read(world.account())
    assert found.complete
    # What is owed is rounded up to a lot, what is held down.
    assert quantities(found) == {
        "USD": Decimal("-50000.000001"),
        "BTC": Decimal(3),
        option_name(): Decimal(-2),
    }


def test_shares_of_a_market_count_at_their_price_and_debts_are_netted(world: World) -> None:
    found = read(world.lending())
    assert found.complete
    held = quantities(found)
    assert held["BTC"] == Decimal("2.02")
    assert held["USD"] == Decimal("-30600.000001")


def test_what_is_signed_is_what_was_read(world: World, tmp_path: Path) -> None:
    signer = issuer(tmp_path)
    made, found = attest_reading(signer, ChainReader(world.lending(), DOMAIN), TRADER, 3600)
    attestation = made.attestation
    attestation.check_signature("attestation")
    assert (attestation.source, attestation.complete, attestation.evidence) == ("chain", True, found.evidence)
    assert attestation.as_of == found.as_of <= time.time() + 60
    opening = made.opening.opening(market_snapshot().universe, "opening")
    point = commit(ceremony_setup(), market_snapshot().universe.domain, opening.lots, opening.blinder)
    assert attestation.point == ceremony_setup().backend.encode(point).hex()
    assert attestation.subject == TRADER
    assert TRADER.lower() not in attestation.account.lower()


def test_one_account_has_one_name(world: World, tmp_path: Path) -> None:
    signer = issuer(tmp_path)
    names = {
        attest_reading(signer, ChainReader(plan, DOMAIN), TRADER, 3600)[0].attestation.account
        for plan in (world.lending(), world.lending(confirmations=1), world.lending())
    }
    assert len(names) == 1
    other, _ = attest_reading(signer, ChainReader(world.wallet(), DOMAIN), TRADER, 3600)
    assert other.attestation.account not in names


@pytest.mark.parametrize("part", ["wallet", "lending", "account"])
def test_nobody_attests_to_what_is_anothers(world: World, part: str) -> None:
    with pytest.raises(InputError, match="it belongs to another than the subject"):
        read(getattr(world, part)(), STRANGER)


def test_debts_of_what_is_not_complete_are_refused(world: World, tmp_path: Path) -> None:
    reader = ChainReader(world.lending(complete=False), DOMAIN)
    with pytest.raises(InputError, match="a debt cannot be a part of it"):
        attest_reading(issuer(tmp_path), reader, TRADER, 3600)


def test_other_code_is_refused(world: World) -> None:
    with pytest.raises(InputError, match="see what was changed"):
        read(world.account(content={"code_hash": "11" * 32}))


def test_a_proxy_must_call_what_the_plan_is_for(world: World) -> None:
    """The word that names the implementation is here any that is known: the owner's."""
    slot = in_mapping(example_contracts()["SubAccounts"].layout["ownerOf"], 1)
    named = {"slot": f"{slot:064x}", "address": TRADER}
    assert read(world.account(content={"implementation": named})).positions
    with pytest.raises(InputError, match="see what was changed"):
        read(world.account(content={"implementation": named | {"address": STRANGER}}))


def test_a_node_that_answers_wrongly_keeps_nobody_from_asking_another(world: World) -> None:
    node, number = world.chain.node, world.chain.node.head()
    honest = Anyone([node], number)
    address = address_bytes(world.accounts)

    class Lying:
        def proofs(self, where: bytes, slots: tuple[int, ...]) -> Iterator[AccountProof]:
            yield AccountProof((), {})
            yield node.proof(address_bytes(world.token), slots, number)
            yield from honest.proofs(where, slots)

    root = node.header(number).state_root
    contract = world.account().account
    assert contract is not None
    slot = in_mapping(contract.owners, 1)
    assert ProvenState(root, Lying(), "block").word(contract, slot) == int(TRADER, 16)
    assert proven_account(root, address, next(honest.proofs(address, ())).account, "block").address == address


def test_an_account_that_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(InputError, match="the state has no account there"):
        read(world.account(content={"address": key("nowhere").address}))


def test_wrong_slots_are_refused(world: World) -> None:
    with pytest.raises(InputError, match=r"names another place in the list|owner"):
        read(world.account(content={"balances": 9}))
    with pytest.raises(InputError, match="it belongs to another"):
        read(world.account(content={"owners": 9}))


def test_an_asset_that_the_plan_does_not_know_is_refused(world: World) -> None:
    assets = [{"asset": COIN, "sub_id": "0", "instrument": "BTC", "decimals": 18}]
    with pytest.raises(InputError, match="the plan does not say what it is"):
        read(world.account(content={"assets": assets}))


def test_a_stale_block_is_refused(world: World) -> None:
    world.chain.mine()
    time.sleep(2.1)
    with pytest.raises(InputError, match="s old; at most 1 s are taken"):
        read(world.wallet(oldest=1))


def test_a_chain_that_is_not_deep_enough_is_refused(world: World) -> None:
    with pytest.raises(InputError, match="blocks lie on top of the first"):
        read(world.wallet(confirmations=10_000))


def test_another_chain_is_refused(world: World) -> None:
    with pytest.raises(InputError, match="it follows another chain than 1"):
        read(world.wallet(chain_id=1))
