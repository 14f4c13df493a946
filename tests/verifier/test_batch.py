"""Batches: all good or every bad one named, and weights that nobody can foresee."""

import secrets
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.argument.forging import Forger
from tests.argument.toys import TOYS, Case, Toy, case, play, setups
from zkmargin.algebra import MODULUS, Setup
from zkmargin.algebra.field import inverse
from zkmargin.argument import Proof
from zkmargin.circuits import Statement
from zkmargin.verifier import BatchError, VerificationError, verify, verify_batch
from zkmargin.verifier.equation import holds, pairing_equation

Item = tuple[Statement, Proof]


@pytest.fixture(params=setups())
def setup(request: pytest.FixtureRequest) -> Setup:
    return setups()[request.param]


def good(setup: Setup) -> list[Item]:
    """Eight proofs of several shapes."""
    cases = [case(toy, setup) for toy in (*TOYS.values(), *list(TOYS.values())[:3])]
    return [(made.statement, made.prove()) for made in cases]


def spoiled(item: Item) -> Item:
    """The same proof with a wrong value."""
    statement, proof = item
    return statement, replace(proof, shifted_sum=(proof.shifted_sum + 1) % MODULUS)


def test_a_batch_of_good_proofs_is_accepted(setup: Setup) -> None:
    items = good(setup)
    assert len(items) == 8
    for count in (1, 2, 3, 8):
        verify_batch(items[:count], setup)


def test_an_empty_batch_is_an_error(setup: Setup) -> None:
    with pytest.raises(ValueError, match="an empty batch shows nothing"):
        verify_batch([], setup)


def test_one_bad_proof_of_eight_is_found_and_named(setup: Setup) -> None:
    items = good(setup)
    for place in range(8):
        batch = [*items[:place], spoiled(items[place]), *items[place + 1 :]]
        with pytest.raises(BatchError, match=f"bad proofs at {place}; the first: pairing") as found:
            verify_batch(batch, setup)
        assert list(found.value.failures) == [place]
        assert found.value.check == "pairing"
        assert isinstance(found.value, VerificationError)


def test_all_bad_proofs_are_named_in_order(setup: Setup) -> None:
    items = good(setup)
    malformed = (items[5][0], replace(items[5][1], running_sum=bytes([255] * 48)))
    items[1], items[5], items[6] = spoiled(items[1]), malformed, spoiled(items[6])
    with pytest.raises(BatchError, match="bad proofs at 1, 5, 6") as found:
        verify_batch(items, setup)
    checks = {place: reason.check for place, reason in found.value.failures.items()}
    assert checks == {1: "pairing", 5: "proof encoding", 6: "pairing"}


def test_a_batch_of_bad_proofs_only_is_rejected(setup: Setup) -> None:
    items = [spoiled(item) for item in good(setup)]
    with pytest.raises(BatchError) as found:
        verify_batch(items, setup)
    assert list(found.value.failures) == list(range(8))


def test_a_proof_beside_another_statement_is_rejected(setup: Setup) -> None:
    first, second = good(setup)[0], good(setup)[5]
    with pytest.raises(BatchError) as found:
        verify_batch([(first[0], second[1]), (second[0], first[1])], setup)
    assert list(found.value.failures) == [0, 1]


class Tilted(Forger):
    """Opens a false statement at zeta as if it were true, and adds a multiple of [1] to the opening."""

    def error(self) -> int:
        """By how much the pairing equation is off: [this]_1, paired with [1]_2."""
        return self._opened_gap()

    def tilted(self, proof: Proof, amount: int) -> Proof:
        """W + [amount]: the equation moves by [amount (zeta - tau)]_1."""
        backend = self._backend
        moved = backend.msm([backend.decode(proof.opening), backend.generator()], [1, amount])
        return replace(proof, opening=backend.encode(moved))

    @property
    def zeta(self) -> int:
        return self._zeta


def complementary(setup: Setup, weights: tuple[int, int]) -> list[Item]:
    """Two proofs of false statements whose errors cancel if the batch weighs them so.

    Their errors are c_1 and c_2. With W_1 + [a / w_1] and W_2 - [a / w_2] the sum is off by
    w_1 c_1 + w_2 c_2 + a (zeta_1 - tau) - a (zeta_2 - tau), in which tau is gone, and a can be solved for.
    """
    toys = [Toy(), Toy(limb_columns=2)]
    made = [case(toy, setup, threshold=toy.excess() + 1) for toy in toys]
    rounds = [Tilted(setup, m.statement, m.witness(), m.blinders) for m in made]
    proofs = [play(r) for r in rounds]
    errors = sum(w * r.error() for w, r in zip(weights, rounds, strict=True))
    a = -errors * inverse(rounds[0].zeta - rounds[1].zeta)
    amounts = (a * inverse(weights[0]), -a * inverse(weights[1]))
    tilted = [r.tilted(p, amount) for r, p, amount in zip(rounds, proofs, amounts, strict=True)]
    return list(zip([m.statement for m in made], tilted, strict=True))


def foreseen(weights: tuple[int, int]) -> Callable[[int], int]:
    """A source of weights that everyone knows; the verifier adds 1 to what he draws."""
    drawn = iter(weights)
    return lambda bound: next(drawn) - 1


@pytest.mark.parametrize("weights", [(1, 1), (3, 5)], ids=["equal", "foreseen"])
def test_two_false_statements_cancel_under_weights_that_are_known(
    weights: tuple[int, int], setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = complementary(setup, weights)
    for statement, proof in items:
        assert not holds(setup, pairing_equation(setup, statement, proof))
    with monkeypatch.context() as lame:
        lame.setattr("zkmargin.verifier.batch.secrets.randbelow", foreseen(weights))
        verify_batch(items, setup)
    with pytest.raises(BatchError) as found:
        verify_batch(items, setup)
    assert list(found.value.failures) == [0, 1]


def test_weights_are_drawn_afresh_for_every_check(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    weights: list[int] = []
    draw = secrets.randbelow

    def noted(bound: int) -> int:
        weights.append(draw(bound))
        return weights[-1]

    items = good(setup)[:4]
    monkeypatch.setattr("zkmargin.verifier.batch.secrets.randbelow", noted)
    verify_batch(items, setup)
    verify_batch(items, setup)
    assert len(weights) == len(set(weights)) == 8
    assert max(weights) < 1 << 128
    assert max(weights) > 1 << 100


def test_a_batch_of_one_is_that_proof(setup: Setup) -> None:
    made: Case = case(Toy(), setup)
    item = made.statement, made.prove()
    verify_batch([item], setup)
    verify(*item, setup)
    with pytest.raises(BatchError, match="bad proofs at 0"):
        verify_batch([spoiled(item)], setup)


def test_a_whole_that_fails_is_refused_though_its_halves_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been shown of any proof in it, so all are named."""
    kind = next(iter(setups()))
    made = case(TOYS["one limb column"], setups()[kind])
    items = [(made.statement, made.prove()) for _ in range(4)]
    whole = iter([False])
    monkeypatch.setattr("zkmargin.verifier.batch.holds", lambda *_: next(whole, True))
    with pytest.raises(BatchError) as refusal:
        verify_batch(items, made.setup)
    assert list(refusal.value.failures) == [0, 1, 2, 3]
