"""`--map`: holdings by a venue's names of contracts."""

from pathlib import Path

from tests.cli.harness import Chain, Run

MAP = "contract,instrument,multiplier,settlement\nXBT-SWAP-100,BTC-PERPETUAL,100,BTC\n"


def test_margin_and_commit_take_a_map(run: Run, chain: Chain, tmp_path: Path) -> None:
    table, named, plain = (tmp_path / name for name in ("map.csv", "named.csv", "plain.csv"))
    table.write_text(MAP)
    named.write_text("instrument,quantity,entry_price\nUSD,100000,\nXBT-SWAP-100,-30,88000\n")
    plain.write_text("instrument,quantity,entry_price\nUSD,100000,\nBTC-PERPETUAL,-3000,88000\n")
    one = run("margin", chain.snapshot, named, "--map", table, "--json").document
    two = run("margin", chain.snapshot, plain, "--json").document
    assert one == two
    output = ("-o", tmp_path / "c.json", "--opening", tmp_path / "o.json")
    assert run("commit", chain.snapshot, named, "--map", table, *output).code == 0


def test_a_map_that_cannot_be_used_is_one_line(run: Run, chain: Chain, tmp_path: Path) -> None:
    table = tmp_path / "map.csv"
    table.write_text(MAP.replace("100,BTC\n", "100,USD\n"))
    seen = run("margin", chain.snapshot, chain.holdings, "--map", table)
    assert seen.code == 2
    assert "BTC-PERPETUAL settles in BTC" in seen.err
