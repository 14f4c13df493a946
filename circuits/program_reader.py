"""Programs read back: a relation from the bytes whose digest statements bind.

Reading is strict: a program has one encoding, and what is read is written again and compared. A program names no rows
and has no rules by which an honest prover fills them: what comes out serves to verify, not to prove.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from zkmargin.circuits.errors import RelationError
from zkmargin.circuits.matrix import IntMatrix
from zkmargin.circuits.program import DIRECT, FRAME, MAGIC, encode_program
from zkmargin.circuits.relation import MAX_DOMAIN, MIN_DOMAIN, Relation, Row, Unit

LARGEST_PROGRAM = 64 << 20
HEAD_BYTES = 128
ROW_BYTES = 8

_COUNTS = ("constants", "row terms", "u", "v", "holdings")
_WIDTHS = (8, 16, 32)
_UNNAMED = Unit("steps")


class ProgramError(ValueError):
    """Bytes that are not a program in its one encoding."""


def decode_program(content: bytes) -> Relation:
    """The relation of a program, at the threshold 0.

    Args:
        content: the whole file; the program of a frame gives a relation without coefficients on the holdings.

    Raises:
        ProgramError: the bytes are no program, or not in its one encoding.
        RelationError: the relation is badly defined, or an equation could wrap around in the field.
    """
    if len(content) > LARGEST_PROGRAM:
        raise ProgramError(f"a program has at most {LARGEST_PROGRAM} bytes, not {len(content)}")
    if content[:4] != MAGIC or len(content) < HEAD_BYTES:
        raise ProgramError("a program starts with a head of 128 bytes, zkm1 first")
    parts = _Parts.read(content)
    found = parts.relation()
    if encode_program(found, frame=parts.mode == FRAME) != content:
        raise ProgramError("this relation has another encoding")
    return found


@dataclass
class _Parts:
    """A program's parts as they are read.

    Attributes:
        headers: for each row its limbs, its own equation + 1 or 0, and how many runs it has.
        matrices: by name; the constants are a matrix of one variable.
    """

    mode: int
    domain: int
    group: int
    columns: int
    squares: int
    equations: int
    singles: int
    step: int
    reach: int
    headers: list[tuple[int, int, int]]
    matrices: dict[str, _Entries]

    @classmethod
    def read(cls, content: bytes) -> _Parts:
        """All parts in their order. Raises ProgramError for what cannot be read."""
        reader = _Reader(content)
        reader.number(4)
        mode, bits, group = reader.number(1), reader.number(1), reader.number(2)
        columns, squares = reader.number(2), reader.number(2)
        equations, count, singles = reader.number(4), reader.number(4), reader.number(4)
        runs = dict(zip(_COUNTS, (reader.number(4) for _ in _COUNTS), strict=True))
        reserved, step, reach = reader.number(20), reader.number(32), reader.number(32)
        if mode not in (DIRECT, FRAME) or reserved:
            raise ProgramError("the head names a mode, 0 or 1, and has zeros in what is reserved")
        if not MIN_DOMAIN <= 1 << min(bits, 64) <= MAX_DOMAIN:
            raise ProgramError(f"a limb has 6 to 11 bits, not {bits}")
        # Each equation defines a row, which has a header, or a square cell, which has a run.
        if max(equations, count) * ROW_BYTES > len(content) or singles > equations:
            raise ProgramError("the head promises more than the file has")
        domain = 1 << bits
        headers = [(reader.number(1), reader.number(3), reader.number(4)) for _ in range(count)]
        variables = (1, count, domain, domain, columns * domain)
        matrices = {
            name: _Entries(name, equations, width) for name, width in zip(_COUNTS, variables, strict=True)
        }
        for name, entries in matrices.items():
            for _ in range(runs[name]):
                entries.add(*reader.run(name))
        reader.end()
        return cls(mode, domain, group, columns, squares, equations, singles, step, reach, headers, matrices)

    def relation(self) -> Relation:
        """The relation. Raises ProgramError or RelationError."""
        defines = self._definitions()
        for equation, row in enumerate(defines):
            if row >= 0:
                self.matrices["row terms"].put(equation, row, -1)
        for variable in range(self.singles):
            self.matrices["holdings"].put(variable, variable, 1)
        rows = tuple(
            Row(f"row {place}", limbs, free=own == 0, unit=_UNNAMED)
            for place, (limbs, own, _) in enumerate(self.headers)
        )
        constants = [row.get(0, 0) for row in self.matrices["constants"].rows]
        return Relation(
            domain=self.domain,
            columns=self.columns,
            rows=rows,
            squares=self.squares,
            holdings=self.matrices["holdings"].matrix(),
            row_terms=self.matrices["row terms"].matrix(),
            u_terms=self.matrices["u"].matrix(),
            v_terms=self.matrices["v"].matrix(),
            constants=tuple(constants),
            defines=tuple(defines),
            holding_bounds=self._bounds(rows, constants, defines),
            group=self.group,
            step=self.step,
            reach=self.reach,
        )

    def _definitions(self) -> list[int]:
        """For each equation the row that it defines, or -1 - c for the square cell c."""
        defines: list[int | None] = [None] * self.equations
        for place, (_, own, _) in enumerate(self.headers):
            if own:
                if own > self.equations or defines[own - 1] is not None:
                    raise ProgramError(
                        f"row {place}: equation {own - 1} is not there, or defines another row"
                    )
                defines[own - 1] = place
        found: list[int] = []
        for equation, row in enumerate(defines):
            cells = self.matrices["u"].rows[equation]
            if row is None and list(cells.values()) != [-1]:
                raise ProgramError(f"equation {equation} defines neither a row nor a square cell")
            found.append(-1 - next(iter(cells)) if row is None else row)
        return found

    def _bounds(
        self, rows: Sequence[Row], constants: Sequence[int], defines: Sequence[int]
    ) -> tuple[int, ...]:
        """For each variable the bound that the rows prove.

        An equation of one variable with the coefficient 1 or -1, without square cells, bounds it from both sides, since
        its own row and all others that it has lie in their ranges. A variable that no such equation bounds, and that an
        equation uses, makes the relation useless.
        """
        holdings = self.matrices["holdings"].rows
        most = self._greatest(rows, constants, defines)
        ends: dict[int, tuple[int, int]] = {}
        for equation, terms in enumerate(holdings):
            row = defines[equation]
            if row < 0 or len(terms) != 1 or self._has_squares(equation):
                continue
            variable, sign = next(iter(terms.items()))
            if sign not in (1, -1):
                continue
            low, high = -constants[equation], most[row] - constants[equation]
            for other, coefficient in self.matrices["row terms"].rows[equation].items():
                if other != row:
                    low -= max(0, coefficient * most[other])
                    high -= min(0, coefficient * most[other])
            if sign == -1:
                low, high = -high, -low
            before = ends.get(variable, (low, high))
            ends[variable] = max(low, before[0]), min(high, before[1])
        used = {variable for terms in holdings for variable in terms}
        if unbounded := used - ends.keys():
            raise RelationError(f"nothing bounds variable {min(unbounded)}, which an equation uses")
        bounds = {variable: max(abs(low), abs(high)) for variable, (low, high) in ends.items()}
        return tuple(bounds.get(variable, 0) for variable in range(self.columns * self.domain))

    def _greatest(self, rows: Sequence[Row], constants: Sequence[int], defines: Sequence[int]) -> list[int]:
        """The greatest value of each row: that of its limbs, or less where an equation `c - y >= 0` caps it."""
        bits = self.domain.bit_length() - 1
        most = [(1 << (bits * row.limbs)) - 1 for row in rows]
        for equation, terms in enumerate(self.matrices["holdings"].rows):
            own = defines[equation]
            others = {r: a for r, a in self.matrices["row terms"].rows[equation].items() if r != own}
            if own >= 0 and not terms and list(others.values()) == [-1] and not self._has_squares(equation):
                capped = next(iter(others))
                most[capped] = min(most[capped], max(0, constants[equation]))
        return most

    def _has_squares(self, equation: int) -> bool:
        return bool(self.matrices["u"].rows[equation] or self.matrices["v"].rows[equation])


@dataclass
class _Entries:
    """A matrix as it is read: by equation, {variable: value}."""

    name: str
    equations: int
    variables: int
    rows: list[dict[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        self.rows = [{} for _ in range(self.equations)]

    def add(self, variable: int, equation: int, entries: Iterator[int]) -> None:
        for place, value in enumerate(entries, start=equation):
            if value:
                self.put(place, variable, value)

    def put(self, equation: int, variable: int, value: int) -> None:
        if not (equation < self.equations and variable < self.variables):
            raise ProgramError(f"{self.name}: there is no equation {equation} on variable {variable}")
        if variable in self.rows[equation]:
            raise ProgramError(f"{self.name}: equation {equation} has variable {variable} twice")
        self.rows[equation][variable] = value

    def matrix(self) -> IntMatrix:
        return IntMatrix.from_rows(self.rows, self.variables)


class _Reader:
    """Reads numbers and runs off the front of a program."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def run(self, name: str) -> tuple[int, int, Iterator[int]]:
        """A run's variable, its first equation, and its entries from there on."""
        variable, equation, head = self.number(3), self.number(3), self.number(2)
        code, count = head >> 14, head & ((1 << 14) - 1)
        if code >= len(_WIDTHS) or not count:
            raise ProgramError(f"{name}: a run has a width code of 0 to 2, and at least one entry")
        size = _WIDTHS[code]
        data, half = self._take(size * count), 1 << (8 * size - 1)
        places = range(size * (count - 1), -1, -size)
        return variable, equation, (int.from_bytes(data[p : p + size], "big") - half for p in places)

    def end(self) -> None:
        if self._at != len(self._content):
            raise ProgramError(f"{len(self._content) - self._at} bytes follow the program")

    def _take(self, size: int) -> bytes:
        if self._at + size > len(self._content):
            raise ProgramError("the file ends before the program does")
        self._at += size
        return self._content[self._at - size : self._at]
