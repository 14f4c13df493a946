"""Holdings: legs, lots, and one clear error for every bad row."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.accounts import holdings, tiny, tiny_market
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.account.requirement import account_value
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot

INDEX, MARK = Decimal(50000), Decimal(50010)
prices = st.decimals(min_value=1000, max_value=200000, places=2)


def slot(name: str) -> int:
    return tiny().universe.slot(name)


def usd(lots: list[int], snapshot: Snapshot) -> Fraction:
    return Fraction(account_value(snapshot, lots), 10**snapshot.money_decimals)


def test_balances_and_options_are_lots_of_their_own() -> None:
    held = holdings(tiny(), ("USD", "1.5"), ("BTC", "-0.25"), ("BTC-31JAN26-K-C", "-2.3"))
    expected = [0] * len(tiny().universe)
    expected[slot("USD")], expected[slot("BTC")] = 1_500_000, -25_000_000
    expected[slot("BTC-31JAN26-K-C")] = -23
    assert held.vector(tiny()) == expected


def test_a_linear_entry_is_paid_from_cash() -> None:
    lots = holdings(tiny(), ("USD", "10"), ("BTC_USD-31JAN26", "0.003", "40000.1234567")).vector(tiny())
    assert lots[slot("BTC_USD-31JAN26")] == 3
    # 0.003 * 40000.1234567 = 120.0003703701, and the account never gains by rounding.
    assert lots[slot("USD")] == 10_000_000 - 120_000_371


def test_an_inverse_entry_is_coin() -> None:
    lots = holdings(tiny(), ("BTC", "1"), ("BTC-PERPETUAL", "-700", "30000")).vector(tiny())
    assert lots[slot("BTC-PERPETUAL")] == -700
    # -700 / 30000 = -0.02333..., rounded down.
    assert lots[slot("BTC")] == 100_000_000 - 2_333_334


@given(quantity=st.integers(-(10**6), 10**6), entry=prices)
@settings(max_examples=60)
def test_inverse_value_is_the_profit_since_entry(quantity: int, entry: Decimal) -> None:
    held = holdings(tiny(), ("BTC-PERPETUAL", str(quantity), str(entry)))
    exact = quantity * (1 / Fraction(entry) - 1 / Fraction(MARK)) * Fraction(INDEX)
    coin_lot = Fraction(INDEX) / 10**8
    rounding = Fraction(abs(quantity), 10**10)
    assert -coin_lot - rounding <= usd(held.vector(tiny()), tiny()) - exact <= rounding


@given(quantity=st.integers(-(10**6), 10**6), entry=prices)
@settings(max_examples=60)
def test_linear_value_is_the_profit_since_entry(quantity: int, entry: Decimal) -> None:
    held = holdings(tiny(), ("BTC_USD-PERPETUAL", str(Decimal(quantity).scaleb(-3)), str(entry)))
    exact = Fraction(quantity, 1000) * (Fraction(MARK) - Fraction(entry))
    assert Fraction(-1, 10**6) < usd(held.vector(tiny()), tiny()) - exact <= 0


@pytest.mark.parametrize("name", ["BTC-PERPETUAL", "BTC-31JAN26", "BTC_USD-PERPETUAL", "BTC_USD-31JAN26"])
@pytest.mark.parametrize("quantity", ["1000", "-1000"])
def test_without_entry_a_contract_starts_at_its_mark(name: str, quantity: str) -> None:
    value = usd(holdings(tiny(), (name, quantity)).vector(tiny()), tiny())
    assert -Fraction(1, 1000) < value <= Fraction(1, 10**6)


def test_one_vector_serves_a_later_snapshot() -> None:
    later = Snapshot.build(tiny_market(perpetual=Decimal(60000), index=Decimal(60000)), domain=64)
    lots = holdings(tiny(), ("BTC-PERPETUAL", "50000", "50000")).vector(tiny())
    assert usd(lots, later) == pytest.approx(10000)


def test_sums_of_legs_and_balance() -> None:
    rows = (("BTC", "2"), ("BTC-PERPETUAL", "100", "50000"), ("BTC-31JAN26", "-100", "40000"))
    together = holdings(tiny(), *rows).vector(tiny())
    apart = [holdings(tiny(), row).vector(tiny()) for row in rows]
    assert together == [sum(column) for column in zip(*apart, strict=True)]


CSV_FAULTS = [
    ("BTC-1JAN30,1,", "line 3: instrument: 'BTC-1JAN30': not listed"),
    ("USD,1,", "line 3: instrument: 'USD': held twice"),
    ("BTC,,", "line 3: quantity: '': the number is missing"),
    ("BTC,nan,", "line 3: quantity: 'nan': write a finite"),
    ("BTC,inf,", "line 3: quantity: 'inf': write a finite"),
    ("BTC,one,", "line 3: quantity: 'one': write a finite"),
    ("BTC,0.000000001,", "line 3: quantity: '0.000000001': not a multiple of the lot of BTC, 0.00000001"),
    ("BTC," + "0." + "0" * 30 + "1,", "line 3: quantity: .*too precise"),
    ("BTC,1e30,", "line 3: quantity: '1e30': the number is too large"),
    ("BTC-31JAN26-K-C,0.05,", "line 3: quantity: '0.05': not a multiple of the lot of BTC-31JAN26-K-C, 0.1"),
    ("BTC-31JAN26-K-C,300000,", "line 3: quantity of BTC-31JAN26-K-C: '300000': hold at most"),
    ("BTC-PERPETUAL,0.5,", "line 3: quantity: '0.5': not a multiple"),
    ("BTC-PERPETUAL,1,0", "line 3: entry_price: '0': write a number greater than zero"),
    ("BTC-PERPETUAL,1,-5", "line 3: entry_price: '-5': write a number greater than zero"),
    ("BTC-PERPETUAL,1,nan", "line 3: entry_price: 'nan': write a finite"),
    ("BTC-PERPETUAL,4000000000,0.00000001", "line 3: quantity of BTC: .*hold at most"),
    ("BTC,1,100", "line 3: entry_price: '100': leave it empty"),
    ("BTC-31JAN26-K-C,1,100", "line 3: entry_price: '100': leave it empty"),
    ("BTC,1", "line 3: row: 2 values"),
]


@pytest.mark.parametrize(("row", "message"), CSV_FAULTS)
def test_a_bad_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "held.csv"
    path.write_text(f"instrument,quantity,entry_price\nUSD,5,\n{row}\n")
    with pytest.raises(InputError, match=rf"held\.csv, {message}"):
        Holdings.read(path, tiny())


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("instrument,quantity,price", "column: 'price': unknown"),
        ("instrument", "'quantity': missing"),
        ("", "missing"),
    ],
)
def test_a_bad_header_is_named(tmp_path: Path, header: str, message: str) -> None:
    path = tmp_path / "held.csv"
    path.write_text(header + "\n")
    with pytest.raises(InputError, match=message):
        Holdings.read(path, tiny())


def test_either_form_of_file(tmp_path: Path) -> None:
    held = holdings(tiny(), ("USD", "5"), ("BTC-PERPETUAL", "10", "45000.5"))
    (tmp_path / "a.json").write_text(json.dumps(held.document()))
    (tmp_path / "a.csv").write_text(
        "entry_price,instrument,quantity\n,USD,5.0\n\n45000.50, BTC-PERPETUAL ,1e1\n"
    )
    (tmp_path / "b.csv").write_text("\ufeffinstrument,quantity\r\nUSD,5\r\n")
    vectors = [Holdings.read(tmp_path / name, tiny()).vector(tiny()) for name in ("a.json", "a.csv")]
    assert vectors == [held.vector(tiny())] * 2
    assert [p.instrument for p in Holdings.read(tmp_path / "b.csv", tiny()).positions] == ["USD"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "document"),
        ("{", "valid JSON"),
        ('{"positions": [], "version": 2}', "version"),
        ('{"positions": [{"instrument": "BTC"}]}', "positions.0.quantity: missing"),
        (
            '{"positions": [{"instrument": "BTC", "quantity": 1, "colour": 2}]}',
            "positions.0.colour: .*unknown key",
        ),
        ('{"positions": [{"instrument": "BTC", "quantity": 1, "quantity": 2}]}', "'quantity': occurs twice"),
        ('{"positions": [{"instrument": "BTC", "quantity": NaN}]}', "quantity: 'NaN': write a finite"),
        ('{"positions": [{"instrument": "BTC", "quantity": true}]}', "positions.0.quantity"),
        (
            '{"positions": [{"instrument": "BTC", "quantity": 0.000000001}]}',
            r"positions\[0\]: quantity: .*lot",
        ),
        ('{"positions": [{"instrument": 5, "quantity": 1}]}', "positions.0.instrument"),
    ],
)
def test_a_bad_json_document_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "held.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        Holdings.read(path, tiny())


def test_bounds_hold_to_the_last_lot() -> None:
    option = next(i for i in tiny().universe.instruments if i.kind == "option")
    most = option.bound * option.lot
    assert max(Holdings.of([Position(option.name, most)], tiny()).vector(tiny())) == option.bound
    for beyond in (most + option.lot, -most - option.lot):
        with pytest.raises(InputError, match="hold at most"):
            Holdings.of([Position(option.name, beyond)], tiny())
