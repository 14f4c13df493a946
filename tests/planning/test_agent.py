"""The agent: holds within its bands, trades at bid and ask outside them, and writes everything down."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.planning.books import example, pricing, short_by
from zkmargin.margin.errors import InputError
from zkmargin.margin.market import example_market
from zkmargin.margin.market.example import VALUATION_TIME
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.planning.costs import Pricing
from zkmargin.planning.engine import Engine
from zkmargin.planning.questions.agent import Agent, AgentSettings, PaperAccount, snapshots_in, write_down

BASE: dict[str, Any] = {
    "holdings": "h.csv", "snapshots": "s", "low": Decimal(1000), "target": Decimal(4000), "model": "grid",
}  # fmt: skip


def paper(snapshot: Snapshot, usd: float) -> PaperAccount:
    lots = short_by(snapshot, example(snapshot), usd)
    names = (instrument.name for instrument in snapshot.universe.instruments)
    return PaperAccount({name: held for name, held in zip(names, lots, strict=True) if held})


def settings(**changes: Any) -> AgentSettings:
    return AgentSettings.parse(BASE | changes, "plan.toml")


def test_it_holds_within_its_band() -> None:
    made = pricing().snapshot
    decision = Agent(settings(), paper(made, -2000), True).on(made)
    assert decision is not None
    assert (decision.action, decision.plan, decision.excess) == ("hold", None, 2000 * 10**6)


def test_it_advises_and_trades_nothing_by_itself() -> None:
    made = pricing().snapshot
    account = paper(made, 2000)
    held = dict(account.lots)
    decision = Agent(settings(), account).on(made)
    assert decision is not None
    assert decision.action == "trade"
    assert "below 1000" in decision.reason
    assert decision.plan is not None
    assert decision.plan.after >= 4000 * 10**6
    assert account.lots == held


def test_on_paper_it_trades_at_bid_and_ask_and_once_a_snapshot(tmp_path: Path) -> None:
    made = pricing().snapshot
    agent = Agent(settings(), paper(made, 2000), True)
    decision = agent.on(made)
    assert decision is not None
    assert decision.plan is not None
    lots = agent.account.vector(made)
    assert Engine(made, "grid", "maintenance").excess(lots) == decision.plan.after
    assert agent.account.paid == decision.plan.cost
    assert agent.on(made) is None
    agent.account.write(tmp_path / "paper.json")
    again = PaperAccount.read(tmp_path / "paper.json")
    assert again is not None
    assert (again.lots, again.last) == (agent.account.lots, made.id)
    assert 0 <= again.paid - agent.account.paid < Decimal("0.000001")


def test_it_follows_the_market(tmp_path: Path) -> None:
    """Prices fall day by day: the account is mended whenever it leaves its band, and never by more than it must."""
    folder = tmp_path / "snapshots"
    folder.mkdir()
    for day in range(3):
        level = str(1 - Decimal(day) / 10)
        market = example_market(VALUATION_TIME + day * 3_600_000_000, level)
        Snapshot.build(market, only=["grid"]).dump(folder / f"{day}.json")
    first = Snapshot.load(folder / "0.json")
    agent = Agent(settings(), paper(first, -8000), True)
    seen: set[str] = set()
    actions = []
    for _, snapshot in snapshots_in(folder, seen):
        decision = agent.on(snapshot)
        assert decision is not None
        write_down(tmp_path / "journal.jsonl", decision)
        actions.append(decision.action)
        excess = Engine(snapshot, "grid", "maintenance").excess(agent.account.vector(snapshot))
        assert excess >= 1000 * 10**6
    assert actions[0] == "hold"
    assert "trade" in actions
    assert list(snapshots_in(folder, seen)) == []
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert [line["action"] for line in lines] == actions
    assert all(line["reason"] for line in lines)


def test_what_cannot_be_mended_is_said() -> None:
    made = pricing().snapshot
    limited = settings(trades={"hedges": False, "instruments": ("ETH-9JAN26-2850-P",)})
    decision = Agent(limited, paper(made, 5000), True).on(made)
    assert decision is not None
    assert decision.action == "cannot"
    assert "the best is" in decision.reason


def test_delta_is_kept_in_its_band() -> None:
    made = pricing().snapshot
    decision = Agent(settings(delta={"BTC": (Decimal(-1), Decimal(1))}), paper(made, -9000)).on(made)
    assert decision is not None
    assert decision.action == "trade"
    assert "left its band" in decision.reason


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"target": Decimal(10)}, "target.*at least low"),
        ({"service": "https://verifier.example"}, "not one source"),
        ({"snapshots": None}, "not one source"),
        ({"keys": "secret"}, "keys.*unknown key"),
        ({"trades": {"legs": 0}}, "trades.legs"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        settings(**changes)


def test_a_snapshot_that_lacks_what_is_held_is_refused() -> None:
    made = pricing().snapshot
    account = paper(made, 0)
    account.lots["BTC-1JAN20"] = 5
    with pytest.raises(InputError, match=r"BTC-1JAN20.*does not list what the account holds"):
        Agent(settings(), account).on(made)


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="directory of snapshots"):
        list(snapshots_in(tmp_path / "nothing", set()))
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(InputError, match=r"bad\.json"):
        list(snapshots_in(tmp_path, set()))


def test_a_paper_account_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "paper.json"
    assert PaperAccount.read(path) is None
    path.write_text('{"version": 1, "lots": {"BTC": "many"}, "paid": "0", "last": ""}')
    with pytest.raises(InputError, match=r"paper\.json: lots\.BTC"):
        PaperAccount.read(path)
    assert Pricing(pricing().snapshot).book == {}
