"""The commands that deal with services, against services that run: what they say, and what they refuse."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.harness import Ran, Run
from tests.cli.standing import Stand, altered, open_stand, process
from tests.ports import free_port
from tests.verifier.service.world import ADMIN_KEY, DOMAIN, TICKS, market
from zkmargin.attestation import SigningKey
from zkmargin.attestation.secret_file import write_secret
from zkmargin.cli.demo.processes import Processes
from zkmargin.client import calls
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot

NOBODY = "p-" + "0" * 32


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    with Processes(tmp_path_factory.mktemp("logs")) as started:
        yield started


@pytest.fixture(scope="module")
def stand(processes: Processes, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Stand:
    """Both services, and an account with 1,000 USD that was fetched."""
    made = open_stand(tmp_path_factory.mktemp("services") / "six", processes)
    fetched = run(*made.fetch_words("a"), "--hold-for", "lender", "--hold-until", "2099-01-01T00:00:00Z")
    assert fetched.code == 1, "a hold of decades is not granted"
    fetched = run(*made.fetch_words("a"))
    assert fetched.code == 0, fetched.err
    return made


@pytest.fixture(scope="module")
def receipt(stand: Stand, run: Run) -> Path:
    """Of a pledge of 400.25 USD."""
    path = stand.folder / "receipt.json"
    ran = run("submit", *stand.asked, *stand.owner, *MODEL, "--pledge", "400.25", "-o", path)
    assert ran.code == 0, ran.err
    assert "400.250000 USD; informational: not every account is held" in ran.out
    return path


MODEL = ("--model", "isolated")


def refused(ran: Ran, *words: str, code: int = 2) -> None:
    """One line on standard error with these words, and nothing on standard output."""
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (code, "", 1), ran
    for word in words:
        assert word in ran.err, ran.err


def test_the_whole_way(stand: Stand, run: Run, tmp_path: Path) -> None:
    """Each step's answer is one JSON object; what asks a service by itself is a process of its own."""
    files = ("-o", tmp_path / "b.json", "--opening", tmp_path / "b.secret.json")
    token = ("--token-file", stand.folder / "bob.token")
    tomorrow = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
    hold = ("--hold-for", "lender", "--hold-until", tomorrow)
    fetched = process(("fetch", "--venue", stand.venue.url, *token, *hold, *files, "--json"))
    assert (fetched.code, fetched.document["account"]) == (0, "bob"), fetched.err
    pair = ("--attestation", tmp_path / "b.json", "--opening", tmp_path / "b.secret.json")
    asked = (*stand.asked, *pair, "--key", stand.folder / "trader.key")
    receipt = tmp_path / "receipt.json"
    pledged = process(("submit", *asked, *MODEL, "--pledge", 250, "--days", 1, "-o", receipt, "--json"))
    assert (pledged.code, pledged.document["usd"]) == (0, "250.000000"), pledged.err
    identity = pledged.document["pledge"]
    verified = run("receipt", "verify", receipt, "--signer", stand.world.service.address, "--json")
    assert (verified.code, verified.document["valid"], verified.document["pledge"]) == (0, True, identity)
    newer = stand.publish("90000")
    watched = process(("watch", receipt, *asked, "--every", 0.1, "--for", 2, "--json"))
    assert (watched.code, watched.document["renewed"], watched.document["over"]) == (0, 1, None), watched.err
    assert json.loads(receipt.read_text())["snapshot"] == watched.document["snapshot"] == newer.id
    called = run("pledge", "call", identity, *stand.protocol, "--json")
    assert (called.code, called.document["status"]) == (0, "called"), called.err
    listed = run("pledge", "list", *stand.protocol, "--status", "called", "--json")
    assert [(one["id"], one["usd"]) for one in listed.document["pledges"]] == [(identity, "250.000000")]
    released = run("pledge", "release", identity, *stand.protocol, "--json")
    assert (released.code, released.document["status"]) == (0, "released"), released.err
    stand.publish("90001")
    over = run("watch", receipt, *asked, "--every", 0.1, "--for", 60)
    assert over.code == 0, over.err
    assert "over: " in over.out


