"""Ledgers by a venue's own names of contracts: read by the signed map that every attestation then names."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.attestation.scene import DOMAIN, Desk, ceremony_setup, key, market_snapshot, now
from tests.venue.test_book import Rows, lines, run, written
from tests.venue.test_service import TOKENS, settings_text
from zkmargin.attestation import (
    AttestationDocument,
    ContractMapDocument,
    SigningDomain,
    VerifiedMap,
    sign_map,
)
from zkmargin.attestation.key_file import write_key
from zkmargin.margin.account.contract_map import Target, read_contract_map
from zkmargin.margin.errors import InputError
from zkmargin.prover import OpeningDocument
from zkmargin.venue import Moment, Register, Venue, attest_book
from zkmargin.venue.book import BookDocument
from zkmargin.venue.issue import begin
from zkmargin.venue.service import Desk as Service
from zkmargin.venue.service import create_app

TABLE = "contract,instrument,multiplier,settlement\nXBT-100,BTC-PERPETUAL,100,BTC\nXBt,BTC,0.00000001,BTC\n"
HELD = (("USD", "1000", None), ("XBt", "150000000", None), ("XBT-100", "-30", "88000"))
LOTS = {"USD": 1000 * 10**6, "BTC-PERPETUAL": -3000}


def targets(folder: Path) -> dict[str, Target]:
    path = folder / "map.csv"
    path.write_text(TABLE)
    return dict(read_contract_map(path, market_snapshot().universe))


def signed(folder: Path, signer: str = "alpha", **changes: Any) -> ContractMapDocument:
    fields: dict[str, Any] = {"venue": "alpha", "as_of": now(), "domain": DOMAIN, **changes}
    return sign_map(key(signer), fields.pop("domain"), targets(folder), market_snapshot().universe, **fields)


def verified(folder: Path, **changes: Any) -> VerifiedMap:
    return signed(folder, **changes).verified(market_snapshot().universe, key("alpha").address, "map.json")


def by_map(folder: Path, contracts: VerifiedMap | None) -> Desk:
    venue = Venue("alpha", key("alpha"), DOMAIN, ceremony_setup(), market_snapshot(), contracts)
    return Desk(venue, Register(folder / "alpha.db"))


def rows(accounts: int, held: Any = HELD) -> Rows:
    table: Rows = {name: [] for name in ("account", "subject", "instrument", "quantity", "entry_price")}
    for number in range(accounts):
        for values in held:
            owner = (f"account-{number}", key("owner").address)
            for column, value in zip(table.values(), (*owner, *values), strict=True):
                column.append(value)
    return table


def openings(directory: Path) -> list[OpeningDocument]:
    return [OpeningDocument.parse(line.decode(), "line") for line in lines(directory, "openings")]


def test_one_account(tmp_path: Path) -> None:
    desk = by_map(tmp_path, verified(tmp_path))
    path = tmp_path / "alice.csv"
    path.write_text("instrument,quantity,entry_price\n" + "".join(f"{n},{q},{p or ''}\n" for n, q, p in HELD))
    made = desk.attest(held=desk.venue.holdings(path))
    assert made.attestation.contract_map == signed(tmp_path).digest.hex()
    assert made.opening.lots.items() >= LOTS.items()
    made.attestation.check_signature("attestation")


@pytest.mark.parametrize("name", ["book.csv", "book.parquet"])
def test_a_book(tmp_path: Path, name: str) -> None:
    desk, out = by_map(tmp_path, verified(tmp_path)), tmp_path / "out"
    book = run(desk, written(tmp_path / name, rows(3)), out)
    digest = signed(tmp_path).digest.hex()
    assert book.document.contract_map == BookDocument.read(out / "book.json").contract_map == digest
    made = [AttestationDocument.parse(line.decode(), "line") for line in lines(out, "attestations")]
    assert [one.contract_map for one in made] == [digest] * 3
    # 1.5 BTC, and the short perpetual's entry of -3000 / 88000 BTC in whole satoshi, rounded down.
    assert [one.lots for one in openings(out)] == [{**LOTS, "BTC": 150000000 - 3409091}] * 3


@pytest.mark.parametrize("name", ["book.csv", "book.parquet"])
def test_a_contract_that_the_map_lacks(tmp_path: Path, name: str) -> None:
    """Also one that the universe lists: the venue's of that name may be of another size."""
    desk = by_map(tmp_path, verified(tmp_path))
    for number, contract in enumerate(("XBT-10", "BTC-PERPETUAL")):
        book = written(tmp_path / name, rows(2, (*HELD, (contract, "1", None))))
        words = rf"book\.\w+, row [48]: instrument: '{contract}': the map of contracts does not list it"
        with pytest.raises(InputError, match=words):
            run(desk, book, tmp_path / f"out-{number}")


