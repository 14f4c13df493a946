"""The rows of expected shortfall and value at risk against the engine, and against a prover who fills them freely."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, linprog, milp

from tests.circuits.law import bound_rows
from tests.margin.joint import accounts, drawn_example, joint, universes, with_risk
from zkmargin.algebra import backends, ceremony, get_backend
from zkmargin.argument.documents import RowsDocument
from zkmargin.argument.rows import RowsError, check_rows, commit_rows
from zkmargin.circuits import CommitmentTerm, Statement, WitnessError, build_relation
from zkmargin.circuits.relation import Relation
from zkmargin.circuits.witness import Witness, assign, check
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level
from zkmargin.prover import commit_holdings, prove
from zkmargin.verifier import VerificationError, verify

MODELS = ("es", "var")
LAST = "account value less the {} requirement and the threshold"


def holds(made: Snapshot, lots: list[int], model: str, level: Level, threshold: int) -> None:
    relation = build_relation(made, model=model, level=level, threshold=threshold)
    check(relation, assign(relation, lots))


def law(made: Snapshot, lots: list[int], model: str, level: Level = "initial") -> None:
    """The excess proves; one tick more is refused by the closing row."""
    excess = requirement(made, lots, model=model, level=level).excess_ticks
    holds(made, lots, model, level, excess)
    with pytest.raises(WitnessError) as refused:
        holds(made, lots, model, level, excess + 1)
    assert refused.value.row == LAST.format(level)


@settings(max_examples=25, deadline=None)
@given(st.data(), universes(), st.sampled_from(MODELS), st.sampled_from(LEVELS))
def test_the_law(data: st.DataObject, made: Snapshot, model: str, level: Level) -> None:
    law(made, data.draw(accounts(made)), model, level)


@pytest.mark.fuzz
@settings(max_examples=1000, deadline=None)
@given(st.data(), universes(40), st.sampled_from(MODELS), st.sampled_from(LEVELS))
def test_the_law_at_length(data: st.DataObject, made: Snapshot, model: str, level: Level) -> None:
    law(made, data.draw(accounts(made)), model, level)


@pytest.mark.parametrize("model", MODELS)
def test_an_account_at_its_bounds_fits_the_rows(model: str) -> None:
    """No honest account is refused for want of bits."""
    made = drawn_example()
    bounds = [instrument.bound for instrument in made.universe.instruments]
    for signs in ([1] * len(bounds), [-1] * len(bounds), [(-1) ** slot for slot in range(len(bounds))]):
        law(made, [sign * bound for sign, bound in zip(signs, bounds, strict=True)], model)


def one_coin(losses: list[int], confidence: tuple[int, int]) -> tuple[Snapshot, list[int]]:
    """An account of one lot that loses these amounts; its value is what it needs to be."""
    base = drawn_example()
    risk = np.zeros((len(losses), len(base.universe)), np.int64)
    risk[:, 1] = [-loss for loss in losses]
    lots = [0] * len(base.universe)
    lots[1] = 1
    return with_risk(base, risk, confidence, charges=False), lots


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("losses", "confidence"),
    [
        ([9], (1, 2)),
        ([10, 4, 1], (1, 2)),
        ([7, 7, 7, 7], (9, 10)),
        ([10, -4], (1, 10)),
        ([-1, -2, -3], (1, 2)),
        ([5, 5, -5, -5], (1, 3)),
        ([0, 0, 0], (2, 3)),
        ([3, 2, 1], (1, 100)),
        ([3, 2, 1], (99, 100)),
    ],
)
def test_corners(model: str, losses: list[int], confidence: tuple[int, int]) -> None:
    law(*one_coin(losses, confidence), model)


def test_the_number_of_rows_is_as_designed() -> None:
    made = drawn_example()
    cells = len(joint(made).labels)
    shortfall, at_risk = (build_relation(made, model=model) for model in MODELS)
    slots = bound_rows(shortfall)
    closing, haircuts = 1, 2 * len(joint(made).collaterals)
    assert len(shortfall.rows) == slots + 2 * cells + 4 + closing + haircuts
    assert len(at_risk.rows) == slots + 3 * cells + 2 + closing + haircuts


# Against a prover who fills the free rows as he likes ---------------------------------------------


def program(relation: Relation, lots: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(A, b, c, c0): defined rows other than the last are A y + b >= 0 over free rows y; the last is c y + c0.

    Every defined row here is a form of free rows alone, so that this is all that a relation requires beside ranges and
    the bounds of quantities.
    """
    bounds = {k for k, row in enumerate(relation.rows) if "quantity within its bound" in row.name}
    free = [k for k, row in enumerate(relation.rows) if row.free and k not in bounds]
    place = {row: k for k, row in enumerate(free)}
    width = relation.columns * relation.domain
    base = relation.holdings.times([*lots, *([0] * (width - len(lots)))])
    matrix, constant, last = [], [], None
    for equation, target in enumerate(relation.defines):
        if target in bounds:
            continue
        form = np.zeros(len(free))
        for row, value in relation.row_terms.row(equation).items():
            if row != target:
                form[place[row]] = value
        here = base[equation] + relation.constants[equation]
        if relation.rows[target].name == LAST.format("initial"):
            last = (form, here)
        else:
            matrix.append(form)
            constant.append(here)
    assert last is not None
    return np.array(matrix), np.array(constant, float), last[0], np.array(last[1], float)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-20, 20), min_size=1, max_size=9), st.integers(1, 59))
