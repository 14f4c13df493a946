"""Attested accounts on the command line: the files of their owner, and how they belong together."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from zkmargin.attestation import AttestationDocument, SigningKey
from zkmargin.cli.options.files import FILE
from zkmargin.cli.options.keys import key_option, required_key
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.instruments.universe import Universe
from zkmargin.prover import Opening, OpeningDocument, ProverError

Command = TypeVar("Command", bound=Callable[..., Any])

ORDER = "give openings and attestations in the same order, as the venue handed them out"


@dataclass(frozen=True)
class Account:
    """An account that a venue attests to.

    Attributes:
        attestation_file, opening_file: where both are.
        attestation: signed as it says.
        opening: of its commitment; secret.
    """

    attestation_file: Path
    opening_file: Path
    attestation: AttestationDocument
    opening: OpeningDocument = field(repr=False)

    @classmethod
    def read(cls, attestation_file: Path, opening_file: Path) -> "Account":
        """The account in two files. Raises InputError if one cannot be used, or they are of two accounts."""
        attestation, opening = AttestationDocument.read(attestation_file), OpeningDocument.read(opening_file)
        attestation.check_signature(str(attestation_file))
        if attestation.point != opening.point:
            found = Finding(f"not what {attestation_file} attests to")
            raise InputError(str(opening_file), "point", found, ORDER)
        return cls(attestation_file, opening_file, attestation, opening)

    def over(self, universe: Universe) -> tuple[AttestationDocument, Opening]:
        """The account over the slots of its universe. Raises InputError if it is over another."""
        check_universe(self.attestation, universe, self.attestation_file)
        return self.attestation, self.opening.opening(universe, str(self.opening_file))


def opening_option(help_text: str) -> Callable[[Command], Command]:
    """The option --opening; the command receives `opening_files`."""
    return click.option(
        "--opening",
        "opening_files",
        required=True,
        multiple=True,
        metavar="FILE",
        type=FILE,
        help=help_text,
    )


def attestation_option(*, required: bool = False) -> Callable[[Command], Command]:
    """The option --attestation; the command receives `attestation_files`."""
    return click.option(
        "--attestation",
        "attestation_files",
        required=required,
        multiple=True,
        metavar="FILE",
        type=FILE,
        help="A venue's attestation of an account; repeat it for several, in the prover's order: "
        "that of the openings.",
    )


def owner_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of commands that prove about attested accounts; the command receives `owner` and `accounts`."""

    @functools.wraps(command)
    def with_accounts(
        *,
        attestation_files: tuple[Path, ...],
        opening_files: tuple[Path, ...],
        key: SigningKey | None,
        **rest: Any,
    ) -> None:
        owner = required_key(key)
        check_pairs(attestation_files, opening_files)
        accounts = tuple(map(Account.read, attestation_files, opening_files))
        for account in accounts:
            found = account.attestation.subject
            if found != owner.address:
                remedy = f"it is not the key in --key, {owner.address}; name that of the account's owner"
                raise InputError(str(account.attestation_file), "subject", found, remedy)
        command(owner=owner, accounts=accounts, **rest)

    wrapped: Callable[..., None] = key_option("the accounts' owner")(with_accounts)
    wrapped = opening_option("What each attestation's commitment hides.")(wrapped)
    return attestation_option(required=True)(wrapped)


def check_pairs(attestations: Sequence[object], openings: Sequence[object]) -> None:
    """Raises InputError unless there are as many of the one as of the other."""
    if len(attestations) != len(openings):
        found = Finding(f"{len(attestations)} for {len(openings)} openings")
        raise InputError("command line", "--attestation", found, "give one for each opening, in their order")


def check_universe(attestation: AttestationDocument, universe: Universe, where: Path) -> None:
    """Raises InputError unless the attestation is over this universe."""
    if attestation.universe != universe.digest:
        remedy = f"it is over another universe than the snapshot's, {universe.digest}"
        raise InputError(str(where), "universe", attestation.universe, remedy)


@contextmanager
def fitting_openings() -> Iterator[None]:
    """Raises InputError where the prover finds that an opening is not its attestation's."""
    try:
        yield
    except ProverError as error:
        found = Finding("not its attestation's")
        raise InputError("command line", "--opening", found, f"{error}: {ORDER}") from None
