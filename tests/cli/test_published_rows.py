"""Committed rows beside a signed snapshot: an oracle publishes both in one file, and a service pulls it."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Run
from tests.cli.test_services import refused
from tests.verifier.service.world import DOMAIN, Replica, World, snapshot
from zkmargin.attestation.secret_file import write_secret

PULLED_SECONDS = 20


@dataclass
class Oracle:
    """A folder with a snapshot of this minute, its key, and rows of a model at both levels."""

    folder: Path
    world: World

    def words(self, *more: object) -> tuple[object, ...]:
        domain = ("--chain-id", DOMAIN.chain_id, "--contract", DOMAIN.verifying_contract)
        key = ("--key", self.folder / "oracle.key")
        signature = ("-o", self.folder / "signature.json")
        return ("snapshot", "sign", self.folder / "market.json", *key, *domain, *signature, *more)

    def rows(self, *levels: str) -> list[object]:
        return [word for level in levels for word in ("--rows", self.folder / f"{level}.json")]


@pytest.fixture(scope="module")
def oracle(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    made = Oracle(tmp_path_factory.mktemp("oracle"), World())
    snapshot().dump(made.folder / "market.json")
    write_secret(made.folder / "oracle.key", f"0x{made.world.oracle.export().hex()}".encode())
    for level in ("initial", "maintenance"):
        chosen = ("--model", "isolated", "--level", level, "-o", made.folder / f"{level}.json")
        assert run("rows", made.folder / "market.json", *chosen).code == 0
    return made


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def address(oracle: Oracle) -> Iterator[str]:
    """Where the oracle's files are served from, as they are."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(oracle.folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_service_pulls_rows_with_their_snapshot(
    run: Run, oracle: Oracle, address: str, tmp_path: Path
) -> None:
    published = oracle.folder / "published.json"
    rows = oracle.rows("initial", "maintenance")
    signed = run(*oracle.words("--publish", published, *rows, "--json"))
    assert (signed.code, signed.document["published"]) == (0, str(published)), signed.err
    assert signed.document["rows"] == ["isolated at initial", "isolated at maintenance"]
    settings: dict[str, Any] = {"oracles": [f"{address}/published.json"], "oracle_seconds": 0.1}
    replica = Replica(oracle.world, tmp_path, f"sqlite:///{tmp_path}/ledger.db", **settings)
    try:
        path, deadline = f"/v1/snapshots/{signed.document['snapshot']}", time.monotonic() + PULLED_SECONDS
        while replica.http.get(path).status_code != 200:
            assert time.monotonic() < deadline, replica.logged("oracle")
            time.sleep(0.05)
        for level in ("initial", "maintenance"):
            document = replica.http.get(f"{path}/rows/isolated/{level}")
            assert document.content.strip() == (oracle.folder / f"{level}.json").read_bytes().strip()
    finally:
        replica.close()


def test_rows_that_cannot_be_published(run: Run, oracle: Oracle, tmp_path: Path) -> None:
    published = tmp_path / "published.json"

    def sign(*more: object) -> tuple[object, ...]:
        return oracle.words("--publish", published, *more)

    refused(run(*oracle.words(*oracle.rows("initial"))), "--publish", "missing")
    refused(run(*sign(*oracle.rows("initial", "initial"))), "initial.json", "isolated at initial", "once")
    refused(run(*sign("--rows", tmp_path / "none.json")), "none.json", "No such file")
    refused(run(*sign("--rows", oracle.folder / "market.json")), "market.json", "right kind")
    replaced = oracle.words("--publish", oracle.folder / "initial.json", *oracle.rows("initial"))
    refused(run(*replaced), "--publish", "would replace")
    snapshot(btc="90000").dump(tmp_path / "other.json")
    elsewhere = ("--model", "isolated", "-o", tmp_path / "others.json")
    assert run("rows", tmp_path / "other.json", *elsewhere).code == 0
    refused(run(*sign("--rows", tmp_path / "others.json")), "others.json", "another snapshot")
    document = json.loads((oracle.folder / "initial.json").read_text())
    points = document["columns"][0]
    document["columns"][0] = points[96:192] + points[:96] + points[192:]
    (tmp_path / "forged.json").write_text(json.dumps(document))
    refused(run(*sign("--rows", tmp_path / "forged.json")), "forged.json", "not those of the snapshot")
    assert not published.exists()
