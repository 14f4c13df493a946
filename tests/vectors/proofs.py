"""Golden proofs: what a fixed source of randomness makes of each toy, byte for byte.

    python -m tests.vectors.proofs

writes them again, into tests/vectors/proofs.json, under the fastest backend. That is called for only when the
protocol, its name or the toys change: then every proof that anyone kept is void, and the change is one of version.
"""

import json
from pathlib import Path
from typing import Any

from tests.argument.toys import TOYS, Case, case, drawn, play
from zkmargin.algebra import Setup, ceremony, get_backend
from zkmargin.argument.challenges import PROTOCOL
from zkmargin.prover.rounds import Rounds

FILE = Path(__file__).with_name("proofs.json")


def golden_case(name: str, setup: Setup) -> Case:
    """A statement at the very edge of what the account has, under blinders that follow from the toy's name."""
    toy = TOYS[name]
    return case(toy, setup, threshold=toy.excess(), randomness=drawn(f"{name}: holdings"))


def golden(name: str, setup: Setup) -> dict[str, Any]:
    """The vector of one toy."""
    made = golden_case(name, setup)
    rounds = Rounds(setup, made.statement, made.witness(), made.blinders, drawn(f"{name}: proof"))
    return {
        "threshold": made.statement.threshold,
        "relation": made.relation.digest.hex(),
        "commitments": [term.point.hex() for term in made.statement.commitments],
        "statement": made.statement.digest.hex(),
        "proof": play(rounds).to_bytes().hex(),
    }


def all_golden(setup: Setup) -> dict[str, Any]:
    """The content of the file."""
    vectors = {name: golden(name, setup) for name in TOYS}
    return {"protocol": PROTOCOL, "setup": setup.digest, "vectors": vectors}


if __name__ == "__main__":
    FILE.write_text(json.dumps(all_golden(ceremony(get_backend())), indent=1) + "\n")
