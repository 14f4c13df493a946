"""The parts of a case as they are read: every value by its key, and every fault with where it stands.

Numbers count to 18 decimals, as in the venue's contracts. A key that is not known is remembered.
"""

from collections.abc import Mapping
from contextlib import suppress
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any, Final

from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import Finding, InputError

DECIMALS: Final = 18
SECOND: Final = 10**6
"""Microseconds."""
CONTEXT: Final = Context(prec=60)

# What is read of each part, and what stands there for people or follows from the rest.
KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "case": frozenset({"Scenario", "Parameters", "Result"}),
    "Scenario": frozenset(
        {"Cash", "Collaterals", "SpotPrice", "SpotConfidence", "NumPerps", "PerpPrice", "PerpConfidence"}
        | {"UnrealisedPerpPNL", "UnrealisedFunding", "StablePrice", "StableConfidence", "Options"}
        | {"OptionFeeds", "LastEntryPrice", "FundingIndex", "SystemFundingIndex"}
    ),
    "Options": frozenset(
        {"Expiry", "ExiryTs", "ExpiryTs", "Strike", "IsCall", "MarkDiscount", "MarkVol", "Amount", "k"}
        | {"linear_mult_cap", "abs_mult_cap", "k_star", "linear_multiplier", "abs_multiplier"}
    ),
    "OptionFeeds": frozenset(
        {"FeedExpiry", "Forward", "ForwardFixed", "ForwardVariable", "ForwardConfidence", "Rate"}
        | {"RateConfidence", "SVIparam", "OptionVolConfidences"}
    ),
    "Collaterals": frozenset(
        {"Name", "Amount", "Price", "Confidence", "IsRiskCancelling", "MMHaircut", "IMHaircut"}
    ),
    "Scenarios": frozenset({"SpotShock", "VolShockDirection", "DampeningFactor"}),
}


class Part:
    """One JSON object of a case.

    Attributes:
        place: where it stands, for messages.
        unknown: the keys of the whole case that nobody knows, shared by all of its parts.
    """

    def __init__(
        self, value: Any, name: str, place: str, unknown: list[str], known: frozenset[str] | None = None
    ) -> None:
        if not isinstance(value, Mapping):
            raise InputError(place, "object", Finding(type(value).__name__), "write a JSON object")
        self.values: Mapping[str, Any] = value
        self.place, self.unknown = place, unknown
        for key in value:
            found = f"{name}.{key}"
            if key not in (KNOWN[name] if known is None else known) and found not in unknown:
                unknown.append(found)

    def part(self, key: str, known: frozenset[str] | None = None) -> "Part":
        """The object under a key; raises InputError if there is none."""
        return Part(self.needed(key), key, f"{self.place}, {key}", self.unknown, known)

    def parts(self, key: str) -> "list[Part]":
        """The objects of the list under a key; none if the key is missing."""
        entries = self.values.get(key)
        if entries is None:
            return []
        if not isinstance(entries, list):
            raise InputError(self.place, key, Finding(type(entries).__name__), "write a list")
        return [
            Part(entry, key, f"{self.place}, {key}[{number}]", self.unknown)
            for number, entry in enumerate(entries)
        ]

    def needed(self, key: str) -> Any:
        """The value of a key; raises InputError if it is missing."""
        value = self.values.get(key)
        if value is None:
            raise InputError(self.place, key, Finding("missing"), "add the key")
        return value

    def number(self, key: str, missing: str | None = None) -> Decimal:
        """A number, cut to 18 decimals; `missing` stands in for a key that is not there."""
        value = self.values.get(key)
        if value is None:
            value = self.needed(key) if missing is None else missing
        return self._cut(key, value)

    def scaled(self, key: str, exponent: int) -> Decimal:
        """A number in units of 10^exponent."""
        value = self.needed(key)
        if exponent and not isinstance(value, bool):
            with suppress(ArithmeticError):
                value = Decimal(str(value)).scaleb(exponent, CONTEXT)
        return self._cut(key, value)

    def text(self, key: str, missing: str | None = None) -> str:
        """A number as a canonical decimal."""
        return canonical_decimal(self.number(key, missing))

    def confidence(self, key: str) -> Decimal:
        """A confidence, the least of a list, 1 if the key is missing; what is above 1 counts as 1."""
        value = self.values.get(key, 1)
        return min(
            [Decimal(1), *(self._cut(key, x) for x in (value if isinstance(value, list) else [value]))]
        )

    def flag(self, key: str) -> bool:
        """1 or 0, true or false."""
        value = self.needed(key)
        if value not in (True, False):
            raise InputError(self.place, key, value, "write 1 or 0")
        return bool(value)

    def microseconds(self, key: str) -> int:
        """A time that is written in seconds."""
        return int((self.number(key) * SECOND).to_integral_value(ROUND_HALF_EVEN, CONTEXT))

    def _cut(self, key: str, value: Any) -> Decimal:
        cut: Decimal | None = None
        if not isinstance(value, bool):
            try:
                cut = Decimal(str(value)).quantize(Decimal(1).scaleb(-DECIMALS), ROUND_DOWN, CONTEXT)
            except InvalidOperation:
                cut = None
        # The general reader of numbers words the fault, and holds what is left to its limits.
        return parse_decimal(value if cut is None else canonical_decimal(cut), self.place, key)
