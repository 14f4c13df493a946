"""The report: its parts, their sums, and sensitivities against finite differences."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.margin.accounts import example, holdings, tiny, tiny_market
from tests.margin.formulas import black76
from tests.margin.joint import year
from tests.margin.securities import snapshot, wide_market
from zkmargin.cli.output.report import brief_tables, greeks_table
from zkmargin.margin.account.greeks import net_greeks, totals
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.account.report import Report, build_report
from zkmargin.margin.account.requirement import account_value, requirement
from zkmargin.margin.snapshot.snapshot import Snapshot

ROWS = (
    ("USD", "40000"),
    ("BTC", "1.5"),
    ("BTC-PERPETUAL", "-30000", "48000"),
    ("BTC_USD-PERPETUAL", "0.25", "51000"),
    ("BTC-31JAN26", "12000"),
    ("BTC-31JAN26-K-C", "-2.5"),
    ("BTC-31JAN26-K-P", "1"),
    ("BTC_USD-31JAN26-K-P", "-0.7"),
)


def account() -> Holdings:
    return holdings(tiny(), *ROWS)


def report(**options: str) -> Report:
    return build_report(tiny(), account(), **options)  # type: ignore[arg-type]


def test_the_report_shows_the_requirement() -> None:
    found = requirement(tiny(), account().vector(tiny()))
    shown = report()
    assert shown.account_value - shown.requirement == shown.excess == found.excess_ticks
    (unit,) = shown.units
    assert len(unit.cells) == 33
    assert unit.loss == -min(cell.profit for cell in unit.cells)
    assert unit.cells[unit.worst].profit == -unit.loss
    assert shown.requirement == pytest.approx(
        unit.loss + sum(charge.amount for charge in shown.charges), abs=5
    )


def test_positions_explain_the_worst_cell_and_the_value() -> None:
    shown = report()
    (unit,) = shown.units
    assert [p.instrument for p in unit.positions] != [p.instrument for p in shown.positions]
    assert {p.instrument for p in unit.positions} == {row[0] for row in ROWS} - {"USD"}
    assert [p.profit for p in unit.positions] == sorted(p.profit for p in unit.positions)
    assert 0 <= -unit.loss - sum(p.profit for p in unit.positions) <= len(ROWS)
    assert 0 <= shown.account_value - sum(p.value for p in shown.positions) <= len(ROWS)


def test_an_inverse_contract_is_shown_with_its_coin_leg() -> None:
    shown = build_report(tiny(), holdings(tiny(), ("BTC-PERPETUAL", "50000", "50000")))
    (position,) = shown.positions
    assert position.value == pytest.approx(50000 * (50000 / 50000 - 50000 / 50010) * 1e6, abs=1000)
    (profit,) = shown.units[0].positions
    assert profit.instrument == "BTC-PERPETUAL"
    assert profit.profit == pytest.approx(-0.16 * 50000e6, abs=1000)


def test_the_other_models_stand_beside() -> None:
    shown = report()
    assert {c.model for c in shown.comparisons} == set(tiny().models) - {"grid"}
    for other in shown.comparisons:
        alone = requirement(tiny(), account().vector(tiny()), model=other.model)
        assert other.requirement == alone.requirement_ticks
        assert other.saving == other.requirement - shown.requirement
        assert other.excess == alone.excess_ticks


def test_models_without_a_grid_explain_their_charges() -> None:
    shown = report(model="isolated", level="maintenance")
    assert shown.units == ()
    assert {c.kind for c in shown.charges} == {"long", "short", "haircut"}
    assert sum(c.amount for c in shown.charges) == pytest.approx(
        shown.requirement, abs=len(shown.charges) + 1
    )


def test_json_holds_text_and_decimals_at_the_tick() -> None:
    document = report().to_json()
    assert json.loads(json.dumps(document)) == document
    for field in ("account_value", "requirement", "excess"):
        assert len(document[field].partition(".")[2]) == 6
    assert Decimal(document["account_value"]) - Decimal(document["requirement"]) == Decimal(
        document["excess"]
    )
    assert document["units"][0]["worst_cell"] in {cell["label"] for cell in document["units"][0]["cells"]}
    assert document["positions"][2]["entry_price"] == "48000"
    assert document["greeks"][0]["expiry"] is None
    assert document["greeks"][1]["expiry"] == "2026-01-31T08:00:00Z"


def test_an_empty_account_has_an_empty_report() -> None:
    shown = build_report(example(), holdings(example()))
    assert (shown.account_value, shown.requirement, shown.excess) == (0, 0, 0)
    assert [unit.loss for unit in shown.units] == [0, 0]
    assert [*shown.charges, *shown.positions, *shown.greeks] == []


def model_value(move: str, volatility: str = "0.6", days: int = 0) -> Fraction:
    """The account in USD when marks follow the model, spot and forwards moved by a factor."""
    factor = Decimal(move)
    market = tiny_market(
        index=50000 * factor,
        perpetual=50010 * factor,
        future=50400 * factor,
        forward=50400 * factor,
        volatility=Decimal(volatility),
    )
    snapshot = Snapshot.build(market, domain=64)
    lots = account().vector(tiny())
    fixed = Fraction(account_value(snapshot, lots), 10**snapshot.money_decimals)
    entries = account().entries(tiny())
    options = [e for e in entries if tiny().universe.instruments[e.slot].kind == "option"]
    marked = sum(
        (
            e.lots
            * Fraction(int(snapshot.marks[e.slot]) * snapshot.scale[e.slot], 10**snapshot.money_decimals)
            for e in options
        ),
        Fraction(0),
    )
    return fixed - marked + sum((option_value(snapshot, e.slot, e.lots, days) for e in options), Fraction(0))


def option_value(snapshot: Snapshot, slot: int, lots: int, days: int) -> Fraction:
    instrument, quote = snapshot.universe.instruments[slot], snapshot.inputs.quotes[slot]
    forward, vol = float(quote.forward or 0), float(quote.volatility or 0)
    years = (30 - days) / 365
    value = black76(forward, float(instrument.strike or 0), vol, years, bool(instrument.call))
    ratio = float(snapshot.inputs.indices["BTC"]) / forward if instrument.inverse else 1.0
    return Fraction(lots) * Fraction(instrument.lot) * Fraction(value * ratio)


def test_sensitivities_are_those_of_the_value() -> None:
    (net,) = totals(net_greeks(tiny(), account().entries(tiny()))).values()
    up, here, down = (model_value(move) for move in ("1.001", "1", "0.999"))
    step = 50  # 0.1 % of 50,000
    assert float(net.delta) == pytest.approx(float((up - down) / (2 * step)), rel=1e-4)
    assert float(net.gamma) == pytest.approx(float((up - 2 * here + down) / step**2), rel=1e-3)
    assert float(net.vega) == pytest.approx(
        float(model_value("1", "0.605") - model_value("1", "0.595")), rel=1e-3
    )
    assert float(net.theta) == pytest.approx(float(model_value("1", days=1) - here), rel=5e-2)


def test_sensitivities_by_expiry_add_up() -> None:
    buckets = net_greeks(tiny(), account().entries(tiny()))
    assert [expiry is None for _, expiry in buckets] == [True, False]
    (net,) = totals(buckets).values()
    assert net.delta == sum(greeks.delta for greeks in buckets.values())
    assert all(greeks.vega == 0 == greeks.gamma for (_, expiry), greeks in buckets.items() if expiry is None)


def test_correlation_says_that_it_sees_delta_only() -> None:
    made = Snapshot.build(tiny_market(), domain=64, history=year())
    shown = build_report(made, holdings(made, *ROWS), model="correlation")
    assert "delta only" in shown.to_json()["note"]
    text = "\n".join(str(part) for part in brief_tables(shown))
    assert shown.note is not None
    assert shown.note in text
    assert "note" not in build_report(made, holdings(made, *ROWS)).to_json()


def test_delta_counts_what_is_held() -> None:
    assert {row["delta_unit"] for row in report().to_json()["totals"]} == {"coins"}
    made = snapshot(wide_market(2))
    names = [i.name for i in made.universe.instruments if i.kind == "option"]
    shown = build_report(made, holdings(made, *((name, "1") for name in names)))
    assert {row.underlying: row.unit for row in shown.totals} == {
        "ACME": "shares", "BOLT": "shares", "BIG": "index units", "SMALL": "index units",
    }  # fmt: skip
    assert [column.header for column in greeks_table(shown).columns][2] == "delta"
    assert [column.header for column in greeks_table(report()).columns][2] == "delta, coins"
    assert str(next(iter(greeks_table(shown).columns[2].cells))).endswith(" shares")
