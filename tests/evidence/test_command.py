"""`zkmargin attest`: from files of a plan or a ledger to an attestation, an opening and a record."""

import hashlib
import json
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.attestation.scene import CONTRACT, key, market_snapshot
from tests.evidence.stage import TRADER, World
from zkmargin.attestation import AttestationDocument
from zkmargin.attestation.key_file import write_key
from zkmargin.cli.command import command
from zkmargin.prover import OpeningDocument


class Files:
    """A folder of a signer's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        market_snapshot().dump(folder / "market.json")
        for name in ("signer", "custodian", "chain"):
            write_key(folder / f"{name}.key", None)

    def run(self, source: str, *more: str, name: str = "signer") -> tuple[int, str]:
        files = (f"{name}.key", f"{name}.db", "a.json", "a.secret.json")
        signing, register, output, opening = (str(self.folder / file) for file in files)
        words = ["attest", str(self.folder / "market.json"), "--source", source, "--name", name]
        words += ["--subject", TRADER, "--key", signing, "--register", register]
        words += ["--chain-id", "1", "--contract", CONTRACT, "-o", output, "--opening", opening, *more]
        result = CliRunner().invoke(command, words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    @property
    def attestation(self) -> AttestationDocument:
        return AttestationDocument.read(self.folder / "a.json")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def toml_of(world: World) -> str:
    plan = world.wallet()
    assert plan.wallet is not None
    token = plan.wallet.tokens[0]
    return f"""\
