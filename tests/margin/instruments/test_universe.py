"""Instruments, universes and their canonical encoding."""

from dataclasses import replace
from typing import Any

import pytest

from tests.margin.accounts import MONTH, tiny
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json, digest
from zkmargin.margin.instruments.instrument import Instrument
from zkmargin.margin.instruments.universe import Universe, default_domain

CALL = Instrument("C", "option", "BTC", "BTC", True, MONTH, "52000", True, -1, 0, 1 << 21)
CASH = Instrument("USD", "balance", "USD", "USD", False, None, None, None, -6, 0, 1 << 54)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a b"),
        ("name", "x" * 65),
        ("kind", "swap"),
        ("underlying", "btc"),
        ("underlying", "USD"),
        ("settlement", "USD"),
        ("settlement", ""),
        ("inverse", False),
        ("expiry", None),
        ("strike", None),
        ("strike", "52000.0"),
        ("strike", "-1"),
        ("strike", "NaN"),
        ("strike", "abc"),
        ("call", None),
        ("lot_exponent", 7),
        ("contract_exponent", 10),
        ("bound", 0),
        ("bound", 1 << 62),
    ],
)
def test_an_instrument_that_is_none_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InputError):
        replace(CALL, **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [("expiry", MONTH), ("strike", "1"), ("call", True), ("inverse", True), ("settlement", "BTC")],
)
def test_a_balance_is_nothing_else(field: str, value: Any) -> None:
    with pytest.raises(InputError):
        replace(CASH, **{field: value})


def test_slots_are_found_by_name() -> None:
    universe = tiny().universe
    for slot, instrument in enumerate(universe.instruments):
        assert universe.slot(instrument.name) == slot
        assert instrument.name in universe
    with pytest.raises(InputError, match=r"'BTC-1JAN30'.*not listed"):
        universe.slot("BTC-1JAN30")


def test_default_domain_leaves_room_for_limbs_within_limits() -> None:
    assert [default_domain(n) for n in (1, 32, 33, 64, 128, 129, 1795, 2048)] == [
        256, 256, 512, 512, 1024, 2048, 2048, 2048,
    ]  # fmt: skip


@pytest.mark.parametrize("domain", [32, 63, 65, 100, 4096, -64])
def test_a_domain_that_does_not_fit_is_refused(domain: int) -> None:
    with pytest.raises(InputError, match="domain"):
        Universe((CASH,), domain)


def test_a_domain_is_at_least_the_universe() -> None:
    many = tuple(replace(CALL, name=f"C{i}") for i in range(65))
    with pytest.raises(InputError, match="domain"):
        Universe(many, 64)
    assert Universe(many, 128).domain == 128


def test_no_empty_no_huge_and_no_double_universe() -> None:
    with pytest.raises(InputError, match="between 1 and 2048"):
        Universe(())
    with pytest.raises(InputError, match="between 1 and 2048"):
        Universe(tuple(replace(CALL, name=f"C{i}") for i in range(2049)))
    with pytest.raises(InputError, match=r"'C'.*twice"):
        Universe((CALL, CASH, CALL))


def test_the_digest_binds_every_field_the_order_and_the_domain() -> None:
    universe = Universe((CASH, CALL))
    others = [
        Universe((CALL, CASH)),
        Universe((CASH, CALL), 64),
        Universe((CASH, replace(CALL, bound=5))),
        Universe((CASH, replace(CALL, call=False))),
    ]
    assert len({universe.digest, *(u.digest for u in others)}) == 5
    assert Universe((CASH, CALL)).digest == universe.digest
    assert universe.digest == digest(universe.document())


def test_canonical_json_is_sorted_tight_and_without_floats() -> None:
    assert canonical_json({"b": [1, None, True], "a": "\u00e9"}) == '{"a":"é","b":[1,null,true]}'.encode()
    for value in (object(), {1, 2}, b"x", 1.5, [1, [2.0]], {"a": {"b": 0.5}}, {1: 2}, [{None: 1}]):
        with pytest.raises(TypeError):
            canonical_json(value)
