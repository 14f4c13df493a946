"""The container files: read as text, and held against the settings, the locks and the tree. No image is built here."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from zkmargin.verifier.service.process.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICE: dict[str, Any] = COMPOSE["services"]["service"]
DATABASE: dict[str, Any] = COMPOSE["services"]["database"]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


STEPS = instructions()


def of(word: str) -> list[str]:
    return [rest for name, rest in STEPS if name == word]


def test_images_name_their_release() -> None:
    images = [image.split()[0] for image in of("FROM")] + [DATABASE["image"]]
    assert len(images) == 3
    for image in images:
        assert re.fullmatch(r"[a-z]+:[\w.]*\d[\w.-]*|debian:bookworm-slim", image), image


def test_the_compiler_is_new_enough_for_the_crate() -> None:
    wanted = re.search(r'^rust-version = "([\d.]+)"', (ROOT / "native/Cargo.toml").read_text(), re.MULTILINE)
    given = re.search(r"rust:([\d.]+)", of("FROM")[0])
    assert wanted is not None
    assert given is not None
    assert [*map(int, given[1].split("."))] >= [*map(int, wanted[1].split("."))]


def test_packages_come_from_the_locks_or_from_this_folder() -> None:
    commands = [command.strip() for rest in of("RUN") for command in rest.split("&&")]
    installs = [shlex.split(command) for command in commands if " pip install " in command]
    assert len(installs) == 3
    for words in installs:
        assert "--no-deps" in words
        assert "--require-hashes" in words or "--no-index" in words
        for path in (words[k + 1] for k, word in enumerate(words) if word == "-r"):
            assert (ROOT / path).is_file()


def test_the_last_step_runs_the_service_without_rights() -> None:
    last = STEPS[max(k for k, (word, _) in enumerate(STEPS) if word == "FROM") :]
    words = [word for word, _ in last]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert dict(last)["USER"] == "zkmargin"
    assert dict(last)["ENTRYPOINT"] == '["zkmargin"]'
    port = str(Settings.model_fields["port"].default)
    assert dict(last)["EXPOSE"] == port
    assert f"127.0.0.1:{port}/readyz" in dict(last)["HEALTHCHECK"]
    assert "gcc" not in str(last)


def test_the_builder_is_sent_what_the_product_is_built_from_and_no_secret() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    sent = {line[1:] for line in lines if line.startswith("!")}
    assert all((ROOT / path).exists() for path in sent)
    rooms = {link.name for link in (ROOT / "zkmargin").iterdir() if link.is_symlink()}
    assert rooms <= sent
    assert {"pyproject.toml", "setup.cfg", "README.md", "LICENSE", "requirements", "zkmargin"} <= sent
    assert {"**/*.key", "**/*.secret.json"} <= set(lines)
    assert "deploy" not in sent


def test_the_settings_in_the_compose_file_are_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SERVICE["environment"].items():
        assert name.startswith(PREFIX)
        assert name.removeprefix(PREFIX).lower() in Settings.model_fields
        monkeypatch.setenv(name, value.replace("/run/secrets", str(tmp_path)))
        if value.startswith("/run/secrets/"):
            assert value.removeprefix("/run/secrets/") in SERVICE["secrets"]
    monkeypatch.chdir(tmp_path)
    settings = Settings.read()
    assert (settings.host, settings.workers) == ("0.0.0.0", 2)
    assert f"127.0.0.1:8420:{settings.port}" in SERVICE["ports"]
    assert int(SERVICE["stop_grace_period"].removesuffix("s")) > settings.drain_seconds


def test_secrets_are_files_outside_of_the_image_and_of_the_repository() -> None:
    used = {*SERVICE["secrets"], *DATABASE["secrets"]}
    assert used == set(COMPOSE["secrets"])
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    for secret in COMPOSE["secrets"].values():
        folder, _, _ = secret["file"].partition("/")
        assert f"{folder}/" in ignored
    assert "PASSWORD:" not in (ROOT / "compose.yaml").read_text()


def test_the_database_is_ready_first_kept_and_reached_from_inside_only() -> None:
    assert SERVICE["depends_on"]["database"]["condition"] == "service_healthy"
    assert "healthcheck" in DATABASE
    assert "ports" not in DATABASE
    assert DATABASE["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert DATABASE["volumes"] == ["ledger:/var/lib/postgresql/data"]
    assert "ledger" in COMPOSE["volumes"]


def test_the_service_may_do_nothing_that_it_need_not() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
