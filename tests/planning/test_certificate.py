"""Certificates: exact, close to the program's own bound, and refused wherever they were changed."""

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.planning.books import SECTIONS, example, model_of, pricing, short_by
from zkmargin.margin.arithmetic.decimals import floor_div
from zkmargin.margin.errors import InputError
from zkmargin.planning.certificate import CertificateDocument, CertificateError, certify, check
from zkmargin.planning.costs import CostModel, Pricing, Touch
from zkmargin.planning.linear.dual import Dual, Multipliers
from zkmargin.planning.linear.layout import Layout
from zkmargin.planning.linear.norms import Cut
from zkmargin.planning.linear.program import Program, closing_moves, hedging_moves
from zkmargin.planning.linear.solver import Question, Solver
from zkmargin.planning.plan import Limits, plan_liquidation


def made_for(
    name: str, usd: float = 8000, *, hedges: bool = False
) -> tuple[CertificateDocument, Pricing, list[int]]:
    costs, model = pricing(name), model_of(name)
    lots = short_by(costs.snapshot, example(costs.snapshot), usd, model)
    limits = Limits(time_limit=0.5)
    plan = plan_liquidation(costs, lots, model=model, hedges=hedges, limits=limits)
    return certify(costs, lots, plan, hedges=hedges, limits=limits), costs, lots


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("hedges", [False, True])
def test_a_certificate_shows_what_the_solver_says(name: str, hedges: bool) -> None:
    document, costs, lots = made_for(name, hedges=hedges)
    verdict = check(document, costs.snapshot, lots)
    model = model_of(name)
    plan = plan_liquidation(costs, lots, model=model, hedges=hedges, limits=Limits(time_limit=0.5))
    assert verdict.cost is not None
    assert 0 <= verdict.bound <= verdict.cost
    assert plan.bound is None or verdict.bound <= plan.bound + 1e-3
    if name not in ("tiered", "var", "span"):
        # Rounding the multipliers takes next to nothing from the relaxation's bound.
        slots = Limits().slots(costs)
        moves = (hedging_moves if hedges else closing_moves)(costs, lots, slots, {})
        answer = Solver(Program(costs, lots, moves, model, "maintenance")).ask(Question(0.0))
        assert answer.objective - float(verdict.bound) < 1e-4
    assert verdict.excess is not None
    assert verdict.excess >= int(document.target)


def changed(document: CertificateDocument, **changes: Any) -> CertificateDocument:
    return document.model_copy(update=changes)


@pytest.mark.parametrize("name", ["grid", "correlation"])
def test_every_multiplier_counts(name: str) -> None:
    document, costs, lots = made_for(name)
    assert document.multipliers
    for e, text in document.multipliers.items():
        for forged in (str(int(text) + 1), str(int(text) - 1), str(-int(text))):
            with pytest.raises(CertificateError):
                check(
                    changed(document, multipliers={**document.multipliers, e: forged}), costs.snapshot, lots
                )
        less = {other: n for other, n in document.multipliers.items() if other != e}
        with pytest.raises(CertificateError):
            check(changed(document, multipliers=less), costs.snapshot, lots)
    assert check(document, costs.snapshot, lots)


def test_every_cut_counts() -> None:
    document, costs, lots = made_for("correlation", hedges=True)
    assert document.cuts
    for number, cut in enumerate(document.cuts):
        cell, weight = next(iter(cut.weights.items()))
        longer: list[Mapping[str, Any]] = [
            {"weights": {**cut.weights, cell: str(int(weight) + 1)}},
            {"weights": {each: str(2 * int(w)) for each, w in cut.weights.items()}},
            {"multiplier": str(int(cut.multiplier) + 1)},
            {"multiplier": str(-int(cut.multiplier))},
            {"equation": cut.equation + 1},
            {"weights": {**cut.weights, 60: "1"}},
        ]
        for change in longer:
            cuts = list(document.cuts)
            cuts[number] = cut.model_copy(update=dict(change))
            with pytest.raises(CertificateError):
                check(changed(document, cuts=cuts), costs.snapshot, lots)


def test_a_bound_that_is_too_high_is_refused() -> None:
    document, costs, lots = made_for("grid")
    for bound in (int(document.bound) + 1, 2 * int(document.bound), 0):
        with pytest.raises(CertificateError, match="bound"):
            check(changed(document, bound=str(bound)), costs.snapshot, lots)


