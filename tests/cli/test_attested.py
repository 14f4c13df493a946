"""Portable margin on the command line: keys, attestations, a signed snapshot, a submission, and its verification."""

import json
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Run
from zkmargin.cli.options import files as options

CONTRACT = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
DOMAIN = ("--chain-id", 1, "--contract", CONTRACT)


@dataclass(frozen=True)
class World:
    """Keys, files and the moment of the snapshot."""

    folder: Path
    snapshot: Path
    addresses: dict[str, str]
    moment: str

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def later(self, hour: str) -> str:
        return self.moment[:11] + hour + ":00:00Z"


@pytest.fixture(scope="module")
def world(run: Run, snapshot_file: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    addresses = {}
    for name in ("alpha", "beta", "oracle", "trader"):
        made = run("venue", "keygen", "-o", folder / f"{name}.key", "--json")
        assert made.code == 0, made.err
        addresses[name] = made.document["address"]
    shown = run("snapshot", "show", snapshot_file, "--json").document["valuation_time"]
    moment = shown.replace(" UTC", "Z").replace(" ", "T")
    return World(folder, snapshot_file, addresses, moment)


@pytest.fixture(scope="module", autouse=True)
def at_the_moment(world: World) -> Iterator[None]:
    """The clock of options stands at the snapshot's moment: what expires that day is still to come."""
    seconds = int(datetime.fromisoformat(world.moment).timestamp())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(options, "now", lambda: seconds)
        yield


@pytest.fixture(scope="module")
def accounts(run: Run, world: World, holdings_file: Path) -> dict[str, tuple[Path, Path]]:
    """An attestation and an opening from each venue."""
    made = {}
    for name in ("alpha", "beta"):
        attestation, opening = world.folder / f"{name}.json", world.folder / f"{name}.secret.json"
        ran = run(
            *("venue", "attest", world.snapshot, holdings_file, "--name", name, "--account", "alice"),
            *("--subject", world.addresses["trader"], "--key", world.key(name), *DOMAIN),
            *("--register", world.folder / f"{name}.db", "--as-of", world.moment, "--lifetime", 86400),
            *("--hold-until", "2030-01-01T00:00:00Z", "--hold-for", "bank"),
            *("-o", attestation, "--opening", opening, "--json"),
        )
        assert ran.code == 0, ran.err
        assert ran.document["sequence"] == 1
        assert ran.document["signer"] == world.addresses[name]
        assert stat.S_IMODE(opening.stat().st_mode) == 0o600
        made[name] = (attestation, opening)
    return made


@pytest.fixture(scope="module")
def policy(world: World) -> Path:
    path = world.folder / "policy.toml"
    path.write_text(f"""
        audience = "bank"
        chain_id = 1
        verifying_contract = "{CONTRACT}"
        required_venues = ["alpha", "beta"]
        snapshot_age = 600
        each_venue = true
        max_pledge = "150000"
        venues.alpha.keys = ["{world.addresses["alpha"]}"]
        venues.beta.keys = ["{world.addresses["beta"]}"]
        oracles.pyx.keys = ["{world.addresses["oracle"]}"]
        [models.grid]
        minimum.grid.perpetual.initial = "0.02"
    """)
    return path


@pytest.fixture(scope="module")
def submission(run: Run, world: World, accounts: dict[str, tuple[Path, Path]]) -> Path:
    output = world.folder / "submission.json"
    files = [x for a, o in accounts.values() for x in ("--attestation", a, "--opening", o)]
    ran = run(
        *("prove", world.snapshot, *files, "--key", world.key("trader"), "--pledge", 100000, "--each-venue"),
        *(*TERMS, "--expires", world.later("23"), "-o", output, "--json"),
    )
    assert ran.code == 0, ran.err
    assert ran.document["proofs"] == 3
    assert ran.document["subject"] == world.addresses["trader"]
    return output


def test_a_submission_is_verified_under_a_policy(
    run: Run, world: World, accounts: dict[str, tuple[Path, Path]], policy: Path, submission: Path
) -> None:
    signature = world.folder / "signature.json"
    signed = run("snapshot", "sign", world.snapshot, "--key", world.key("oracle"), *DOMAIN, "-o", signature)
    assert signed.code == 0, signed.err
    judged = ("--policy", policy, "--at", world.moment, *TERMS)
    seen = run("verify", world.snapshot, submission, *judged, "--snapshot-signature", signature, "--json")
    assert seen.code == 0, seen.err + seen.out
    assert seen.document["valid"]
    assert seen.document["secured"]
    assert seen.document["amount"] == "100000.000000"
    assert [a["venue"] for a in seen.document["accounts"]] == ["alpha", "beta"]
    words = run("verify", world.snapshot, submission, *judged, "--threshold", 100000)
    assert "valid: verified in" in words.out
    own = [x for a, _ in accounts.values() for x in ("--attestation", a)]
    assert run("verify", world.snapshot, submission, *judged, *own).code == 0
    turned = run("verify", world.snapshot, submission, *judged, *own[2:], *own[:2])
    assert (turned.code, "other attestations" in turned.out) == (1, True)
    checked = run(
        "snapshot", "check", world.snapshot, "--snapshot-signature", signature, *judged[:4], "--json"
    )
    assert checked.document["oracle"] == "pyx"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (("--nonce", "other"), "nonce"),
        (("--threshold", "100000.000001"), "threshold"),
        (("--level", "maintenance"), "statement"),
        (("--expires", "2030-01-01T00:00:00Z"), "statement"),
        (("--at", "2030-01-01T00:00:00Z"), "expiry"),
    ],
)
def test_what_was_not_asked_for_is_refused(
    run: Run, world: World, policy: Path, submission: Path, changes: tuple[str, str], code: str
) -> None:
    judged = ("--policy", policy, "--at", world.moment, *TERMS)
    seen = run("verify", world.snapshot, submission, *judged, *changes, "--json")
    assert seen.code == 1
    assert seen.document["code"] == code


