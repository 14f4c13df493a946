"""Market files: what is read, and what is refused."""

import csv
import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.margin.accounts import DERIBIT, MONTH, NOW, tiny_market
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.notes import collecting
from zkmargin.margin.market import example_market, read_csv_pair, read_deribit, read_market
from zkmargin.margin.market.quotes import Listing, Market, assemble, future
from zkmargin.margin.market.times import format_time, parse_time

OPTION: dict[str, str] = {
    "instrument": "BTC-31JAN26-52000-C",
    "type": "C",
    "underlying": "BTC",
    "expiry_utc": "2026-01-31T08:00:00Z",
    "strike": "52000",
    "mark_price": "0.05",
    "mark_iv": "61.5",
    "forward": "50400.25",
    "bid": "",
    "timestamp": "2026-01-01T08:00:00Z",
}
FUTURE: dict[str, str] = {
    "instrument": "BTC-31JAN26",
    "underlying": "BTC",
    "expiry_utc": "2026-01-31T08:00:00Z",
    "price": "50400.25",
    "kind": "listed_future_mark",
}
INDEX = FUTURE | {
    "instrument": "BTC-INDEX",
    "expiry_utc": "",
    "price": "50000",
    "kind": "index_first_ticker_call",
}
PERPETUAL = INDEX | {"instrument": "BTC-PERPETUAL", "kind": "perp_trade_1min_candle_open"}
FORWARD = FUTURE | {"instrument": "SYN.BTC-31JAN26", "kind": "synthetic_forward"}
FUTURES = [INDEX, PERPETUAL, FUTURE, FORWARD]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def pair(
    tmp_path: Path, options: list[dict[str, str]], futures: list[dict[str, str]], *, strict: bool = True
) -> Market:
    paths = write(tmp_path / "options.csv", options), write(tmp_path / "futures.csv", futures)
    return read_csv_pair(*paths, strict=strict)


def test_a_pair_of_files(tmp_path: Path) -> None:
    put = OPTION | {"instrument": "BTC-31JAN26-52000-P", "type": "P", "timestamp": "2026-01-01T07:59:59.5Z"}
    market = pair(tmp_path, [OPTION, put], FUTURES)
    names = ["USD", "BTC", "BTC-PERPETUAL", "BTC-31JAN26", "BTC-31JAN26-52000-C", "BTC-31JAN26-52000-P"]
    assert [i.name for i in market.instruments] == names
    assert market.valuation_time == NOW - 500_000
    assert [i.lot_exponent for i in market.instruments] == [-6, -8, 0, 0, -1, -1]
    assert [i.contract_exponent for i in market.instruments] == [0, 0, 4, 4, 0, 0]
    quote = market.inputs.quotes[4]
    assert (quote.price, quote.volatility, quote.forward) == ("0.05", "0.615", "50400.25")
    assert market.instruments[4].expiry == MONTH


def test_a_pair_of_files_takes_linear_contracts(tmp_path: Path) -> None:
    """By their names, or by a column: quoted in USD, with cash as their settlement."""
    option = OPTION | {"instrument": "BTC_USDC-31JAN26-52000-C", "mark_price": "2500"}
    futures = [
        INDEX,
        PERPETUAL | {"instrument": "BTC_USDC-PERPETUAL"},
        FUTURE | {"instrument": "BTC_USDC-31JAN26"},
    ]
    named = pair(tmp_path, [option], futures)
    assert {i.settlement for i in named.instruments if i.kind != "balance"} == {"USD"}
    assert [i.lot_exponent for i in named.instruments[2:]] == [-3, -3, -1]
    assert named.inputs.quotes[4].price == "2500"
    stated = [FUTURE | {"settlement": "USD"}, INDEX | {"settlement": ""}, PERPETUAL | {"settlement": "BTC"}]
    market = pair(tmp_path, [OPTION | {"mark_price": "2500", "settlement": "USD"}], stated)
    assert [(i.name, i.inverse) for i in market.instruments[2:]] == [
        ("BTC-PERPETUAL", True),
        ("BTC-31JAN26", False),
        ("BTC-31JAN26-52000-C", False),
    ]


