"""A relation for a solver: every row a bounded integer, every equation as it stands, every filling looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import z3

from zkmargin.circuits.relation import Relation

SECONDS = 60


@dataclass(frozen=True)
class Stated:
    """A relation's variables and everything that a proof of it shows.

    Attributes:
        q: holdings, by variable; those that no equation uses are left out.
        rows: all rows.
        facts: ranges and equations.
    """

    q: Mapping[int, z3.ArithRef]
    rows: Sequence[z3.ArithRef]
    facts: Sequence[z3.BoolRef]

    def named(self, relation: Relation, name: str) -> z3.ArithRef:
        """The row whose name ends so."""
        (found,) = (row for row, y in zip(relation.rows, self.rows, strict=True) if row.name.endswith(name))
        return self.rows[relation.rows.index(found)]


def stated(relation: Relation) -> Stated:
    """What the rows of a relation say, for any holdings and any prover."""
    used = sorted(set(relation.holdings.indices.tolist()))
    q = {variable: z3.Int(f"q{variable}") for variable in used}
    rows = [z3.Int(f"y{index}") for index in range(len(relation.rows))]
    cells = [z3.Int(f"u{cell}") for cell in range(relation.squares)]
    facts = [
        z3.And(y >= 0, y < 1 << relation.bits * row.limbs) for y, row in zip(rows, relation.rows, strict=True)
    ]
    for equation, constant in enumerate(relation.constants):
        terms = [z3.IntVal(constant)]
        terms += [a * q[i] for i, a in relation.holdings.row(equation).items()]
        terms += [a * rows[s] for s, a in relation.row_terms.row(equation).items()]
        terms += [a * cells[c] for c, a in relation.u_terms.row(equation).items()]
        terms += [a * cells[c] * cells[c] for c, a in relation.v_terms.row(equation).items()]
        facts.append(z3.Sum(terms) == 0)
    return Stated(q, rows, facts)


def implied(facts: Sequence[z3.BoolRef], claim: z3.BoolRef) -> bool:
    """Whether no filling satisfies the facts and not the claim. Raises AssertionError if the solver gives up."""
    solver = z3.Solver()
    solver.set("timeout", SECONDS * 1000)
    solver.add(*facts)
    solver.add(z3.Not(claim))
    found = solver.check()
    assert found != z3.unknown, solver.reason_unknown()
    return bool(found == z3.unsat)


def without(relation: Relation, made: Stated, ending: str) -> list[z3.BoolRef]:
    """The facts but those of the defined rows whose name ends so, as if they had been left out."""
    gone = {index for index, row in enumerate(relation.rows) if row.name.endswith(ending) and not row.free}
    assert gone, ending
    count = len(relation.rows)
    kept = [fact for index, fact in enumerate(made.facts[:count]) if index not in gone]
    return kept + [f for e, f in enumerate(made.facts[count:]) if relation.defines[e] not in gone]


def largest(values: Sequence[z3.ArithRef]) -> z3.ArithRef:
    """The greatest of some values."""
    found = values[0]
    for value in values[1:]:
        found = z3.If(value > found, value, found)
    return found