chain_id = {plan.chain_id}
endpoints = ["{plan.endpoints[0]}"]
quorum = 1
confirmations = 2
[wallet]
holder = "{TRADER}"
[[wallet.tokens]]
address = "{token.address}"
code_hash = "{token.code_hash}"
slot = 0
instrument = "USD"
decimals = 6
"""


def test_a_wallet_on_a_chain(world: World, files: Files) -> None:
    plan, record, kept = (files.folder / name for name in ("plan.toml", "record.json", "kept.secret.json"))
    plan.write_text(toml_of(world))
    code, output = files.run("chain", "--plan", str(plan), "--record", str(record), "--kept", str(kept))
    assert code == 0, output
    made = files.attestation
    assert (made.source, made.complete) == ("chain", False)
    assert made.evidence == hashlib.sha256(record.read_bytes()).hexdigest()
    assert json.loads(record.read_text())["proofs"] == hashlib.sha256(kept.read_bytes().strip()).hexdigest()
    for secret in (kept, files.folder / "a.secret.json"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    OpeningDocument.read(files.folder / "a.secret.json")


def test_a_custodian_with_a_hold(files: Files) -> None:
    ledger = files.folder / "ledger.csv"
    ledger.write_text("instrument,quantity\nUSD,1000\nBTC,-1\n")
    hold = ("--hold-until", "2100-01-01T00:00:00Z", "--hold-for", "bank")
    code, output = files.run("custodian", "--holdings", str(ledger), "--account", "alice", *hold)
    assert code == 0, output
    made = files.attestation
    assert (made.source, made.complete, made.account, made.evidence) == ("custodian", True, "alice", None)
    assert made.hold is not None
    assert made.hold.audience == "bank"


def test_collateral_is_proven_beside_the_sum(world: World, files: Files) -> None:
    ledger, plan = files.folder / "ledger.csv", files.folder / "plan.toml"
    ledger.write_text("instrument,quantity\nUSD,1000\n")
    plan.write_text(toml_of(world))
    trader = files.folder / "trader.key"
    trader.write_text(f"0x{key('trader').export().hex()}\n")
    trader.chmod(0o600)
    words, signers = [], {}
    for source, more in (
        ("custodian", ("--holdings", str(ledger), "--account", "alice")),
        ("chain", ("--plan", str(plan))),
    ):
        assert files.run(source, *more, name=source)[0] == 0
        signers[source] = files.attestation.signer
        for kind, old in (("attestation", "a.json"), ("opening", "a.secret.json")):
            words += [f"--{kind}", str((files.folder / old).rename(files.folder / f"{source}.{old}"))]
    policy = files.folder / "policy.toml"
    venues = "".join(f'[venues.{name}]\nkeys = ["{signer}"]\n' for name, signer in signers.items())
    policy.write_text(
        f'audience = "bank"\nchain_id = 1\nverifying_contract = "{CONTRACT}"\nsnapshot_age = 300000000\n'
        'sources = ["custodian", "chain"]\n[grades.chain]\ncomplete = false\nhaircut = "0.5"\n'
        f'{venues}[models.grid]\nlevel = "initial"\n'
    )
    market, made, terms = (
        str(files.folder / "market.json"),
        str(files.folder / "s.json"),
        ["--audience", "bank", "--nonce", "n"],
    )
    expiry = datetime.fromtimestamp(int(time.time()) + 1800, UTC).isoformat()
    prove = ["prove", market, *words, "--key", str(trader), "--pledge", "101000", "--threshold", "1000"]
    prove += ["--collateral", "chain=200000", *terms, "--expires", expiry, "-o", made]
    result = CliRunner().invoke(command, prove, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    verify = ["verify", market, made, "--policy", str(policy), *terms, "--json"]
    result = CliRunner().invoke(command, verify, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["collateral"] == "100000.000000"
    policy.write_text(policy.read_text().replace('"0.5"', '"0.51"'))
    result = CliRunner().invoke(command, verify, catch_exceptions=False)
    assert (result.exit_code, json.loads(result.output)["code"]) == (1, "threshold")


def test_signed_roots_stand_in_for_asking_nodes(world: World, files: Files) -> None:
    number, roots, signers = world.chain.node.head() - 2, [], []
    for name in ("one", "two"):
        path, secret = files.folder / f"{name}.root.json", files.folder / f"{name}.key"
        signers.append(write_key(secret, None).address)
        words = ["sign-root", "--endpoint", world.chain.url, "--chain", "31337", "--confirmations", "2"]
        words += ["--number", str(number), "--key", str(secret), "--chain-id", "1", "--contract", CONTRACT]
        result = CliRunner().invoke(command, [*words, "-o", str(path)], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        roots += ["--root", str(path)]
    text = toml_of(world).replace("quorum = 1", f"quorum = 2\nsigners = {json.dumps(signers)}")
    plan = files.folder / "plan.toml"
    plan.write_text(text)
    code, output = files.run("chain", "--plan", str(plan), *roots)
    assert code == 0, output
    (files.folder / "a.secret.json").unlink()
    code, output = files.run("chain", "--plan", str(plan), *roots[:2])
    assert code == 2
    assert "2 must sign the block" in output


def test_a_root_is_not_signed_before_it_is_deep_enough(world: World, files: Files) -> None:
    words = ["sign-root", "--endpoint", world.chain.url, "--chain", "31337", "--confirmations", "9999"]
    words += ["--key", str(files.folder / "signer.key"), "--chain-id", "1", "--contract", CONTRACT]
    result = CliRunner().invoke(command, [*words, "-o", str(files.folder / "root.json")])
    assert result.exit_code == 2
    assert "9999 blocks must lie on top" in result.output


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("chain", (), "--plan: missing"),
        ("custodian", ("--account", "a"), "--holdings: missing"),
        ("custodian", ("--plan", "x"), "it belongs to chain and auditor"),
        ("chain", ("--account", "a"), "it belongs to custodian"),
        ("chain", ("--plan", "nowhere.toml"), "nowhere.toml"),
        ("auditor", ("--plan", "x"), "--map: missing"),
    ],
)
def test_what_does_not_fit_is_refused(
    files: Files, source: str, options: tuple[str, ...], message: str
) -> None:
    code, output = files.run(source, *options)
    assert code == 2
    assert message in output
    assert not (files.folder / "a.json").exists()
    assert not (files.folder / "a.secret.json").exists()
