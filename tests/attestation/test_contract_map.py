"""Signed maps of contracts: believed only from the expected key, over this universe, untouched."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.attestation.scene import CONTRACT, DOMAIN, key, market_snapshot, now
from zkmargin.attestation import ContractMapDocument, SigningDomain, VerifiedMap, sign_map
from zkmargin.attestation.contract_map import MOST_CONTRACTS
from zkmargin.margin.account.contract_map import Target
from zkmargin.margin.errors import InputError

TARGETS = {
    "XBT-SWAP": Target("BTC-PERPETUAL", Decimal(100)),
    "Swap \u20bf/USD": Target("BTC-PERPETUAL", Decimal("-0.50")),
    "XBt": Target("BTC", Decimal("0.00000001")),
}


def signed(signer: str = "alpha", **changes: Any) -> ContractMapDocument:
    fields: dict[str, Any] = {"venue": "alpha", "as_of": now(), **changes}
    universe = fields.pop("universe", market_snapshot().universe)
    return sign_map(key(signer), DOMAIN, fields.pop("targets", TARGETS), universe, **fields)


def verified(document: ContractMapDocument, signer: str = "alpha") -> VerifiedMap:
    return document.verified(market_snapshot().universe, key(signer).address, "map.json")


def test_a_map_is_what_was_signed(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_bytes(signed().encode())
    document = ContractMapDocument.read(path)
    found = verified(document)
    assert found.targets == {**TARGETS, "Swap \u20bf/USD": Target("BTC-PERPETUAL", Decimal("-0.5"))}
    assert (found.digest, found.as_of, found.venue) == (document.digest.hex(), now(), "alpha")
    assert found.domain == SigningDomain(1, CONTRACT)
    assert [row.contract for row in document.contracts] == sorted(TARGETS)


def test_the_order_of_rows_does_not_matter() -> None:
    turned = dict(reversed(TARGETS.items()))
    assert signed(targets=turned).encode() == signed().encode()


def test_somebody_elses_map_is_refused() -> None:
    with pytest.raises(
        InputError, match=rf"map\.json: signer: '{key('beta').address}': {key('alpha').address} is"
    ):
        verified(signed("beta"))
    pretended = signed("beta").model_copy(update={"signer": key("alpha").address})
    with pytest.raises(InputError, match=r"map\.json: signature"):
        verified(pretended)


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        (0, {"multiplier": "-5"}),
        (1, {"multiplier": "1000"}),
        (1, {"instrument": "BTC"}),
        (1, {"contract": "XBT-SWAQ"}),
        (1, {"settlement": "USD"}),
    ],
)
def test_a_row_that_was_tampered_with(row: int, changes: dict[str, str]) -> None:
    content = signed().model_dump(mode="json")
    content["contracts"][row] |= changes
    forged = ContractMapDocument.accept(content, "map.json")
    with pytest.raises(InputError, match=r"map\.json: signature"):
        verified(forged)


def test_rows_taken_out_or_put_in() -> None:
    content = signed().model_dump(mode="json")
    added = {"contract": "Z", "instrument": "BTC", "multiplier": "1", "settlement": "BTC"}
    for rows in (content["contracts"][1:], [*content["contracts"], added]):
        forged = ContractMapDocument.accept({**content, "contracts": rows}, "map.json")
        with pytest.raises(InputError, match=r"map\.json: signature"):
            verified(forged)


def test_a_map_for_another_universe() -> None:
    other = replace(market_snapshot().universe, domain=2048)
    with pytest.raises(InputError, match=r"map\.json: universe: .* another universe than the snapshot's"):
        verified(signed(universe=other))


def test_a_slot_that_settles_otherwise_is_refused_even_if_signed() -> None:
    content = signed().model_dump(mode="json", include={"venue", "universe", "as_of", "contracts"})
    for changes, words in (
        ({"settlement": "USD"}, "settles in BTC"),
        ({"instrument": "XRP-PERPETUAL"}, "not listed"),
        ({"multiplier": "0"}, "other than zero"),
    ):
        rows = [dict(row) for row in content["contracts"]]
        rows[1] |= changes
        document = ContractMapDocument.sign(key("alpha"), DOMAIN, **{**content, "contracts": rows})
        with pytest.raises(InputError, match=rf"map\.json, contracts\[1\].*{words}"):
            verified(document)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[::-1], "sort by contract"),
        (lambda rows: [*rows, rows[-1]], "sort by contract"),
        (lambda rows: [], "list at least 1"),
        (lambda rows: [{**rows[0], "multiplier": "1e2"}], "write 100: no exponent"),
        (lambda rows: [{**rows[0], "multiplier": "100.0"}], "write 100"),
        (lambda rows: [{**rows[0], "multiplier": "+100"}], "write 100"),
        (lambda rows: [{**rows[0], "multiplier": "NaN"}], "finite decimal number"),
        (lambda rows: [{**rows[0], "multiplier": 100}], "write a text in quotes"),
        (lambda rows: [{**rows[0], "contract": "a\x1b[2J"}], "printable"),
        (lambda rows: [{**rows[0], "size": "1"}], "unknown key"),
        (lambda rows: rows[:1] * (MOST_CONTRACTS + 1), f"at most {MOST_CONTRACTS}"),
    ],
)
def test_maps_have_one_encoding(change: Any, words: str) -> None:
    content = signed().model_dump(mode="json")
    with pytest.raises(InputError, match=rf"map\.json: contracts.*{words}"):
        ContractMapDocument.accept({**content, "contracts": change(content["contracts"])}, "map.json")
