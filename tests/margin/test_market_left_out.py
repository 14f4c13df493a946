"""Markets as people have them: what cannot be used is left out and said so, what contradicts itself is refused."""

import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.margin.accounts import DERIBIT, NOW
from tests.margin.test_market import FUTURES, INDEX, OPTION, PERPETUAL, entry, pair, spoil
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.notes import collecting
from zkmargin.margin.market import example_market, read_deribit, read_securities
from zkmargin.margin.market.choice import Choice, check_size, chosen, within
from zkmargin.margin.market.names import option_symbol, without_padding
from zkmargin.margin.market.securities import COLUMNS
from zkmargin.margin.market.times import parse_time
from zkmargin.margin.snapshot.snapshot import Snapshot

PUT = OPTION | {"instrument": "BTC-31JAN26-52000-P", "type": "P", "mark_price": "0.08"}
CALL_50 = OPTION | {"instrument": "BTC-31JAN26-50000-C", "strike": "50000", "mark_price": "0.07"}

BAD_OPTIONS = {
    "no volatility": ({"mark_iv": ""}, "mark_iv: '': the number is missing"),
    "another name": ({"strike": "53000"}, "the name says another"),
    "expired": ({"instrument": "BTC-1JAN26-52000-C", "expiry_utc": "2026-01-01T08:00:00Z"}, "expired"),
    "no index": ({"instrument": "SOL-31JAN26-52000-C", "underlying": "SOL"}, "add the index price"),
    "a volatility in hundredths": ({"mark_iv": "0.615"}, "a hundred times it would fit: is it a fraction"),
    "a volatility a hundred times too large": (
        {"mark_iv": "6150"},
        "a hundredth of it would fit: is it in percent",
    ),
    "a price in USD": (
        {"mark_price": "2520"},
        "contradicts the volatility of 61.5 % a year, at which Black-76",
    ),
    "a forward in thousands": ({"forward": "50.4"}, "forward: '50.4': is far from the index of BTC, 50000"),
    "no moment": ({"timestamp": "yesterday"}, "write a moment"),
}


