"""The venue's service: a token is an account, the ledger is the only source, and every refusal has a code."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from tests.attestation.scene import AUDIENCE, CONTRACT, ceremony_setup, key, market_snapshot
from zkmargin.attestation import AttestationDocument
from zkmargin.attestation.key_file import write_key
from zkmargin.cli.command import command
from zkmargin.margin.errors import InputError
from zkmargin.prover import OpeningDocument
from zkmargin.venue.service import LARGEST_BODY, Desk, create_app
from zkmargin.venue.settings import VenueSettings

TOKENS = {"alice": "the token of alice", "bob": "the token of bob"}


def settings_text(**changes: str) -> str:
    fields = {
        "name": '"alpha"',
        "chain_id": "1",
        "verifying_contract": f'"{CONTRACT}"',
        "snapshot": '"market.json"',
        "register": '"venue.db"',
        "key": '"venue.key"',
        **changes,
    }
    text = "".join(f"{name} = {value}\n" for name, value in fields.items())
    for name, token in TOKENS.items():
        digest = hashlib.sha256(token.encode()).hexdigest()
        text += f'[accounts.{name}]\nsubject = "{key(name).address}"\nholdings = "{name}.csv"\n'
        text += f'token_sha256 = "{digest}"\n'
    return text


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    market_snapshot().dump(tmp_path / "market.json")
    write_key(tmp_path / "venue.key", None)
    (tmp_path / "alice.csv").write_text("instrument,quantity\nUSD,250000\nBTC,2\n")
    (tmp_path / "bob.csv").write_text("instrument,quantity\nUSD,77\n")
    (tmp_path / "venue.toml").write_text(settings_text())
    return tmp_path


@pytest.fixture
def client(directory: Path) -> Iterator[TestClient]:
    app = create_app(Desk.open(directory / "venue.toml", ceremony_setup()))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def attest(client: TestClient, who: str = "alice", **request: Any) -> Any:
    return client.post("/v1/attest", headers={"Authorization": f"Bearer {TOKENS[who]}"}, **request)


def test_an_account_is_attested_to(client: TestClient) -> None:
    answer = attest(client)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    attestation = AttestationDocument.accept(answer.json()["attestation"], "answer")
    opening = OpeningDocument.accept(answer.json()["opening"], "answer")
    attestation.check_signature("answer")
    assert attestation.signer == client.get("/v1/venue").json()["signer"]
    assert (attestation.account, attestation.subject) == ("alice", key("alice").address)
    assert opening.lots == {"USD": 250000 * 10**6, "BTC": 2 * 10**8}
    assert attest(client, "bob").json()["opening"]["lots"] == {"USD": 77 * 10**6}


def test_the_ledger_is_read_anew(client: TestClient, directory: Path) -> None:
    first = attest(client).json()["attestation"]
    (directory / "alice.csv").write_text("instrument,quantity\nUSD,1\n")
    second = attest(client).json()
    assert second["opening"]["lots"] == {"USD": 10**6}
    assert second["attestation"]["sequence"] == first["sequence"] + 1


def test_a_hold_is_granted_and_not_given_twice(client: TestClient) -> None:
    as_of = attest(client).json()["attestation"]["as_of"]
    hold = {"until": as_of + 600, "audience": AUDIENCE}
    assert attest(client, json={"hold": hold}).json()["attestation"]["hold"] == hold
    assert attest(client).json()["attestation"]["hold"] == hold
    refused = attest(client, json={"hold": {**hold, "audience": "another"}})
    assert (refused.status_code, refused.json()["code"]) == (409, "hold")
    for until in (as_of - 5, as_of + 10**8):
        refused = attest(client, json={"hold": {**hold, "until": until}})
        assert (refused.status_code, refused.json()["code"]) == (422, "hold")


@pytest.mark.parametrize(
    "body",
    [
        {"point": "8f" + "ab" * 47},
        {"commitment": "8f" + "ab" * 47},
        {"hold": None, "account": "bob"},
        {"holdings": [{"instrument": "USD", "quantity": "1"}]},
        {"hold": {"until": "5", "audience": "x"}},
        [],
        5,
    ],
)
def test_nothing_else_can_be_asked_for(client: TestClient, body: Any) -> None:
    """A commitment C_X - C_A cannot be offered for signing: no field takes it."""
    refused = attest(client, json=body)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "request"


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic abc", "Bearer "])
def test_without_a_token_there_is_nothing(client: TestClient, header: str | None) -> None:
    refused = client.post("/v1/attest", headers={"Authorization": header} if header else {})
    assert (refused.status_code, refused.json()["code"]) == (401, "token")
    assert refused.headers["www-authenticate"] == "Bearer"


def test_a_broken_ledger_stays_the_venues_affair(client: TestClient, directory: Path) -> None:
    (directory / "alice.csv").write_text("instrument,quantity\nUSD,secretly wrong\n")
    refused = attest(client)
    assert (refused.status_code, refused.json()["code"]) == (503, "ledger")
    assert "secretly" not in refused.text


def test_a_large_body_is_refused(client: TestClient) -> None:
    for content in (b" " * (LARGEST_BODY + 1), iter([b" " * LARGEST_BODY, b" "])):
        refused = attest(client, content=content)
        assert (refused.status_code, refused.json()["code"]) == (413, "body")


def test_paths_and_methods_have_codes(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/nowhere").json()["code"] == "path"
    assert client.get("/v1/attest").json()["code"] == "method"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (settings_text(chain_id='"1"'), "chain_id"),
        (settings_text(secret='"x"'), "secret"),
        (settings_text(lifetime="0"), "lifetime"),
        (settings_text(verifying_contract='"0x12"'), "verifying_contract"),
        (
            settings_text().replace(hashlib.sha256(b"the token of bob").hexdigest(), "ab"),
            "accounts.bob.token_sha256",
        ),
        ("name =", "document"),
    ],
)
def test_settings_are_read_strictly(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "venue.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"venue\.toml: {field}"):
        VenueSettings.read(path)


def test_two_accounts_have_two_tokens(tmp_path: Path) -> None:
    path = tmp_path / "venue.toml"
    digests = [hashlib.sha256(token.encode()).hexdigest() for token in TOKENS.values()]
    path.write_text(settings_text().replace(digests[1], digests[0]))
    with pytest.raises(InputError, match="the same token"):
        VenueSettings.read(path)


def test_the_command_serves_it(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []
    monkeypatch.setattr("uvicorn.Server.run", lambda server: served.append(server.config))
    result = CliRunner().invoke(command, ["venue", "serve", str(directory / "venue.toml"), "--port", "0"])
    assert result.exit_code == 0, result.output
    config = served[0]
    assert (config.host, config.port) == ("127.0.0.1", 0)
    with TestClient(config.app) as client:
        assert client.get("/v1/venue").json()["name"] == "alpha"
    (directory / "bob.csv").unlink()
    refused = CliRunner().invoke(command, ["venue", "serve", str(directory / "venue.toml")])
    assert refused.exit_code == 2
    assert "bob.csv" in refused.output