def test_a_policy_that_changes_its_mind(run: Run, world: World, policy: Path, submission: Path) -> None:
    judged = ("--at", world.moment, *TERMS)
    changed = world.folder / "changed.toml"
    for old, new, said in (
        ('"150000"', '"99999"', "pledge-limit"),
        (world.addresses["beta"], world.addresses["oracle"], "venue-key"),
        ("each_venue = true", "each_venue = false", "venue-proofs"),
        ("chain_id = 1", "chain_id = 2", "chain"),
    ):
        changed.write_text(policy.read_text().replace(old, new))
        seen = run("verify", world.snapshot, submission, "--policy", changed, *judged)
        assert seen.code == 1
        assert f"refused by the policy: {said}: " in seen.out


def test_an_untrusted_oracle(run: Run, world: World, policy: Path, submission: Path) -> None:
    signature = world.folder / "untrusted.json"
    run("snapshot", "sign", world.snapshot, "--key", world.key("alpha"), *DOMAIN, "-o", signature)
    judged = ("--policy", policy, "--at", world.moment)
    for command in (("verify", world.snapshot, submission, *TERMS), ("snapshot", "check", world.snapshot)):
        seen = run(*command, *judged, "--snapshot-signature", signature)
        assert seen.code == 1
        assert "oracle-unknown" in seen.err
    missing = run("snapshot", "check", world.snapshot, "--snapshot-signature", signature)
    assert (missing.code, "--policy" in missing.err) == (2, True)


def test_attestations_that_do_not_fit(run: Run, world: World, accounts: dict[str, tuple[Path, Path]]) -> None:
    (alpha, opened), (beta, other) = accounts.values()
    prove = (
        "prove",
        world.snapshot,
        *TERMS,
        "--expires",
        world.later("23"),
        "-o",
        world.folder / "none.json",
    )
    tampered = world.folder / "tampered.json"
    tampered.write_bytes(alpha.read_bytes().replace(b'"sequence":1', b'"sequence":2'))
    key = ("--key", world.key("trader"))
    for arguments, message in (
        (
            ("--attestation", alpha, "--opening", opened, "--opening", other, *key),
            "give one for each opening",
        ),
        (("--attestation", alpha, "--opening", other, *key), "not its attestation's"),
        (("--attestation", beta, "--opening", other, "--key", world.key("alpha")), "subject"),
        (("--attestation", tampered, "--opening", opened, *key), "signature"),
        (("--attestation", alpha, "--opening", opened), "--key"),
        (("--opening", opened, *key), "without them nothing is signed"),
        (("--attestation", alpha, "--opening", opened, *key, "--pledge", -1), "write 0 or more"),
    ):
        seen = run(*prove, *arguments)
        assert (seen.code, message in seen.err) == (2, True), seen.err
    short = run(*prove, "--attestation", alpha, "--opening", opened, *key, "--pledge", 10**9)
    assert (short.code, "USD short" in short.err) == (1, True)
    assert not (world.folder / "none.json").exists()


def test_what_verify_needs(run: Run, world: World, policy: Path, submission: Path) -> None:
    neither = run("verify", world.snapshot, submission, *TERMS)
    assert (neither.code, "--commitment" in neither.err) == (2, True)
    both = run("verify", world.snapshot, submission, "--policy", policy, "--commitment", submission, *TERMS)
    assert (both.code, "both" in both.err) == (2, True)
    other = run("verify", world.snapshot, submission, "--policy", policy, "--audience", "x", "--nonce", "n")
    assert (other.code, "name the same audience" in other.err) == (2, True)


