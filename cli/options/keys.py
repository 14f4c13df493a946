"""Options of commands that sign: key, passphrase, and the chain and contract that a signature is for."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from zkmargin.attestation import SigningDomain, SigningKey
from zkmargin.attestation.key_file import PASSPHRASE_VARIABLE, passphrase_from, read_key
from zkmargin.attestation.signing import is_address
from zkmargin.cli.options.files import FILE, refuse_replacing
from zkmargin.margin.errors import Finding, InputError

venue_name_option = click.option(
    "--name", required=True, metavar="NAME", help="The venue's, as policies list it."
)
passphrase_option = click.option(
    "--passphrase-file",
    metavar="FILE",
    type=FILE,
    help=f"Its first line is the keystore's passphrase; {PASSPHRASE_VARIABLE} in the environment serves as well.",
)


def key_option(whose: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options --key and --passphrase-file; the command receives the key as `key`, None if --key is left out."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_key(*, key_file: Path | None, passphrase_file: Path | None, **rest: Any) -> None:
            for output, field in (("output", "--output"), ("opening_file", "--opening")):
                if rest.get(output) is not None:
                    refuse_replacing(field, rest[output], (key_file, passphrase_file))
            key = read_key(key_file, passphrase_from(passphrase_file)) if key_file else None
            command(key=key, **rest)

        help_text = f"The private key of {whose}: made by venue keygen, or a keystore of another wallet."
        option = click.option("--key", "key_file", metavar="FILE", type=FILE, help=help_text)
        wrapped: Callable[..., None] = option(passphrase_option(with_key))
        return wrapped

    return decorate


def required_key(key: SigningKey | None) -> SigningKey:
    """The key. Raises InputError if none was given."""
    if key is None:
        raise InputError("command line", "--key", Finding("missing"), "name the file of the private key")
    return key


def domain_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options --chain-id and --contract; the command receives them as `domain`."""

    @functools.wraps(command)
    def with_domain(*, chain_id: int, contract: str, **rest: Any) -> None:
        command(domain=SigningDomain(chain_id, address(contract, "--contract")), **rest)

    chain = click.option(
        "--chain-id",
        type=click.IntRange(min=1, max=(1 << 63) - 1),
        required=True,
        help="Chain of the verifier.",
    )
    contract = click.option(
        "--contract",
        required=True,
        metavar="ADDRESS",
        help="The verifying contract's address, or the address by which an off-chain verifier goes.",
    )
    wrapped: Callable[..., None] = chain(contract(with_domain))
    return wrapped


def address(text: str, field: str) -> str:
    """An EIP-55 address from the command line. Raises InputError."""
    if not is_address(text):
        remedy = "write an address as 0x and 40 hex digits in the mixed case of EIP-55"
        raise InputError("command line", field, text, remedy)
    return text
