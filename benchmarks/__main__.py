"""`make bench`: every case in a process of its own, one table, and build/bench.json.

`python -m benchmarks CASE` runs one case in this process and prints its figures as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import attesting, market, peers, planning, proving, scenarios, startup
from zkmargin.algebra import get_backend

CASES = {
    "a: n = 256, 32 rows of 64 bits": proving.small,
    "b: n = 2048, 341 rows of 64 bits": proving.large,
    "c: recorded market, grid": proving.market,
    "d: 80 options, PMRM 2": proving.pmrm2,
    "expected shortfall, 10,000 cells and 200 instruments": scenarios.shortfall,
    "requirement of 100 positions": scenarios.hundred_positions,
    "plans of the example account": planning.plans,
    "a plan for 80 options, PMRM 2": planning.pmrm2_options,
    "commit 4096": peers.commitments,
    "transforms": peers.transforms,
    "recorded market's snapshot": market.snapshot,
    "accounts a second": market.accounts,
    "attest a book of 100,000 accounts": attesting.book,
    "attested accounts at two venues": attesting.portfolio,
    "commands as processes": startup.processes,
}
RESULTS = Path("build") / "bench.json"


def main() -> None:
    """Run what is asked for, or everything."""
    if len(sys.argv) > 1:
        if sys.argv[1] not in CASES:
            sys.exit("name one of these cases, in quotes, or none for all:\n  " + "\n  ".join(CASES))
        print(json.dumps(CASES[sys.argv[1]]()))
        return
    results = {name: _measured(name) for name in CASES}
    table = Table("case", "figures", title=f"zkmargin on the {get_backend().name} backend (medians)")
    for name, figures in results.items():
        table.add_row(name, ", ".join(f"{key} {_shown(value)}" for key, value in figures.items()))
    Console(width=140).print(table)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"written to {RESULTS}")


def _measured(name: str) -> dict[str, Any]:
    """One case in its own process, so that peak memory is its own."""
    print(f"measuring {name}", file=sys.stderr)
    command = [sys.executable, "-m", "benchmarks", name]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        return {"not measured": run.stderr.strip().splitlines()[-1]}
    figures: dict[str, Any] = json.loads(run.stdout)
    return figures


def _shown(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) and value < 100 else f"{value:,.0f}"


if __name__ == "__main__":
    main()
