"""Names of accounts, venues and oracles: one spelling each, so that nobody's name can be taken for another's.

A verifier counts (venue, account) once. Two spellings that people, a ledger or a database take for one would count
twice: so names have no capitals, no spaces and no letters beyond ASCII, of which many look alike. What a venue calls
its accounts otherwise, such as addresses with a checksum, it writes in lower case.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

LONGEST_NAME = 128

_CANONICAL = re.compile(r"[a-z0-9]([a-z0-9._:/@-]*[a-z0-9])?", re.ASCII)

REMEDY = "write lower-case letters a to z, digits and . _ : / @ - between them"


def is_canonical(name: str) -> bool:
    """Whether a name is in its one spelling.

    >>> [is_canonical(name) for name in ("acct-7", "ACCT-7", "acct-7 ", "\\u0430cct-7", "-7")]
    [True, False, False, False, False]
    """
    return _CANONICAL.fullmatch(name) is not None


def _canonical(name: str) -> str:
    if not is_canonical(name):
        raise ValueError(REMEDY)
    return name


PartyName = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_NAME), AfterValidator(_canonical)
]
"""Of an account, a venue or an oracle."""
