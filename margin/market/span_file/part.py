"""Which part of a SPAN file is read, where it has several points in time or clearing organisations."""

from collections.abc import Sequence

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.market.span_file.xml_tree import Element


def chosen_point(root: Element, number: int | None) -> Element:
    """The point in time of a file.

    Args:
        root: the file.
        number: of the point, the first being 1; None where there is but one.

    Raises:
        InputError: there is none, there are several and none is chosen, or fewer than the number.
    """
    root.need("pointInTime")
    points = root.all("pointInTime")
    if number is None and len(points) == 1:
        return points[0]
    if number is not None and 1 <= number <= len(points):
        return points[number - 1]
    listed = "; ".join(f"{place} is {_described(point)}" for place, point in enumerate(points, 1))
    if number is not None:
        raise InputError(root.where, "--point", number, f"the file has {len(points)}: {listed}")
    found = Finding(f"{len(points)} points in time")
    raise InputError(points[1].place, "pointInTime", found, f"choose one with --point: {listed}")


def chosen_clearing(point: Element, code: str | None, wanted: frozenset[str]) -> Element:
    """The clearing organisation of a point in time.

    Args:
        point: in time.
        code: of the organisation (ec); None for the one that has the wanted commodities.
        wanted: codes of combined commodities; all if empty.

    Raises:
        InputError: there is none, several would do, or commodities are missing.
    """
    point.need("clearingOrg")
    all_of = point.all("clearingOrg")
    listed = "; ".join(f"{org.string('ec', '')} with {', '.join(_codes(org)) or 'none'}" for org in all_of)
    there = [org for org in all_of if code is None or org.string("ec", "") == code]
    if not there:
        raise InputError(point.where, "--clearing-org", code, f"the file has {listed}")
    known = {name for org in there for name in _codes(org)}
    missing = sorted(wanted - known)
    if missing or not known:
        has = ", ".join(_codes(there[0])) if len(all_of) == 1 else listed
        found = ", ".join(missing) or Finding("none")
        raise InputError(point.where, "ccDef", found, f"the file has {has or 'no combined commodity'}")
    there = [org for org in there if not wanted or wanted.intersection(_codes(org))]
    if len(there) > 1:
        remedy = f"a snapshot is of one: choose with --clearing-org, or --commodity; the file has {listed}"
        raise InputError(
            there[1].place, "clearingOrg", Finding(f"{len(there)} clearing organisations"), remedy
        )
    return there[0]


def _codes(clearing: Element) -> Sequence[str]:
    """The codes of its combined commodities."""
    return [cc.string("cc") for cc in clearing.all("ccDef")]


def _described(point: Element) -> str:
    parts = [point.string(tag, "") for tag in ("date", "time", "setlQualifier")]
    return " ".join(part for part in parts if part)
