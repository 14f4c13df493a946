"""The kernels for every machine and those for this one: the same results, whichever the environment asks for."""

import os
import subprocess
import sys

import pytest

from zkmargin.algebra import backends

native = pytest.mark.skipif("native" not in backends(), reason="the native extension is not installed")

PROGRAM = """
import hashlib, random
from zkmargin import _native
from zkmargin.algebra import ceremony, get_backend
from zkmargin.margin.account.book import Accounts, excesses
from zkmargin.margin.market.example import example_market
from zkmargin.margin.snapshot.snapshot import Snapshot

backend = get_backend("native")
drawn = random.Random(1)
setup, digest = ceremony(backend), hashlib.sha256()
for bits in (1, 20, 64, 255):
    values = [drawn.getrandbits(bits) for _ in range(256)]
    digest.update(backend.encode(setup.commit_evaluations(256, backend.vector(values))))
    digest.update(backend.encode(backend.msm(setup.powers(64), values[:64])))
snapshot = Snapshot.build(example_market())
book = [[drawn.randint(-9, 9) for _ in range(len(snapshot.universe))] for _ in range(20)]
digest.update(repr(excesses(snapshot, Accounts.of(book)).excesses.tolist()).encode())
print(_native.kernels(), digest.hexdigest())
"""


def found(kernels: str) -> tuple[str, str]:
    """The kernels that a process uses, and the digest of what it computes with them."""
    environment = {**os.environ, "ZKMARGIN_KERNELS": kernels}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    name, digest = ran.stdout.split()
    return name, digest


@native
def test_portable_kernels_compute_what_the_others_do() -> None:
    (portable, digest), (fastest, other) = found("portable"), found("")
    assert portable == "portable"
    assert digest == other
    if fastest == "portable":
        pytest.skip("this machine has no AVX-512: portable kernels were compared with themselves")
