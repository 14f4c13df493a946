"""`zkmargin serve`: the verifier's service."""

import os
from pathlib import Path

import click

from zkmargin.cli.options.files import FILE
from zkmargin.cli.process import check_address, until_stopped


@click.command()
@click.option("--config", "config_file", metavar="FILE", type=FILE, help="Settings in TOML.")
def serve(*, config_file: Path | None) -> None:
    """Run the verifier's service: verify proofs, record and watch pledges.

    Settings come from the file and from variables that begin with ZKMARGIN_SERVICE_; keys come from files or the
    environment only. SIGTERM ends it when the requests under way are finished.

    \b
    Example:
      zkmargin serve --config service.toml
    """
    # Only this command needs the server's packages.
    from zkmargin.verifier.service.process import server  # noqa: PLC0415
    from zkmargin.verifier.service.process.settings import FILE_VARIABLE  # noqa: PLC0415

    settings = server.prepare(config_file)
    where = os.environ.get(FILE_VARIABLE, "environment")
    check_address(settings.host, settings.port, where, ("host", "port"))
    with until_stopped():
        server.run(settings)