@pytest.mark.parametrize(
    ("name", "settlement", "reason"),
    [
        ("BTC-31JAN26-52000-C", "ETH", "write BTC for inverse contracts, USD for linear ones"),
        ("BTC_USDC-31JAN26-52000-C", "BTC", "named as what settles in USD"),
    ],
)
def test_a_settlement_that_a_contract_cannot_have(
    tmp_path: Path, name: str, settlement: str, reason: str
) -> None:
    with pytest.raises(InputError, match=rf"options.csv, line 2: settlement: .*{reason}"):
        pair(tmp_path, [OPTION | {"instrument": name, "settlement": settlement}], FUTURES)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("mark_price", "", "missing"),
        ("mark_price", "NaN", "finite"),
        ("mark_price", "inf", "finite"),
        ("mark_price", "-0.1", "zero or more"),
        ("mark_price", "0." + "1" * 21, "too precise"),
        ("mark_price", "1e15", "from 0 to"),
        ("mark_iv", "0", "greater than zero"),
        ("mark_iv", "-5", "greater than zero"),
        ("mark_iv", "", "missing"),
        ("mark_iv", "1e9", "from 0.0001 to 100"),
        ("forward", "0", "greater than zero"),
        ("forward", "-1", "greater than zero"),
        ("forward", "1e12", "from 0.000000001 to"),
        ("strike", "0", "greater than zero"),
        ("strike", "53000", "the name says another"),
        ("type", "X", "one of C, P"),
        ("type", "P", "the name says another"),
        ("underlying", "ETH", "the name says another"),
        ("expiry_utc", "2026-02-31T08:00:00Z", "write a moment"),
        ("expiry_utc", "2026-01-31T08:00:00", "zone is missing"),
        ("expiry_utc", "2026-02-01T08:00:00Z", "the name says another"),
        ("timestamp", "yesterday", "write a moment"),
        ("instrument", "BTC", "the name says another"),
    ],
)
def test_a_bad_option_is_named(tmp_path: Path, column: str, value: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        pair(tmp_path, [OPTION | {column: value}], FUTURES)
    assert "options.csv, line 2" in str(caught.value)


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        ("2026-01-31T08:00:00Z", "expired"),
        ("2027-01-01T00:00:00Z", "expired"),
        ("1901-01-31T08:00:00Z", "100 years"),
    ],
)
def test_an_option_expires_soon_after_the_valuation_time(tmp_path: Path, moment: str, reason: str) -> None:
    with pytest.raises(InputError, match=rf"options.csv, line 2: expiry: .*{reason}"):
        pair(tmp_path, [OPTION | {"timestamp": moment}], [INDEX, PERPETUAL])


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("price", "0", "greater than zero"),
        ("price", "-3", "greater than zero"),
        ("price", "nan", "finite"),
        ("kind", "rumour", "unknown; use one of"),
        ("expiry_utc", "", "write a moment"),
        ("instrument", "ETH-31JAN26", "the name says another"),
        ("instrument", "BTC-31JAN26-52000-C", "the name says another"),
        ("instrument", "BTC-PERPETUAL", "the name says another"),
    ],
)
def test_a_bad_future_is_named(tmp_path: Path, column: str, value: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        pair(tmp_path, [OPTION], [INDEX, PERPETUAL, FUTURE | {column: value}])
    assert "futures.csv, line 4" in str(caught.value)


def test_rows_that_occur_twice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="listed twice"):
        pair(tmp_path, [OPTION, OPTION], FUTURES)
    with pytest.raises(InputError, match="listed twice"):
        pair(tmp_path, [OPTION], [*FUTURES, FUTURE])
    with pytest.raises(InputError, match="BTC has an index already, 50000"):
        pair(tmp_path, [OPTION], [INDEX, INDEX | {"instrument": "other"}])


def test_an_underlying_needs_its_index(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="add the index price"):
        pair(tmp_path, [OPTION], [PERPETUAL])


