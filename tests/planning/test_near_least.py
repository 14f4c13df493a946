"""A liquidation near the least cost, over committed holdings: what is true proves, and nothing else does."""

import random
from dataclasses import replace
from fractions import Fraction

import pytest

from tests.argument.toys import setups
from tests.margin.accounts import tiny
from tests.planning.books import book, example, pricing, short_by
from zkmargin.circuits import CommitmentTerm, Relation, Statement, WitnessError, assign, check
from zkmargin.margin.errors import InputError
from zkmargin.planning.costs import Pricing, whole_usd
from zkmargin.planning.linear.dual import Dual, Multipliers
from zkmargin.planning.linear.program import Program, closing_moves
from zkmargin.planning.linear.solver import Question, Solver
from zkmargin.planning.near_least import NearLeast
from zkmargin.planning.plan import Limits, plan_liquidation
from zkmargin.prover import commit_holdings, prove
from zkmargin.verifier import VerificationError, verify

HELD = {
    "USD": 10**10, "BTC": 10**7, "BTC_USD-PERPETUAL": -700, "BTC_USD-31JAN26-K-C": -9, "BTC-31JAN26-K-P": -7,
    "BTC-PERPETUAL": 20000,
}  # fmt: skip


def scene(model: str = "grid") -> tuple[Pricing, list[int], float]:
    """The tiny market's account, short of margin, and the least cost of the program in USD."""
    costs = Pricing(tiny())
    lots = short_by(tiny(), book(tiny(), HELD), 300, model)
    moves = closing_moves(costs, lots, Limits().slots(costs), {})
    least = Solver(Program(costs, lots, moves, model, "maintenance")).ask(Question(0.0)).objective
    return costs, lots, least


def claim_of(costs: Pricing, cost: float, above: int = 0, model: str = "grid") -> NearLeast:
    return NearLeast(costs, model, "maintenance", 0, int(cost * 10**6), above)


def holds(relation: Relation, lots: list[int]) -> bool:
    try:
        check(relation, assign(relation, lots))
    except WitnessError:
        return False
    return True


@pytest.mark.parametrize("model", ["grid", "cross", "isolated"])
def test_what_it_cost_is_held_against_the_least(model: str) -> None:
    costs, lots, least = scene(model)
    multipliers = claim_of(costs, 0, model=model).multipliers(lots)
    for above in (0, 500):
        most = least * (1 + above / 10_000)
        assert holds(claim_of(costs, most - 0.001, above, model).relation(multipliers), lots)
        assert not holds(claim_of(costs, most + 0.001, above, model).relation(multipliers), lots)


