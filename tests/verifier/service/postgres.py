"""A PostgreSQL of one's own: on loopback, in a folder of its own, ended with the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ports import free_port

USER = "postgres"
"""PostgreSQL refuses to run as root; this is who it runs as then."""


def programs() -> Path | None:
    """The folder of initdb and pg_ctl: the Debian package keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if found:
        return found[-1].parent
    other = shutil.which("initdb")
    return Path(other).resolve().parent if other else None


class Postgres:
    """A server that can be taken away and brought back."""

    def __init__(self, folder: Path) -> None:
        found = programs()
        if found is None:
            if os.environ.get("CI"):
                pytest.fail("PostgreSQL is not installed; install the Debian package postgresql")
            pytest.skip("PostgreSQL is not installed; `make test` installs it where it can")
        self._programs, self.folder, self.port = found, folder, free_port()
        self._as = (
            ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups"] if os.getuid() == 0 else []
        )
        folder.mkdir(parents=True)
        if self._as:
            account = pwd.getpwnam(USER)
            os.chown(folder, account.pw_uid, account.pw_gid)
            for parent in list(folder.parents)[:4]:
                if parent.owner() == "root" and str(parent).startswith("/tmp/"):
                    parent.chmod(parent.stat().st_mode | 0o011)
        self._run(
            "initdb", "-D", str(folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale"
        )
        self.start()

    def start(self) -> None:
        settings = f"listen_addresses=127.0.0.1 unix_socket_directories={self.folder} max_connections=60"
        options = f"-p {self.port} " + " ".join(f"-c {one}" for one in settings.split())
        self._run(
            "pg_ctl",
            "-D",
            str(self.folder / "data"),
            "-w",
            "-l",
            str(self.folder / "log"),
            "-o",
            options,
            "start",
        )

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def running(self) -> bool:
        """Whether there is a server."""
        return self._call("pg_ctl", "-D", str(self.folder / "data"), "status") == 0

    def database(self, name: str) -> str:
        """The URL of a new database."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, name)
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        assert self._call(program, *arguments) == 0, (self.folder / "commands").read_text()[-2000:]

    def _call(self, program: str, *arguments: str) -> int:
        command = [*self._as, str(self._programs / program), *arguments]
        with (self.folder / "commands").open("ab") as log:
            done = subprocess.run(
                command, check=False, cwd="/", stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=60
            )
        return done.returncode
