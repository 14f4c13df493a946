"""Private keys in files: readable by their owner alone, never shown, and encrypted where a passphrase is given."""

import json
import stat
from pathlib import Path

import pytest
from eth_account import Account

from zkmargin.attestation.key_file import PASSPHRASE_VARIABLE, passphrase_from, read_key, write_key
from zkmargin.margin.errors import InputError


def test_a_plain_key(tmp_path: Path) -> None:
    path = tmp_path / "venue.key"
    made = write_key(path, None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key(path).address == made.address == Account.from_key(path.read_text().strip()).address


def test_a_keystore_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    path = tmp_path / "venue.json"
    made = write_key(path, "correct horse battery")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keystore = json.loads(path.read_text())
    assert keystore["version"] == 3
    assert read_key(path, "correct horse battery").address == made.address
    with pytest.raises(InputError, match="cannot be opened"):
        read_key(path, "wrong horse battery")
    with pytest.raises(InputError, match=PASSPHRASE_VARIABLE):
        read_key(path)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "venue.key"
    made = write_key(path, None)
    with pytest.raises(InputError, match="never overwritten"):
        write_key(path, None)
    assert read_key(path).address == made.address


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "venue.key"
    write_key(path, None)
    path.chmod(0o640)
    with pytest.raises(InputError, match=r"mode: 0640.*chmod 600"):
        read_key(path)


@pytest.mark.parametrize(
    "content", ["", "0x12", "0x" + "00" * 32, "0x" + "zz" * 32, "{}", "{", '{"crypto": 1}']
)
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "venue.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(InputError) as caught:
        read_key(path, "a passphrase")
    assert len(content) < 3 or content not in str(caught.value)


def test_where_a_passphrase_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    assert passphrase_from(None) is None
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "from the environment")
    assert passphrase_from(None) == "from the environment"
    file = tmp_path / "passphrase"
    file.write_text("from the file\r\nsecond line")
    file.chmod(0o640)
    with pytest.raises(InputError, match="mode: 0640: others can reach this passphrase; run chmod 600"):
        passphrase_from(file)
    file.chmod(0o600)
    assert passphrase_from(file) == "from the file"
    file.write_text("short\n")
    with pytest.raises(InputError, match="at least 8 characters") as caught:
        passphrase_from(file)
    assert "short" not in str(caught.value)
