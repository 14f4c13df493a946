"""`zkmargin contract challenge | calldata | verify | pledge | status`: a trader's and a lender's side of a ledger."""

from pathlib import Path

import click
from rich.text import Text

from zkmargin.attestation import SigningKey, SubmissionDocument
from zkmargin.attestation.signing import address_of
from zkmargin.circuits import build_relation
from zkmargin.cli.commands.evm.node import ledger_option, rpc_option, told
from zkmargin.cli.options.files import FILE, refuse_replacing, snapshot_argument
from zkmargin.cli.options.keys import address, key_option, required_key
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.verifier.contract.chain import Chain
from zkmargin.verifier.contract.ledger import STATUSES, account_key, ledger, submission_call

submission_argument = click.argument("submission_file", metavar="SUBMISSION", type=FILE)
renew_option = click.option(
    "--renew", "renews", type=click.IntRange(min=1), metavar="NUMBER", help="Prove this pledge again."
)


@click.command()
@rpc_option
@ledger_option
@click.option("--subject", required=True, metavar="ADDRESS", help="Whose accounts they are.")
@click.option(
    "--account", "accounts", multiple=True, metavar="VENUE/NAME", help="Repeat it for each account."
)
@json_option
def challenge(*, rpc: str, contract: str, subject: str, accounts: tuple[str, ...], as_json: bool) -> None:
    """What a subject has to prove next: the nonce, and what is pledged on the accounts already.

    \b
    Example:
      zkmargin contract challenge --rpc http://127.0.0.1:8545 --contract 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF \\
          --subject 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf --account alpha/alice
    """
    where, chain = address(contract, "--contract"), Chain(rpc)
    keys = []
    for one in accounts:
        venue, slash, name = one.partition("/")
        if not (venue and slash and name):
            raise InputError(
                "command line", "--account", one, "write the venue, a slash, and the account's name"
            )
        keys.append(account_key(venue, name))
    with told():
        nonce = chain.read(ledger(), where, "nonces", address(subject, "--subject"))
        covered = chain.read(ledger(), where, "covered", keys)
        newest = chain.read(ledger(), where, "newest").hex()
    document = {"nonce": str(nonce), "covered": covered, "snapshot": newest}
    lines = (f"nonce       {nonce}", f"pledged     {covered:,} ticks", f"snapshot    {newest}")
    answer(as_json, document, *map(Text, lines))


@click.command()
@snapshot_argument
@submission_argument
@renew_option
@click.option("-o", "--output", required=True, metavar="FILE", type=FILE, help="The call's bytes.")
@json_option
def calldata(
    *, snapshot_file: Path, submission_file: Path, renews: int | None, output: Path, as_json: bool
) -> None:
    """Write what has to be sent to the ledger, for a wallet of your own to send.

    \b
    Example:
      zkmargin contract calldata market.json submission.json -o call.bin
    """
    refuse_replacing("--output", output, (snapshot_file, submission_file))
    data, submission = _call(snapshot_file, submission_file, renews)
    write_atomically(output, data)
    to = submission.attestations[0].verifying_contract
    document = {"to": to, "bytes": len(data), "output": str(output)}
    answer(as_json, document, Text(f"to          {to}"), Text(f"bytes       {len(data):,}"))


@click.command()
@snapshot_argument
@submission_argument
@rpc_option
@renew_option
@json_option
def verify(
    *, snapshot_file: Path, submission_file: Path, rpc: str, renews: int | None, as_json: bool
) -> None:
    """Ask the ledger whether it would take a submission now, without sending anything.

    \b
    Example:
      zkmargin contract verify market.json submission.json --rpc http://127.0.0.1:8545
    """
    chain = Chain(rpc)
    data, submission = _call(snapshot_file, submission_file, renews)
    to = _ledger_of(submission, chain)
    with progress(as_json) as step, told():
        step("asking the ledger")
        chain.call(to, data, sender=submission.subject)
    document = {"accepted": True, "ledger": to, "snapshot": submission.snapshot, "amount": submission.amount}
    answer(as_json, document, Text("the ledger would take it"))


@click.command()
@snapshot_argument
@submission_argument
@rpc_option
@key_option("whoever pays")
@renew_option
@json_option
def pledge(
    *,
    snapshot_file: Path,
    submission_file: Path,
    rpc: str,
    key: SigningKey | None,
    renews: int | None,
    as_json: bool,
) -> None:
    """Send a submission to the ledger. Anyone may pay for it; the subject's signature is in it.

    \b
    Example:
      zkmargin contract pledge market.json submission.json --rpc http://127.0.0.1:8545 --key payer.key
    """
    payer, chain = required_key(key), Chain(rpc)
    data, submission = _call(snapshot_file, submission_file, renews)
    to = _ledger_of(submission, chain)
    with progress(as_json) as step, told():
        step("sending")
        receipt = chain.send(payer, to, data)
    event = receipt.event(ledger(), "Proven")
    if event is None:
        raise InputError(
            to, "pledge", Finding("no event"), "give a submission that was made for a ledger's address"
        )
    document = {
        "pledge": event["pledge"],
        "statement": event["statement"].hex(),
        "subject": address_of(bytes.fromhex(event["subject"][2:])),
        "snapshot": event["snapshot"].hex(),
        "threshold": event["threshold"],
        "amount": event["amount"],
        "secured": event["secured"],
        "renewal": event["renewal"],
        "expiry": event["expiry"],
        "gas": receipt.gas,
    }
    lines = (
        f"pledge      {event['pledge']}",
        f"amount      {event['amount']:,} ticks",
        f"gas         {receipt.gas:,}",
    )
    answer(as_json, document, *map(Text, lines))


@click.command()
@click.argument("number", type=click.IntRange(min=1))
@rpc_option
@ledger_option
@json_option
def status(*, number: int, rpc: str, contract: str, as_json: bool) -> None:
    """What a pledge is now: active, stale, called, released or lapsed.

    \b
    Example:
      zkmargin contract status 1 --rpc http://127.0.0.1:8545 --contract 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF
    """
    where, chain = address(contract, "--contract"), Chain(rpc)
    with told():
        found = STATUSES[chain.read(ledger(), where, "statusOf", number)]
        subject, amount, expiry = chain.read(ledger(), where, "pledgeOf", number)
    whose = address_of(bytes.fromhex(subject[2:]))
    document = {"pledge": number, "status": found, "subject": whose, "amount": amount, "expiry": expiry}
    answer(as_json, document, Text(f"{found}, {amount:,} ticks, until Unix second {expiry}"))


def _call(snapshot_file: Path, submission_file: Path, renews: int | None) -> tuple[bytes, SubmissionDocument]:
    """The calldata of a submission, in the shape of its snapshot's relation. Raises InputError."""
    submission = SubmissionDocument.read(submission_file)
    snapshot = Snapshot.load(snapshot_file)
    if submission.snapshot != snapshot.id:
        remedy = f"give the snapshot that it is about; this is {snapshot.id}"
        raise InputError(str(submission_file), "snapshot", submission.snapshot, remedy)
    relation = build_relation(snapshot, model=submission.model, level=submission.level)
    try:
        return submission_call(submission, relation, renews), submission
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(str(submission_file), "proof", Finding(error), "make it again") from None


def _ledger_of(submission: SubmissionDocument, chain: Chain) -> str:
    """The ledger that the attestations are for. Raises InputError if the node is on another chain."""
    first = submission.attestations[0]
    if chain.chain_id != first.chain_id:
        raise InputError("submission", "chain_id", first.chain_id, f"the node is on chain {chain.chain_id}")
    return first.verifying_contract