def test_pledges_are_listed_in_the_tick_of_their_ledger(
    stand: Stand, receipt: Path, processes: Processes, run: Run, tmp_path: Path
) -> None:
    text = run("pledge", "list", *stand.protocol).out
    assert "400.250000" in text
    assert "alice at alpha" in text
    assert run("pledge", "list", *stand.protocol, "--status", "lapsed").out == "no pledges\n"
    finer = open_stand(tmp_path / "nine", processes, quantum_decimals=9)
    assert run(*finer.fetch_words("a")).code == 0
    pledging = (
        "submit",
        *finer.asked,
        *finer.owner,
        *MODEL,
        "--pledge",
        "0.123456789",
        "-o",
        tmp_path / "r.json",
    )
    assert "0.123456789 USD" in run(*pledging).out
    document = run("pledge", "list", *finer.protocol, "--json").document
    assert (document["pledges"][0]["usd"], document["quantum_decimals"]) == ("0.123456789", 9)
    assert document["pledges"][0]["amount"] == 123456789
    shown = run(
        "receipt",
        "verify",
        tmp_path / "r.json",
        "--signer",
        finer.world.service.address,
        "--snapshot",
        finer.folder / "market.json",
    )
    assert shown.code == 1, "the pledge is about the snapshot that was handed in"


def test_what_is_not_covered_is_not_pledged(stand: Stand, receipt: Path, run: Run, tmp_path: Path) -> None:
    output = tmp_path / "r.json"
    ran = run("submit", *stand.asked, *stand.owner, *MODEL, "--pledge", "599.750001", "-o", output)
    refused(ran, "the accounts do not cover it", "short by", "0.000001", code=1)
    assert not output.exists()


def test_what_the_policy_does_not_accept_is_refused(stand: Stand, run: Run, tmp_path: Path) -> None:
    words = (
        "submit",
        *stand.asked,
        *stand.owner,
        "--model",
        "cross",
        "--pledge",
        1,
        "-o",
        tmp_path / "r.json",
    )
    refused(run(*words), stand.verifier.url, "model", code=1)


def test_a_false_receipt_is_not_valid(stand: Stand, receipt: Path, run: Run) -> None:
    signer = ("--signer", stand.world.service.address)
    assert run("receipt", "verify", receipt, *signer).code == 0
    more = altered(receipt, amount=TICKS * 10**6)
    refused(run("receipt", "verify", more, *signer), "NOT valid", "signature", code=1)
    others = SigningKey.generate().address
    refused(
        run("receipt", "verify", receipt, "--signer", others), "NOT valid", "it is not from", others, code=1
    )
    about = ("--snapshot", stand.folder / "market.json")
    refused(run("receipt", "verify", receipt, *signer, *about), "NOT valid", "snapshot", code=1)
    refused(run("receipt", "verify", receipt, "--signer", "0x12"), "--signer", "0x12", "EIP-55")
    refused(run("receipt", "verify", stand.folder / "none.json", *signer), "none.json", "No such file")
    refused(run("receipt", "verify", stand.folder / "a.json", *signer), "a.json", "format")
    refused(run("receipt", "verify", stand.folder / "alice.csv", *signer), "alice.csv", "JSON")


