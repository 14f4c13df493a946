"""Small relations in the words of margin, accounts that meet them, and statements about both.

value = 100 q0 + 50 q1 + 3000     requirement = worst of three scenarios [+ (q0 - q1)^2]     excess = the rest
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

from tests.argument.exposed import exposed_setup
from zkmargin.algebra import MODULUS, Setup, Vector, ceremony, get_backend
from zkmargin.argument import Proof
from zkmargin.argument.rows import commit_rows
from zkmargin.circuits import CommitmentTerm, Relation, Statement, Witness, assign
from zkmargin.circuits.builder import RelationBuilder
from zkmargin.circuits.relation import Unit
from zkmargin.prover import Opening, commit, prove, random_blinder
from zkmargin.prover.rounds import Rounds

DOMAIN = 64
LIMIT = 1000
USD = Unit("USD", 100)
LOTS = Unit("lots")
SCENARIOS = ((-10, 4), (12, -5), (3, 9))


@dataclass(frozen=True)
class Toy:
    """One shape of relation.

    Attributes:
        limb_columns: k.
        squares: whether the requirement has a quadratic charge.
        columns: the number of holdings columns; the account is their sum.
        group: g; None for the builder's choice.
        committed: whether commitments stand for the coefficients on the holdings.
    """

    limb_columns: int = 1
    squares: bool = False
    columns: int = 1
    group: int | None = None
    committed: bool = False

    def relation(self, threshold: int = 0) -> Relation:
        """The relation "value - requirement >= threshold"."""
        return _relation(self, threshold)

    def account(self) -> tuple[int, ...]:
        """Holdings whose excess is a few thousand; every column holds something."""
        return tuple(q for column in range(self.columns) for q in _padded((7 + column, -3 - 2 * column)))

    def excess(self) -> int:
        """What remains of the account's value after its requirement."""
        return assign(self.relation(), self.account()).rows[-1]


TOYS = {
    "one limb column": Toy(),
    "several limb columns": Toy(limb_columns=3),
    "squares": Toy(limb_columns=2, squares=True),
    "two holdings columns": Toy(columns=2),
    "committed rows": Toy(columns=2, committed=True),
}


@cache
def _relation(toy: Toy, threshold: int) -> Relation:
    cells = _built(toy, threshold, 0).cells
    fillers = max(0, ((toy.limb_columns - 1) * DOMAIN - cells) // 2 + 1)
    relation = _built(toy, threshold, fillers)
    assert relation.limb_columns == toy.limb_columns
    return relation


def _built(toy: Toy, threshold: int, fillers: int) -> Relation:
    rows = RelationBuilder(DOMAIN, toy.columns)

    def held(first: int, second: int) -> dict[int, int]:
        return {j * DOMAIN + i: a for j in range(toy.columns) for i, a in enumerate((first, second))}

    for variable in held(1, 1):
        rows.ranged(f"slot {variable}: quantity within its bound", variable, LIMIT)
    worst = rows.free("worst loss", USD)
    for number, (first, second) in enumerate(SCENARIOS):
        rows.row(f"scenario {number}", USD, held(first, second), {worst: 1}, closes=worst)
    square = {rows.square(held(1, -1)): -1} if toy.squares else {}
    for number in range(fillers):
        rows.row(f"filler {number}", LOTS, {0: 1}, constant=2 * LIMIT)
    rows.row("value less requirement", USD, held(100, 50), {worst: -1}, v=square, constant=3000)
    return rows.build(toy.group, step=1).at(threshold)


@dataclass(frozen=True)
class Case:
    """An account and a statement about it under one setup."""

    setup: Setup
    statement: Statement
    openings: tuple[Opening, ...]

    @property
    def relation(self) -> Relation:
        return self.statement.relation

    @property
    def blinders(self) -> list[int]:
        """The sum of the blinders of each holdings column."""
        columns = range(self.relation.columns)
        return [sum(o.blinder for o in self.openings if o.column == j) % MODULUS for j in columns]

    @property
    def account(self) -> tuple[int, ...]:
        """The sum of all openings, over all columns."""
        total = [0] * (self.relation.columns * DOMAIN)
        for opening in self.openings:
            for slot, lots in enumerate(opening.lots):
                total[opening.column * DOMAIN + slot] += lots
        return tuple(total)

    def witness(self) -> Witness:
        """What an honest prover fills in; it need not meet the statement."""
        return assign(self.relation, self.account)

    def prove(self) -> Proof:
        """An honest proof."""
        return prove(self.statement, self.openings, self.setup)

    def about(self, relation: Relation) -> "Case":
        """The same commitments under another relation."""
        return replace(
            self, statement=replace(self.statement, relation=relation, threshold=relation.threshold)
        )


def case(
    toy: Toy,
    setup: Setup,
    *,
    threshold: int = 0,
    openings: Sequence[Opening] | None = None,
    randomness: Callable[[], int] = random_blinder,
) -> Case:
    """A statement about the toy's account, by default under one fresh commitment for each holdings column."""
    if openings is None:
        account = toy.account()
        parts = [account[start : start + DOMAIN] for start in range(0, len(account), DOMAIN)]
        openings = [Opening(part, randomness(), column) for column, part in enumerate(parts)]
    terms = tuple(
        CommitmentTerm(setup.backend.encode(commit(setup, DOMAIN, o.lots, o.blinder)), o.column)
        for o in openings
    )
    relation = toy.relation(threshold)
    statement = Statement(
        relation=relation,
        snapshot="5a" * 32,
        universe="c3" * 32,
        model="toy",
        level="initial",
        threshold=threshold,
        commitments=terms,
        audience="desk",
        nonce="one question",
        rows=commit_rows(setup, relation) if toy.committed else None,
    )
    return Case(setup, statement, tuple(openings))


class Unchecked(Rounds):
    """The honest rounds without the prover's check of its own quotient, for witnesses that meet nothing."""

    def _check_degree(self, quotient: Vector) -> None:
        """Send the quotient, whether it fits or not."""


def play(rounds: Rounds) -> Proof:
    """All five rounds of a prover, honest or not."""
    rounds.round_1()
    rounds.round_2()
    rounds.round_3()
    rounds.round_4()
    rounds.round_5()
    return rounds.proof()


@cache
def curve_setup() -> Setup:
    """The ceremony's powers under the fastest backend that can run here."""
    return ceremony(get_backend())


def setups() -> dict[str, Setup]:
    """Where a test of the argument's algebra runs: among logarithms, and on the curve where that is not too slow."""
    fast = {"curve": curve_setup()} if get_backend().name == "native" else {}
    return {"exposed": exposed_setup(), **fast}


def drawn(seed: str) -> Callable[[], int]:
    """Field elements that follow from a seed: SHA-256 of the seed and a counter, 512 bits reduced modulo r."""
    count = iter(range(1 << 20))

    def draw() -> int:
        place = next(count)
        parts = (sha256(f"{seed}/{place}/{half}".encode()).digest() for half in "ab")
        return int.from_bytes(b"".join(parts), "big") % MODULUS

    return draw


def _padded(lots: tuple[int, ...]) -> tuple[int, ...]:
    return lots + (0,) * (DOMAIN - len(lots))
