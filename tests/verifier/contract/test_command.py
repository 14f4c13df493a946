"""The commands, from a policy to a pledge, against a chain on loopback."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.attestation.scene import key
from tests.cli.harness import Ran, finished
from tests.verifier.contract.evms import CHAIN_ID, RICH, Anvil
from tests.verifier.contract.stage import AUDIENCE, Stage, policy
from tests.verifier.service.world import TICKS, snapshot
from zkmargin.circuits import build_relation
from zkmargin.circuits.program import encode_program
from zkmargin.cli.command import command
from zkmargin.margin.errors import InputError
from zkmargin.verifier.contract.ledger import the_model

POLICY = f"""
audience = "{AUDIENCE}"
chain_id = {CHAIN_ID}
verifying_contract = "{RICH.address}"
snapshot_age = 3600
[venues]
alpha = {{ keys = ["{key("alpha").address}"] }}
[oracles]
pyx = {{ keys = ["{key("oracle").address}", "{key("oracle 2").address}"] }}
[models.grid]
"""


def run(*arguments: object) -> Ran:
    return finished(CliRunner().invoke(command, ["contract", *map(str, arguments)]))


def document(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    return ran.document


def key_file(folder: Path, name: str, secret: bytes) -> Path:
    path = folder / f"{name}.key"
    path.touch(mode=0o600)
    path.write_text("0x" + secret.hex() + "\n")
    return path


@pytest.fixture(scope="module")
def world(node: Anvil, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A ledger that the command deployed, with a snapshot that it published."""
    folder = tmp_path_factory.mktemp("contract")
    rich = key_file(folder, "rich", RICH.export())
    oracle, second = (key_file(folder, name, key(name).export()) for name in ("oracle", "oracle 2"))
    policy = folder / "policy.toml"
    policy.write_text(POLICY)
    rpc = ("--rpc", node.url)
    deploy = ("deploy", policy, *rpc, "--key", rich, "--lender", RICH.address, "--quorum", 2, "--json")
    made = document(run(*deploy))
    moment = int(time.time())
    node.at(moment)
    taken = snapshot(moment - 1)
    market = folder / "market.json"
    market.write_bytes(taken.encode())
    signatures = []
    for name in (oracle, second):
        signatures += ["--signature", folder / f"{name.stem}.json"]
        where = ("--chain-id", CHAIN_ID, "--contract", made["ledger"])
        document(run("sign", market, "--key", name, *where, "-o", signatures[-1], "--json"))
    publish = ("publish", market, *signatures, *rpc, "--contract", made["ledger"], "--key", rich, "--json")
    assert document(run(*publish))["snapshot"] == taken.id
    stage = Stage(node, made["verifier"], made["ledger"])
    stage.taken = taken
    return {"folder": folder, "rich": rich, "market": market, "rpc": rpc, "stage": stage, "publish": publish}


def test_a_program_is_what_the_relation_says(world: dict[str, Any]) -> None:
    relation = build_relation(world["stage"].taken)
    output = world["folder"] / "program.bin"
    found = document(run("program", world["market"], "-o", output, "--json"))
    assert found["program"] == relation.digest.hex()
    assert output.read_bytes() == encode_program(relation)


def test_from_a_challenge_to_a_pledge_and_its_renewal(world: dict[str, Any]) -> None:
    stage, rpc = world["stage"], world["rpc"]
    where = ("--contract", stage.address)
    subject = key("trader").address
    ask = ("challenge", *rpc, *where, "--subject", subject, "--account", "alpha/a", "--json")
    asked = document(run(*ask))
    assert (asked["covered"], asked["snapshot"]) == (0, stage.taken.id)
    account = stage.attest()
    submission = stage.submission([account], nonce=asked["nonce"])
    path = world["folder"] / "submission.json"
    path.write_bytes(submission.encode())
    output = world["folder"] / "call.bin"
    assert document(run("calldata", world["market"], path, "-o", output, "--json"))["to"] == stage.address
    assert output.read_bytes() == stage.calldata(submission)
    assert document(run("verify", world["market"], path, *rpc, "--json"))["accepted"] is True
    made = document(run("pledge", world["market"], path, *rpc, "--key", world["rich"], "--json"))
    assert (made["amount"], made["subject"], made["renewal"]) == (100_000 * TICKS, subject, False)
    assert made["secured"] is True
    assert document(run(*ask))["covered"] == 100_000 * TICKS
    shown = document(run("status", made["pledge"], *rpc, *where, "--json"))
    assert (shown["status"], shown["subject"]) == ("active", subject)
    again = run("pledge", world["market"], path, *rpc, "--key", world["rich"])
    assert again.code == 1
    assert "refused by the contract: SubjectSignature" in again.err
    path.write_bytes(stage.submission([account]).encode())
    renewed = run(
        "pledge", world["market"], path, *rpc, "--key", world["rich"], "--renew", made["pledge"], "--json"
    )
    assert document(renewed)["renewal"] is True


def test_a_snapshot_is_published_once(world: dict[str, Any]) -> None:
    ran = run(*world["publish"])
    assert ran.code == 1
    assert "refused by the contract: SnapshotKnown" in ran.err


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("each_venue = true", "each_venue"),
        ('required_venues = ["alpha"]', "required_venues"),
        ('open_orders = ["none"]', "open_orders"),
        ("chain_id = 5", "chain_id"),
    ],
)
def test_a_policy_that_no_contract_can_check(world: dict[str, Any], line: str, named: str) -> None:
    path = world["folder"] / "other.toml"
    text = POLICY.replace(f"chain_id = {CHAIN_ID}\n", "") if named == "chain_id" else POLICY
    path.write_text(line + text)
    ran = run("deploy", path, *world["rpc"], "--key", world["rich"])
    assert ran.code == 2
    assert named in ran.err


def test_wrong_addresses_and_files_are_told(world: dict[str, Any]) -> None:
    away = run("status", 1, "--rpc", "http://127.0.0.1:1", "--contract", world["stage"].address)
    assert away.code == 2
    assert "http://127.0.0.1:1: eth_call" in away.err
    nothing = run("status", 1, *world["rpc"], "--contract", key("nothing there").address)
    assert nothing.code == 2
    assert "give the address of a PledgeLedger" in nothing.err
    slash = ("challenge", *world["rpc"], "--contract", world["stage"].address, "--subject", RICH.address)
    assert "--account" in run(*slash, "--account", "alpha").err
    empty = world["folder"] / "empty.json"
    empty.write_text(json.dumps({}))
    assert run("verify", world["market"], empty, *world["rpc"]).code == 2


def test_a_ledger_on_a_chain_takes_no_pinned_parameters() -> None:
    """No contract derives parameters: a pin would be dropped without a word."""
    asked = policy("0x" + "11" * 20, models={"grid": {"pins": ["ab" * 32]}})
    with pytest.raises(InputError, match=r"models\.grid\.pins"):
        the_model(asked)