def test_a_receipt_is_fetched_again(stand: Stand, receipt: Path, run: Run, tmp_path: Path) -> None:
    identity, output = json.loads(receipt.read_text())["pledge"], tmp_path / "fetched.json"
    words = ("receipt", "get", identity, *stand.asked, "-o", output)
    got = run(*words)
    assert (got.code, got.err) == (0, "")
    assert f"{identity}, 400.250000 USD for lender" in got.out
    assert output.read_bytes() == receipt.read_bytes()
    assert run("receipt", "verify", output, "--signer", stand.world.service.address).code == 0
    document = run(*words, "--json").document
    assert (document["usd"], document["signer"]) == ("400.250000", stand.world.service.address)
    for name in (NOBODY, "../policy", "clé"):
        nobodys = ("receipt", "get", name, *stand.asked, "-o", tmp_path / "none.json")
        refused(run(*nobodys), "PLEDGE", repr(name))
    refused(run(*words[:-1], tmp_path / "none" / "r.json"), "none/r.json", "writable")
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize(("change", "word"), [({"pledge": NOBODY}, "pledge"), ({"amount": 1}, "signature")])
def test_a_receipt_that_is_not_what_was_asked_for(
    stand: Stand,
    receipt: Path,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
    word: str,
) -> None:
    other = {**json.loads(receipt.read_text()), **change}
    answered = calls.receipt(str(other["pledge"])).read(json.dumps(other))
    monkeypatch.setattr("zkmargin.client.Client.send", lambda *_: answered)
    identity = json.loads(receipt.read_text())["pledge"]
    ran = run("receipt", "get", identity, *stand.asked, "-o", tmp_path / "r.json")
    refused(ran, stand.verifier.url, word)
    assert not (tmp_path / "r.json").exists()


def test_a_pledge_is_released_once(stand: Stand, receipt: Path, run: Run, tmp_path: Path) -> None:
    words = (
        "submit",
        *stand.asked,
        *stand.owner,
        *MODEL,
        "--pledge",
        "0.5",
        "-o",
        tmp_path / "r.json",
        "--json",
    )
    identity = run(*words).document["pledge"]
    assert run("pledge", "release", identity, *stand.protocol).out == f"{identity} is released\n"
    refused(run("pledge", "release", identity, *stand.protocol), "pledge-status", identity, code=1)
    refused(run("pledge", "call", identity, *stand.protocol), "pledge-status", code=1)
    ended = run("watch", tmp_path / "r.json", *stand.asked, *stand.owner, "--for", 1)
    assert ended.code == 0, ended.err


ASKING = {
    "submit": (*MODEL, "--pledge", "1", "-o", "r.json"),
    "watch": ("receipt.json",),
    "list": (),
    "call": (NOBODY,),
    "release": (NOBODY,),
    "fetch": (),
    "get": (NOBODY, "-o", "fetched.json"),
}


def words_to(command: str, stand: Stand, url: str) -> tuple[object, ...]:
    """A command whose only fault is the address."""
    files = [stand.folder / word if word.endswith(".json") else word for word in ASKING[command]]
    if command == "fetch":
        return tuple(url if word == stand.venue.url else word for word in stand.fetch_words("unreached"))
    if command == "get":
        return ("receipt", command, *files, "--service", url)
    if command in ("submit", "watch"):
        return (command, *files, "--service", url, *stand.owner)
    return ("pledge", command, *files, "--service", url, "--api-key-file", stand.folder / "admin.key")


@pytest.mark.parametrize("command", ASKING)
def test_a_service_that_does_not_answer(command: str, stand: Stand, receipt: Path, run: Run) -> None:
    option = "--venue" if command == "fetch" else "--service"
    nowhere = f"http://127.0.0.1:{free_port()}"
    refused(run(*words_to(command, stand, nowhere)), option, nowhere, "no answer", "start the service")
    for url in (
        "verifier.example",
        "ftp://verifier.example",
        "http://",
        "http://[::1",
        "http://127.0.0.1:99999",
        "",
    ):
        refused(run(*words_to(command, stand, url)), option, repr(url), "write the service's address")
    other = stand.verifier.url if command == "fetch" else stand.venue.url
    ran = run(*words_to(command, stand, other))
    assert ran.code in (1, 2), "something else answers there"
    assert len(ran.err.splitlines()) == 1


