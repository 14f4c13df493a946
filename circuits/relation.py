"""A relation: rows of small integers tied to secret holdings by public linear equations.

The relation is the integer program that a proof shows to be feasible. Its rows hold the integers ``y``, each
written in limbs of ``t`` bits; its equations say, over the integers,

    sum holdings[e, i] q[i]  +  sum rows[e, s] y[s]  +  sum u[e, c] U[c]  +  sum v[e, c] U[c]^2  +  constant[e]  =  0.

Everything here is public and depends on model and snapshot alone, never on an account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from zkmargin.algebra.field import MODULUS
from zkmargin.circuits.errors import RelationError
from zkmargin.circuits.matrix import IntMatrix
from zkmargin.circuits.program import encode_program

SQUARE_BOUND = 1 << 121
"""A squared cell must stay below this, so that its square cannot wrap around in the field."""

_WIDEST = 126
"""The weight of a row's last limb is at most 2 to this, and so fits a matrix entry."""

MIN_DOMAIN, MAX_DOMAIN = 64, 2048


def most_limbs(bits: int) -> int:
    """How many limbs of t bits a row can have."""
    return 1 + _WIDEST // bits


Choice = Callable[[Sequence[int], Mapping[int, int]], int | Mapping[int, int]]
"""How an honest prover fills a free row: from the holdings in lots and the rows filled so far.

Rows that are chosen together share one choice, which gives them all at once, by their indices.
"""


