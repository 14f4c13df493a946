"""Which block counts: a quorum must name the same one, deep enough, and it must still be there after reading."""

import time
from typing import Any

import pytest

from tests.attestation.scene import DOMAIN, key, market_snapshot
from tests.evidence.stage import TRADER, World, started_chain
from zkmargin.attestation import SigningDomain
from zkmargin.evidence.chain import (
    BlockRootDocument,
    ChainPlan,
    ChainReader,
    Node,
    Quorum,
    agreed_block,
    signed_block,
)
from zkmargin.evidence.chain.blocks import check_still_there
from zkmargin.margin.errors import InputError

TOKEN = {
    "address": TRADER,
    "code_hash": "ab" * 32,
    "slot": 0,
    "instrument": "USD",
    "decimals": 6,
}
AWAY = "http://127.0.0.1:9"
SIGNERS = tuple(key(name).address for name in ("one", "two", "three"))


def quorum(votes: int = 1, confirmations: int = 2, oldest: int = 600) -> Quorum:
    return Quorum(31337, votes, confirmations, oldest)


def test_a_node_that_is_away_does_not_count(world: World) -> None:
    nodes = [Node(world.chain.url), Node(AWAY)]
    found = agreed_block(nodes, quorum(), time.time())
    assert len(found.witnesses) == 1
    assert found.confirmations == 2
    with pytest.raises(InputError, match="2 must answer"):
        agreed_block(nodes, quorum(2), time.time())


def test_nodes_that_name_different_blocks_are_no_quorum(world: World) -> None:
    with started_chain() as other:
        other.mine(20)
        world.chain.mine(20)
        nodes = [Node(world.chain.url), Node(other.url)]
        with pytest.raises(InputError, match="2 must name the same block"):
            agreed_block(nodes, quorum(2), time.time())


def test_a_block_that_was_reorganised_is_refused(world: World) -> None:
    node = Node(world.chain.url)
    back = world.chain.node.ask("evm_snapshot")
    world.chain.mine(4)
    block = agreed_block([node], quorum(), time.time())
    check_still_there([node], block, quorum())
    world.chain.node.ask("evm_revert", back)
    world.do("Token", "mint", key("somebody").address, 1)
    world.chain.mine(4)
    with pytest.raises(InputError, match="1 must still have block"):
        check_still_there([node], block, quorum())


def test_a_reader_looks_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    own = Node.header

    def header(self: Node, number: int) -> Any:
        found = own(self, number)
        seen.append(number)
        if len(seen) > 1:
            monkeypatch.setattr(Node, "header", own)
            return type(found)(found.number, bytes(32), found.state_root, found.timestamp)
        return found

    monkeypatch.setattr(Node, "header", header)
    with pytest.raises(InputError, match="still have block"):
        ChainReader(world.wallet(), DOMAIN).read(market_snapshot(), TRADER)
    assert len(seen) == 2


def root(signer: str = "one", domain: SigningDomain = DOMAIN, **changes: Any) -> BlockRootDocument:
    content = {
        "chain": 31337,
        "number": 100,
        "block_hash": "ab" * 32,
        "state_root": "cd" * 32,
        "timestamp": int(time.time()) - 30,
        "head": 110,
    }
    return BlockRootDocument.sign(key(signer), domain, **(content | changes))


def signed(*roots: BlockRootDocument, votes: int = 2, confirmations: int = 10) -> Any:
    return signed_block(roots, SIGNERS, quorum(votes, confirmations), DOMAIN, time.time())


def test_a_quorum_of_signers() -> None:
    found = signed(root("one"), root("two", head=120))
    assert (found.number, found.confirmations, len(found.witnesses)) == (100, 10, 2)


@pytest.mark.parametrize(
    ("roots", "message"),
    [
        ([], "name the signed roots"),
        ([root("one")], "2 must sign the block"),
        ([root("one"), root("one", head=111)], "2 must sign the block"),
        ([root("one"), root("stranger")], "not among the plan's signers"),
        ([root("one"), root("two", state_root="ce" * 32)], "reorganised"),
        ([root("one"), root("two", block_hash="ac" * 32)], "reorganised"),
        ([root("one"), root("two", head=109)], "10 blocks must lie on top"),
        ([root("one", chain=1), root("two", chain=1)], "the plan is for chain 31337"),
        (
            [root("one"), root("two", SigningDomain(2, DOMAIN.verifying_contract))],
            "signed for other verifiers",
        ),
        ([root("one", timestamp=1), root("two", timestamp=1)], "s old; at most 600 s"),
        ([root("one"), root("two").model_copy(update={"head": 150})], "signature"),
    ],
)
def test_signers_that_are_no_quorum(roots: list[BlockRootDocument], message: str) -> None:
    with pytest.raises(InputError, match=message):
        signed(*roots)


def test_signers_stand_in_for_a_quorum_of_nodes(world: World) -> None:
    """The node then only hands out proofs, which are checked against the root that was signed."""
    number = world.chain.node.head() - 2
    header = world.chain.node.header(number)
    content: dict[str, Any] = {
        "number": number,
        "block_hash": header.hash.hex(),
        "state_root": header.state_root.hex(),
        "timestamp": header.timestamp,
        "head": number + 2,
    }
    plan = world.wallet(signers=SIGNERS, quorum=2)
    roots = [root(name, **content) for name in ("one", "two")]
    found = ChainReader(plan, DOMAIN, roots).read(market_snapshot(), TRADER)
    assert found.positions
    wrong = [root(name, **(content | {"state_root": "11" * 32})) for name in ("one", "two")]
    with pytest.raises(InputError, match="do not lead from the root"):
        ChainReader(plan, DOMAIN, wrong).read(market_snapshot(), TRADER)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quorum": 2}, "a quorum is more than half"),
        ({"signers": SIGNERS, "quorum": 1}, "a quorum is more than half"),
        ({"endpoints": [AWAY, AWAY + "/other"], "quorum": 2}, "the same host and port"),
        ({"signers": (SIGNERS[0], SIGNERS[0]), "quorum": 2}, "listed twice"),
        ({"wallet": None}, "describe one of wallet"),
        ({"endpoints": ["ftp://somewhere"]}, "endpoints"),
        ({"wallet": {"holder": TRADER, "tokens": [TOKEN, TOKEN]}}, "a token is listed twice"),
    ],
)
def test_plans_that_show_nothing(world: World, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChainPlan.model_validate({**world.wallet().model_dump(), **changes})
