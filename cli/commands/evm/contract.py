"""`zkmargin contract`: the verifier on an EVM, from its sources to a published snapshot."""

import shutil
import subprocess
from pathlib import Path

import click
from rich.text import Text

from zkmargin.attestation import SigningDomain, SigningKey
from zkmargin.attestation.program import ProgramSignature
from zkmargin.circuits import build_relation
from zkmargin.circuits.program import encode_program
from zkmargin.cli.commands.evm.contract_pledge import calldata, challenge, pledge, status, verify
from zkmargin.cli.commands.evm.node import ledger_option, rpc_option, told
from zkmargin.cli.options.files import FILE, level_option, model_option, refuse_replacing, snapshot_argument
from zkmargin.cli.options.keys import address, domain_options, key_option, required_key
from zkmargin.cli.options.loading import reproduced_snapshot
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.verifier import Policy
from zkmargin.verifier.contract.artifacts import FILE as ARTIFACTS
from zkmargin.verifier.contract.artifacts import HERE
from zkmargin.verifier.contract.chain import Chain
from zkmargin.verifier.contract.encoding import program_chunks
from zkmargin.verifier.contract.ledger import (
    deployment,
    ledger,
    owner_calls,
    publication_call,
    the_model,
    verifier,
)


@click.group()
def contract() -> None:
    """Verify proofs and keep pledges on an EVM chain (Prague's rules or later)."""


@contract.command()
@click.option(
    "-o", "--output", metavar="FILE", type=FILE, help="Where to; the installed artifacts if left out."
)
@json_option
def build(*, output: Path | None, as_json: bool) -> None:
    """Compile the contracts from their sources, with solc from npm.

    Needs a checkout, Node.js, and `npm ci` in verifier/contract. The result is the same bytes on every machine.

    \b
    Example:
      zkmargin contract build -o contracts.json
    """
    script = HERE / "build.mjs"
    if not script.exists() or not (HERE / "node_modules").exists() or shutil.which("node") is None:
        remedy = "run npm ci in verifier/contract of a checkout; installed copies bring the compiled contracts along"
        raise InputError(str(HERE), "solc", Finding("missing"), remedy)
    made = subprocess.run(["node", str(script)], capture_output=True, check=False)  # noqa: S603, S607
    if made.returncode:
        found = Finding(made.stderr.decode(errors="replace").strip()[-2000:])
        raise InputError(str(HERE / "src"), "sources", found, "correct them")
    target = output or ARTIFACTS
    write_atomically(target, made.stdout)
    answer(as_json, {"output": str(target), "bytes": len(made.stdout)}, Text(f"written to  {target}"))


@contract.command()
@snapshot_argument
@model_option
@level_option
@click.option("-o", "--output", metavar="FILE", type=FILE, help="The program's bytes.")
@json_option
def program(*, snapshot_file: Path, model: str, level: Level, output: Path | None, as_json: bool) -> None:
    """What a snapshot comes to, as a contract takes it: anyone can check what an oracle signed.

    Marks and tables are derived again first.

    \b
    Example:
      zkmargin contract program market.json -o program.bin
    """
    with progress(as_json) as step:
        snapshot = reproduced_snapshot(snapshot_file, step)
        relation = build_relation(snapshot, model=model, level=level)
    data = encode_program(relation)
    if output is not None:
        refuse_replacing("--output", output, (snapshot_file,))
        write_atomically(output, data)
    document = {
        "snapshot": snapshot.id,
        "model": model,
        "level": level,
        "program": relation.digest.hex(),
        "bytes": len(data),
    }
    answer(
        as_json, document, Text(f"program     {relation.digest.hex()}"), Text(f"bytes       {len(data):,}")
    )


@contract.command()
@snapshot_argument
@model_option
@level_option
@key_option("the oracle")
@domain_options
@click.option("-o", "--output", required=True, metavar="FILE", type=FILE, help="The signature.")
@json_option
def sign(
    *,
    snapshot_file: Path,
    model: str,
    level: Level,
    key: SigningKey | None,
    domain: SigningDomain,
    output: Path,
    as_json: bool,
) -> None:
    """Sign a snapshot's program as a risk oracle, for one ledger.

    \b
    Example:
      zkmargin contract sign market.json --key oracle.key --chain-id 1 \\
          --contract 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF -o program.json
    """
    refuse_replacing("--output", output, (snapshot_file,))
    with progress(as_json) as step:
        snapshot = reproduced_snapshot(snapshot_file, step)
        step("forming its program")
        found = build_relation(snapshot, model=model, level=level).digest.hex()
    signed = ProgramSignature.sign(
        required_key(key),
        domain,
        snapshot=snapshot.id,
        universe=snapshot.universe.digest,
        valuation_time=snapshot.valuation_time,
        model=model,
        level=level,
        quantum_decimals=snapshot.quantum_decimals,
        program=found,
    )
    write_atomically(output, signed.encode())
    document = {"snapshot": snapshot.id, "program": found, "signer": signed.signer, "output": str(output)}
    answer(as_json, document, Text(f"program     {found}"), Text(f"signed by   {signed.signer}"))


