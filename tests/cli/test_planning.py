"""What planning commands say, and what they refuse."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.harness import Run
from tests.margin.accounts import tiny
from zkmargin.margin.market import example_market
from zkmargin.margin.snapshot.snapshot import Snapshot


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the whole example market, and accounts beside it."""
    folder = tmp_path_factory.mktemp("planning")
    Snapshot.build(example_market()).dump(folder / "market.json")
    rows = (Path(__file__).resolve().parents[2] / "examples/holdings.csv").read_text()
    (folder / "good.csv").write_text(rows)
    (folder / "short.csv").write_text(rows.replace("USD,400000", "USD,-660000"))
    (folder / "lost.csv").write_text(rows.replace("USD,400000", "USD,-740000"))
    return folder


def test_a_liquidation_is_planned_certified_and_checked(run: Run, whole: Path, tmp_path: Path) -> None:
    market, holdings, certificate = whole / "market.json", whole / "short.csv", tmp_path / "least.json"
    planned = run("plan", "liquidation", market, holdings, "--hedges", "--certificate", certificate, "--json")
    assert planned.code == 0, planned.err
    document = planned.document
    assert float(document["excess_before"]) < 0 <= float(document["excess_after"])
    assert float(document["cost"]) < 26
    assert {rule["rule"] for rule in document["rules"]} == {
        "pro rata", "largest contributor, delta hedged", "largest position",
    }  # fmt: skip
    checked = run("plan", "check", certificate, market, holdings, "--json")
    assert checked.code == 0, checked.err
    assert 0 <= float(checked.document["beyond"]) < 0.01
    other = run("plan", "check", certificate, market, whole / "good.csv")
    assert other.code == 1
    assert "multipliers give a bound" in other.err
    forged = json.loads(certificate.read_text())
    forged["bound"] = str(int(forged["bound"]) + 10**24)
    certificate.write_text(json.dumps(forged))
    refused = run("plan", "check", certificate, market, holdings)
    assert refused.code == 1
    assert "not the one it states" in refused.err
    certificate.write_text("{}")
    assert run("plan", "check", certificate, market, holdings).code == 2


def test_tables_say_the_plan_beside_the_rules(run: Run, whole: Path) -> None:
    seen = run("plan", "liquidation", whole / "market.json", whole / "short.csv", "--hedges")
    assert seen.code == 0
    assert "no plan costs less than" in seen.out
    assert "pro rata (does not get there)" in seen.out
    quiet = run("plan", "liquidation", whole / "market.json", whole / "good.csv")
    assert (quiet.code, "nothing to do" in quiet.out) == (0, True)


def test_a_target_out_of_reach_ends_with_one_line(run: Run, whole: Path) -> None:
    seen = run("plan", "liquidation", whole / "market.json", whole / "lost.csv")
    assert (seen.code, seen.out) == (2, "")
    assert "cannot be reached: the best is -" in seen.err
    assert "in the way are the limits of" in seen.err
    assert len(seen.err.strip().splitlines()) == 1


def test_a_what_if_with_a_ranking(run: Run, whole: Path, tmp_path: Path) -> None:
    candidates = tmp_path / "candidates.txt"
    candidates.write_text("# two ways\nBTC-27MAR26-66000-P +1\nBTC_USD-PERPETUAL -0.5\n")
    seen = run(
        "whatif", whole / "market.json", whole / "good.csv", "--trade", "BTC-PERPETUAL -5000", "--rank", candidates,
        "--json",
    )  # fmt: skip
    assert seen.code == 0, seen.err
    assert seen.document["trades"][0]["instrument"] == "BTC-PERPETUAL"
    assert [c["instrument"] for c in seen.document["ranked"]] == ["BTC_USD-PERPETUAL", "BTC-27MAR26-66000-P"]
    assert run("whatif", whole / "market.json", whole / "good.csv", "--rank", candidates).code == 0


def test_what_is_available_contributed_and_how_far(run: Run, whole: Path, tmp_path: Path) -> None:
    market, holdings = whole / "market.json", whole / "good.csv"
    seen = run("available", market, holdings, "--order", "BTC-PERPETUAL", "--json")
    assert [m["name"] for m in seen.document["withdrawals"]] == ["USD", "BTC", "ETH"]
    assert {order["side"] for order in seen.document["orders"]} == {"buy", "sell"}
    parts = run("contributions", market, holdings, "--json").document
    total = sum(float(part["shadow"]) for part in parts["contributions"]) + float(parts["constants"])
    assert abs(total - float(parts["requirement"])) < 1e-3
    picture = tmp_path / "map.png"
    far = run("distance", market, whole / "short.csv", "--chart", picture)
    assert far.code == 0, far.err
    assert picture.read_bytes().startswith(b"\x89PNG")
    for command in ("available", "contributions"):
        assert run(command, market, holdings).code == 0


