"""`zkmargin demo-evidence`: a chain, a custodian and an auditor say what is held, and a lender's policy decides."""

import json
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zkmargin.algebra import Setup
from zkmargin.attestation import (
    Hold,
    SigningDomain,
    SigningKey,
    SubmissionDocument,
    SubmissionTerms,
    VerifiedMap,
    sign_map,
)
from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.demo.walk import Walk
from zkmargin.cli.options.backend import chosen_setup
from zkmargin.cli.output.terminal import answer, console, json_option
from zkmargin.margin.account.contract_map import target
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market import example_market
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import prove_submission
from zkmargin.verifier import Expected, Policy, PolicyError, verify_submission

# Databases, tries and exchanges are large libraries: imported when the walk begins.
if TYPE_CHECKING:
    from zkmargin.evidence import Reader
    from zkmargin.evidence.example import LocalChain
    from zkmargin.venue import Attested

LENDER, NONCE = "lender", "asked at noon"
DOMAIN = SigningDomain(1, "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF")
USD, HOUR = 10**6, 3600
CHAIN_ID, WEI, CENTS = 31337, 10**18, 10**6
PLEDGE = 60_000 * USD

POLICY = """\
audience = "{lender}"
chain_id = {domain.chain_id}
verifying_contract = "{domain.verifying_contract}"
snapshot_age = 3600
as_of_window = 7200
sources = ["chain", "custodian", "auditor"]
[grades.chain]
complete = false
haircut = "0.2"
evidence = true
[grades.auditor]
age = 600
evidence = true
[models.grid]
level = "initial"
"""


@dataclass(frozen=True)
class Stage:
    """What the steps share.

    Attributes:
        walk: what has been shown.
        folder: for what is written.
        setup: the ceremony's powers.
        snapshot: the market.
        trader: the trader's key.
        signers: the key of each that attests, by name.
        policy: the lender's.
    """

    walk: Walk
    folder: Path
    setup: Setup
    snapshot: Snapshot
    trader: SigningKey
    signers: dict[str, SigningKey]
    policy: Policy

    def attest(
        self, name: str, reader: "Reader", hold: Hold | None = None, contracts: VerifiedMap | None = None
    ) -> "Attested":
        """Have a source read, and what it says signed by this name."""
        from zkmargin.evidence import Issuer, attest_reading  # noqa: PLC0415
        from zkmargin.venue import Register  # noqa: PLC0415

        register = Register(self.folder / f"{name}.db")
        try:
            issuer = Issuer(name, self.signers[name], DOMAIN, self.setup, self.snapshot, register, contracts)
            made, reading = attest_reading(issuer, reader, self.trader.address, HOUR, hold=hold)
        finally:
            register.close()
        attestation = made.attestation
        whole = "nothing is left out" if attestation.complete else "collateral only"
        rests = f"evidence {attestation.evidence[:16]}.." if attestation.evidence else "on its word alone"
        self.walk.say(f"{name}: {attestation.source}, {len(reading.positions)} positions, {whole}, {rests}")
        self.walk.document[name] = {"source": attestation.source, "complete": attestation.complete}
        return made


@click.command("demo-evidence")
@json_option
def demo_evidence(as_json: bool) -> None:
    """Walk through holdings that no venue's ledger says.

    A chain on this machine shows an account with its debts and a wallet, a custodian its ledger, and an auditor what
    was read at a venue. A lender's policy nets the first with the custodian's, counts the wallet less a haircut, and
    refuses the auditor's reading for its age. Needs anvil; all that is written is removed at the end.
    """
    from zkmargin.evidence.example import local_chain  # noqa: PLC0415

    walk = Walk(as_json, console())
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="zkmargin-demo-") as name, local_chain(CHAIN_ID) as chain:
        play(begin(walk, Path(name)), chain)
    walk.document["seconds"] = round(time.perf_counter() - started, 6)
    walk.say("", f"All of it took {walk.document['seconds']:.1f} s; nothing is left.")
    if as_json:
        answer(as_json, walk.document)


