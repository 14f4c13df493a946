"""`python -m benchmarks.browser`: the time to verify in headless Chromium, beside snarkjs's Groth16, and in Node.

The proof is that of the README's example: 113 instruments, 33 scenarios on each of two underlyings. Needs Node, npm and
Chromium; installs the locked packages beside this file.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TERMS = ("--audience", "lender", "--nonce", "7f3a", "--threshold", "1000000")
ROUNDS = 30

_NODE = """
import {{ readFileSync }} from "node:fs";
import * as v from "{web}/dist/index.js";
const read = (name) => v.parseJsonBytes(readFileSync(name), name);
const times = [];
for (let k = 0; k < {rounds}; k++) {{
  const before = process.cpuUsage();
  const {{ proof }} = v.readProofDocument(read("proof.json"), "proof");
  v.verifyProof(v.readStatement(read("statement.json"), "s"), v.readProgram(readFileSync("program.bin"), "p"), proof);
  const used = process.cpuUsage(before);
  times.push((used.user + used.system) / 1000);
}}
const rest = times.slice(5).sort((a, b) => a - b);
console.log(JSON.stringify({{ first: times[0], median: rest[Math.floor(rest.length / 2)], least: rest[0] }}));
"""


def main() -> int:
    """Print the table and write build/bench-browser.json. Returns the exit code."""
    browser = shutil.which("chromium")
    if browser is None or shutil.which("npm") is None:
        print("Node, npm and Chromium are needed", file=sys.stderr)
        return 2
    _run("make", "--silent", "web", cwd=ROOT)
    _run("npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", cwd=HERE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _example(folder)
        files = (str(folder / file) for file in ("statement.json", "program.bin", "proof.json"))
        results: dict[str, Any] = json.loads(_run("node", str(HERE / "bench.mjs"), browser, *files))
        script = _NODE.format(web=ROOT / "verifier/web", rounds=ROUNDS)
        said = _run("node", "--input-type=module", "-e", script, cwd=folder)
        results["margin proof in Node, CPU time"] = json.loads(said)
    print(f"{'milliseconds':36}{'first':>10}{'median':>10}{'least':>10}")
    for case, times in results.items():
        print(f"{case:36}{times['first']:10.0f}{times['median']:10.1f}{times['least']:10.1f}")
    output = ROOT / "build" / "bench-browser.json"
    output.parent.mkdir(exist_ok=True)
    output.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def _example(folder: Path) -> None:
    """A snapshot, a commitment and a proof of the example account."""
    holdings = str(ROOT / "examples/holdings.csv")
    for arguments in (
        ("snapshot", "build", "--example", "-o", "market.json"),
        ("commit", "market.json", holdings, "-o", "commitment.json", "--opening", "o.secret.json"),
        ("prove", "market.json", "--opening", "o.secret.json", *TERMS, "-o", "proof.json"),
        (
            *("statement", "market.json", "--commitment", "commitment.json", *TERMS),
            *("-o", "statement.json", "--program", "program.bin"),
        ),
    ):
        _run(sys.executable, "-c", "from zkmargin.cli import main; main()", *arguments, cwd=folder)


def _run(*arguments: str, cwd: Path | None = None) -> str:
    return subprocess.run(arguments, cwd=cwd, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