def test_accounts_that_cannot_be_proven_about(stand: Stand, run: Run, tmp_path: Path) -> None:
    folder, other = stand.folder, tmp_path / "other.key"
    key = SigningKey.generate()
    write_secret(other, f"0x{key.export().hex()}".encode())
    fresh = ("-o", tmp_path / "c.json", "--opening", tmp_path / "c.secret.json")
    token = ("--token-file", folder / "carol.token")
    assert run("fetch", "--venue", stand.venue.url, *token, *fresh).code == 0

    def submit(attestation: object = "a.json", opening: object = "a.secret.json", *more: object) -> Ran:
        files = ("--attestation", folder / str(attestation), "--opening", folder / str(opening))
        pledged = ("--pledge", "1", "-o", tmp_path / "r.json")
        return run("submit", *stand.asked, *files, "--key", folder / "trader.key", *MODEL, *pledged, *more)

    refused(submit("none.json"), "none.json", "No such file")
    refused(submit("a.secret.json"), "a.secret.json", "right kind")
    refused(submit("alice.csv"), "alice.csv", "JSON")
    refused(submit(altered(folder / "a.json", account="bob")), "signature", "a.json")
    refused(submit("a.json", "market.json"), "market.json", "use the file that")
    refused(submit("a.json", tmp_path / "c.secret.json"), "c.secret.json", "not what", "same order")
    refused(
        submit("a.json", "a.secret.json", "--opening", tmp_path / "c.secret.json"), "--attestation", "1 for 2"
    )
    refused(submit("a.json", "a.secret.json", "--key", other), "a.json", "subject", key.address)
    refused(submit("a.json", "a.secret.json", "--key", folder / "none.key"), "none.key", "No such file")
    refused(
        submit("a.json", "a.secret.json", "--pledge", "0.0000001"),
        "--pledge",
        "0.0000001",
        "tick, 0.000001 USD",
    )
    refused(submit("a.json", "a.secret.json", "--pledge", "-1"), "--pledge", "-1", "0 or more")
    refused(submit("a.json", "a.secret.json", "--pledge", "much"), "--pledge", "much")
    refused(submit("a.json", "a.secret.json", "--model", "grit"), "--model", "grit", "isolated")
    refused(submit("a.json", "a.secret.json", "-o", tmp_path / "none" / "r.json"), "none/r.json", "writable")
    refused(submit("a.json", "a.secret.json", "-o", folder / "a.json"), "--output", "would replace")
    assert submit("a.json", "a.secret.json", "--days", "0").code == 2
    files = ("--attestation", folder / "a.json", "--opening", folder / "a.secret.json")
    refused(run("submit", *stand.asked, *files, "--pledge", 1, "-o", tmp_path / "r.json"), "--key", "missing")
    assert not (tmp_path / "r.json").exists()


def test_receipts_that_cannot_be_watched(stand: Stand, receipt: Path, run: Run, tmp_path: Path) -> None:
    refused(run("watch", tmp_path / "none.json", *stand.asked, *stand.owner), "none.json", "No such file")
    refused(run("watch", stand.folder / "a.json", *stand.asked, *stand.owner), "a.json", "format")
    more = altered(receipt, amount=1)
    refused(run("watch", more, *stand.asked, *stand.owner), "signature")
    assert "0.05" in run("watch", receipt, *stand.asked, *stand.owner, "--every", 0).err