def test_no_multipliers_show_more_than_the_least() -> None:
    """Whatever a prover takes for z, a cost beyond the least has no witness."""
    costs, lots, least = scene()
    claim, draw = claim_of(costs, least + 0.001), random.Random(7)
    good = claim.multipliers(lots)
    honest = claim.relation(good)
    equations = [e for e in range(len(tiny().universe), honest.equations) if e in good or draw.random() < 0.3]
    for _ in range(25):
        tried = {e: max(0, n + draw.randint(-n // 2, n // 2 + 1)) for e, n in good.items()}
        tried[draw.choice(equations)] = draw.randint(0, 1 << 33)
        assert not holds(claim.relation(tried), lots)
    assert holds(claim_of(costs, least - 0.001).relation(good), lots)


def test_the_claim_has_one_digest_whoever_builds_it() -> None:
    costs, lots, least = scene()
    claim = claim_of(costs, least, 100)
    assert claim.relation().digest == claim.relation(claim.multipliers(lots)).digest
    others = [
        replace(claim, cost=claim.cost + 1), replace(claim, above=101), replace(claim, target=1),
        replace(claim, level="initial"), replace(claim, model="cross"),
        replace(claim, pricing=Pricing(tiny(), costs.costs.model_copy(update={"future_spread": Fraction(1, 1000)}))),
    ]  # fmt: skip
    # The cost is the statement's threshold, which is bound beside the program's digest.
    bound = {
        (relation.digest, relation.threshold) for relation in (other.relation() for other in (claim, *others))
    }
    assert len(bound) == 1 + len(others)


def statement_of(claim: NearLeast, relation: Relation, point: str) -> Statement:
    snapshot = claim.pricing.snapshot
    return Statement(
        relation=relation, snapshot=snapshot.id, universe=snapshot.universe.digest, model="grid: near the least",
        level=claim.level, threshold=claim.cost, commitments=(CommitmentTerm(bytes.fromhex(point)),),
        audience="public", nonce="7f3a",
    )  # fmt: skip


def test_it_is_proven_and_verified_over_a_commitment() -> None:
    costs, lots, least = scene()
    setup = next(iter(setups().values()))
    opening = commit_holdings(setup, tiny().universe, tuple(lots))
    claim = claim_of(costs, least, 200)
    mine = statement_of(claim, claim.relation(claim.multipliers(lots)), opening.point)
    proof = prove(mine, [opening.opening(tiny().universe, "opening")], setup)
    verify(statement_of(claim, claim.relation(), opening.point), proof, setup)
    dearer = replace(claim, cost=claim.cost + 1)
    with pytest.raises(VerificationError):
        verify(statement_of(dearer, dearer.relation(), opening.point), proof, setup)
    beyond = claim_of(costs, least * 1.03, 200)
    wanted = statement_of(beyond, beyond.relation(beyond.multipliers(lots)), opening.point)
    with pytest.raises(WitnessError, match="covers what was paid"):
        prove(wanted, [opening.opening(tiny().universe, "opening")], setup)


def test_the_example_account_fits_one_column_of_squares() -> None:
    costs = pricing()
    lots = short_by(costs.snapshot, example(costs.snapshot), 8000)
    plan = plan_liquidation(costs, lots)
    claim = NearLeast(costs, "grid", "maintenance", 0, whole_usd(plan.cost, 6), 100)
    relation = claim.relation(claim.multipliers(lots))
    assert relation.squares == 6 * 110 + 2 * 3
    check(relation, assign(relation, lots))


@pytest.mark.parametrize(
    ("name", "model"),
    [("var", "var"), ("tiered", "tiered"), ("correlation", "correlation"), ("pmrm2", "grid")],
)
def test_models_with_bits_or_norms_are_refused(name: str, model: str) -> None:
    with pytest.raises(InputError, match="bits or norms"):
        claim_of(pricing(name), 10, model=model).relation()


@pytest.mark.parametrize("seed", range(3))
def test_no_multipliers_pass_the_least_in_a_certificate(seed: int) -> None:
    """Weak duality: whatever the multipliers, of either sign, the bound stays below the program's least cost."""
    costs, lots, least = scene()
    moves = closing_moves(costs, lots, Limits().slots(costs), {})
    program = Program(costs, lots, moves, "grid", "maintenance")
    solver, draw = Solver(program), random.Random(seed)
    dual = Dual(program, solver.layout.norms)
    good = dual.rounded(solver, solver.ask(Question(0.0)))
    usable = [e for e in program.equations if dual.usable(e)]
    for _ in range(40):
        tried = dict(good.equations)
        for e in draw.sample(usable, 3):
            scale = max(abs(tried.get(e, 0)), 1 << 60)
            tried[e] = tried.get(e, 0) + draw.randint(-scale, scale)
        bound = dual.bound(Multipliers({e: n for e, n in tried.items() if n}), 0)
        assert float(bound) <= least * (1 + 1e-9)
    assert float(dual.bound(good, 0)) > least - 1e-6


def test_every_balance_must_be_worth_something() -> None:
    """Legs are rounded up, which lowers the bound only where more of a balance is worth more."""
    names = [row.name for row in claim_of(*scene()[:1], 1).relation().rows]
    assert [name for name in names if "worth something" in name] == [
        "USD: worth something",
        "BTC: worth something",
    ]
