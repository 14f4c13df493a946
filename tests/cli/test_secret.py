"""The opening's file: its owner's only, from the first byte, whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from zkmargin.attestation.secret_file import refuse_existing, write_secret
from zkmargin.margin.errors import InputError


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_the_mode_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_secret(tmp_path / "opening", b"secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "opening").stat().st_mode) == 0o600
    assert (tmp_path / "opening").read_bytes() == b"secret"


def test_nobody_may_read_it_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    real = os.fchmod

    def watched(handle: int, mode: int) -> None:
        modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        real(handle, mode)

    monkeypatch.setattr(os, "fchmod", watched)
    before = os.umask(0)
    try:
        write_secret(tmp_path / "opening", b"secret")
    finally:
        os.umask(before)
    assert modes == [0o600]


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "opening").write_bytes(b"precious")
    for act in (refuse_existing, lambda path: write_secret(path, b"secret")):
        with pytest.raises(InputError, match="never overwritten"):
            act(tmp_path / "opening")
    assert (tmp_path / "opening").read_bytes() == b"precious"


def test_a_place_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        write_secret(tmp_path / "missing" / "opening", b"secret")


@pytest.mark.parametrize(
    ("failure", "raised"),
    [(OSError(28, "No space left on device"), InputError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_nothing_is_left_of_what_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, raised: type[BaseException]
) -> None:
    def fail(_: int) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(raised):
        write_secret(tmp_path / "opening", b"secret")
    assert list(tmp_path.iterdir()) == []
