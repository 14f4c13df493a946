"""The backend and the setup of commands: chosen by the environment, announced if slow."""

import os
from functools import cache

import click

from zkmargin.algebra import BACKEND_VARIABLE, REFERENCE, Backend, Setup, ceremony, get_backend
from zkmargin.margin.errors import InputError

KERNELS_VARIABLE, PORTABLE = "ZKMARGIN_KERNELS", "portable"
"""What the native extension reads when it first multiplies: the kernels that every machine can run."""


def chosen_backend() -> Backend:
    """The backend that the environment names, or the fastest; raises InputError if it is not there."""
    kernels = os.environ.get(KERNELS_VARIABLE)
    if kernels not in (None, "", PORTABLE):
        remedy = f"write {PORTABLE}, or leave it out for the fastest that this machine runs"
        raise InputError("environment", KERNELS_VARIABLE, kernels, remedy)
    try:
        return get_backend()
    except ValueError as error:
        raise InputError(
            "environment", BACKEND_VARIABLE, os.environ.get(BACKEND_VARIABLE), str(error)
        ) from None


def chosen_setup() -> Setup:
    """The ceremony under the chosen backend."""
    return ceremony(chosen_backend())


def proving_setup() -> Setup:
    """Return `chosen_setup()` for a command that commits or proves; a slow backend is announced on standard error."""
    setup = chosen_setup()
    if setup.backend.name == REFERENCE:
        _announce(os.environ.get(BACKEND_VARIABLE) == REFERENCE)
    return setup


@cache
def _announce(chosen: bool) -> None:
    """Say once that the reference backend is used, and whether it was asked for."""
    why = f"{BACKEND_VARIABLE} asks for it" if chosen else "the native extension is not installed"
    click.echo(f"zkmargin: working on the reference backend, which is slow: {why}", err=True)
