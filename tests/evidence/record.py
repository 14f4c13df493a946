"""Writes recorded/state.json from a local chain: python -m tests.evidence.record, where that is installed."""

import json
from pathlib import Path

from tests.attestation.scene import market_snapshot
from tests.evidence.conftest import furnish
from tests.evidence.stage import TRADER, World, started_chain
from zkmargin.attestation.signing import address_of
from zkmargin.evidence.chain.accounts import shown
from zkmargin.evidence.chain.reader import Anyone
from zkmargin.evidence.chain.state import ProvenState

FILE = Path(__file__).resolve().parent / "recorded/state.json"
PARTS = ("wallet", "account", "lending")
OTHERS = 120
"""Accounts and balances beside those that are read, so that paths are as long as they come."""


def main() -> None:
    """Record one block: its header, and the proofs of every plan."""
    with started_chain() as chain:
        world = World.deployed(chain)
        furnish(world)
        for number in range(1, OTHERS):
            holder = address_of(number.to_bytes(20, "big"))
            world.do("Token", "mint", holder, number)
            world.do("LendingMarket", "supply", number, sender=holder)
        node = chain.node
        header = node.ask("eth_getBlockByNumber", "latest", False)
        number = int(header["number"], 16)
        found = {
            "header": {name: value for name, value in header.items() if name != "transactions"},
            "plans": {},
        }
        for part in PARTS:
            plan = getattr(world, part)()
            state = ProvenState(bytes.fromhex(header["stateRoot"][2:]), Anyone([node], number), "block")
            positions = shown(plan, state, market_snapshot(), TRADER).positions
            found["plans"][part] = {
                "plan": plan.model_dump(mode="json", exclude_none=True),
                "proofs": state.document(),
                "positions": {one.instrument: str(one.quantity) for one in positions},
            }
    FILE.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