@contract.command()
@click.argument("policy_file", metavar="POLICY", type=FILE)
@rpc_option
@key_option("the owner")
@click.option(
    "--lender", "lenders", multiple=True, metavar="ADDRESS", help="Who may call and release; repeat it."
)
@click.option(
    "--quorum", type=click.IntRange(min=1), default=1, show_default=True, help="Oracles that must sign."
)
@click.option(
    "--renew-seconds",
    type=click.IntRange(min=0, max=(1 << 31) - 1),
    default=600,
    show_default=True,
    help="After a newer snapshot, until a pledge is stale.",
)
@click.option(
    "--quantum-decimals", type=click.IntRange(0, 18), default=6, show_default=True, help="Of the snapshots."
)
@click.option(
    "--verifier", "verifier_address", metavar="ADDRESS", help="One that is there; a new one if left out."
)
@json_option
def deploy(
    *,
    policy_file: Path,
    rpc: str,
    key: SigningKey | None,
    lenders: tuple[str, ...],
    quorum: int,
    renew_seconds: int,
    quantum_decimals: int,
    verifier_address: str | None,
    as_json: bool,
) -> None:
    """Deploy verifier and ledger under a policy, and name its keys. Whose key it is owns the ledger.

    The policy is that of the command line and of the service; what no contract can check in it is refused. Its
    verifying_contract is known only afterwards: write the ledger's address there.

    \b
    Example:
      zkmargin contract deploy policy.toml --rpc http://127.0.0.1:8545 --key owner.key
    """
    owner = required_key(key)
    policy = Policy.read(policy_file)
    chosen = [address(one, "--lender") for one in lenders]
    chain = Chain(rpc)
    if policy.chain_id != chain.chain_id:
        raise InputError(
            str(policy_file), "chain_id", policy.chain_id, f"the node is on chain {chain.chain_id}"
        )
    the_model(policy)
    calls = owner_calls(policy, chosen, quorum)
    with progress(as_json) as step, told():
        gas = 0
        if verifier_address is None:
            step("deploying the verifier")
            made = chain.send(owner, None, verifier().creation())
            verifier_address, gas = str(made.contract), made.gas
        where = address(verifier_address, "--verifier")
        step("deploying the ledger")
        made = chain.send(
            owner, None, deployment(owner.address, where, policy, quantum_decimals, renew_seconds)
        )
        for call in calls:
            step("naming keys")
            gas += chain.send(owner, str(made.contract), call).gas
    document = {
        "chain_id": policy.chain_id,
        "verifier": where,
        "ledger": made.contract,
        "owner": owner.address,
        "gas": gas + made.gas,
    }
    answer(as_json, document, Text(f"verifier    {where}"), Text(f"ledger      {made.contract}"))


@contract.command()
@snapshot_argument
@click.option(
    "--signature",
    "signature_files",
    multiple=True,
    required=True,
    metavar="FILE",
    type=FILE,
    help="Repeat it.",
)
@rpc_option
@ledger_option
@key_option("whoever pays")
@json_option
def publish(
    *,
    snapshot_file: Path,
    signature_files: tuple[Path, ...],
    rpc: str,
    contract: str,
    key: SigningKey | None,
    as_json: bool,
) -> None:
    """Store a snapshot's program, and publish the snapshot under its oracles' signatures.

    \b
    Example:
      zkmargin contract publish market.json --signature program.json --rpc http://127.0.0.1:8545 \\
          --contract 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF --key payer.key
    """
    payer, where, chain = required_key(key), address(contract, "--contract"), Chain(rpc)
    signatures = [ProgramSignature.read(path) for path in signature_files]
    first = signatures[0]
    with progress(as_json) as step, told():
        step("reading the snapshot")
        snapshot = Snapshot.load(snapshot_file)
        relation = build_relation(snapshot, model=first.model, level=first.level)
        for path, one in zip(signature_files, signatures, strict=True):
            one.check_signature(str(path))
            if (one.snapshot, one.program) != (snapshot.id, relation.digest.hex()):
                remedy = f"this snapshot's program is {relation.digest.hex()}; sign it again"
                raise InputError(str(path), "program", one.program, remedy)
        chunks, gas = [], 0
        for chunk in program_chunks(relation):
            step("storing the program")
            stored = chain.send(payer, where, ledger().call("store", chunk))
            event = stored.event(ledger(), "ChunkStored")
            if event is None:
                raise InputError(where, "store", Finding("no event"), "give the address of a ledger")
            chunks.append(event["chunk"])
            gas += stored.gas
        step("publishing")
        gas += chain.send(payer, where, publication_call(signatures, chunks)).gas
    document = {"snapshot": snapshot.id, "program": first.program, "chunks": chunks, "gas": gas}
    answer(as_json, document, Text(f"published   {snapshot.id}"), Text(f"gas         {gas:,}"))


for _part in (challenge, calldata, verify, pledge, status):
    contract.add_command(_part)
