"""The ordered list of instruments, each in a fixed slot, and the size of the evaluation domain that holds
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import digest
from zkmargin.margin.instruments.instrument import Instrument

SMALLEST_DOMAIN = 64
DEFAULT_SMALLEST_DOMAIN = 256
LARGEST_DOMAIN = 2048


def default_domain(instruments: int) -> int:
    """The smallest power of two >= max(256, 8 * instruments), and 2048 at most.

    A model takes some ten limbs for each instrument: this leaves room for them in one or two columns, which keeps
    proofs short; a larger domain would only cost the prover time.
    """
    return min(LARGEST_DOMAIN, max(DEFAULT_SMALLEST_DOMAIN, 1 << (8 * instruments - 1).bit_length()))


@dataclass(frozen=True)
class Universe:
    """Instruments in their slots; `domain` is a power of two of at least their number.

    Raises InputError for an empty or too large universe, a name that occurs twice, or a domain that does
    not fit.
    """

    instruments: tuple[Instrument, ...]
    domain: int = field(default=0)
    """0 chooses the default domain."""

    def __post_init__(self) -> None:
        count = len(self.instruments)
        if not 1 <= count <= LARGEST_DOMAIN:
            remedy = (
                f"list between 1 and {LARGEST_DOMAIN} instruments; of a larger market choose with --coins, "
                "--expiries and --strikes of snapshot build"
            )
            raise InputError("universe", "instruments", count, remedy)
        if self.domain == 0:
            object.__setattr__(self, "domain", default_domain(count))
        fits = SMALLEST_DOMAIN <= self.domain <= LARGEST_DOMAIN and count <= self.domain
        if not fits or self.domain & (self.domain - 1):
            remedy = f"use a power of two from {SMALLEST_DOMAIN} to {LARGEST_DOMAIN} that is at least {count}"
            raise InputError("universe", "domain", self.domain, remedy)
        if len(self._slots) != count:
            names = [i.name for i in self.instruments]
            twice = next(n for n in names if names.count(n) > 1)
            raise InputError("universe", "instruments", twice, "the name occurs twice; keep one")

    @cached_property
    def _slots(self) -> Mapping[str, int]:
        return {instrument.name: slot for slot, instrument in enumerate(self.instruments)}

    def __len__(self) -> int:
        return len(self.instruments)

    def __contains__(self, name: object) -> bool:
        return name in self._slots

    def slot(self, name: str) -> int:
        """The slot of the instrument; raises InputError if the universe does not list it."""
        try:
            return self._slots[name]
        except KeyError:
            raise InputError(
                "universe", "instrument", name, "not listed; use a name of this universe"
            ) from None

    def document(self) -> dict[str, Any]:
        """The fields for the canonical encoding."""
        return {"domain": self.domain, "instruments": [i.document() for i in self.instruments]}

    @cached_property
    def largest_bound(self) -> int:
        """No account holds more lots than this of anything."""
        return max(instrument.bound for instrument in self.instruments)

    @cached_property
    def finest(self) -> int:
        """Decimal places that a lot adds to a table entry, at most; a tick is whole money units."""
        return max(0, *(i.contract_exponent - i.lot_exponent for i in self.instruments))

    @cached_property
    def scale(self) -> tuple[int, ...]:
        """Per slot, the money units of one lot at a table entry of one quantum."""
        exponents = (self.finest + i.lot_exponent - i.contract_exponent for i in self.instruments)
        return tuple(int(10**exponent) for exponent in exponents)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of the canonical encoding with the domain."""
        return digest(self.document())
