"""Asking a service on the command line: its address, the key for it, and what becomes of its refusals."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import httpx

from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.options.files import FILE
from zkmargin.client import Client, ServiceError, UnreachableError
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text

API_KEY_VARIABLE = "ZKMARGIN_API_KEY"
LARGEST_PORT = 65535

service_option = click.option(
    "--service", "url", required=True, metavar="URL", help="The service, such as https://verifier.example."
)
pledge_argument = click.argument("identity", metavar="PLEDGE")
api_key_option = click.option(
    "--api-key-file",
    metavar="FILE",
    type=FILE,
    help=f"A protocol's key; {API_KEY_VARIABLE} in the environment serves as well.",
)

Refusal = Callable[[ServiceError], InputError | None]
"""Which argument is wrong when a service refuses; None if what was asked is well-formed and the answer is no."""


@contextmanager
def asking(
    url: str, key: str | None, option: str = "--service", wrong: Refusal = lambda _: None
) -> Iterator[Client]:
    """A client.

    Raises:
        InputError: the URL is malformed, the service does not answer, or an argument is wrong.
        NotProvenError: the service refuses.
    """
    check_url(url, option)
    try:
        with Client(url, key) as client:
            yield client
    except UnreachableError as error:
        remedy = f"{error}; start the service, or name the address of one that runs"
        raise InputError("command line", option, url, remedy) from None
    except ServiceError as error:
        raise wrong(error) or NotProvenError(f"{url}: {error}") from None


def check_url(url: str, option: str) -> None:
    """Raises InputError unless this can be the address of a service."""
    remedy = "write the service's address, such as https://verifier.example"
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InputError("command line", option, url, f"{error}: {remedy}") from None
    if found.scheme not in ("http", "https") or not found.host or (found.port or 1) > LARGEST_PORT:
        raise InputError("command line", option, url, remedy)


def check_pledge(identity: str) -> None:
    """Raises InputError unless this can be the name of a pledge."""
    if not identity.isascii() or not identity.replace("-", "").isalnum():
        remedy = "write a pledge's name as pledge list shows it, and its receipt"
        raise InputError("command line", "PLEDGE", identity, remedy)


def read_token(path: Path, field: str) -> str:
    """The key or token in a file. Raises InputError, which never shows it."""
    return _presentable(read_text(path).strip(), str(path), field)


def required_api_key(path: Path | None) -> str:
    """The protocol's key in a file, or in the environment. Raises InputError if there is none."""
    if path is not None:
        return read_token(path, "key")
    key = os.environ.get(API_KEY_VARIABLE)
    if key is None:
        remedy = f"name the file of the protocol's key, or set {API_KEY_VARIABLE}"
        raise InputError("command line", "--api-key-file", Finding("missing"), remedy)
    return _presentable(key.strip(), "environment", API_KEY_VARIABLE)


def _presentable(key: str, where: str, field: str) -> str:
    if not key or not all("!" <= character <= "~" for character in key):
        found = Finding("empty" if not key else "not one word of ASCII")
        raise InputError(where, field, found, "write the key on one line, as it was handed out")
    return key
