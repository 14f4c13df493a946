"""The backend and the setup that the commands work with."""

import os

from zkmargin.algebra import BACKEND_VARIABLE, Backend, Setup, ceremony, get_backend
from zkmargin.margin.errors import InputError


def chosen_backend() -> Backend:
    """The backend that the environment names, or the fastest; raises InputError if it is not there."""
    try:
        return get_backend()
    except ValueError as error:
        raise InputError(
            "environment", BACKEND_VARIABLE, os.environ.get(BACKEND_VARIABLE), str(error)
        ) from None


def chosen_setup() -> Setup:
    """The ceremony under the chosen backend."""
    return ceremony(chosen_backend())
