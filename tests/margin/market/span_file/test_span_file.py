"""SPAN files in XML: read as published, and refused in one clear sentence where they cannot be."""

import zipfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.account.report import build_report
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.notes import collecting
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
        "<pfId>ND1</pfId><pfCode>ND</pfCode><pfType>",
        "<pfId>NX1</pfId><pfCode>NX</pfCode><pfType>",
        "no combined",
    ),
}


@pytest.mark.parametrize(("old", "new", "words"), WRONG.values(), ids=WRONG)
def test_what_is_missing_or_not_modelled_is_named(old: str, new: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        built(edited(tmp_path, (old, new)), strict=True)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_commodity_is_refused() -> None:
    with pytest.raises(InputError, match="the file has SP, ND"):
        read_spn(FILE, commodities=["ES"])


# What is left out, and said so ---------------------------------------------------------------------

SPREAD = "<{0}><spread>9</spread><rate><r>1</r><val>0.8</val></rate>{1}</{0}>"
LEGS = "<sLeg><cc>{}</cc><isRequired>{}</isRequired></sLeg><sLeg><cc>{}</cc><isRequired>1</isRequired></sLeg>"
CLEAR = "<clearSpread><homeLeg><cc>{}</cc></homeLeg><awayLeg><ec>ICE</ec><cc>B</cc></awayLeg></clearSpread>"


def scanning(tag: str, first: str, second: str, required: int = 1) -> tuple[str, str]:
    return "<interSpreads>", "<interSpreads>" + SPREAD.format(tag, LEGS.format(first, required, second))


def beside(text: str) -> tuple[str, str]:
    return "<interSpreads>", f"{text}<interSpreads>"


RULES = {
    "scanning": (scanning("sSpread", "SP", "ND"), "sSpread"),
    "scanning by its other name": (scanning("hSpread", "SP", "ND"), "hSpread"),
    "super spreads": (
        beside(f"<superSpreads>{SPREAD.format('dSpread', LEGS.format('SP', 1, 'ND'))}</superSpreads>"),
        "superSpreads",
    ),
    "a super spread among others": (scanning("superSpread", "SP", "ND"), "superSpread"),
    "inter-clearing": (beside(f"<interClearSpreads>{CLEAR.format('ND')}</interClearSpreads>"), "clearSpread"),
    "an unknown spread": (scanning("xSpread", "SP", "ND"), "xSpread"),
    "an unknown rule": (beside("<surcharges><cc>SP</cc><val>5</val></surcharges>"), "surcharges"),
    "an unknown rule of a commodity": (("<capAnov>0", "<liqCharge>5</liqCharge><capAnov>0"), "liqCharge"),
    "another method": (("<capAnov>0", "<marginMeth>HVAR</marginMeth><capAnov>0"), "marginMeth"),
}


@pytest.mark.parametrize(("change", "tag"), RULES.values(), ids=RULES)
def test_a_rule_that_is_not_modelled_is_refused_or_left_out_by_name(
    change: tuple[str, str], tag: str, tmp_path: Path
) -> None:
    path = edited(tmp_path, change)
    with pytest.raises(InputError, match=rf"edited.spn, line \d+: {tag}: found: .*--leave-out {tag}"):
        read_spn(path)
    with collecting() as notes:
        made = built(path, leave_out=[tag])
    assert [f"({tag}) are left out: 1" in sentence for sentence in made.inputs.without] == [True]
    assert len(notes) == 1
    made.dump(tmp_path / "s.json")
    loaded = Snapshot.load(tmp_path / "s.json")
    assert loaded.inputs.without == made.inputs.without
    held = Holdings.of([Position("SP-202603", Decimal(1))], loaded)
    assert build_report(loaded, held, model="span").to_json()["without"] == list(made.inputs.without)


@pytest.mark.parametrize(
    "change",
    [
        scanning("sSpread", "RB", "NG"),
        scanning("hSpread", "SP", "NG"),
        scanning("xSpread", "NG", "SP", 0),
        beside(f"<interClearSpreads>{CLEAR.format('CL')}</interClearSpreads>"),
        beside("<surcharges><cc>CL</cc></surcharges>"),
        (
            "<interSpreads>",
            "<interSpreads><dSpread><spread>7</spread><pLeg><cc>SP</cc></pLeg><pLeg><cc>NG</cc></pLeg></dSpread>",
        ),
    ],
)
def test_a_rule_that_cannot_apply_is_in_nobodys_way(change: tuple[str, str], tmp_path: Path) -> None:
    assert built(edited(tmp_path, change)).id == built(tmp_path / "edited.spn", strict=True).id
    with pytest.raises(InputError, match="--leave-out: 'sSpread': nothing of the commodities"):
        read_spn(tmp_path / "edited.spn", leave_out=["sSpread"])


def test_a_rule_of_one_commodity_leaves_the_other_alone(tmp_path: Path) -> None:
    path = edited(tmp_path, scanning("sSpread", "SP", "ND"))
    assert [i.name for i in built(path, commodities=["ND"]).universe.instruments][1:] == [
        "ND-202603",
        "ND-202606",
    ]


OPTION = "SPO-202603-2825-C"
BAD = {
    "a price below zero": (
        "<p>2790.00</p>",
        "<p>-37.63</p>",
        "SP-202603",
        r"p: '-37\.63': a price of SP-202603 at",
    ),
    "a price of zero": ("<p>2790.00</p>", "<p>0</p>", "SP-202603", "p: '0'"),
    "a strike below zero": ("<k>2825</k>", "<k>-10</k>", "SPO-202603--10-C", "k: '-10': a strike"),
    "an unknown quotation": ("<o>C</o>", "<pq>7</pq><o>C</o>", OPTION, "pq: '7'"),
    "no array": ("<ra><r>1</r>", "<ra><r>2</r>", "SP-202603", "no risk array of rate 1; it has 2"),
    "a short array": ("<a>8120</a>", "", OPTION, "a risk array has 16"),
    "a price in words": ("<p>2790.00</p>", "<p>high</p>", "SP-202603", "finite decimal"),
    "neither call nor put": ("<o>C</o>", "<o>X</o>", "SPO-202603-2825-X", "C or P"),
    "another currency": (
        "<cc>ND</cc>",
        "<cc>ND</cc><riskExponent>2</riskExponent>",
        "ND-202603",
        "riskExponent: '2'",
    ),
}


@pytest.mark.parametrize(("old", "new", "name", "words"), BAD.values(), ids=BAD)
def test_one_bad_contract_does_not_refuse_the_file(
    old: str, new: str, name: str, words: str, tmp_path: Path
) -> None:
    path = edited(tmp_path, (old, new))
    with pytest.raises(InputError, match=words):
        read_spn(path, strict=True)
    with collecting() as notes:
        made = built(path)
    assert "left out: " in notes[0] or "are left out" in notes[0]
    assert name in made.inputs.left_out
    assert str(tmp_path) not in made.inputs.left_out[name]
    assert name not in made.universe
    made.dump(tmp_path / "s.json")
    with pytest.raises(
        InputError, match=f"instrument: '{name}': left out of the snapshot: edited.spn, .*{words}"
    ):
        Holdings.of([Position(name, Decimal(1))], Snapshot.load(tmp_path / "s.json"))


def test_what_is_asked_for_by_name_is_not_left_out(tmp_path: Path) -> None:
    path = edited(tmp_path, ("<cc>ND</cc>", "<cc>ND</cc><riskExponent>2</riskExponent>"))
    with pytest.raises(InputError, match="riskExponent: '2'"):
        read_spn(path, commodities=["ND"])


# What is read -----------------------------------------------------------------------------------


def test_a_cabinet_value_is_cash(tmp_path: Path) -> None:
    for text, price in (("<pq>1</pq>", "66.4"), ("<pq>0</pq>", "16600"), ("<pq/>", "16600")):
        made = built(edited(tmp_path, ("<p>66.40</p>", f"<p>66.40</p>{text}")))
        assert made.inputs.quotes[made.universe.slot(OPTION)].price == price
    made = built(
        edited(tmp_path, ("<p>66.40</p>", "<p>0</p><pq>1</pq>"), ("<oofPf>", "<oofPf><cab>12.5</cab>"))
    )
    assert made.inputs.quotes[made.universe.slot(OPTION)].price == "12.5"


@pytest.mark.parametrize(("family", "kind"), [("oopPf", "OOP"), ("ooePf", "OOE")])
def test_options_on_physicals_and_equities(family: str, kind: str, tmp_path: Path) -> None:
    physical = (
        "<phyPf><pfId>SP1</pfId><pfCode>SPX</pfCode><cvf>250</cvf>"
        "<phy><cId>1</cId><pe>00000000</pe><p>2780.5</p></phy></phyPf>"
    )
    path = edited(
        tmp_path,
        ("<oofPf>", f"{physical}<{family}>"),
        ("</oofPf>", f"</{family}>"),
        ("<pfCode>SPO</pfCode><pfType>OOF", f"<pfCode>SPO</pfCode><pfType>{kind}"),
    )
    made = built(path)
    slot = made.universe.slot(OPTION)
    assert made.inputs.quotes[slot].forward == "695125"
    tables = made.models["span"]
    assert isinstance(tables, SpanTables)
    periods = tables.commodities[tables.units.index("SP")].periods
    assert slot in next(period for period in periods if period.label == "2026-03").slots


@pytest.mark.parametrize("family", ["oocPf", "newPf"])
def test_contracts_of_other_kinds_are_named(family: str, tmp_path: Path) -> None:
    path = edited(tmp_path, ("<oofPf>", f"<{family}>"), ("</oofPf>", f"</{family}>"))
    made = built(path)
    assert [i.kind for i in made.universe.instruments] == ["balance", *["future"] * 4]
    assert set(made.inputs.left_out) == {OPTION, "SPO-202603-2825-P"}
    assert f"({family}) are not read" in made.inputs.left_out[OPTION]
    assert built(path, commodities=["ND"]).inputs.left_out == {}


def test_two_clearing_organisations(tmp_path: Path) -> None:
    body = FILE.read_text()
    start, end = body.index("<clearingOrg>"), body.index("</clearingOrg>") + len("</clearingOrg>")
    other = body[start:end].replace(">SP<", ">XP<").replace(">ND<", ">XD<").replace("SPO<", "XPO<")
    path = tmp_path / "two.spn"
    path.write_text(f"{body[:end]}{other}{body[end:]}")
    with pytest.raises(InputError, match=r"2 clearing organisations: .*--clearing-org.*SP, ND.*XP, XD"):
        read_spn(path)
    assert "XP-202603" in built(path, commodities=["XP"]).universe
    with pytest.raises(InputError, match="2 clearing organisations"):
        read_spn(path, commodities=["XP", "SP"])
    with pytest.raises(InputError, match="--clearing-org: 'QQQ': the file has"):
        read_spn(path, clearing_org="QQQ")


def test_two_points_in_time(tmp_path: Path) -> None:
    body = FILE.read_text()
    start, end = body.index("<pointInTime>"), body.index("</pointInTime>") + len("</pointInTime>")
    path = tmp_path / "two.spn"
    path.write_text(f"{body[:end]}{body[start:end].replace('20260102', '20260105', 1)}{body[end:]}")
    with pytest.raises(
        InputError, match=r"2 points in time: choose one with --point: 1 is 20260102.*; 2 is 20260105"
    ):
        read_spn(path)
    assert built(path, point=2).valuation_time - built(path, point=1).valuation_time == 3 * 86_400 * 10**6
    for number in (0, 3):
        with pytest.raises(InputError, match="--point"):
            read_spn(path, point=number)


def test_names_that_collide_get_more(tmp_path: Path) -> None:
    later = ("<pe>202606</pe><p>", "<pe>202603</pe><p>")
    names = [i.name for i in built(edited(tmp_path, later, later)).universe.instruments if i.kind == "future"]
    assert len(set(names)) == 4
    assert all(name.startswith(("TST:SP-202603-2026", "TST:ND-202603-2026")) for name in names)


@pytest.mark.parametrize("name", ["house.spn", "HOUSE.XML"])
def test_an_archive(name: str, tmp_path: Path) -> None:
    path = tmp_path / "house.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, FILE.read_text())
        archive.writestr("README.txt", "prices")
    assert built(path).universe == built().universe
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other.spn", FILE.read_text())
    with pytest.raises(InputError, match=r"a zip archive of .*other\.spn: unpack it"):
        read_spn(path)


def test_strikes_of_another_unit_are_noted(tmp_path: Path) -> None:
    path = edited(tmp_path, ("<k>2825</k>", "<k>28.25</k>"), ("<k>2825</k>", "<k>28.25</k>"))
    with collecting() as notes:
        read_spn(path)
    assert ["strikes of SPO-202603 are far from" in line for line in notes] == [True]