def test_columns(tmp_path: Path) -> None:
    with collecting() as notes:
        assert len(pair(tmp_path, [OPTION | {"colour": "red"}], FUTURES).instruments) == 5
    assert notes == [f"{tmp_path}/options.csv, line 1: columns that are not used: colour"]
    with pytest.raises(InputError, match=r"column: 'mark_price_': unknown column; is mark_price meant"):
        pair(tmp_path, [{k + "_" * (k == "mark_price"): v for k, v in OPTION.items()}], FUTURES)
    with pytest.raises(InputError, match=r"'strike': missing"):
        pair(tmp_path, [{k: v for k, v in OPTION.items() if k != "strike"}], FUTURES)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing"),
        ("instrument,underlying,expiry_utc,price,kind\n", "at least one row"),
        ("instrument,underlying,expiry_utc,price,kind,kind\n", "twice"),
        ("instrument,underlying,expiry_utc,price,kind\na,b\n", "2 values"),
        ('instrument,underlying,expiry_utc,price,kind\n"a\n', "comma-separated"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "futures.csv").write_text(text)
    with pytest.raises(InputError, match=reason):
        read_csv_pair(write(tmp_path / "options.csv", [OPTION]), tmp_path / "futures.csv")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    futures = write(tmp_path / "futures.csv", FUTURES)
    for name, reason in (("absent.csv", "No such file"), (".", "a directory")):
        with pytest.raises(InputError, match=reason):
            read_csv_pair(tmp_path / name, futures)
    (tmp_path / "latin.csv").write_bytes(b"instrument,\xff\n")
    with pytest.raises(InputError, match=r"byte 0xff at offset 11.*UTF-8"):
        read_csv_pair(tmp_path / "latin.csv", futures)


def test_a_file_beyond_all_measure_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zkmargin.margin.files.documents.LARGEST_FILE", 10)
    with pytest.raises(InputError, match="bytes: name a file below"):
        pair(tmp_path, [OPTION], FUTURES)


def test_the_form_of_a_directory_is_told(tmp_path: Path) -> None:
    write(tmp_path / "options_btc_eth.csv", [OPTION])
    write(tmp_path / "futures_btc_eth.csv", FUTURES)
    assert len(read_market(tmp_path).instruments) == 5
    assert read_market(DERIBIT) == read_deribit(DERIBIT)
    with pytest.raises(InputError, match="not a directory"):
        read_market(tmp_path / "options_btc_eth.csv")


def test_moments() -> None:
    assert parse_time("2026-01-01T09:00:00.25+01:00", "", "") == NOW + 250_000
    assert format_time(NOW + 250_000) == "2026-01-01T08:00:00.250000Z"
    assert parse_time(format_time(NOW), "", "") == NOW


def test_answers_of_deribit() -> None:
    market = read_deribit(DERIBIT)
    assert [i.name for i in market.instruments[:5]] == [
        "USD", "BTC", "BTC-PERPETUAL", "BTC_USDC-PERPETUAL", "BTC-30JAN26",
    ]  # fmt: skip
    assert len(market.instruments) == 11
    by_name = {i.name: (i, q) for i, q in zip(market.instruments, market.inputs.quotes, strict=True)}
    linear, quote = by_name["BTC_USDC-30JAN26-88000-P"]
    assert (linear.settlement, linear.inverse, linear.lot_exponent, linear.call) == ("USD", False, -2, False)
    assert (quote.price, quote.volatility, quote.forward) == ("4308.25", "0.461", "88527")
    inverse, _ = by_name["BTC-PERPETUAL"]
    assert (inverse.settlement, inverse.lot_exponent, inverse.contract_exponent) == ("BTC", 1, 4)
    assert market.valuation_time == NOW + 40_311


def spoil(tmp_path: Path, name: str, change: Callable[[Any], Any]) -> Path:
    shutil.copytree(DERIBIT, tmp_path / "market")
    path = tmp_path / "market" / name
    document = json.loads(path.read_text())
    path.write_text(json.dumps(change(document)))
    return tmp_path / "market"


