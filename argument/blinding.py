"""How many random multiples of Z each committed column carries.

A column hides its values if it has as many independent blinders as there are points at which the transcript fixes
it. Every commitment fixes its column at tau; a value sent fixes it there too; phi enters the quotient with its shift,
which is the sum's value at w tau. A change of the argument that sends one more value must add its point here.
"""

from __future__ import annotations

from types import MappingProxyType

FIXED_AT = MappingProxyType(
    {
        "holdings": ("tau",),
        "limbs": ("tau", "zeta"),
        "multiplicity": ("tau",),
        "u": ("tau", "zeta"),
        "v": ("tau",),
        "helper": ("tau",),
        "table helper": ("tau",),
        "running sum": ("tau", "w tau", "w zeta"),
    }
)
"""The points at which the transcript fixes each column."""


def blinders(column: str) -> int:
    """The number of multiples of Z that a column needs.

    >>> blinders("running sum")
    3
    """
    return len(FIXED_AT[column])