def test_a_run_is_continued_by_its_own_map_only(tmp_path: Path) -> None:
    book, out = written(tmp_path / "book.csv", rows(1, HELD[:1])), tmp_path / "out"
    run(by_map(tmp_path, verified(tmp_path)), book, out)
    other = by_map(tmp_path, verified(tmp_path, as_of=now() + 1))
    with pytest.raises(InputError, match=r"book\.json: contract_map: .* another run is in this directory"):
        run(other, book, out, as_of=now() + 2)


def test_a_map_of_another_venue_or_deployment(tmp_path: Path) -> None:
    for changes, field in (
        ({"venue": "beta"}, "venue: 'beta'"),
        ({"domain": SigningDomain(2, DOMAIN.verifying_contract)}, "chain_id: 2"),
        ({"domain": SigningDomain(1, key("x").address)}, "verifying_contract"),
    ):
        with pytest.raises(InputError, match=f"map of contracts: {field}"):
            by_map(tmp_path, verified(tmp_path, **changes))


def test_a_map_that_did_not_hold_yet(tmp_path: Path) -> None:
    desk = by_map(tmp_path, verified(tmp_path, as_of=now() + 5))
    with pytest.raises(InputError, match="use the map that held then"):
        desk.attest()
    with pytest.raises(InputError, match="use the map that held then"):
        run(desk, written(tmp_path / "book.csv", rows(1)), tmp_path / "out")
    assert desk.attest(as_of=now() + 5).attestation.sequence == 1


def test_a_map_that_was_replaced_or_forgotten(tmp_path: Path) -> None:
    old, new = (verified(tmp_path, as_of=now() + seconds) for seconds in (0, 5))
    by_map(tmp_path, old).attest(as_of=now())
    by_map(tmp_path, new).attest(as_of=now() + 5)
    for contracts, found in ((old, now()), (None, "none")):
        with pytest.raises(
            InputError, match=f"map of contracts: {found}: the ledger was read by the map of Unix"
        ):
            by_map(tmp_path, contracts).attest(as_of=now() + 6)


def test_a_register_is_one_venues(tmp_path: Path) -> None:
    by_map(tmp_path, None).attest()
    beta = Venue("beta", key("beta"), DOMAIN, ceremony_setup(), market_snapshot())
    register = Register(tmp_path / "alpha.db")
    with pytest.raises(InputError, match=r"alpha\.db: venue: 'beta': the register is that of 'alpha'"):
        Desk(beta, register).attest()
    book, moment = written(tmp_path / "book.csv", rows(1, HELD[:1])), Moment(now(), now() + 60)
    with pytest.raises(InputError, match="the register is that of 'alpha'"):
        attest_book(beta, book, tmp_path / "out", moment, register)
    begin(by_map(tmp_path, None).venue, moment, register)


# --- the service ------------------------------------------------------------------------------------


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    market_snapshot().dump(tmp_path / "market.json")
    own = write_key(tmp_path / "venue.key", None)
    (tmp_path / "alice.csv").write_text("instrument,quantity\nUSD,1000\nXBT-100,-30\n")
    (tmp_path / "bob.csv").write_text("instrument,quantity\nUSD,77\n")
    (tmp_path / "venue.toml").write_text(settings_text(map='"map.json"'))
    document = sign_map(
        own, DOMAIN, targets(tmp_path), market_snapshot().universe, venue="alpha", as_of=now()
    )
    (tmp_path / "map.json").write_bytes(document.encode())
    return tmp_path


def test_the_service_reads_by_the_map(directory: Path) -> None:
    desk = Service.open(directory / "venue.toml", ceremony_setup())
    digest = ContractMapDocument.read(directory / "map.json").digest.hex()
    with TestClient(create_app(desk)) as client:
        assert client.get("/v1/venue").json()["contract_map"] == digest
        bearer = {"Authorization": f"Bearer {TOKENS['alice']}"}
        answer = client.post("/v1/attest", headers=bearer).json()
        assert answer["attestation"]["contract_map"] == digest
        assert answer["opening"]["lots"]["BTC-PERPETUAL"] == -3000
        (directory / "alice.csv").write_text("instrument,quantity\nXBT-10,-30\n")
        refused = client.post("/v1/attest", headers=bearer)
        assert (refused.status_code, refused.json()["code"]) == (503, "ledger")
        assert "XBT-10" not in refused.text


def test_the_service_believes_the_expected_key_only(directory: Path) -> None:
    (directory / "map.json").write_bytes(signed(directory, "mallory").encode())
    with pytest.raises(InputError, match=r"map\.json: signer"):
        Service.open(directory / "venue.toml", ceremony_setup())
    signer = f'"{key("mallory").address}"'
    (directory / "venue.toml").write_text(settings_text(map='"map.json"', map_signer=signer))
    assert Service.open(directory / "venue.toml", ceremony_setup()).venue.contracts is not None
    (directory / "venue.toml").write_text(settings_text(map_signer=signer))
    with pytest.raises(InputError, match="map_signer names who signed a map"):
        Service.open(directory / "venue.toml", ceremony_setup())
