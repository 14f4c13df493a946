"""SPAN files in XML: read as published, and refused in one clear sentence where they cannot be."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.span_file.read import read_spn
from zkmargin.margin.models.span.tables import SpanTables
from zkmargin.margin.parameters.document import Parameters
from zkmargin.margin.snapshot.snapshot import Snapshot

FILE = Path(__file__).parents[2] / "fixtures/span/small.spn"


def built(path: Path = FILE, **options: object) -> Snapshot:
    found = read_spn(path, **options)  # type: ignore[arg-type]
    return Snapshot.build(found.market, Parameters.model_validate({"span": found.parameters}), domain=64)


def edited(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = FILE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "edited.spn"
    path.write_text(text)
    return path


def test_contracts_prices_and_arrays() -> None:
    made = built()
    names = [i.name for i in made.universe.instruments]
    assert names == [
        "USD", "ND-202603", "ND-202606", "SP-202603", "SP-202606", "SPO-202603-2825-C", "SPO-202603-2825-P",
    ]  # fmt: skip
    assert made.inputs.indices == {"ND": "715000", "SP": "697500"}
    slot = made.universe.slot("SPO-202603-2825-C")
    option, quote = made.universe.instruments[slot], made.inputs.quotes[slot]
    assert (option.strike, option.call, option.lot_exponent) == ("706250", True, 0)
    assert (quote.price, quote.forward, quote.volatility) == ("16600", "697500", "0.16")
    tables = made.models["span"]
    assert isinstance(tables, SpanTables)
    # The file gives losses of a long contract; a future gains 10,000 USD at a third of the range.
    future = tables.risk[:, made.universe.slot("SP-202603")].tolist()
    assert future[:4] == [0, 0, 10_000 * 10**6, 10_000 * 10**6]
    assert future[14:] == [29_700 * 10**6, -29_700 * 10**6]
    assert tables.risk[:2, slot].tolist() == [1820 * 10**6, -1790 * 10**6]
    first = tables.commodities[tables.units.index("SP")].periods[0]
    assert first.label == "2026-03"
    assert first.deltas[first.slots.index(slot)] == 465_200


@pytest.mark.parametrize(("method", "premium"), [("FUT", "futures-style"), ("EQTY", "paid")])
def test_options_that_are_valued_as_futures_are(method: str, premium: str, tmp_path: Path) -> None:
    made = built(edited(tmp_path, ("<oofPf>", f"<oofPf><valueMeth>{method}</valueMeth>")))
    styles = {i.name: i.premium for i in made.universe.instruments}
    assert styles["SPO-202603-2825-C"] == styles["SPO-202603-2825-P"] == premium
    assert styles["SP-202603"] == "paid"
    assert all(i.premium == "paid" for i in built().universe.instruments)


def test_a_margin_by_hand() -> None:
    """Five March and minus three June futures, a call sold, against four Nasdaq futures sold.

    March has 5 - 0.4652 deltas: three spreads with June at 150, and 1.5348 left, at 20 and 80 USD for delivery.
    These meet Nasdaq's at 1 to 2, and earn 60 % of 30,000 and of 20,000 USD a delta.
    """
    made = built()
    rows = {"SP-202603": "5", "SP-202606": "-3", "ND-202603": "-4", "SPO-202603-2825-C": "-1"}
    held = Holdings.of([Position(name, Decimal(quantity)) for name, quantity in rows.items()], made)
    found = requirement(made, held.vector(made), model="span")
    money = 10**made.money_decimals
    amounts = {(c.kind, c.name): Fraction(c.amount) / money for c in found.assessment.charges}
    left = Fraction("1.5348")
    assert amounts == {
        ("intra-commodity spread", "SP"): 450,
        ("delivery", "SP"): 3 * 20 + left * 80,
        ("inter-commodity credit", "SP"): -30000 * left * Fraction("0.6"),
        ("inter-commodity credit", "ND"): -20000 * 2 * left * Fraction("0.6"),
    }
    # SP loses most where the price falls by the range and volatility falls: two futures, less the call's gain.
    assert [Fraction(u.loss) / money for u in found.assessment.units] == [52_500, 80_000]


def test_one_commodity_alone() -> None:
    made = built(commodities=["ND"])
    assert [i.name for i in made.universe.instruments] == ["USD", "ND-202603", "ND-202606"]
    tables = made.models["span"]
    assert isinstance(tables, SpanTables)
    assert tables.spreads == ()


def test_series_spreads_tiers_flat_rates_and_methods(tmp_path: Path) -> None:
    flat = "<chargeMeth>{}</chargeMeth>\n          <rate><r>1</r><val>{}</val>"
    path = edited(
        tmp_path,
        ("<tLeg><cc>SP</cc><tn>1</tn><rs>A</rs><i>1.0</i></tLeg>\n          <tLeg><cc>SP</cc><tn>2",
         "<pLeg><cc>SP</cc><pe>202603</pe><rs>A</rs><i>2</i></pLeg>\n          <tLeg><cc>SP</cc><tn>2"),
        ("<capAnov>0", "<capAnov>1"),
        ("<wfprMeth>SCANRANGE<", "<wfprMeth>SCANRANGE_CAP<"),
        ("<somMeth>GROSS", "<somMeth>MAX"),
        (flat.format("P", "0.60"), flat.format("F", "-250")),
    )  # fmt: skip
    parameters = read_spn(path).parameters
    commodity = parameters.commodities[0]
    assert commodity.intra_spreads[0].legs[1].period == "2026-03"
    assert (commodity.cap_option_value, commodity.price_risk) == (True, "scan_range_cap")
    assert commodity.short_option_method == "max"
    assert parameters.inter_spreads[0].flat_credit == 250


def test_a_credit_rate_above_one_is_in_percent(tmp_path: Path) -> None:
    parameters = read_spn(edited(tmp_path, ("<val>0.60</val>", "<val>60</val>"))).parameters
    assert parameters.inter_spreads[0].credit_rate == Decimal("0.6")


def test_expired_contracts_are_left_out(tmp_path: Path) -> None:
    later = edited(tmp_path, ("<date>20260102</date>", "<date>20260401</date>"))
    assert [i.name for i in built(later).universe.instruments] == ["USD", "ND-202606", "SP-202606"]


HOSTILE = {
    "a bomb": (
        '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]>\n<spanFile>&c;</spanFile>',
        "entities",
    ),
    "a file from the disk": (
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>\n<spanFile>&b;</spanFile>',
        "entities",
    ),
    "a document type elsewhere": ('<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><spanFile/>', "entities"),
    "an undefined entity": ("<spanFile>&b;</spanFile>", "well-formed"),
    "a deep tree": ("<a>" * 5000 + "</a>" * 5000, "deep"),
    "no XML": ("SPAN", "well-formed"),
    "nothing": ("", "well-formed"),
    "cut short": ("<spanFile><pointInTime>", "well-formed"),
    "another document": ("<html></html>", "begins with the element spanFile"),
    "an empty file of its kind": ("<spanFile/>", "pointInTime"),
    "an unknown encoding": ('<?xml version="1.0" encoding="klingon"?><spanFile/>', "UTF-8"),
}


@pytest.mark.parametrize(("text", "words"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_documents(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.spn"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        read_spn(path)
    assert words in str(refused.value)
    assert str(path) in str(refused.value)


LEG = "<tLeg><cc>{}</cc><tn>{}</tn><rs>B</rs><i>{}</i></tLeg>"

WRONG = {
    "no scan range": ("<scanRate><r>1</r>", "<scanRate><r>2</r>", "combined commodity SP has no scan range"),
    "a missing tier": (LEG.format("SP", 2, "1.0"), LEG.format("SP", 7, "1.0"), "tier 'intra 7' is missing"),
    "a missing leg": (LEG.format("SP", 2, "1.0"), "", "a leg on side B is missing"),
    "a missing leg across": (LEG.format("ND", 1, "2.0"), "", "a leg on side B is missing"),
    "fifteen values": ("<a>8120</a>", "", "a risk array has 16"),
    "no array of the rate": ("<ra><r>1</r>", "<ra><r>2</r>", "no risk array of rate 1"),
    "another currency": ("<currency>USD</currency>", "<currency>INR</currency>", "INR"),
    "an exponent": ("<riskExponent>0", "<riskExponent>2", "riskExponent"),
    "scanning spreads": ("<interSpreads>", "<interSpreads><hSpread></hSpread>", "scanning-based"),
    "charges per month": ("<chargeMeth>F<", "<chargeMeth>M<", "flat charges"),
    "an unknown credit": ("<chargeMeth>P<", "<chargeMeth>Q<", "flat and weighted"),
    "an unknown method": ("<wfprMeth>SCANRANGE", "<wfprMeth>GUESS", "SCANRANGE_CAP"),
    "a price in words": ("<p>2790.00</p>", "<p>high</p>", "finite decimal"),
    "a month in words": ("<pe>202603</pe><sprd>", "<pe>March</pe><sprd>", "contract month"),
    "a date in words": ("<date>20260102</date>", "<date>today</date>", "such as 20260320"),
    "an option on nothing": ("<pfId>SP1</pfId><cId>1<", "<pfId>SP1</pfId><cId>9<", "no such future"),
    "an option neither call nor put": ("<o>C</o>", "<o>X</o>", "C or P"),
    "a family without commodity": (
        "<pfCode>ND</pfCode><pfType>",
        "<pfCode>NX</pfCode><pfType>",
        "no combined",
    ),
}


@pytest.mark.parametrize(("old", "new", "words"), WRONG.values(), ids=WRONG)
def test_what_is_missing_or_not_modelled_is_named(old: str, new: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        built(edited(tmp_path, (old, new)))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_commodity_is_refused() -> None:
    with pytest.raises(InputError, match="the file has SP, ND"):
        read_spn(FILE, commodities=["ES"])
