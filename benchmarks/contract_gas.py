"""Gas of verifying a proof on an EVM, by scenarios and limb columns: the table of docs/contract.md.

    python -m benchmarks.contract_gas

needs Node.js and `npm ci` in verifier/contract; it starts a node on loopback and ends it. A pledge is everything: the
proof, an attestation with its signature, the subject's signature, and the ledger's own storage.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.attestation.scene import key
from tests.verifier.contract.evms import Anvil, anvil, deployed
from tests.verifier.contract.stage import Stage
from tests.verifier.service.world import setup
from zkmargin.attestation import AttestationDocument
from zkmargin.circuits import build_relation
from zkmargin.circuits.program import encode_program
from zkmargin.cli.demo.account import example_positions
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market import Market, example_market
from zkmargin.margin.market.example import VALUATION_TIME
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import commit_holdings
from zkmargin.verifier.contract.artifacts import contracts
from zkmargin.verifier.contract.encoding import program_chunks
from zkmargin.verifier.contract.ledger import ledger, publication_call


@dataclass(frozen=True)
class Measured:
    """One line: a market over a domain."""

    scenarios: int
    instruments: int
    domain: int
    columns: int
    program_bytes: int
    publish: int
    first: int
    renewal: int

    def row(self) -> str:
        """As the table has it."""
        return (
            f"| {self.scenarios} | {self.instruments} | {self.domain} | {self.columns} "
            f"| {self.program_bytes:,} | {self.publish:,} | {self.first:,} | {self.renewal:,} |"
        )


HEADER = """| scenarios | instruments | slots | limb columns | program, bytes | publish | pledge | renewal |
|---|---|---|---|---|---|---|---|"""


def markets() -> Iterator[tuple[Market, int]]:
    """One coin and two, over the domains that they fit."""
    whole = example_market()
    one = without(whole, "ETH")
    yield from ((one, domain) for domain in (256, 512, 1024))
    yield from ((whole, domain) for domain in (512, 1024, 2048))


def without(market: Market, coin: str) -> Market:
    """The market without what has a coin's name in its own."""
    kept = [place for place, one in enumerate(market.instruments) if coin not in one.name]
    indices = {name: value for name, value in market.inputs.indices.items() if name != coin}
    quotes = tuple(market.inputs.quotes[place] for place in kept)
    instruments = tuple(market.instruments[place] for place in kept)
    return replace(
        market, instruments=instruments, inputs=replace(market.inputs, quotes=quotes, indices=indices)
    )


def measure(node: Anvil, verifier: str, market: Market, domain: int) -> Measured:
    """Publish, pledge, renew."""
    taken = Snapshot.build(market, domain=domain)
    stage = Stage.deploy(node, verifier=verifier, snapshot_age=86400)
    stage.taken = taken
    relation = build_relation(taken)
    stored = [stage.call("store", chunk) for chunk in program_chunks(relation)]
    places = [ledger().answer("store", one.data)[0] for one in stored]
    published = node.run(stage.address, publication_call([stage.signed_program(taken)], places))
    assert published.refused is None, published.refused
    names = {one.name for one in taken.universe.instruments}
    positions = [one for one in example_positions() if one.instrument in names]
    lots = tuple(Holdings.of(positions, taken).vector(taken))
    excess = requirement(taken, list(lots), model="grid").excess_ticks
    opening = commit_holdings(setup(), taken.universe, lots)
    document, _ = stage.attest()
    fields = document.model_dump(
        mode="json", exclude={"signer", "signature", "chain_id", "verifying_contract"}
    )
    signed = AttestationDocument.sign(key("alpha"), stage.domain, **(fields | {"point": opening.point}))
    account = signed, opening.opening(taken.universe, "opening")
    first = stage.pledge(stage.submission([account], threshold=excess, amount=excess // 2))
    assert first.refused is None, first.refused
    (number,) = ledger().answer("pledge", first.data)
    again = stage.pledge(stage.submission([account], threshold=excess, amount=excess // 2), renews=number)
    assert again.refused is None, again.refused
    tables: Any = taken.models["grid"]
    return Measured(
        scenarios=len(tables.cells) * len(tables.units),
        instruments=len(taken.universe),
        domain=domain,
        columns=relation.limb_columns,
        program_bytes=len(encode_program(relation)),
        publish=sum(one.gas for one in stored) + published.gas,
        first=first.gas,
        renewal=again.gas,
    )


def main() -> None:
    """Print the table."""
    with anvil() as node:
        node.at(VALUATION_TIME // 10**6 + 10)
        verifier = deployed(node, "MarginVerifier")
        print(HEADER)
        for market, domain in markets():
            print(measure(node, verifier, market, domain).row(), flush=True)
    for name, one in contracts().items():
        print(f"{name}: {one.runtime_bytes:,} bytes of 24,576")


if __name__ == "__main__":
    main()