def test_no_choice_of_free_rows_proves_a_smaller_shortfall(losses: list[int], numerator: int) -> None:
    """The least shortfall over all admissible rows, by linear programming, is the engine's."""
    made, lots = one_coin(losses, (numerator, 60))
    relation = build_relation(made, model="es")
    matrix, constant, objective, start = program(relation, lots)
    scale = made.scale[1]
    found = linprog(-objective, A_ub=-matrix, b_ub=constant / scale, bounds=(0, None), method="highs")
    assert found.status == 0
    best = float(start) - scale * found.fun
    asked = requirement(made, lots, model="es")
    assert best == pytest.approx(float(asked.excess), rel=1e-9, abs=scale * 1e-6)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(-20, 20), min_size=1, max_size=9),
    st.sampled_from([(1, 9973), (9972, 9973), (4999, 9973)]),
)
def test_no_choice_of_free_rows_proves_more_at_a_fine_confidence(
    losses: list[int], confidence: tuple[int, int]
) -> None:
    """A confidence whose denominator has nothing in common with the cells: integers beat no whole money unit."""
    made, lots = one_coin(losses, confidence)
    relation = build_relation(made, model="es")
    assert relation.rows[-1].name == LAST.format("initial")
    found = requirement(made, lots, model="es")
    assert assign(relation, lots).rows[-1] == floor(found.excess)
    matrix, constant, objective, start = program(relation, lots)
    best = milp(
        -objective,
        constraints=LinearConstraint(matrix, -constant, np.inf),
        integrality=np.ones(len(objective)),
        options={"mip_rel_gap": 0},
    )
    assert best.status == 0
    assert float(start) - best.fun <= float(found.excess) + 1e-3


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-20, 20), min_size=1, max_size=9), st.integers(1, 59))
def test_no_choice_of_bits_proves_a_smaller_value_at_risk(losses: list[int], numerator: int) -> None:
    """The least value at risk over all bits, by mixed-integer programming, is the engine's."""
    made, lots = one_coin(losses, (numerator, 60))
    relation = build_relation(made, model="var")
    matrix, constant, objective, start = program(relation, lots)
    scale = made.scale[1]
    bits = len(losses)
    # The bound that excuses a cell is as large as the greatest account; this one lot needs 100 of its own at most.
    small = matrix.copy()
    small[:, :bits] = np.clip(small[:, :bits], -1, 100)
    shrunk = constant.copy()
    money = [row for row in range(len(matrix)) if matrix[row, bits] == 1]
    shrunk[money] /= scale
    integrality = np.array([1] * bits + [0] * (len(objective) - bits))
    found = milp(-objective, constraints=LinearConstraint(small, -shrunk, np.inf), integrality=integrality)
    assert found.status == 0
    best = float(start) - scale * found.fun
    assert best == pytest.approx(
        float(requirement(made, lots, model="var").excess), rel=1e-9, abs=scale * 1e-6
    )


def refilled(relation: Relation, lots: list[int], changes: dict[int, int]) -> Witness:
    """The honest witness with other free rows, and every defined row as they then make it."""
    witness = assign(relation, lots)
    rows = list(witness.rows)
    for row, value in changes.items():
        rows[row] = value
    base = relation.holdings.times(witness.holdings)
    for equation, target in enumerate(relation.defines):
        terms = relation.row_terms.row(equation)
        rows[target] = (
            base[equation]
            + relation.constants[equation]
            + sum(value * rows[row] for row, value in terms.items() if row != target)
        )
    return Witness(witness.holdings, tuple(rows), ())


def index_of(relation: Relation, name: str) -> int:
    return next(k for k, row in enumerate(relation.rows) if row.name == name)


