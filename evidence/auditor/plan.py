"""What an auditor reads, and with which key: a TOML file, read strictly. The key itself is in a file of its own."""

from __future__ import annotations

import json
import stat
import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from zkmargin.attestation.signing import Address
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text
from zkmargin.margin.files.validation import input_error

VenueName = Literal["deribit", "okx", "binance", "bybit"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ReadKey(_Strict):
    """A venue's key that can only read. Shown nowhere, and written nowhere.

    Attributes:
        key: its public name at the venue.
        secret: signs requests.
        passphrase: where the venue has one.
    """

    model_config = ConfigDict(extra="forbid", strict=False, frozen=True, hide_input_in_errors=True)

    key: Annotated[str, Field(min_length=1, max_length=512)]
    secret: SecretStr
    passphrase: SecretStr | None = None

    @classmethod
    def read(cls, path: Path) -> ReadKey:
        """The key in a JSON file that its owner alone can reach. Raises InputError, which never shows what is in it."""
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            raise InputError(
                str(path), "mode", Finding(f"{mode:04o}"), "others can reach this key; run chmod 600 on it"
            )
        try:
            return cls.model_validate(json.loads(read_text(path)))
        except InputError:
            raise
        except (ValueError, RecursionError):
            remedy = "write a JSON object with key, secret and, where the venue has one, passphrase"
            raise InputError(str(path), "key", Finding("no key of a venue"), remedy) from None


class AuditPlan(_Strict):
    """What to read.

    Attributes:
        venue: where.
        subject: address of the key of the account's owner, as the auditor knows it.
        key_file: of the key; relative to this file. None where answers are saved.
        saved: answers that were saved, instead of asking; relative to this file.
        url: where the venue answers, if not at its own address: https, or this machine.
        leave_out: currencies whose balances are not counted; only what is above zero can be left out.
        seconds_between: between the two readings.
        directory: that paths are relative to.
    """

    version: Literal[1] = 1
    venue: VenueName
    subject: Address
    key_file: str | None = None
    saved: str | None = None
    url: str | None = None
    leave_out: Annotated[tuple[str, ...], Field(max_length=1024, strict=False)] = ()
    seconds_between: Annotated[int, Field(ge=0, le=600)] = 5
    directory: Path = Path()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.key_file is None) == (self.saved is None):
            raise ValueError(
                "name key_file to ask the venue, or saved for answers that were saved; one of them"
            )
        if self.url is not None and not _safe(self.url):
            raise ValueError(
                "url begins with https://, or is of this machine: answers would be changed on the way"
            )
        return self

    @classmethod
    def read(cls, path: Path) -> AuditPlan:
        """The plan in a TOML file. Raises InputError naming file, field and value."""
        try:
            document = tomllib.loads(read_text(path))
        except InputError:
            raise
        except ValueError as error:
            raise InputError(str(path), "document", Finding(error), "write valid TOML") from None
        if "directory" in document:
            raise InputError(str(path), "directory", document["directory"], "unknown key; remove it")
        try:
            return cls.model_validate({**document, "directory": path.parent})
        except ValidationError as error:
            raise input_error(str(path), error) from None


def _safe(url: str) -> bool:
    try:
        found = httpx.URL(url)
        return found.scheme == "https" or (found.scheme == "http" and ip_address(found.host).is_loopback)
    except (ValueError, httpx.InvalidURL):
        return False
