"""How a verifier grades sources of holdings: how old, resting on what, and which of them count as collateral only.

What a source does not show to be all may have debts beside it. Such an account never enters the sum, where it could
meet another venue's call or hedge its positions: it is proven alone, and counts with a haircut towards what is pledged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from zkmargin.attestation.documents import AttestationDocument, SubmissionDocument
from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import InputError
from zkmargin.verifier.errors import PolicyError


def _part(value: str) -> str:
    try:
        number = parse_decimal(value, "policy", "haircut")
    except InputError as error:
        raise ValueError(error.remedy) from None
    if not 0 <= number <= 1:
        raise ValueError("write a part of one, from 0 to 1")
    return canonical_decimal(number)


class Grade(BaseModel):
    """How holdings of one source count.

    Attributes:
        age: seconds from an attestation's moment, where the policy's own limit is too long; None to leave it at that.
        complete: whether it must be shown that nothing is left out; False to take what is not as collateral.
        haircut: the part of such collateral that does not count, a decimal from 0 to 1.
        evidence: whether attestations must name what they rest on.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    age: Annotated[int, Field(ge=0, le=10 * 366 * 86400)] | None = None
    complete: bool = True
    haircut: Annotated[str, AfterValidator(_part)] = "0"
    evidence: bool = False


Grades = Mapping[str, Grade]
"""By source."""
STRICT = Grade()
"""Of sources that have no grade of their own."""


def check_grade(attestation: AttestationDocument, grades: Grades, now: float, name: str) -> None:
    """Check an attestation against the grade of its source.

    Raises:
        PolicyError: complete, source-age or evidence.
    """
    source = attestation.source
    grade = grades.get(source, STRICT)
    if not attestation.complete and grade.complete:
        raise PolicyError("complete", f"{name}: it does not say that nothing is left out")
    if grade.age is not None and now - attestation.as_of > grade.age:
        message = f"{name}: it is {now - attestation.as_of:.0f} s old; from {source} at most {grade.age} s are taken"
        raise PolicyError("source-age", message)
    if grade.evidence and attestation.evidence is None:
        raise PolicyError("evidence", f"{name}: it rests on the signer's word alone, as {source} must not")


def check_kinds(attestations: Sequence[AttestationDocument]) -> None:
    """Check that something is netted at all, and that no venue is both netted and collateral only.

    Raises:
        PolicyError: complete.
    """
    netted = {one.venue for one in attestations if one.complete}
    alone = {one.venue for one in attestations if not one.complete}
    if not netted:
        raise PolicyError(
            "complete", "no account is said to be complete, and collateral alone proves nothing"
        )
    if both := sorted(netted & alone):
        message = f"{both[0]!r} attests to complete accounts and to others; submit those of one kind"
        raise PolicyError("complete", message)


def counted(submission: SubmissionDocument, grades: Grades) -> int:
    """What collateral counts for, in ticks: of each venue what is proven, less the haircut of its source, rounded down.

    Raises:
        PolicyError: collateral is claimed of a venue that has none in the submission.
    """
    haircuts: dict[str, Fraction] = {}
    for one in submission.attestations:
        if not one.complete:
            own = Fraction(grades.get(one.source, STRICT).haircut)
            haircuts[one.venue] = max(own, haircuts.get(one.venue, own))
    for venue in submission.collateral:
        if venue not in haircuts:
            raise PolicyError("collateral", f"no account of {venue!r} counts as collateral only")
    return sum(floor(amount * (1 - haircuts[venue])) for venue, amount in submission.collateral.items())