def test_hedges_and_budgets(run: Run, whole: Path) -> None:
    market, holdings = whole / "market.json", whole / "good.csv"
    hedged = run("plan", "hedge", market, holdings, "--delta", "BTC:-0.1:0.1", "--json")
    assert hedged.code == 0, hedged.err
    assert [trade["instrument"] for trade in hedged.document["trades"]]
    spent = run("plan", "release", market, holdings, "--budget", "20", "--json")
    assert float(spent.document["cost"]) <= 20
    assert float(spent.document["excess_after"]) > float(spent.document["excess_before"])


COSTS = "future_spread = 0.0005\noption_spread = 0.02\n"
BOOK = "instrument,bid,ask,depth\nBTC_USD-PERPETUAL,88200,88240,2\n"


def test_costs_and_a_book_count(run: Run, whole: Path, tmp_path: Path) -> None:
    (tmp_path / "costs.toml").write_text(COSTS)
    (tmp_path / "book.csv").write_text(BOOK)
    given = ("--costs", tmp_path / "costs.toml", "--book", tmp_path / "book.csv")
    trade = ("--trade", "BTC_USD-PERPETUAL -3")
    usual = run("whatif", whole / "market.json", whole / "good.csv", *trade, "--json").document
    other = run("whatif", whole / "market.json", whole / "good.csv", *trade, *given, "--json").document
    # Two coins 36.86 USD below the mark, and one at twice that.
    assert usual["cost"] == "79.413174"
    assert other["cost"] == "147.440000"


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("whatif",), "--trade"),
        (("whatif", "--trade", "BTC-1JAN20-1-C 1"), "not listed"),
        (("plan", "liquidation", "--target", "0.0000001"), "multiple of the snapshot's tick"),
        (("plan", "liquidation", "--only", "DOGE"), "not listed"),
        (("plan", "liquidation", "--largest", "BTC-PERPETUAL -5"), "write a size"),
        (("plan", "liquidation", "--model", "tims"), "tims"),
        (("plan", "hedge",), "name a target, or a band"),
        (("plan", "hedge", "--delta", "BTC"), "COIN:LOW:HIGH"),
        (("plan", "hedge", "--delta", "BTC:2:1"), "write the lower first"),
        (("plan", "hedge", "--vega", "DOGE:1:2"), "name one of them"),
        (("plan", "release", "--budget", "-5"), "zero or more"),
        (("available", "--order", "USD"), "paid in"),
        (("distance", "--chart", "map.txt"), "end it with"),
        (("contributions", "--costs", "missing.toml"), "missing.toml"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_one_line(
    run: Run, whole: Path, words: tuple[str, ...], match: str
) -> None:
    command = [word for word in words[:2] if not word.startswith("--")]
    if words[0] != "plan":
        command = command[:1]
    rest = words[len(command) :]
    seen = run(*command, whole / "market.json", whole / "short.csv", *rest)
    assert (seen.code, seen.out) == (2, "")
    assert match in seen.err
    assert len(seen.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("costs.toml", "future_spread = 2", "future_spread"),
        ("costs.toml", "nonsense = 1", "nonsense"),
        ("costs.toml", "future_spread = ", "valid TOML"),
        (
            "costs.toml",
            "[[impact]]\nmultiple = 2\nfactor = 2\n[[impact]]\nmultiple = 1\nfactor = 3\n",
            "impact",
        ),
        ("book.csv", "instrument,bid,ask\nBTC-PERPETUAL,5,4\n", "is above the ask"),
        ("book.csv", "instrument,bid,ask\nBTC-PERPETUAL,-5,4\n", "bid"),
        ("book.csv", "instrument,bid\nBTC-PERPETUAL,5\n", "ask"),
    ],
)
def test_costs_and_books_that_cannot_be_used(
    run: Run, whole: Path, tmp_path: Path, name: str, text: str, match: str
) -> None:
    (tmp_path / name).write_text(text)
    option = "--costs" if name == "costs.toml" else "--book"
    seen = run("available", whole / "market.json", whole / "good.csv", option, tmp_path / name)
    assert seen.code == 2
    assert match in seen.err
    assert name in seen.err


PLACES = """
[[venue]]
name = "one"
snapshot = "market.json"
holdings = "poor.csv"
level = "maintenance"

[pool]
USD = 20000
ETH = 3

[[route]]
from = "pool"
to = "one"
asset = "USD"
fixed = 15
minutes = 1440

[[route]]
from = "pool"
to = "one"
asset = "ETH"
rate = 0.001
minutes = 5
"""


def test_collateral_is_placed(run: Run, whole: Path) -> None:
    # 10,500 USD short: three coins alone would not do, and one transfer of cash does.
    (whole / "poor.csv").write_text((whole / "short.csv").read_text())
    places = whole / "places.toml"
    places.write_text(PLACES)
    seen = run("place", places, "--json")
    assert seen.code == 0, seen.err
    assert [transfer["asset"] for transfer in seen.document["transfers"]] == ["USD"]
    assert float(seen.document["accounts"]["one"]["excess_after"]) >= 0
    assert run("place", places).code == 0
    hurried = run("place", places, "--within", "10")
    assert hurried.code == 2
    assert "one cannot be brought to it" in hurried.err
    places.write_text(PLACES.replace("minutes = 5", "minutes = 'soon'"))
    wrong = run("place", places)
    assert (wrong.code, "route.1.minutes" in wrong.err) == (2, True)