def test_one_cell_too_many_excused_is_refused() -> None:
    made, lots = one_coin([10, 8, 6, 4], (1, 2))
    relation = build_relation(made, model="var")
    bits = [index_of(relation, f"cell {k}: excused") for k in range(4)]
    value = index_of(relation, "value at risk")
    honest = assign(relation, lots)
    assert [honest.rows[bit] for bit in bits] == [1, 1, 0, 0]
    assert honest.rows[value] == 6 * made.scale[1]
    with pytest.raises(WitnessError, match="at most 2 scenarios excused: short by 1 scenarios"):
        check(relation, refilled(relation, lots, {bits[2]: 1, value: 4 * made.scale[1]}))
    with pytest.raises(WitnessError, match="cell 2: loss covered unless excused: short by"):
        check(relation, refilled(relation, lots, {value: 4 * made.scale[1]}))
    with pytest.raises(WitnessError, match="cell 0: excused at most once: short by 1 scenarios"):
        check(relation, refilled(relation, lots, {bits[0]: 2, bits[1]: 0}))
    # Excusing others is his own harm.
    wasteful = refilled(relation, lots, {bits[1]: 0, bits[3]: 1, value: 8 * made.scale[1]})
    with pytest.raises(WitnessError, match="account value less"):
        check(build_relation(made, model="var", threshold=excess_of(made, lots, "var")), wasteful)


def excess_of(made: Snapshot, lots: list[int], model: str) -> int:
    return requirement(made, lots, model=model).excess_ticks


def test_a_smaller_slack_or_shortfall_is_refused() -> None:
    made, lots = one_coin([10, 8, 6, 4], (1, 2))
    relation = build_relation(made, model="es")
    beyond = index_of(relation, "cell 0: loss beyond the tail's beginning")
    shortfall = index_of(relation, "expected shortfall")
    honest = assign(relation, lots)
    assert honest.rows[beyond] == 4 * made.scale[1]
    with pytest.raises(WitnessError, match="cell 0: no less than that: short by"):
        check(relation, refilled(relation, lots, {beyond: honest.rows[beyond] - 1}))
    with pytest.raises(WitnessError, match="expected shortfall covered: short by"):
        check(relation, refilled(relation, lots, {shortfall: honest.rows[shortfall] - 1}))
    # Another threshold with its own slacks is admissible, and dearer or equal.
    up = index_of(relation, "tail begins at a loss of")
    for eta in (0, 5, 7, 9, 10):
        slacks = {
            index_of(relation, f"cell {k}: loss beyond the tail's beginning"): max(0, loss - eta)
            * made.scale[1]
            for k, loss in enumerate([10, 8, 6, 4])
        }
        weight = Fraction(2)
        total = weight * eta + sum(max(0, loss - eta) for loss in [10, 8, 6, 4])
        dear = {up: eta * made.scale[1], shortfall: ceil(total * made.scale[1] / weight), **slacks}
        check(relation, refilled(relation, lots, dear))
        assert total >= 18


# Proofs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_proofs_in_both_modes(model: str) -> None:
    if "native" not in backends():
        pytest.skip("proofs of this size take the native backend")
    setup, made = ceremony(get_backend("native")), drawn_example()
    lots = [0] * len(made.universe)
    lots[0], lots[1], lots[2], lots[30] = 10**13, -(10**8), 10**9, -40
    excess = excess_of(made, lots, model)
    secret = commit_holdings(setup, made.universe, tuple(lots))
    term = CommitmentTerm(bytes.fromhex(secret.commitment().point))
    opening = secret.opening(made.universe, "test")
    rows = commit_rows(setup, build_relation(made, model=model))

    def about(threshold: int, committed: bool) -> Statement:
        return Statement.about(
            made,
            (term,),
            audience="bank",
            nonce="1",
            model=model,
            threshold=threshold,
            rows=rows if committed else None,
        )

    # Rows committed to once serve every threshold.
    check_rows(setup, build_relation(made, model=model, threshold=excess), rows)
    for committed in (False, True):
        proof = prove(about(excess, committed), [opening], setup)
        verify(about(excess, committed), proof, setup)
        with pytest.raises(VerificationError):
            verify(about(excess + 1, committed), proof, setup)
        with pytest.raises(VerificationError):
            verify(about(excess, not committed), proof, setup)
        with pytest.raises(WitnessError):
            prove(about(excess + 1, committed), [opening], setup)
    other = "var" if model == "es" else "es"
    with pytest.raises(RowsError):
        check_rows(setup, build_relation(made, model=other), rows)


def test_committed_rows_travel_and_belong_to_one_model() -> None:
    setup, made = ceremony(get_backend("native" if "native" in backends() else None)), drawn_example()
    rows = commit_rows(setup, build_relation(made, model="es"))
    mine = {"setup": setup.digest, "snapshot": made.id, "model": "es", "level": "initial"}
    document = RowsDocument.of(rows, **mine)  # type: ignore[arg-type]
    read = RowsDocument.parse(document.encode().decode(), "rows.json")
    assert read.rows("rows.json", **mine).digest == rows.digest  # type: ignore[arg-type]
    for name in mine:
        other = mine | {name: "maintenance" if name == "level" else "other"}
        with pytest.raises(InputError, match=f"rows.json: {name}: .*these rows are of another {name}"):
            read.rows("rows.json", **other)  # type: ignore[arg-type]