@pytest.mark.parametrize(("change", "reason"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_one_bad_option_does_not_refuse_the_market(
    tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    bad = OPTION | change
    with pytest.raises(InputError, match=reason):
        pair(tmp_path, [PUT, CALL_50, bad], FUTURES)
    with collecting() as notes:
        market = pair(tmp_path, [PUT, CALL_50, bad], FUTURES, strict=False)
    names = [i.name for i in market.instruments]
    assert names[-2:] == ["BTC-31JAN26-50000-C", "BTC-31JAN26-52000-P"]
    assert len(notes) == 1
    assert notes[0].startswith(f"options.csv, futures.csv: 1 instrument is left out: {bad['instrument']} (")
    assert reason in notes[0]
    made = Snapshot.build(market, domain=64)
    made.dump(tmp_path / "s.json")
    loaded = Snapshot.load(tmp_path / "s.json")
    assert loaded.inputs.left_out == made.inputs.left_out
    assert str(tmp_path) not in (tmp_path / "s.json").read_text()
    with pytest.raises(InputError, match=r"left out of the snapshot: options\.csv, line 4"):
        Holdings.of([Position(bad["instrument"], Decimal(1))], loaded)


def test_a_bad_future_and_rows_that_contradict_each_other(tmp_path: Path) -> None:
    market = pair(
        tmp_path,
        [OPTION, PUT, PUT | {"mark_price": "0.09"}],
        [*FUTURES[:2], FUTURES[2] | {"price": "0"}],
        strict=False,
    )
    assert [i.name for i in market.instruments] == ["USD", "BTC", "BTC-PERPETUAL", OPTION["instrument"]]
    assert set(market.inputs.left_out) == {"BTC-31JAN26", PUT["instrument"]}
    assert "listed twice" in market.inputs.left_out[PUT["instrument"]]


def test_where_nothing_is_left_the_first_fault_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"options.csv, line 2: mark_iv"):
        pair(tmp_path, [OPTION | {"mark_iv": "x"}, PUT | {"mark_iv": ""}], FUTURES, strict=False)
    with pytest.raises(InputError, match="expired"):
        pair(tmp_path, [OPTION | {"timestamp": "2026-01-31T08:00:00Z"}], [INDEX, PERPETUAL], strict=False)


@pytest.mark.parametrize("factor", ["0.01", "100"])
def test_a_whole_file_in_another_unit_is_refused(tmp_path: Path, factor: str) -> None:
    rows = [row | {"mark_iv": str(Decimal("61.5") * Decimal(factor))} for row in (OPTION, PUT, CALL_50)]
    with pytest.raises(InputError, match=r"mark price: '0.0\d': contradicts .*3 of 3 options that tell"):
        pair(tmp_path, rows, FUTURES, strict=False)


def test_prices_of_several_days_are_no_market(tmp_path: Path) -> None:
    later = PUT | {"timestamp": "2026-01-03T08:00:00Z"}
    with pytest.raises(
        InputError, match=r"line 3: time: '2026-01-03T08:00:00Z': .*line 2 is of 2026-01-01T08:00:00Z, 2 days"
    ):
        pair(tmp_path, [OPTION, later], FUTURES, strict=False)
    stamped = [row | {"price_time_utc": "2025-12-30T08:00:00Z"} for row in FUTURES]
    with pytest.raises(InputError, match=r"48 hours|2 days"):
        pair(tmp_path, [OPTION], stamped, strict=False)
    with collecting() as notes:
        pair(tmp_path, [OPTION, PUT | {"timestamp": "2026-01-01T08:10:00Z"}], FUTURES)
    assert ["10 minutes after" in line for line in notes] == [True]


def test_moments_are_also_counts(tmp_path: Path) -> None:
    for text in (
        "1767254400",
        "1767254400000",
        "1767254400000000",
        "2026-01-01 08:00:00 UTC",
        "2026-01-01 08:00:00+00:00",
    ):
        assert parse_time(text, "", "") == NOW
    assert (
        pair(tmp_path, [OPTION | {"timestamp": "1767254400000", "type": "call"}], FUTURES).valuation_time
        == NOW
    )


def edit(directory: Path, name: str, change: Callable[[Any], Any]) -> None:
    path = directory / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


BOOK, LIST, SPOT = "get_book_summary_by_currency.json", "get_instruments.json", "get_index_price.json"


def test_answers_with_one_bad_entry(tmp_path: Path) -> None:
    directory = spoil(tmp_path, f"BTC.{BOOK}", entry(2, mark_iv=0))
    with collecting() as notes:
        market = read_deribit(directory)
    assert len(market.instruments) == 10
    assert ["1 instrument is left out" in line for line in notes] == [True]
    assert str(directory) not in str(market.inputs.left_out)
    edit(directory, f"BTC.{LIST}", entry(2, instrument_name="NEW"))
    assert "has no summary" in read_deribit(directory).inputs.left_out["NEW"]


@pytest.mark.parametrize("state", ["closed", "settled", "archived", "locked"])
def test_what_does_not_trade_is_not_listed(tmp_path: Path, state: str) -> None:
    directory = spoil(tmp_path, f"BTC.{LIST}", entry(2, state=state))
    with collecting() as notes:
        assert len(read_deribit(directory, strict=True).instruments) == 10
    assert notes == []


def test_an_index_may_stand_alone_and_have_its_own_name(tmp_path: Path) -> None:
    directory = tmp_path / "market"
    shutil.copytree(DERIBIT, directory)
    for name in (LIST, BOOK):
        path = directory / f"USDC.{name}"
        path.write_text(path.read_text().replace("BTC_USDC", "XRP_USDC").replace('"BTC"', '"XRP"'))
    with pytest.raises(InputError, match="add the index price"):
        read_deribit(directory, strict=True)
    answer = (directory / f"BTC.{SPOT}").read_text()
    for name in ("XRP", "xrp_usdc"):
        path = directory / f"{name}.{SPOT}"
        path.write_text(answer)
        assert "XRP" in read_deribit(directory, strict=True).inputs.indices
        path.unlink()


def test_answers_of_several_days(tmp_path: Path) -> None:
    for name in (f"USDC.{BOOK}", f"BTC.{SPOT}"):
        directory = tmp_path / name
        shutil.copytree(DERIBIT, directory)
        edit(directory, name, lambda document: document | {"usOut": document["usOut"] + 3 * 86_400 * 10**6})
        with pytest.raises(
            InputError, match=rf"{name}: time: '2026-01-04T08.*is of 2026-01-01T08.*3 days earlier"
        ):
            read_deribit(directory)


@pytest.mark.parametrize("symbol", ["BRK/B", "BRK.B", "BF-B", "^SPX"])
def test_symbols_of_shares_and_indices(tmp_path: Path, symbol: str) -> None:
    header, moment = ",".join(COLUMNS), "2026-01-02T21:00:00Z"
    kind, share = ("broad-index", "index") if symbol == "^SPX" else ("equity", "share")
    rows = [
        f"{symbol},{share},{symbol},{kind},{moment},,,,480,,,",
        f"X     260220C00480000,call,{symbol},{kind},{moment},2026-02-20T21:00:00Z,480,100,18,0.25,0.04,0",
    ]
    path = tmp_path / "m.csv"
    path.write_text("\n".join([header, *rows]))
    market = read_securities(path, strict=True)
    assert market.inputs.indices == {symbol: "480"}
    assert market.instruments[-1].name == "X260220C00480000"
    made = Snapshot.build(market, domain=64)
    (tmp_path / "h.csv").write_text("instrument,quantity\nX     260220C00480000,1\n")
    assert Holdings.read(tmp_path / "h.csv", made).positions[0].instrument == "X260220C00480000"
    for change in (("480,100", "490,100"), (",call,", ",put,"), ("2026-02-20", "2026-02-27")):
        path.write_text("\n".join([header, rows[0], rows[1].replace(*change, 1)]))
        with pytest.raises(InputError, match=r"m\.csv, line 3: instrument: .*the symbol says another"):
            read_securities(path, strict=True)


def test_option_symbols() -> None:
    found = option_symbol("SPXW  260417P05012500")
    assert found is not None
    assert (found.root, found.day.isoformat(), found.call, found.strike) == (
        "SPXW",
        "2026-04-17",
        False,
        Decimal("5012.5"),
    )
    assert without_padding("AC    260417C00105000") == "AC260417C00105000"
    for name in ("AC    261317C00105000", "A B", "AC 2604C001", "TOOLONG260417C00105000"):
        assert option_symbol(name) is None
        assert without_padding(name) == name


# A choice of what is listed -------------------------------------------------------------------------

CHOICES = {
    "a coin": (Choice(coins=["BTC"]), lambda i: i.underlying == "BTC"),
    "names": (
        Choice(coins=["ETH-27MAR26*, BTC-PERPETUAL"]),
        lambda i: i.name.startswith(("ETH-27MAR26", "BTC-PERPETUAL")),
    ),
    "a day": (Choice(expiries=["2026-01-30"]), lambda i: i.expiry is None or "30JAN26" in i.name),
    "a range": (Choice(expiries=["..2026-01-30"]), lambda i: i.expiry is None or "MAR" not in i.name),
    "an open range": (Choice(expiries=["2026-02-01.."]), lambda i: i.expiry is None or "MAR" in i.name),
    "days from now": (Choice(expiries=["10d"]), lambda i: i.expiry is None or "-9JAN26" in i.name),
    "strikes": (
        Choice(coins=["BTC"], strikes=["80000..95000"]),
        lambda i: i.underlying == "BTC" and 80000 <= int(i.strike or 80000) <= 95000,
    ),
}


@pytest.mark.parametrize(("choice", "passes"), CHOICES.values(), ids=CHOICES)
def test_a_choice(choice: Choice, passes: Callable[[Any], bool]) -> None:
    market = example_market()
    with collecting() as notes:
        found = chosen(market, choice)
    listed = {i.name for i in found.instruments if i.kind != "balance"}
    assert listed == {i.name for i in market.instruments if i.kind != "balance" and passes(i)}
    assert 0 < len(listed) < len(market.instruments) - 3
    assert notes == [
        f"{market.inputs.source}: {len(found.instruments)} of {len(market.instruments)} instruments are chosen"
    ]
    made = Snapshot.build(found, domain=128, only=["grid"])
    assert Snapshot.parse(made.encode(), "test").id == made.id


def test_strikes_near_the_forward() -> None:
    expiries, strikes = within(["90d", "10%"])
    assert (expiries, strikes) == (["90d"], ["10%"])
    found = chosen(example_market(), Choice(strikes=strikes))
    for instrument, quote in zip(found.instruments, found.inputs.quotes, strict=True):
        if instrument.kind == "option":
            assert abs(Decimal(instrument.strike or 0) / Decimal(quote.forward or 1) - 1) <= Decimal("0.1")


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(coins=["DOGE"]), "--coins: 'DOGE': the market has BTC, ETH"),
        (Choice(expiries=["soon"]), "--expiries: 'soon': write a day"),
        (Choice(expiries=[".."]), "--expiries: '..': write a day"),
        (Choice(expiries=["2026-03-01..2026-02-01"]), "--expiries"),
        (Choice(strikes=["80000"]), "--strikes: '80000': write a range"),
        (Choice(strikes=["9..5"]), "the lower strike comes first"),
        (Choice(strikes=["x%"]), "--strikes: 'x%'"),
        (Choice(coins=["BTC-9JAN26*"], expiries=["2026-03-27"]), "nothing is left"),
    ],
)
def test_a_choice_that_is_none(choice: Choice, message: str) -> None:
    with pytest.raises(InputError) as refused:
        chosen(example_market(), choice)
    assert message in str(refused.value)
    with pytest.raises(InputError, match="--within: '5w': write 90d"):
        within(["5w"])


def test_a_market_that_is_too_large_says_how_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zkmargin.margin.market.choice.LARGEST_DOMAIN", 100)
    with pytest.raises(
        InputError, match=r"instruments: 113 of them: a universe holds 100; .*--coins .*has 5\d"
    ):
        check_size(example_market())