def test_the_agent_advises_and_trades_on_paper(run: Run, whole: Path, tmp_path: Path) -> None:
    stream = tmp_path / "stream"
    stream.mkdir()
    (stream / "1.json").write_bytes((whole / "market.json").read_bytes())
    (tmp_path / "holdings.csv").write_text((whole / "short.csv").read_text())
    settings = tmp_path / "plan.toml"
    settings.write_text('holdings = "holdings.csv"\nsnapshots = "stream"\nlow = 0\ntarget = 1000\n')
    advised = run("agent", settings, "--json")
    assert advised.code == 0, advised.err
    assert [decision["action"] for decision in advised.document["decisions"]] == ["trade"]
    assert not (tmp_path / "paper.json").exists()
    traded = run("agent", settings, "--paper", "--json")
    assert [decision["action"] for decision in traded.document["decisions"]] == ["trade"]
    again = run("agent", settings, "--paper", "--json")
    assert again.document["decisions"] == []
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 2
    shown = run("agent", settings)
    assert "the plan costs" in shown.out
    settings.write_text('holdings = "holdings.csv"\nsnapshots = "nowhere"\nlow = 0\ntarget = 1000\n')
    missing = run("agent", settings)
    assert (missing.code, "directory of snapshots" in missing.err) == (2, True)


def test_a_liquidation_near_the_least_is_proven_without_the_book(run: Run, tmp_path: Path) -> None:
    market, holdings = tmp_path / "market.json", tmp_path / "holdings.csv"
    tiny().dump(market)
    holdings.write_text(
        "instrument,quantity\nUSD,5150\nBTC,0.1\nBTC_USD-PERPETUAL,-0.7\nBTC_USD-31JAN26-K-C,-0.9\n"
        "BTC-31JAN26-K-P,-0.7\nBTC-PERPETUAL,20000\n"
    )
    planned = run("plan", "liquidation", market, holdings, "--no-rules", "--json")
    assert planned.code == 0, planned.err
    opening, commitment, proof = (tmp_path / name for name in ("o.json", "c.json", "near.json"))
    assert run("commit", market, holdings, "-o", commitment, "--opening", opening).code == 0
    terms = ("--cost", planned.document["cost"], "--above", "5", "--audience", "public", "--nonce", "7f3a")
    proven = run("plan", "prove", market, "--opening", opening, *terms, "-o", proof, "--json")
    assert proven.code == 0, proven.err
    assert proven.document["squares"] == 52
    verified = run("plan", "verify", market, proof, "--commitment", commitment, *terms, "--json")
    assert (verified.code, verified.document["valid"]) == (0, True)
    closer = [word if word != "5" else "4" for word in terms]
    assert run("plan", "verify", market, proof, "--commitment", commitment, *closer).code == 1
    dear = [word if word != planned.document["cost"] else "100" for word in terms]
    refused = run("plan", "prove", market, "--opening", opening, *dear, "-o", tmp_path / "no.json")
    assert refused.code == 1
    assert "covers what was paid: short by" in refused.err
    assert not (tmp_path / "no.json").exists()
    wrong = run(
        "plan", "prove", market, "--opening", opening, *terms[:2], "--above", "0.001", *terms[4:], "-o", proof
    )
    assert (wrong.code, "--above" in wrong.err) == (2, True)


class Published(BaseHTTPRequestHandler):
    """Answers as a verifier's service does when asked for its newest snapshot."""

    snapshot = tiny()

    def do_GET(self) -> None:
        body = b'{"snapshot":%s}' % self.snapshot.encode()
        if self.path.startswith("/v1/snapshots?"):
            info = {
                "id": self.snapshot.id,
                "universe": self.snapshot.universe.digest,
                "valuation_time": self.snapshot.valuation_time,
                "accepted": 1_767_254_400,
                "oracle": "oracle",
            }
            body = json.dumps([info]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_the_agent_takes_snapshots_from_a_service(run: Run, tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), Published)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        (tmp_path / "holdings.csv").write_text("instrument,quantity\nUSD,100\nBTC,1\n")
        address = f"http://127.0.0.1:{server.server_port}"
        settings = tmp_path / "plan.toml"
        settings.write_text(f'holdings = "holdings.csv"\nservice = "{address}"\nlow = 0\ntarget = 1000\n')
        seen = run("agent", settings, "--json")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert seen.code == 0, seen.err
    assert [d["action"] for d in seen.document["decisions"]] == ["hold"]
    away = run("agent", settings)
    assert (away.code, away.out) == (2, "")
