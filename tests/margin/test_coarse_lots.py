"""A universe whose lots are all coarser than its tables: money is still counted in whole parts of a tick."""

from dataclasses import replace

from zkmargin.circuits import assign, build_relation, check
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market import Market, example_market
from zkmargin.margin.snapshot.snapshot import Snapshot


def coarse() -> Snapshot:
    """Balances in lots of ten."""
    whole = example_market()
    kept = [slot for slot, i in enumerate(whole.instruments) if i.kind == "balance"]
    instruments = tuple(replace(whole.instruments[slot], lot_exponent=1, bound=1000) for slot in kept)
    inputs = replace(whole.inputs, quotes=tuple(whole.inputs.quotes[slot] for slot in kept))
    return Snapshot.build(Market(whole.valuation_time, instruments, inputs), domain=64)


def test_money_is_no_coarser_than_a_tick() -> None:
    snapshot = coarse()
    assert (snapshot.tick, snapshot.money_decimals) == (1, snapshot.quantum_decimals)
    assert set(snapshot.scale) == {10}
    found = requirement(snapshot, [100, 0, 0])
    assert found.account_value_ticks == found.excess_ticks == 1000 * 10**6
    relation = build_relation(snapshot, threshold=found.excess_ticks)
    check(relation, assign(relation, [100, 0, 0]))