def entry(number: int, **changes: Any) -> Callable[[Any], Any]:
    def change(document: Any) -> Any:
        document["result"][number].update(changes)
        return document

    return change


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("BTC.get_instruments.json", entry(2, min_trade_amount=0.25), "power of ten"),
        ("BTC.get_instruments.json", entry(2, option_type="straddle"), "call, put"),
        ("BTC.get_instruments.json", entry(2, settlement_currency="EURR"), "only contracts settled"),
        ("BTC.get_instruments.json", entry(2, expiration_timestamp=1.5), "must be an integer"),
        ("BTC.get_instruments.json", entry(2, expiration_timestamp=1_000), "expired"),
        ("BTC.get_instruments.json", entry(2, strike=None), "missing"),
        ("BTC.get_instruments.json", entry(2, strike=-1), "greater than zero"),
        ("BTC.get_instruments.json", entry(2, kind=3), "must be text"),
        ("BTC.get_instruments.json", entry(2, instrument_name="BTC-PERPETUAL"), "listed twice"),
        ("BTC.get_instruments.json", entry(2, instrument_name="NEW"), "no summary"),
        (
            "BTC.get_instruments.json",
            entry(2, base_currency="DOGE", settlement_currency="USDC"),
            "index price",
        ),
        ("BTC.get_book_summary_by_currency.json", entry(2, mark_price=float("nan")), "finite"),
        ("BTC.get_book_summary_by_currency.json", entry(2, mark_price=-1), "zero or more"),
        ("BTC.get_book_summary_by_currency.json", entry(2, mark_iv=0), "greater than zero"),
        ("BTC.get_book_summary_by_currency.json", entry(2, mark_iv=None), "missing"),
        ("BTC.get_book_summary_by_currency.json", entry(2, underlying_price="x"), "finite decimal"),
        ("BTC.get_book_summary_by_currency.json", lambda d: {**d, "result": {}}, "must be a list"),
        ("BTC.get_book_summary_by_currency.json", lambda d: {**d, "result": [1]}, "must be an object"),
        ("BTC.get_book_summary_by_currency.json", lambda d: {**d, "usOut": "x"}, "must be an integer"),
        ("BTC.get_book_summary_by_currency.json", lambda d: {"error": {"code": 11050}}, "request failed"),
        ("BTC.get_index_price.json", lambda d: {**d, "result": []}, "must be an object"),
        ("BTC.get_index_price.json", lambda d: {**d, "result": {"index_price": 0}}, "greater than zero"),
        ("BTC.get_index_price.json", lambda d: [d], "whole answer"),
    ],
)
def test_a_bad_answer_is_named(tmp_path: Path, name: str, change: Callable[[Any], Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        read_deribit(spoil(tmp_path, name, change), strict=True)
    assert name.split(".", maxsplit=1)[0] in str(caught.value)


def test_answers_that_are_missing_or_no_json(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="save the answers as"):
        read_deribit(tmp_path)
    market = spoil(tmp_path, "BTC.get_index_price.json", lambda d: d)
    (market / "BTC.get_index_price.json").write_text("{")
    with pytest.raises(InputError, match="valid JSON"):
        read_deribit(market)
    (market / "BTC.get_index_price.json").unlink()
    with pytest.raises(InputError, match="No such file"):
        read_deribit(market)


def test_the_example_is_complete_and_says_that_it_is_one() -> None:
    market = example_market()
    assert 90 <= len(market.instruments) <= 120
    assert "example" in market.inputs.source
    forms = {(i.kind, i.inverse) for i in market.instruments if i.kind != "balance"}
    assert forms == {(kind, form) for kind in ("perpetual", "future", "option") for form in (True, False)}
    assert market == example_market()


def test_puts_and_calls_of_the_example_are_in_parity() -> None:
    market = example_market()
    quotes = {i.name: (i, q) for i, q in zip(market.instruments, market.inputs.quotes, strict=True)}
    for name, (instrument, call) in quotes.items():
        if instrument.call:
            put = quotes[name[:-1] + "P"][1]
            forward, strike = Decimal(call.forward or 0), Decimal(instrument.strike or 0)
            difference = Decimal(call.price) - Decimal(put.price)
            expected = 1 - strike / forward if instrument.inverse else forward - strike
            assert abs(difference - expected) <= (
                Decimal("0.000001") if instrument.inverse else Decimal("0.01")
            )


def test_a_name_of_a_balance_is_taken() -> None:
    clash = Listing(future("BTC", "BTC", inverse=True, expiry=None), Decimal(1), "row")
    with pytest.raises(InputError, match="listed twice"):
        assemble("x", NOW, {"BTC": Decimal(1)}, [clash])


def test_index_prices_have_limits() -> None:
    with pytest.raises(InputError, match="write a number from"):
        tiny_market(index=Decimal("1e10"))
    with pytest.raises(InputError, match="write a number from"):
        tiny_market(perpetual=Decimal("1e-12"))
