"""The demonstration of evidence: two sources are netted, one is collateral only, and the third is refused."""

import json

from click.testing import CliRunner

from tests.evidence.stage import started_chain
from zkmargin.cli.command import command


def test_the_walk() -> None:
    with started_chain():
        result = CliRunner().invoke(command, ["demo-evidence", "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["auditor_refused"] == "source-age"
    assert (found["netted_collateral"], found["collateral_collateral"]) == (0, 40_000)
    complete = {name: found[name]["complete"] for name in ("accounts", "wallets", "custodian", "auditor")}
    assert complete == {"accounts": True, "wallets": False, "custodian": True, "auditor": True}