def test_a_book_and_one_account_of_it(run: Run, world: World, tmp_path: Path) -> None:
    book = tmp_path / "book.csv"
    rows = [f"{name},{world.addresses['trader']},USD,{100 + i}" for i, name in enumerate(("ann", "bo"))]
    book.write_text("\n".join(["account,subject,instrument,quantity", *rows]) + "\n")
    command = (
        *("venue", "attest-book", world.snapshot, book, "--name", "alpha", "--key", world.key("alpha")),
        *(*DOMAIN, "--register", tmp_path / "alpha.db", "--workers", 1, "-o", tmp_path / "out"),
    )
    made = run(*command, "--json")
    assert made.code == 0, made.err
    assert (made.document["accounts"], made.document["parts_made"]) == (2, 1)
    assert run(*command, "--json").document["parts_made"] == 0
    taken = ("-o", tmp_path / "bo.json", "--opening", tmp_path / "bo.secret.json")
    assert run("venue", "extract", tmp_path / "out", "bo", *taken).code == 0
    assert json.loads((tmp_path / "bo.secret.json").read_text())["lots"] == {"USD": 101 * 10**6}
    again = run("venue", "extract", tmp_path / "out", "bo", *taken)
    assert (again.code, "never overwritten" in again.err) == (2, True)


def test_keys_and_tokens_are_not_printed(run: Run, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text("correct horse battery\n")
    made = run("venue", "keygen", "-o", tmp_path / "a.key", "--passphrase-file", passphrase, "--json")
    assert made.document["encrypted"]
    assert json.loads((tmp_path / "a.key").read_text())["version"] == 3
    plain = run("venue", "keygen", "-o", tmp_path / "b.key")
    assert (tmp_path / "b.key").read_text().strip()[2:] not in plain.out + plain.err
    token = run("venue", "token", "-o", tmp_path / "t", "--json")
    assert (tmp_path / "t").read_text().strip() not in token.out
    assert len(token.document["token_sha256"]) == 64
    assert run("venue", "token", "-o", tmp_path / "t").code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hold-until", "2030-01-01T00:00:00Z"), "--hold-for"),
        (("--hold-for", "bank"), "--hold-until"),
        (("--subject", "0x12"), "--subject"),
        (("--contract", "0x12"), "--contract"),
        (("--as-of", "noon"), "--as-of"),
        (("--as-of", "2100-01-01T00:00:00Z"), "--as-of: '2100-01-01T00:00:00Z': it is "),
        (("--hold-until", "2020-01-01T00:00:00Z", "--hold-for", "bank"), "--hold-until"),
        (("--lifetime", 0), "--lifetime"),
        (("--open-orders", "some"), "--open-orders"),
        (("-o", "/nowhere/a.json"), "/nowhere/a.json: file: cannot be written"),
        (("--opening", "/nowhere/o.json"), "/nowhere/o.json: file: cannot be written"),
        (("--lifetime", 366 * 86400 + 1), "--lifetime"),
    ],
)
def test_mistakes_of_a_venue(
    run: Run, world: World, holdings_file: Path, tmp_path: Path, arguments: tuple[str, str], message: str
) -> None:
    seen = run(
        *("venue", "attest", world.snapshot, holdings_file, "--name", "alpha", "--account", "alice"),
        *("--subject", world.addresses["trader"], "--key", world.key("alpha"), *DOMAIN),
        *("--register", tmp_path / "r.db", "-o", tmp_path / "a.json", "--opening", tmp_path / "o.json"),
        *arguments,
    )
    assert (seen.code, message in seen.err) == (2, True), seen.err
    assert not (tmp_path / "o.json").exists()
    assert not (tmp_path / "r.db").exists(), "no sequence was used"


@pytest.mark.parametrize("replaced", ["opening", "key", "ledger", "snapshot", "register"])
def test_an_attestation_replaces_nothing_else(
    run: Run, world: World, holdings_file: Path, tmp_path: Path, replaced: str
) -> None:
    """Not the opening above all, without which nothing can be proven."""
    files = {
        "opening": tmp_path / "o.json",
        "key": tmp_path / "alpha.key",
        "ledger": tmp_path / "ledger.csv",
        "snapshot": tmp_path / "market.json",
        "register": tmp_path / "r.db",
    }
    shutil.copy(world.key("alpha"), files["key"])
    shutil.copy(holdings_file, files["ledger"])
    shutil.copy(world.snapshot, files["snapshot"])
    attesting = (
        *("venue", "attest", files["snapshot"], files["ledger"], "--name", "alpha", "--account", "alice"),
        *("--subject", world.addresses["trader"], "--key", files["key"], *DOMAIN),
        *("--register", files["register"], "--opening", files["opening"]),
    )
    assert run(*attesting, "-o", tmp_path / "a.json").code == 0
    files["opening"].unlink()
    before = {name: path.read_bytes() for name, path in files.items() if path.exists()}
    (tmp_path / "link").symlink_to(files[replaced])
    for output in (files[replaced], tmp_path / "link"):
        seen = run(*attesting, "-o", output)
        assert (seen.code, "it would replace another file of this command" in seen.err) == (2, True), seen.err
    assert {name: path.read_bytes() for name, path in files.items() if path.exists()} == before
