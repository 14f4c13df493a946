"""A chain with the example's contracts, and the plans that read them, for the tests of evidence."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.attestation.scene import DOMAIN, ceremony_setup, key, market_snapshot
from zkmargin.attestation.signing import address_of
from zkmargin.evidence import Issuer
from zkmargin.evidence.chain import ChainPlan
from zkmargin.evidence.example import LocalChain, example_contracts, local_chain
from zkmargin.evidence.example.local_chain import INSTALLED
from zkmargin.margin.errors import InputError
from zkmargin.venue import Register

TRADER = key("trader").address
STRANGER = key("stranger").address
CASH, COIN, OPTION = (address_of(bytes(19) + bytes([number])) for number in (0x11, 0x12, 0x13))
"""Assets of the accounts that list what they hold."""


@contextmanager
def started_chain() -> Iterator[LocalChain]:
    """A chain; without its program tests are skipped on a machine of one's own, and fail in CI."""
    if shutil.which("anvil") is None and not (INSTALLED.exists() and shutil.which("node")):
        if os.environ.get("CI"):
            pytest.fail("the chain's program is not here: run npm ci in verifier/contract")
        pytest.skip("the chain's program is not here: run npm ci in verifier/contract")
    with local_chain() as chain:
        yield chain


@dataclass
class World:
    """Contracts on a chain."""

    chain: LocalChain
    token: str = ""
    accounts: str = ""
    market: str = ""
    code: dict[str, str] = field(default_factory=dict)

    @classmethod
    def deployed(cls, chain: LocalChain) -> "World":
        contracts = example_contracts()
        world = cls(
            chain,
            chain.deploy(contracts["Token"], 6),
            chain.deploy(contracts["SubAccounts"]),
            chain.deploy(contracts["LendingMarket"]),
        )
        world.code = {name: chain.code_hash(name) for name in (world.token, world.accounts, world.market)}
        return world

    def do(self, name: str, function: str, *arguments: Any, sender: str = TRADER) -> None:
        """Call a contract's function."""
        to = {"Token": self.token, "SubAccounts": self.accounts, "LendingMarket": self.market}[name]
        self.chain.send(sender, to, example_contracts()[name].call(function, *arguments))

    def plan(self, part: str, content: dict[str, Any], **changes: Any) -> ChainPlan:
        whole = {
            "chain_id": 31337,
            "endpoints": [self.chain.url],
            "quorum": 1,
            "confirmations": 2,
            part: content,
        }
        return ChainPlan.model_validate(whole | changes)

    def wallet(self, holder: str = TRADER, **changes: Any) -> ChainPlan:
        token = {
            "address": self.token,
            "code_hash": self.code[self.token],
            "slot": example_contracts()["Token"].layout["balanceOf"],
            "instrument": "USD",
            "decimals": 6,
        }
        return self.plan("wallet", {"holder": holder, "tokens": [token]}, **changes)

    def account(self, number: int = 1, **changes: Any) -> ChainPlan:
        layout = example_contracts()["SubAccounts"].layout
        content = {
            "address": self.accounts,
            "code_hash": self.code[self.accounts],
            "account": number,
            "owners": layout["ownerOf"],
            "balances": layout["balanceAndOrder"],
            "held": layout["heldAssets"],
            "assets": [
                {"asset": CASH, "sub_id": "0", "instrument": "USD", "decimals": 18},
                {"asset": COIN, "sub_id": "0", "instrument": "BTC", "decimals": 18},
                {"asset": OPTION, "sub_id": "7", "instrument": option_name(), "decimals": 18},
            ],
        }
        return self.plan("account", content | changes.pop("content", {}), **changes)

    def lending(self, holder: str = TRADER, *, complete: bool = True, **changes: Any) -> ChainPlan:
        layout = example_contracts()["LendingMarket"].layout

        def amount(shares: str, price: str, instrument: str, decimals: int) -> dict[str, Any]:
            return {
                "slot": layout[shares],
                "instrument": instrument,
                "decimals": decimals,
                "price_slot": layout[price],
                "price_decimals": 18,
            }

        content = {
            "address": self.market,
            "code_hash": self.code[self.market],
            "holder": holder,
            "collateral": [amount("collateralShares", "collateralPrice", "BTC", 8)],
            "debts": [amount("debtShares", "debtPrice", "USD", 6)],
            "complete": complete,
        }
        return self.plan("market", content, **changes)


def option_name() -> str:
    """Some option of the example market."""
    return next(one.name for one in market_snapshot().universe.instruments if one.kind == "option")


def issuer(directory: Path, name: str = "prover-of-state") -> Issuer:
    """A signer with a register of its own."""
    return Issuer(
        name, key(name), DOMAIN, ceremony_setup(), market_snapshot(), Register(directory / f"{name}.db")
    )


def refusal(error: pytest.ExceptionInfo[InputError]) -> str:
    return str(error.value)
