"""A venue's names for contracts, and cash that is reserved for open orders."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.accounts import holdings, tiny
from zkmargin.margin.account.contract_map import Target, read_contract_map
from zkmargin.margin.account.greeks import net_greeks
from zkmargin.margin.account.holdings import OPEN_ORDERS, Holdings
from zkmargin.margin.account.report import build_report
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError

HEADER = "contract,instrument,multiplier,settlement\n"
MAP = HEADER + (
    "XBTUSD,BTC-PERPETUAL,1,BTC\n"
    "BTC-SWAP-100,BTC-PERPETUAL,100,BTC\n"
    "mBTC-LIN,BTC_USD-PERPETUAL,0.01,USD\n"
    "USD-BTC,BTC_USD-31JAN26,-0.001,USD\n"
)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def mapped(tmp_path: Path, rows: str, table: str = MAP) -> Holdings:
    contracts = read_contract_map(written(tmp_path / "map.csv", table), tiny().universe)
    account = written(tmp_path / "h.csv", "instrument,quantity,entry_price\n" + rows)
    return Holdings.read(account, tiny(), contracts)


def test_contracts_become_quantities_of_their_slots(tmp_path: Path) -> None:
    found = mapped(tmp_path, "USD,1000,\nmBTC-LIN,30,50000\nBTC-SWAP-100,-7,49000\nUSD-BTC,2000,\n")
    plain = holdings(
        tiny(),
        ("USD", "1000"),
        ("BTC_USD-PERPETUAL", "0.3", "50000"),
        ("BTC-PERPETUAL", "-700", "49000"),
        ("BTC_USD-31JAN26", "-2"),
    )
    assert found.vector(tiny()) == plain.vector(tiny())


def test_what_is_quoted_the_other_way_round_has_no_price_in_usd(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"line 2: entry_price: '0.00002': USD-BTC is quoted the other way round"
    ):
        mapped(tmp_path, "USD-BTC,2000,0.00002\n")


def test_contracts_of_one_slot_add_up_each_from_its_own_entry(tmp_path: Path) -> None:
    table = MAP + "BTC-PERPETUAL,BTC-PERPETUAL,10,BTC\n"
    rows = "XBTUSD,300,40000\nBTC-SWAP-100,5,60000\nBTC-PERPETUAL,-10,50000\n"
    found = mapped(tmp_path, rows, table).vector(tiny())
    apart = [
        holdings(tiny(), ("BTC-PERPETUAL", quantity, price)).vector(tiny())
        for quantity, price in (("300", "40000"), ("500", "60000"), ("-100", "50000"))
    ]
    assert found == [sum(lots) for lots in zip(*apart, strict=True)]


def test_balances_and_reserves_need_no_row_in_the_map(tmp_path: Path) -> None:
    plain = holdings(tiny(), ("BTC", "1.5"), ("USD", "90"))
    assert mapped(tmp_path, f"BTC,1.5,\nUSD,100,\n{OPEN_ORDERS},10,\n").vector(tiny()) == plain.vector(tiny())


def test_no_map_turns_what_is_reserved_into_a_holding(tmp_path: Path) -> None:
    table = MAP + f"{OPEN_ORDERS},USD,1,USD\n"
    assert mapped(tmp_path, "USD,100,\n", table).vector(tiny())[0] == 100 * 10**6
    with pytest.raises(
        InputError, match="line 2: instrument: 'open-orders': the map of contracts makes USD of"
    ):
        mapped(tmp_path, f"{OPEN_ORDERS},10,\n", table)


def test_a_balance_may_be_counted_in_small_coins(tmp_path: Path) -> None:
    table = MAP + "XBt,BTC,0.00000001,BTC\n"
    plain = holdings(tiny(), ("BTC", "1.5"))
    assert mapped(tmp_path, "XBt,150000000,\n", table).vector(tiny()) == plain.vector(tiny())


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("XBTUSD,1,\nXBTUSD,2,\n", "line 3: instrument: 'XBTUSD': held twice"),
        ("mBTC-LIN,0.01,\n", "not a multiple of the lot"),
        (
            "XBTEUR,1,\n",
            "line 2: instrument: 'XBTEUR': the map of contracts does not list it; is XBTUSD meant",
        ),
        # The venue's contract of this name may be of another size than the slot.
        (
            "USD,1,\nBTC-PERPETUAL,1,\n",
            "line 3: instrument: 'BTC-PERPETUAL': the map of contracts does not list",
        ),
    ],
)
def test_holdings_that_cannot_be_used(tmp_path: Path, rows: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        mapped(tmp_path, rows)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("XBTUSD,BTC-PERPETUAL,1,BTC", "line 6: contract: 'XBTUSD': occurs twice"),
        (",BTC-PERPETUAL,1,BTC", "write the venue's name"),
        ("A,BTC-PERPETUAL,1,USD", "BTC-PERPETUAL settles in BTC"),
        ("A,BTC-PERPETUAL,0,BTC", "other than zero"),
        ("A,BTC-PERPETUAL,many,BTC", "multiplier: 'many'"),
        ("A,ETH-PERPETUAL,1,ETH", "not listed by the snapshot"),
        ("A,BTC-PERPETUAL,1", "3 values"),
    ],
)
def test_maps_that_cannot_be_used(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_contract_map(written(tmp_path / "map.csv", MAP + row + "\n"), tiny().universe)


def test_a_map_is_read_as_written(tmp_path: Path) -> None:
    found = read_contract_map(written(tmp_path / "map.csv", MAP), tiny().universe)
    assert found["USD-BTC"] == Target("BTC_USD-31JAN26", Decimal("-0.001"))


# Open orders ----------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(-(10**9), 10**9), st.integers(0, 10**9))
def test_a_reserve_lowers_cash(cash: int, reserved: int) -> None:
    with_orders = holdings(tiny(), ("USD", str(cash)), (OPEN_ORDERS, str(reserved)))
    assert with_orders.vector(tiny()) == holdings(tiny(), ("USD", str(cash - reserved))).vector(tiny())


def test_a_reserve_lowers_value_and_excess_and_leaves_the_requirement() -> None:
    rows = (("USD", "5000"), ("BTC_USD-PERPETUAL", "0.1"))
    free = requirement(tiny(), holdings(tiny(), *rows).vector(tiny()))
    held = requirement(tiny(), holdings(tiny(), *rows, (OPEN_ORDERS, "1200.5")).vector(tiny()))
    assert held.requirement == free.requirement
    assert free.excess_ticks - held.excess_ticks == 1_200_500_000


def test_a_reserve_is_shown_and_has_no_sensitivities() -> None:
    account = holdings(tiny(), ("USD", "5000"), (OPEN_ORDERS, "1200"))
    report = build_report(tiny(), account)
    assert [(p.instrument, p.value) for p in report.positions][1] == (OPEN_ORDERS, -1_200_000_000)
    assert net_greeks(tiny(), account.entries(tiny())) == {}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((OPEN_ORDERS, "-1"), "zero or more"),
        ((OPEN_ORDERS, "1", "2"), "a reserve is no position"),
        ((OPEN_ORDERS, "0.0000001"), "not a multiple of the lot"),
    ],
)
def test_reserves_that_cannot_be_used(row: tuple[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        holdings(tiny(), row)


def test_coins_may_be_reserved_for_orders() -> None:
    """They lower the coin's balance, as cash that is reserved lowers the cash."""
    reserved = holdings(tiny(), ("BTC", "2"), (f"{OPEN_ORDERS}:BTC", "0.5"), (OPEN_ORDERS, "10"))
    assert reserved.vector(tiny()) == holdings(tiny(), ("BTC", "1.5"), ("USD", "-10")).vector(tiny())
    for name, reason in (("DOGE", "names a balance of the snapshot"), ("BTC-PERPETUAL", "names a balance")):
        with pytest.raises(InputError, match=reason):
            holdings(tiny(), (f"{OPEN_ORDERS}:{name}", "1"))
    with pytest.raises(InputError, match="write the BTC reserved, zero or more"):
        holdings(tiny(), (f"{OPEN_ORDERS}:BTC", "-1"))