def test_a_protocol_needs_its_key(
    stand: Stand, receipt: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZKMARGIN_API_KEY", raising=False)
    refused(run("pledge", "list", *stand.asked), "--api-key-file", "missing", "ZKMARGIN_API_KEY")
    files = {"empty": "\n", "two": "a b\n", "accented": "clé\n", "unknown": "zkm_" + "00" * 32 + "\n"}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    for name, words in {
        "empty": "empty",
        "two": "one word",
        "accented": "one word",
        "unknown": "nobody knows",
    }.items():
        ran = run("pledge", "list", *stand.asked, "--api-key-file", tmp_path / name)
        refused(ran, str(tmp_path / name), "key", words)
        assert files[name].strip() == "" or files[name].strip() not in ran.err
    refused(run("pledge", "list", *stand.asked, "--api-key-file", tmp_path / "none"), "none", "No such file")
    monkeypatch.setenv("ZKMARGIN_API_KEY", ADMIN_KEY)
    assert run("pledge", "list", *stand.asked).code == 0
    assert "lapsed" in run("pledge", "list", *stand.asked, "--status", "gone").err
    for action in ("call", "release"):
        refused(run("pledge", action, NOBODY, *stand.asked), "PLEDGE", NOBODY, "pledge list")
        refused(run("pledge", action, "../policy", *stand.asked), "PLEDGE", "../policy")


def test_a_venue_attests_to_the_owner_of_a_token(stand: Stand, run: Run, tmp_path: Path) -> None:
    words = stand.fetch_words("d")
    (tmp_path / "wrong.token").write_text("somebody else's\n".replace(" ", "-"))
    at = words.index("--token-file") + 1
    wrong = (*words[:at], tmp_path / "wrong.token", *words[at + 1 :])
    refused(run(*wrong), "wrong.token", "token", "not an account's here")
    refused(run(*words, "--hold-for", "lender"), "--hold-until", "missing")
    refused(
        run(*words, "--hold-for", "lender", "--hold-until", "2001-01-01T00:00:00Z"), "--hold-until", "2001"
    )
    far = ("--hold-for", "lender", "--hold-until", "2098-01-01T00:00:00Z")
    refused(run(*words, *far), stand.venue.url, "hold", code=1)
    refused(run(*stand.fetch_words("a")), "a.secret.json", "never overwritten")
    assert not (stand.folder / "d.json").exists()
    assert not (stand.folder / "d.secret.json").exists()


def test_an_attestation_over_another_universe(stand: Stand, run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    Snapshot.build(market(time.time()), domain=128).dump(other)
    domain = ("--chain-id", DOMAIN.chain_id, "--contract", DOMAIN.verifying_contract)
    whose = (
        "--name",
        "alpha",
        "--account",
        "x",
        "--subject",
        stand.trader.address,
        "--register",
        tmp_path / "r.db",
    )
    pair = (tmp_path / "x.json", tmp_path / "x.secret.json")
    signed = ("--key", stand.folder / "venue.key", "-o", pair[0], "--opening", pair[1])
    attested = run("venue", "attest", other, stand.folder / "alice.csv", *whose, *domain, *signed)
    assert attested.code == 0, attested.err
    files = ("--attestation", pair[0], "--opening", pair[1], "--key", stand.folder / "trader.key")
    words = ("submit", *stand.asked, *files, *MODEL, "--pledge", 1, "-o", tmp_path / "receipt.json")
    refused(run(*words), "x.json", "universe", "another universe")


def test_an_opening_is_not_left_without_its_attestation(
    stand: Stand, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _: bytes) -> None:
        raise InputError(str(path), "file", "no room", "name a place with room")

    monkeypatch.setattr("zkmargin.cli.options.attestation_files.write_atomically", full)
    token = ("--token-file", stand.folder / "carol.token")
    pair = ("-o", tmp_path / "e.json", "--opening", tmp_path / "e.secret.json")
    refused(run("fetch", "--venue", stand.venue.url, *token, *pair), "e.json", "no room")
    assert list(tmp_path.iterdir()) == []


def test_an_oracle_publishes_what_services_pull(stand: Stand, run: Run, tmp_path: Path) -> None:
    write_secret(tmp_path / "oracle.key", f"0x{stand.world.oracle.export().hex()}".encode())
    domain = ("--chain-id", DOMAIN.chain_id, "--contract", DOMAIN.verifying_contract)
    market_file, published = stand.folder / "market.json", tmp_path / "snapshot.json"
    words = ("snapshot", "sign", market_file, "--key", tmp_path / "oracle.key", *domain)
    signed = run(*words, "-o", tmp_path / "signature.json", "--publish", published, "--json")
    assert (signed.code, signed.document["published"]) == (0, str(published)), signed.err
    answer = httpx.post(
        f"{stand.verifier.url}/v1/snapshots",
        content=published.read_bytes(),
        headers={"content-type": "application/json"},
        trust_env=False,
    )
    assert (answer.status_code, answer.json()["id"]) == (201, signed.document["snapshot"])
    refused(run(*words, "-o", published, "--publish", published), "--output", "would replace")
    refused(run(*words, "-o", tmp_path / "s.json", "--publish", market_file), "--publish", "would replace")
