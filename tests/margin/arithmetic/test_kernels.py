"""The kernels: the native ones equal the plain ones bit for bit, errors and edges included."""

import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from math import floor
from typing import Any

import numpy as np
import pytest

from zkmargin.margin.arithmetic import black76, fixed, kernels, normal, reference_kernels
from zkmargin.margin.arithmetic.fixed import HALF, LARGEST, ONE, SMALLEST, RangeError, from_decimal
from zkmargin.margin.arithmetic.packed import (
    InstrumentError,
    Options,
    Q64Matrix,
    VolatilityShock,
    pack,
    unpack,
)

BUILT = find_spec("zkmargin._native") is not None
needs_native = pytest.mark.skipif(not BUILT, reason="the native extension is not built")

SHOCK = VolatilityShock(*map(from_decimal, ("0.45", "0.3", "0.4", "0.0137", "0.3", "0.13")))
CELLS = [(from_decimal(factor), column) for factor in ("0", "0.6", "0.99", "1", "1.4") for column in range(3)]
EDGES = (0, 1, -1, HALF, ONE, -ONE, LARGEST, LARGEST - 1, SMALLEST, SMALLEST + 1)


@pytest.fixture(params=["native", "reference"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test once with either backend behind the public functions."""
    if request.param == "native" and not BUILT:
        pytest.skip("the native extension is not built")
    monkeypatch.setenv("ZKMARGIN_BACKEND", str(request.param))
    assert kernels.native() == (request.param == "native")
    return str(request.param)


def number(source: random.Random, lowest: int = SMALLEST) -> int:
    """A Q64 number of any size."""
    if source.random() < 0.1:
        return max(source.choice(EDGES), lowest)
    near = source.choice([0, 0, ONE])
    size = source.choice([1, -1]) * source.getrandbits(source.randint(1, 126)) + near
    return max(size, lowest)


def market(source: random.Random, count: int) -> tuple[Options, list[int]]:
    """Options as they are listed, some expired, some with extreme numbers; and their volatilities."""
    forward = [source.randrange(1, 10**5 * ONE) for _ in range(count)]
    strike = [int(f * source.choice([0, 1, 1.0, source.uniform(0.1, 3)])) for f in forward]
    years = [source.choice([0, 1, -ONE, source.randrange(2 * ONE)]) for _ in range(count)]
    discount = [source.choice([ONE, source.randrange(2 * ONE)]) for _ in range(count)]
    vols = [source.choice([0, 1, 25 * ONE, LARGEST >> 8, source.randrange(3 * ONE)]) for _ in range(count)]
    return Options([k % 2 == 0 for k in range(count)], forward, strike, years, discount), vols


def one_option(**changes: int) -> Options:
    columns = {name: [value] for name, value in changes.items()}
    whole = Options([True], [70_000 * ONE], [80_000 * ONE], [ONE // 4], [ONE])
    return replace(whole, **columns)  # type: ignore[arg-type]


# The two implementations --------------------------------------------------------------------------------

BINARY: dict[str, Callable[[int, int], int]] = {"mul": fixed.mul, "div": fixed.div, "power": fixed.power}
UNARY: dict[str, Callable[[int], int]] = {
    "sqrt": fixed.sqrt,
    "ln": fixed.ln,
    "exp": fixed.exp,
    "distribution": normal.distribution,
    "density": normal.density,
}


def outcome(compute: Callable[[], int]) -> int | str:
    """The result, or the reason why there is none."""
    try:
        return compute()
    except RangeError as error:
        return str(error)


def native_outcome(name: str, left: int, right: int) -> int | str:
    native = import_module("zkmargin._native")
    try:
        return unpack(native.q64_map(name, pack([left]), pack([right])))[0]
    except native.PricingError as error:
        return str(error.args[1])


@needs_native
@pytest.mark.parametrize("name", [*BINARY, *UNARY])
def test_scalar_functions_agree_bit_for_bit(name: str) -> None:
    source = random.Random(name)
    spread = 70 if name in UNARY else 127
    pairs = [(number(source), number(source)) for _ in range(2500)]
    pairs += [(source.randint(-1 << spread, 1 << spread - 1), source.randint(-ONE, ONE)) for _ in range(2500)]
    pairs += [(left, right) for left in EDGES for right in EDGES]
    for left, right in pairs:
        plain = outcome(lambda: BINARY[name](left, right) if name in BINARY else UNARY[name](left))  # noqa: B023
        assert native_outcome(name, left, right) == plain, (left, right)


@needs_native
@pytest.mark.parametrize("seed", range(4))
def test_kernels_agree_bit_for_bit(seed: int) -> None:
    source = random.Random(seed)
    options, marks = market(source, 150)
    vols = kernels.shocked_vols(marks, options.years, SHOCK)
    assert vols == reference_kernels.shocked_vols(marks, options.years, SHOCK)
    values = kernels.option_values(options, vols, CELLS)
    assert values == reference_kernels.option_values(options, vols, CELLS)
    base = values.column(9)
    damping = [source.randint(-ONE, ONE) for _ in CELLS]
    multiplier = [source.randint(-2 * ONE, 2 * ONE) for _ in range(len(options))]
    quanta = [10 ** source.randint(0, 9) for _ in range(len(options))]
    risk = kernels.risk_array(base, values, damping, multiplier, quanta)
    assert np.array_equal(risk, reference_kernels.risk_array(base, values, damping, multiplier, quanta))
    # An instant before expiry a discount has no rate that would fit, nor has a volatility of 2^-64 a gamma.
    tame = replace(options, years=[t if t != 1 else ONE for t in options.years])
    limited = [min(max(vol, ONE >> 20), 30 * ONE) for vol in marks]
    assert kernels.option_greeks(tame, limited) == reference_kernels.option_greeks(tame, limited)


@needs_native
def test_kernels_fail_alike() -> None:
    source = random.Random(1)

    def both(name: str, *arguments: Any) -> None:
        outcomes: list[object] = []
        for room in (kernels, reference_kernels):
            try:
                result = getattr(room, name)(*arguments)
                outcomes.append(result.tolist() if isinstance(result, np.ndarray) else result)
            except InstrumentError as error:
                outcomes.append((error.index, error.reason))
        assert outcomes[0] == outcomes[1], (name, arguments)

    for _ in range(1000):
        options = Options([source.random() < 0.5], *([number(source, -1)] for _ in range(4)))
        vol, factor = number(source, -1), number(source, -1)
        both("option_values", options, Q64Matrix.from_rows([[vol]], 1), [(ONE, 0), (factor, 0)])
        both("option_greeks", options, [vol])
        both("shocked_vols", [vol], [number(source)], SHOCK)
        value = Q64Matrix.from_rows([[number(source)]], 1)
        weights = ([number(source)], value, [number(source) >> 40], [number(source) >> 60])
        both("risk_array", *weights, [(source.getrandbits(63) >> source.randint(0, 62)) or 1])


# What each kernel means ---------------------------------------------------------------------------------


def test_a_cell_is_the_price_at_its_forward_and_volatility(backend: str) -> None:
    options, marks = market(random.Random(7), 20)
    vols = kernels.shocked_vols(marks, options.years, SHOCK)
    values = kernels.option_values(options, vols, CELLS)
    assert (len(values), values.columns) == (20, len(CELLS))
    for i, row in enumerate(values.rows()):
        for value, (factor, column) in zip(row, CELLS, strict=True):
            terms = (options.strike[i], vols.row(i)[column], options.years[i], options.discount[i])
            forward = fixed.mul(options.forward[i], factor)
            assert value == black76.price(forward, *terms, call=options.call[i])


def test_greeks_are_those_of_each_option(backend: str) -> None:
    options = one_option()
    assert kernels.option_greeks(options, [HALF]) == [
        black76.greeks(70_000 * ONE, 80_000 * ONE, HALF, ONE // 4)
    ]


def test_volatility_shocks_scale_with_the_term(backend: str) -> None:
    thirty = reference_kernels.THIRTY_DAYS
    vol, minimum = from_decimal("0.6"), from_decimal("0.4")
    shock = VolatilityShock(HALF, ONE, minimum, thirty // 4, HALF, ONE)
    terms = [thirty, thirty // 4, -ONE, 2 * thirty]
    at_thirty, at_floor, expired, sixty = kernels.shocked_vols([vol] * 4, terms, shock).rows()
    assert at_thirty == [vol, fixed.mul(vol, 3 * HALF), 0]
    assert at_floor == expired
    assert at_floor[0] == vol
    # A quarter of the term doubles the shock at power 1/2; twice the term halves it at power 1.
    assert abs(at_floor[1] - 2 * vol) < 8
    assert at_floor[2] == 0
    assert abs(sixty[1] - vol * 5 // 4) < 8
    assert abs(sixty[2] - vol // 2) < 8
    small = vol // 10
    assert kernels.shocked_vols([small], [thirty], shock).row(0) == [small, minimum, 0]


def test_risk_is_one_exact_product_rounded_once(backend: str) -> None:
    source = random.Random(3)
    for _ in range(50):
        base, value = (source.randint(-(10**5) * ONE, 10**5 * ONE) for _ in range(2))
        damp, multiplier = source.randrange(ONE + 1), source.randrange(2 * ONE)
        exact = Fraction(value - base, ONE) * Fraction(damp, ONE) * Fraction(multiplier, ONE) * 10**6
        matrix = Q64Matrix.from_rows([[value]], 1)
        risk = kernels.risk_array([base], matrix, [damp], [multiplier], 10**6)
        assert risk.dtype == np.int64
        assert risk.tolist() == [[floor(exact + Fraction(1, 2))]]


def test_halves_go_up(backend: str) -> None:
    row = [HALF, -HALF, HALF - 1, -HALF - 1, 3 * HALF, -3 * HALF]
    risk = kernels.risk_array([0], Q64Matrix.from_rows([row], 6), [ONE] * 6, [ONE], 1)
    assert risk.tolist() == [[1, 0, 0, -1, 2, -1]]


def test_the_whole_range_of_64_bits_is_used_and_no_more(backend: str) -> None:
    def risk(value: int, quanta: int) -> int:
        matrix = Q64Matrix.from_rows([[value]], 1)
        return int(kernels.risk_array([0], matrix, [ONE], [ONE], quanta)[0, 0])

    assert risk(SMALLEST, 1) == -(1 << 63)
    assert risk(LARGEST - HALF, 1) == (1 << 63) - 1
    for value, quanta in ((LARGEST, 1), (SMALLEST, 2), (SMALLEST, (1 << 63) - 1)):
        with pytest.raises(InstrumentError, match="instrument 0: an entry of the risk array"):
            risk(value, quanta)


def test_an_empty_market_has_empty_tables(backend: str) -> None:
    options = Options([], [], [], [], [])
    vols = kernels.shocked_vols([], [], SHOCK)
    values = kernels.option_values(options, vols, CELLS)
    assert kernels.risk_array([], values, [ONE] * len(CELLS), [], 1).shape == (0, len(CELLS))
    assert kernels.option_greeks(options, []) == []
    assert kernels.option_values(one_option(), Q64Matrix.from_rows([[ONE]], 1), []).data == b""


# Errors -------------------------------------------------------------------------------------------------


def test_errors_name_the_first_instrument(backend: str) -> None:
    options, marks = market(random.Random(5), 40)
    vols = Q64Matrix.from_rows([[vol] for vol in marks], 1)
    broken = [-1 if k in {17, 30} else strike for k, strike in enumerate(options.strike)]
    with pytest.raises(InstrumentError, match="instrument 17: the strike is negative") as caught:
        kernels.option_values(replace(options, strike=broken), vols, [(ONE, 0)])
    assert (caught.value.index, caught.value.reason) == (17, "the strike is negative")
    with pytest.raises(InstrumentError, match="instrument 0: the volatility is negative"):
        kernels.option_greeks(one_option(), [-1])
    with pytest.raises(InstrumentError, match="instrument 1: the volatility is negative"):
        kernels.shocked_vols([ONE, -1], [ONE, ONE], SHOCK)


def test_numbers_beyond_the_format_name_their_instrument(backend: str) -> None:
    vols = Q64Matrix.from_rows([[ONE]], 1)
    if backend == "native":
        with pytest.raises(InstrumentError, match="instrument 0: an input is out of the range"):
            kernels.option_values(one_option(forward=LARGEST + 1), vols, [(ONE, 0)])
    with pytest.raises(InstrumentError, match="instrument 2: an input is out of the range"):
        Q64Matrix.from_rows([[0, 0], [0, 0], [0, SMALLEST - 1]], 2)
    with pytest.raises(InstrumentError, match="instrument 0: the number of quanta"):
        kernels.risk_array([0], vols, [ONE], [ONE], 0)


def test_lengths_that_do_not_fit_are_refused(backend: str) -> None:
    vols = Q64Matrix.from_rows([[ONE], [ONE]], 1)
    with pytest.raises(ValueError, match="columns of 1 and 2 instruments"):
        kernels.option_values(one_option(), vols, [(ONE, 0)])
    with pytest.raises(ValueError, match="columns of 1 and 2 instruments"):
        kernels.option_greeks(one_option(), [ONE, ONE])
    with pytest.raises(ValueError, match=r"outside 0\.\.0"):
        kernels.option_values(one_option(), Q64Matrix.from_rows([[ONE]], 1), [(ONE, 1)])
    with pytest.raises(ValueError, match="2 dampings do not fit 1 cells"):
        kernels.risk_array([0, 0], vols, [ONE, ONE], [ONE, ONE], 1)
    with pytest.raises(ValueError, match="are no table of options"):
        one_option(forward=ONE).__class__([True], [], [], [], [])
    with pytest.raises(ValueError, match="row 1 has 2 entries, not 1"):
        Q64Matrix.from_rows([[1], [1, 2]], 1)
    with pytest.raises(ValueError, match="cannot be stacked"):
        Q64Matrix.stack([vols, Q64Matrix.from_rows([[1, 2]], 2)])


@pytest.mark.parametrize(
    ("field", "value"), [("up", -1), ("down", -1), ("minimum", -1), ("floor", 0), ("floor", -ONE)]
)
def test_shocks_out_of_range_are_refused(field: str, value: int) -> None:
    with pytest.raises(RangeError, match=r"negative|not positive"):
        replace(SHOCK, **{field: value})


@needs_native
def test_the_native_kernels_check_what_they_are_given() -> None:
    one, native = pack([ONE]), import_module("zkmargin._native")
    with pytest.raises(ValueError, match="does not hold 1 numbers"):
        native.option_values(b"\1", one[:15], one, one, one, one, one, [0])
    with pytest.raises(ValueError, match="names a volatility column"):
        native.option_values(b"\1", one, one, one, one, one, one, [1])
    with pytest.raises(ValueError, match="no function is called sin"):
        native.q64_map("sin", one, one)


# Columns ------------------------------------------------------------------------------------------------


def test_matrices_give_back_what_they_hold() -> None:
    rows = [[1, -1, LARGEST], [SMALLEST, 0, ONE]]
    matrix = Q64Matrix.from_rows(rows, 3)
    assert list(matrix.rows()) == rows
    assert [matrix.row(0), matrix.row(1)] == rows
    assert matrix.column(2) == [LARGEST, ONE]
    doubled = Q64Matrix.stack([matrix, matrix])
    assert list(doubled.rows()) == rows + rows
    assert len(doubled) == 4