@dataclass(frozen=True)
class Unit:
    """What one step of a row's integer is worth: ``scale`` steps make one ``name``.

    >>> Unit("USD", 10**8).show(1_234_000_000)
    '12.34 USD'
    """

    name: str
    scale: int = 1

    def show(self, amount: int) -> str:
        """The amount in words, rounded up to a millionth of the unit where it has fractions at all."""
        if self.scale == 1:
            return f"{amount:,} {self.name}"
        millionths = -(-amount * 10**6 // self.scale)
        fraction = f"{millionths % 10**6:06d}".rstrip("0").ljust(2, "0")
        return f"{millionths // 10**6:,}.{fraction} {self.name}"


@dataclass(frozen=True)
class Row:
    """One non-negative integer of the witness.

    Attributes:
        name: what the row says, in the words of margin.
        limbs: how many limbs of t bits it has; the row lies in ``[0, 2**(t * limbs))``.
        free: True if the prover chooses it, False if an equation defines it.
        unit: what one step of it is worth.
        closes: for a defined row, the free row that an honest prover makes just large enough for it.
        choice: for a free row that is not the least slack of the rows closing it, how it is filled.
        upper_of: for a free row, the defined row whose bits above the 120th it holds.
    """

    name: str
    limbs: int
    free: bool
    unit: Unit
    closes: int | None = None
    choice: Choice | None = field(default=None, compare=False)
    upper_of: int | None = None


@dataclass(frozen=True, eq=False)
class Relation:
    """A feasibility problem over committed holdings.

    Attributes:
        domain: n, the number of slots of a column; a power of two.
        columns: the number of holdings columns; slot i of column j is the variable ``j * n + i``.
        rows: the witness rows, in the order of their limbs.
        squares: how many cells of the square column are used (0: there is no square column).
        holdings: equations x (columns * n).
        row_terms: equations x rows; a defined row enters its own equation with -1.
        u_terms: equations x n, on the cells U.
        v_terms: equations x n, on their squares.
        constants: one integer for each equation.
        defines: for each equation the row that it defines, or ``-1 - c`` for the square cell c.
        holding_bounds: for each variable a bound on its magnitude that is proven by a row or vouched for.
        group: g, how many limb columns share one lookup helper, and in how many chunks the quotient travels.
        threshold: what the last row is to reach, in ticks; counted in the last constant.
        step: what one tick of threshold takes off the last constant; 0 for a relation without a threshold.
        reach: the greatest magnitude of a threshold; for all of them the layout is the same, and nothing wraps around.
    """

    domain: int
    columns: int
    rows: tuple[Row, ...]
    squares: int
    holdings: IntMatrix
    row_terms: IntMatrix
    u_terms: IntMatrix
    v_terms: IntMatrix
    constants: tuple[int, ...]
    defines: tuple[int, ...]
    holding_bounds: tuple[int, ...]
    group: int
    threshold: int = 0
    step: int = 0
    reach: int = 0

    def __post_init__(self) -> None:
        if self.domain & (self.domain - 1) or not MIN_DOMAIN <= self.domain <= MAX_DOMAIN:
            raise RelationError(f"the domain has {self.domain} slots; it must be a power of two, 64 to 2048")
        if not self.rows or not self.constants:
            raise RelationError("a relation without rows or equations says nothing")
        if self.columns < 1 or self.squares > self.domain:
            raise RelationError("a relation needs a holdings column and at most n squares")
        if self.group < 1:
            raise RelationError("a lookup helper takes at least one limb column")
        for row in self.rows:
            if not 0 < row.limbs <= most_limbs(self.bits):
                raise RelationError(f"{row.name}: {row.limbs} limbs of {self.bits} bits are too many")
        if min(self.step, self.reach) < 0 or self.step * self.reach >= MODULUS:
            raise RelationError(
                "step and reach of a threshold are not negative, and what they come to is below r"
            )
        self._check_definitions()
        self._check_wrap_around()
        self._check_threshold(self.threshold)

    @property
    def bits(self) -> int:
        """t, the bits of a limb: n = 2**t."""
        return self.domain.bit_length() - 1

    @cached_property
    def cells(self) -> int:
        """How many limb cells are in use."""
        return sum(row.limbs for row in self.rows)

    @property
    def limb_columns(self) -> int:
        """k, the number of limb columns."""
        return -(-self.cells // self.domain)

    @property
    def groups(self) -> tuple[range, ...]:
        """The limb columns of each lookup helper."""
        k, g = self.limb_columns, self.group
        return tuple(range(start, min(start + g, k)) for start in range(0, k, g))

    @property
    def equations(self) -> int:
        """The number of equations."""
        return len(self.constants)

    @property
    def nonzeros(self) -> int:
        """The number of stored coefficients over all matrices."""
        matrices = (self.holdings, self.row_terms, self.u_terms, self.v_terms)
        return sum(matrix.nonzeros for matrix in matrices)

    @cached_property
    def limb_weights(self) -> IntMatrix:
        """rows x (k * n): limb j of a row weighs 2**(t j); the cells of all rows are packed densely."""
        limbs = np.array([row.limbs for row in self.rows], np.int64)
        indptr = np.concatenate((np.zeros(1, np.int64), np.cumsum(limbs)))
        shifts = self.bits * (np.arange(self.cells) - np.repeat(indptr[:-1], limbs))
        low = np.where(shifts < 64, np.uint64(1) << (shifts % 64).astype(np.uint64), np.uint64(0))
        high = np.where(shifts < 64, np.int64(0), np.int64(1) << shifts % 64)
        cols = self.limb_columns * self.domain
        return IntMatrix(cols, indptr, np.arange(self.cells, dtype=np.int32), low, high)

    @property
    def constants_at_zero(self) -> tuple[int, ...]:
        """The constants at the threshold 0, one integer for each equation."""
        return (*self.constants[:-1], self.constants[-1] + self.step * self.threshold)

    def at(self, threshold: int) -> Relation:
        """The same relation for another threshold, made without looking at the rest again.

        Raises:
            RelationError: the threshold lies beyond the reach.
        """
        self._check_threshold(threshold)
        made = object.__new__(Relation)
        last = self.constants[-1] + self.step * (self.threshold - threshold)
        # All but this is the same: matrices, digests and what was found about them are handed on.
        kept = {**vars(self), "limb_weights": self.limb_weights}
        vars(made).update(kept, constants=(*self.constants[:-1], last), threshold=threshold)
        return made

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the program: all that is proven but the threshold (names and filling rules are no part of it)."""
        return hashlib.sha256(encode_program(self)).digest()

    @cached_property
    def frame_digest(self) -> bytes:
        """SHA-256 of the program without the coefficients on the holdings, which commitments stand for."""
        return hashlib.sha256(encode_program(self, frame=True)).digest()

    def _check_threshold(self, threshold: int) -> None:
        if abs(threshold) > self.reach:
            raise RelationError(
                f"the threshold of {threshold} ticks lies beyond {self.reach}, where no account can be"
            )

    def _check_definitions(self) -> None:
        """Every defined row and every used square cell has exactly one defining equation, entered with -1."""
        defined = [row for row in self.defines if row >= 0]
        wanted = [index for index, row in enumerate(self.rows) if not row.free]
        if sorted(defined) != wanted:
            raise RelationError("each defined row needs exactly one equation, and a free row none")
        if sorted(-1 - cell for cell in self.defines if cell < 0) != list(range(self.squares)):
            raise RelationError("each square cell needs exactly one equation")
        for equation, target in enumerate(self.defines):
            terms, place = (self.row_terms, target) if target >= 0 else (self.u_terms, -1 - target)
            if terms.row(equation).get(place) != -1:
                raise RelationError(f"equation {equation} does not define what it should")
        used = set(self.u_terms.indices.tolist()) | set(self.v_terms.indices.tolist())
        if used and max(used) >= self.squares:
            raise RelationError("an equation uses a square cell that nothing defines")

    def _check_wrap_around(self) -> None:
        """Equality in the field must be equality of integers: bound every equation in unbounded integers."""
        for equation, total in enumerate(self._totals):
            self._check_total(equation, total)

    def _check_total(self, equation: int, total: int) -> None:
        if total >= MODULUS:
            target = self.defines[equation]
            name = self.rows[target].name if target >= 0 else f"square cell {-1 - target}"
            raise RelationError(f"{name}: the equation could wrap around in the field; tighten the bounds")

    @cached_property
    def _totals(self) -> tuple[int, ...]:
        """For each equation, the sum of the greatest magnitudes of its terms, at any threshold within reach."""
        row_bounds = [(1 << (self.bits * row.limbs)) - 1 for row in self.rows]
        *constants, last = map(abs, self.constants_at_zero)
        partial = [
            sum(parts) + constant
            for *parts, constant in zip(
                self.holdings.magnitudes.times(self.holding_bounds),
                self.row_terms.magnitudes.times(row_bounds),
                (*constants, last + self.step * self.reach),
                strict=True,
            )
        ]
        squares = [0] * self.domain
        for equation, target in enumerate(self.defines):
            if target < 0:
                if self.u_terms.row(equation) != {-1 - target: -1} or self.v_terms.row(equation):
                    raise RelationError("a square cell is defined by holdings, rows and constants only")
                squares[-1 - target] = partial[equation]
        if max(squares) >= SQUARE_BOUND:
            raise RelationError("a squared cell can reach 2^121; bound what enters it by a range row")
        terms = zip(
            partial,
            self.u_terms.magnitudes.times(squares),
            self.v_terms.magnitudes.times([bound * bound for bound in squares]),
            strict=True,
        )
        return tuple(map(sum, terms))
