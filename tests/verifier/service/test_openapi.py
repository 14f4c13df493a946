"""The service does what its OpenAPI document says, whatever is sent to it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.verifier.service.conftest import Scene

Start = Callable[..., Scene]

EXAMPLES = 3
SECONDS = 20

NOT_TOLD_BY_A_SCHEMA = "positive_data_acceptance"
"""That a proof is false, a nonce is not the service's or an account lacks excess shows in no schema."""

STREAMED = "/v1/events"
"""Never ends."""


def test_every_endpoint_keeps_to_the_document(start: Start, tmp_path: Path) -> None:
    scene = start()
    options = [
        f"http://127.0.0.1:{scene.replica.port}/openapi.json",
        f"--exclude-path={STREAMED}",
        f"--exclude-checks={NOT_TOLD_BY_A_SCHEMA}",
        f"--header=Authorization: {scene.replica.admin()['authorization']}",
        f"--max-examples={EXAMPLES}",
        f"--max-time={SECONDS}",
        "--phases=examples,fuzzing",
        "--no-shrink",
        "--generation-deterministic",
        "--continue-on-failure",
        "--suppress-health-check=all",
        "--warnings=off",
        "--no-color",
    ]
    program = Path(sys.executable).parent / "schemathesis"
    command = [str(program), "run", *options]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    assert scene.http.get("/readyz").status_code == 200