def test_a_plan_that_it_does_not_allow_is_refused() -> None:
    document, costs, lots = made_for("grid")
    first, *rest = document.plan
    with pytest.raises(CertificateError, match="does not reach"):
        check(
            changed(
                document, plan=rest or [first.model_copy(update={"quantity": first.quantity[:-1] + "1"})]
            ),
            costs.snapshot,
            lots,
        )
    more = first.model_copy(update={"quantity": str(10 * Fraction(first.quantity))})
    with pytest.raises((CertificateError, InputError)):
        check(changed(document, plan=[more, *rest]), costs.snapshot, lots)
    hedge = first.model_copy(update={"instrument": "ETH-30JAN26", "quantity": "5"})
    with pytest.raises(CertificateError, match="more of ETH-30JAN26"):
        check(changed(document, plan=[*document.plan, hedge]), costs.snapshot, lots)


def test_it_is_of_one_book_one_snapshot_and_one_set_of_terms() -> None:
    document, costs, lots = made_for("grid")
    other = list(lots)
    other[0] -= 10**6
    with pytest.raises(CertificateError):
        check(document, costs.snapshot, other)
    with pytest.raises(CertificateError):
        check(changed(document, target="1000000"), costs.snapshot, lots)
    with pytest.raises(CertificateError):
        check(
            changed(document, hedges=True, costs=CostModel(future_spread=Decimal("0.0002"))),
            costs.snapshot,
            lots,
        )
    with pytest.raises(InputError, match="another snapshot"):
        check(document, pricing("es").snapshot, lots)


def test_it_survives_its_file(tmp_path: Path) -> None:
    costs = pricing()
    book = {"BTC_USD-PERPETUAL": Touch(Fraction("88200.5"), Fraction("88230"), Fraction(2))}
    costs = Pricing(costs.snapshot, costs.costs, book)
    lots = short_by(costs.snapshot, example(costs.snapshot), 8000)
    plan = plan_liquidation(costs, lots)
    document = certify(costs, lots, plan, hedges=False)
    document.write(tmp_path / "least.json")
    again = CertificateDocument.read(tmp_path / "least.json")
    assert again == document
    assert check(again, costs.snapshot, lots).cost == plan.cost


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bound", "1.5"),
        ("bound", "9" * 61),
        ("target", "x"),
        ("multipliers", {"a": "1"}),
        ("book", {"BTC": {"bid": "1/0"}}),
    ],
)
def test_a_file_that_is_no_certificate_is_told(tmp_path: Path, field: str, value: object) -> None:
    document, _, _ = made_for("grid")
    raw = document.model_dump(mode="json") | {field: value}
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(raw))
    with pytest.raises(InputError, match=field):
        CertificateDocument.read(path)


def restated(document: CertificateDocument, costs: Pricing, lots: list[int]) -> CertificateDocument:
    """The certificate with the bound that its entries would give if none of them were looked at."""
    moves = closing_moves(costs, lots, Limits().slots(costs), {})
    program = Program(costs, lots, moves, document.model, "maintenance")
    dual = Dual(program, Layout(program).norms)
    cuts = [
        (Cut(c.equation, {k: int(w) for k, w in c.weights.items()}), int(c.multiplier)) for c in document.cuts
    ]
    given = Multipliers({e: int(n) for e, n in document.multipliers.items()}, cuts)
    return changed(document, bound=str(floor_div(dual.bound(given, 0) * 10**24)))


def test_longer_weights_are_refused_whatever_bound_they_state() -> None:
    document, costs, lots = made_for("correlation")
    assert check(restated(document, costs, lots), costs.snapshot, lots).bound > 0
    (cut, *rest) = document.cuts
    longer = cut.model_copy(update={"weights": {cell: str(2 * int(w)) for cell, w in cut.weights.items()}})
    with pytest.raises(CertificateError, match="longer than 1"):
        check(restated(changed(document, cuts=[longer, *rest]), costs, lots), costs.snapshot, lots)
    backwards = cut.model_copy(update={"multiplier": str(-int(cut.multiplier))})
    with pytest.raises(CertificateError, match="no positive multiplier"):
        check(restated(changed(document, cuts=[backwards, *rest]), costs, lots), costs.snapshot, lots)


def test_multipliers_of_norms_and_squares_are_refused_whatever_bound_they_state() -> None:
    document, costs, lots = made_for("correlation")
    norm = document.cuts[0].equation
    forged = changed(document, multipliers={**document.multipliers, norm: str(10**6)})
    with pytest.raises(CertificateError, match="no linear row"):
        check(restated(forged, costs, lots), costs.snapshot, lots)
