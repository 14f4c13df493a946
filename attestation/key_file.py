"""Private keys in files: 32 bytes as hex that only the owner can read, or an encrypted keystore.

A keystore is the JSON of Ethereum's Web3 Secret Storage, version 3, made and opened by eth-account; other wallets read
it. A passphrase comes from a file or from the environment, never from the command line, which other users could see.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from zkmargin.attestation.keys import SigningKey
from zkmargin.attestation.secret_file import refuse_existing, write_secret
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import parse_json, read_text

if TYPE_CHECKING:
    from eth_account import Account

PASSPHRASE_VARIABLE = "ZKMARGIN_PASSPHRASE"  # noqa: S105 - the variable's name, not a passphrase
SHORTEST_PASSPHRASE = 8


def passphrase_from(path: Path | None) -> str | None:
    """The passphrase in a file (its first line), or in ZKMARGIN_PASSPHRASE; None if there is neither.

    Raises InputError if it is too short, or in a file that others can read.
    """
    if path is not None:
        _refuse_open(path, "passphrase")
        where, text = str(path), read_text(path).split("\n", 1)[0].removesuffix("\r")
    else:
        where, text = "environment", os.environ.get(PASSPHRASE_VARIABLE, "")
        if not text:
            return None
    if len(text) < SHORTEST_PASSPHRASE:
        remedy = f"write at least {SHORTEST_PASSPHRASE} characters"
        raise InputError(where, "passphrase", Finding(f"{len(text)} characters"), remedy)
    return text


def write_key(path: Path, passphrase: str | None) -> SigningKey:
    """Make a key, and a file of mode 0600 that holds it: a keystore if there is a passphrase.

    Raises InputError if the file exists or cannot be written.
    """
    refuse_existing(path, "key")
    secret = SigningKey.fresh_secret()
    if passphrase is None:
        content = f"0x{secret.hex()}\n"
    else:
        content = json.dumps(_wallets().encrypt(secret, passphrase, kdf="scrypt"), sort_keys=True) + "\n"
    write_secret(path, content.encode(), "key")
    return SigningKey(secret)


def read_key(path: Path, passphrase: str | None = None) -> SigningKey:
    """The key in a file of either kind. Raises InputError, which never shows what is in the file."""
    text = read_text(path).strip()
    if text.startswith("{"):
        return _decrypted(path, text, passphrase)
    _refuse_open(path, "private key")
    try:
        return SigningKey(bytes.fromhex(text.removeprefix("0x")))
    except ValueError:
        remedy = "the file must hold 0x and 64 hex digits, or a keystore; use the one that keygen wrote"
        raise InputError(str(path), "key", Finding("no private key"), remedy) from None


def _refuse_open(path: Path, what: str) -> None:
    """Raises InputError if others than the owner can reach the file; one that is not there is told by its reader."""
    if not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        remedy = f"others can reach this {what}; run chmod 600 on it"
        raise InputError(str(path), "mode", Finding(f"{mode:04o}"), remedy)


def _decrypted(path: Path, text: str, passphrase: str | None) -> SigningKey:
    keystore = parse_json(text, str(path))
    if passphrase is None:
        remedy = f"give its passphrase in a file or in {PASSPHRASE_VARIABLE}"
        raise InputError(str(path), "passphrase", Finding("missing"), remedy)
    try:
        return SigningKey(bytes(_wallets().decrypt(keystore, passphrase)))
    except (ValueError, TypeError, KeyError, NotImplementedError):
        remedy = "the passphrase is not this keystore's, or the file is damaged"
        raise InputError(str(path), "keystore", Finding("cannot be opened"), remedy) from None


def _wallets() -> Account:
    # A large library, and only keystores need it.
    from eth_account import Account  # noqa: PLC0415

    return Account()