def begin(walk: Walk, folder: Path) -> Stage:
    """Keys, a market, and the lender's policy."""
    signers = {name: SigningKey.generate() for name in ("accounts", "wallets", "custodian", "auditor")}
    venues = "".join(f'[venues.{name}]\nkeys = ["{key.address}"]\n' for name, key in signers.items())
    policy = Policy.parse(POLICY.format(lender=LENDER, domain=DOMAIN) + venues, "policy")
    opened = int(time.time() * 10**6)
    snapshot = Snapshot.build(replace(example_market(opened), valuation_time=opened))
    return Stage(walk, folder, chosen_setup(), snapshot, SigningKey.generate(), signers, policy)


def play(stage: Stage, chain: "LocalChain") -> None:
    """The story."""
    walk = stage.walk
    walk.heading("A chain: an account with a debt, and a wallet; both from proofs under a block's state root")
    account, wallet = on_chain(stage, chain)
    walk.heading("A custodian: cash, locked for the lender")
    custody = at_custodian(stage)
    walk.heading("An auditor: what a venue answered to a key that can only read, twice, an hour ago")
    audit = at_venue(stage)

    walk.heading("The trader proves the account on chain and the custodian's as one: the debt is netted")
    for name, made in (("the account on chain", account), ("the custodian's", custody)):
        opening = made.opening.opening(stage.snapshot.universe, "opening")
        excess = requirement(stage.snapshot, list(opening.lots)).excess_ticks
        walk.say(
            f"alone the excess of {name} is {excess / USD:,.0f} USD, which only its signer and the trader know"
        )
    accepted(stage, "netted", submission(stage, [account, custody], PLEDGE, {}))

    walk.heading("The wallet beside them: never in the sum, proven alone, and counted less a haircut")
    accepted(
        stage,
        "collateral",
        submission(stage, [account, custody, wallet], PLEDGE, {"wallets": 50_000 * USD}, 40_000 * USD),
    )

    walk.heading("The auditor's reading in the place of the custodian's")
    refused(stage, "auditor", submission(stage, [account, audit], 0, {}), "source-age")


def on_chain(stage: Stage, chain: "LocalChain") -> tuple["Attested", "Attested"]:
    """Contracts, what the trader has in them, and two readings."""
    from zkmargin.evidence.chain import ChainPlan, ChainReader  # noqa: PLC0415
    from zkmargin.evidence.example import example_contracts  # noqa: PLC0415

    contracts, holder = example_contracts(), stage.trader.address
    token, accounts = chain.deploy(contracts["Token"], 6), chain.deploy(contracts["SubAccounts"])
    coin = chain.deploy(contracts["Token"], 18)
    chain.send(holder, token, contracts["Token"].call("mint", holder, 50_000 * CENTS))
    send = contracts["SubAccounts"].call
    chain.send(holder, accounts, send("open", holder))
    chain.send(holder, accounts, send("adjust", 1, coin, 0, 2 * WEI))
    chain.send(holder, accounts, send("adjust", 1, token, 0, -170_000 * WEI))
    chain.mine(3)
    block = {"chain_id": CHAIN_ID, "endpoints": [chain.url], "quorum": 1, "confirmations": 2}
    layout = contracts["SubAccounts"].layout
    account = {
        "address": accounts,
        "code_hash": chain.code_hash(accounts),
        "account": 1,
        "owners": layout["ownerOf"],
        "balances": layout["balanceAndOrder"],
        "held": layout["heldAssets"],
        "assets": [
            {"asset": coin, "sub_id": "0", "instrument": "BTC"},
            {"asset": token, "sub_id": "0", "instrument": "USD"},
        ],
    }
    balance = {
        "address": token,
        "code_hash": chain.code_hash(token),
        "slot": contracts["Token"].layout["balanceOf"],
        "instrument": "USD",
        "decimals": 6,
    }

    def read(name: str, **part: Any) -> "Attested":
        return stage.attest(name, ChainReader(ChainPlan.model_validate(block | part), DOMAIN))

    return read("accounts", account=account), read("wallets", wallet={"holder": holder, "tokens": [balance]})


