"""What verification costs is written down, and golden proofs are verified by the contracts as they are."""

import json

from tests.vectors.contract_gas import FILE, measured
from tests.verifier.contract.evms import Ethereumjs


def test_golden_proofs_cost_what_is_written_down(process: Ethereumjs) -> None:
    """If it is meant to be otherwise: python -m tests.vectors.contract_gas."""
    assert measured(process) == json.loads(FILE.read_text())
