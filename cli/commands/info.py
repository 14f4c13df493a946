"""`zkmargin info`: what runs here."""

import platform
from importlib.metadata import version
from typing import Any

import click
from rich.table import Table

from zkmargin.algebra import backends
from zkmargin.algebra.setup import CEREMONY_SHA256
from zkmargin.circuits.models import BUILDERS
from zkmargin.cli.options.backend import chosen_backend
from zkmargin.cli.output.terminal import answer, json_option

DISTRIBUTIONS = ("zkmargin", "numpy", "py-ecc", "eth-account")


@click.command()
@json_option
def info(as_json: bool) -> None:
    """Show the backends, the models that can be proven, the ceremony and the versions.

    The backend in use is the fastest that can run here; the environment variable ZKMARGIN_BACKEND names
    another. ZKMARGIN_KERNELS=portable has the native backend do without AVX-512.
    """
    document: dict[str, Any] = {
        "backend": chosen_backend().name,
        "backends": list(backends()),
        "models": sorted(BUILDERS),
        "curve": "BLS12-381",
        "setup": {"name": "Ethereum KZG ceremony", "powers": 4096, "sha256": CEREMONY_SHA256},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in DISTRIBUTIONS}},
    }
    table = Table(show_header=False, box=None)
    table.add_row("backend", f"{document['backend']} (available: {', '.join(document['backends'])})")
    table.add_row("models", ", ".join(document["models"]))
    table.add_row("curve", document["curve"])
    table.add_row("setup", f"{document['setup']['name']}, 4096 powers of tau")
    table.add_row("", f"SHA-256 {CEREMONY_SHA256}")
    for name, number in document["versions"].items():
        table.add_row(name, number)
    answer(as_json, document, table)