def at_custodian(stage: Stage) -> "Attested":
    """The custodian's ledger, with a hold."""
    from zkmargin.evidence.custodian import Custodian  # noqa: PLC0415

    ledger = stage.folder / "ledger.csv"
    ledger.write_text("instrument,quantity\nUSD,150000\n")
    now = int(time.time())
    reader = Custodian("cold-storage-7", stage.trader.address, ledger, now)
    return stage.attest("custodian", reader, Hold(until=now + 2 * HOUR, audience=LENDER))


def at_venue(stage: Stage) -> "Attested":
    """Answers that an auditor has saved, in the form of a venue's API."""
    from zkmargin.evidence.auditor import Auditor, AuditPlan  # noqa: PLC0415

    at = int(time.time()) - HOUR + 60
    answers = {
        "keys": {"result": []},
        "summaries": {"result": {"id": 71, "summaries": [{"currency": "USDC", "balance": "500000"}]}},
        "positions": {"result": []},
        "orders": {"result": []},
    }
    readings = [{"at": moment, "answers": answers} for moment in (at, at + 5)]
    (stage.folder / "saved.json").write_text(json.dumps({"venue": "deribit", "readings": readings}))
    plan = AuditPlan(
        venue="deribit", subject=stage.trader.address, saved="saved.json", directory=stage.folder
    )
    universe, key = stage.snapshot.universe, stage.signers["auditor"]
    targets = {"USDC": target("USD", "1", "USD", universe, "map")}
    signed = sign_map(key, DOMAIN, targets, universe, venue="auditor", as_of=at - HOUR)
    contracts = signed.verified(universe, key.address, "map")
    return stage.attest("auditor", Auditor(plan, contracts), contracts=contracts)


def submission(
    stage: Stage, made: list["Attested"], threshold: int, collateral: dict[str, int], more: int = 0
) -> SubmissionDocument:
    """Proofs over these accounts, for a pledge of the threshold and so much more that collateral covers."""
    accounts = [(one.attestation, one.opening.opening(stage.snapshot.universe, "opening")) for one in made]
    expiry = int(time.time()) + HOUR // 2
    terms = SubmissionTerms("grid", "initial", threshold, threshold + more, LENDER, NONCE, expiry, collateral)
    return prove_submission(accounts, stage.snapshot, terms, stage.trader, stage.setup)


def accepted(stage: Stage, name: str, submitted: SubmissionDocument) -> None:
    """Show that the policy takes it, and that its proofs hold. Raises NotProvenError otherwise."""
    expected = Expected(NONCE, 0, {})
    with stage.walk.timed(name) as seconds:
        try:
            prepared = verify_submission(submitted, stage.snapshot, stage.policy, stage.setup, expected)
        except PolicyError as error:
            raise NotProvenError(f"{name} was refused: {error}; trust no policy of this build") from None
    beside = f", and {prepared.collateral / USD:,.0f} USD of collateral" if prepared.collateral else ""
    stage.walk.document[f"{name}_collateral"] = prepared.collateral // USD
    stage.walk.say(
        f"accepted: an excess of {submitted.threshold / USD:,.0f} USD over {len(submitted.attestations)} accounts"
        f"{beside}, verified in {1000 * seconds():.0f} ms; {submitted.amount / USD:,.0f} USD are pledged"
    )


def refused(stage: Stage, name: str, submitted: SubmissionDocument, code: str) -> None:
    """Show that the policy refuses it by this rule. Raises NotProvenError otherwise."""
    try:
        verify_submission(submitted, stage.snapshot, stage.policy, stage.setup, Expected(NONCE, 0, {}))
    except PolicyError as error:
        if error.code != code:
            raise NotProvenError(
                f"refused for {error}, not for {code}; trust no policy of this build"
            ) from None
        stage.walk.document[f"{name}_refused"] = error.code
        stage.walk.say(f"    refused: {error}")
        return
    raise NotProvenError(f"{name} was accepted; trust no policy of this build")
