"""How a service is configured: by environment variables and one TOML file, secrets by files or the environment only."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from zkmargin.attestation.key_file import passphrase_from, read_key
from zkmargin.attestation.keys import SigningKey
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text
from zkmargin.margin.files.validation import input_error
from zkmargin.verifier.policy import Policy

PREFIX = "ZKMARGIN_SERVICE_"
FILE_VARIABLE = f"{PREFIX}FILE"
SHORTEST_API_KEY = 32

Seconds = Annotated[float, Field(gt=0, le=86400)]
Count = Annotated[int, Field(ge=1, le=1 << 30)]


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("write an http or https URL")
    return url


HttpUrl = Annotated[str, AfterValidator(_http)]


class Settings(BaseSettings):
    """Every setting of a service; the variable of each is ZKMARGIN_SERVICE_ and its name in capitals.

    Attributes:
        policy: the TOML file that the ledger begins with; later the API may change the policy.
        key_file: the key that signs receipts, made by `zkmargin venue keygen`; replicas share it.
        passphrase_file: of the key file, if that is a keystore.
        database: SQLAlchemy URL of SQLite or PostgreSQL; if it has a password, set it by the environment.
        database_file: a file with that URL, instead.
        admin_key: the first key for administration.
        admin_key_file: a file with it, instead.
        oracles: URLs that signed snapshots are pulled from.
        oracle_seconds: between two pulls.
        pull_seconds: for an oracle's whole answer to arrive.
        quantum_decimals: of every snapshot: the ledger counts in one unit.
        challenge_seconds: how long a nonce works.
        renew_seconds: how long after a newer snapshot a pledge must be proven against it.
        host, port: where it listens.
        workers: processes.
        body_limit, snapshot_limit: bytes of a request, and of one that carries a snapshot.
        held_limit: bytes of all bodies that a worker holds at once.
        address_connections: that one address may have open to a worker; behind a proxy, all of them come from it.
        webhook_private: whether webhooks may be at addresses that are not public, such as those of this machine.
        head_seconds, body_seconds: for the head of a request, and its body, to arrive.
        rate, burst: requests a second of one client, and how many of them at once.
        batch: proofs verified together at most.
        queue: proofs waiting at most; beyond it, clients are asked to come back.
        drain_seconds: for requests under way when the service is told to stop.
        sweep_seconds: between two looks for pledges that are stale or lapsed.
        event_seconds: between two looks for new events.
        listen_seconds: after which a stream of events ends; listeners come back by themselves, to any replica.
        webhook_seconds: for a webhook to answer.
        webhook_attempts: after which a webhook is suspended.
        webhook_backoff: seconds before the second attempt; doubled with each.
        log_level: of the log on standard error.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        nested_model_default_partial_update=False,
    )

    policy: Path
    key_file: Path
    passphrase_file: Path | None = None
    database: SecretStr = SecretStr("sqlite:///zkmargin-service.db")
    database_file: Path | None = None
    admin_key: SecretStr | None = None
    admin_key_file: Path | None = None
    oracles: tuple[HttpUrl, ...] = ()
    oracle_seconds: Seconds = 5.0
    pull_seconds: Seconds = 10.0
    quantum_decimals: Literal[6, 9] = 6
    challenge_seconds: Annotated[int, Field(ge=1, le=86400)] = 300
    renew_seconds: Annotated[int, Field(ge=1, le=30 * 86400)] = 120
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8420
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    body_limit: Count = 1 << 20
    snapshot_limit: Count = 32 << 20
    held_limit: Count = 160 << 20
    address_connections: Count = 1024
    head_seconds: Seconds = 10.0
    body_seconds: Seconds = 10.0
    rate: Annotated[float, Field(gt=0)] = 50.0
    burst: Count = 100
    batch: Annotated[int, Field(ge=1, le=1024)] = 64
    queue: Count = 2048
    drain_seconds: Seconds = 20.0
    sweep_seconds: Seconds = 1.0
    event_seconds: Seconds = 0.5
    listen_seconds: Seconds = 3600.0
    webhook_seconds: Seconds = 5.0
    webhook_attempts: Annotated[int, Field(ge=1, le=100)] = 12
    webhook_backoff: Seconds = 1.0
    webhook_private: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file that the environment names."""
        path = os.environ.get(FILE_VARIABLE)
        file = (TomlConfigSettingsSource(settings_cls, toml_file=path),) if path else ()
        return init_settings, env_settings, *file

    @classmethod
    def read(cls, **given: Any) -> Settings:
        """The settings of this process. Raises InputError naming the setting."""
        path = os.environ.get(FILE_VARIABLE)
        if path:
            read_text(Path(path))
        try:
            return cls(**given)
        except ValidationError as error:
            found = input_error(path or "environment", error)
            variable = f"{PREFIX}{found.field.upper()}"
            if str(found.value) == "missing":
                remedy = f"write it in the settings (--config service.toml), or set {variable}"
                raise InputError(found.where, found.field, Finding("missing"), remedy) from None
            # The value itself may be a secret.
            remedy = f"{found.remedy} (in the file, or as {variable})"
            raise InputError(found.where, found.field, Finding("not accepted"), remedy) from None
        except ValueError as error:
            raise InputError(path or "environment", "settings", Finding(error), "write valid TOML") from None

    @cached_property
    def database_url(self) -> str:
        """Where the ledger is. Secret: it may hold a password."""
        if self.database_file is not None:
            return read_text(self.database_file).strip()
        return self.database.get_secret_value()

    def signing_key(self) -> SigningKey:
        """The key that signs receipts. Raises InputError."""
        return read_key(self.key_file, passphrase_from(self.passphrase_file))

    def first_admin_key(self) -> str | None:
        """The first key for administration, if there is one. Raises InputError if it is short."""
        if self.admin_key_file is not None:
            key = read_text(self.admin_key_file).strip()
        elif self.admin_key is not None:
            key = self.admin_key.get_secret_value()
        else:
            return None
        if len(key) < SHORTEST_API_KEY:
            remedy = f"write at least {SHORTEST_API_KEY} characters drawn at random"
            raise InputError("settings", "admin_key", Finding(f"{len(key)} characters"), remedy)
        return key

    def first_policy(self) -> Policy:
        """The policy that the ledger begins with. Raises InputError."""
        return Policy.read(self.policy)
