"""Bytes become points through one gate, and every other encoding is refused with a reason."""

from collections.abc import Iterator

import pytest

from zkmargin.algebra import MODULUS, Backend, PointError, get_backend

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
COMPRESSED, INFINITE, SIGN = 1 << 383, 1 << 382, 1 << 381
IDENTITY = (COMPRESSED | INFINITE).to_bytes(48, "big")


def square_root(x: int) -> int | None:
    """Return y with y^2 = x^3 + 4, if there is one: p = 3 mod 4."""
    square = (x**3 + 4) % P
    y = pow(square, (P + 1) // 4, P)
    return y if y * y % P == square else None


def compressed(x: int, flags: int = COMPRESSED) -> bytes:
    return (flags | x).to_bytes(48, "big")


def hostile() -> Iterator[tuple[str, bytes]]:
    good = get_backend("reference").encode(get_backend("reference").generator())
    x = int.from_bytes(good, "big") % SIGN
    yield "empty", b""
    yield "one byte short", good[:-1]
    yield "one byte long", good + b"\0"
    yield "uncompressed length", good + bytes(48)
    yield "no compression flag", compressed(x, 0)
    yield "infinity flag on a point", compressed(x, COMPRESSED | INFINITE)
    yield "identity with a sign", compressed(0, COMPRESSED | INFINITE | SIGN)
    yield "identity with a low bit", compressed(1, COMPRESSED | INFINITE)
    yield "identity without the compression flag", compressed(0, INFINITE)
    yield "all zeros", bytes(48)
    yield "all ones", b"\xff" * 48
    yield "x = p", compressed(P)
    yield "x = p + 4", compressed(P + 4)
    yield "largest x", compressed(SIGN - 1)
    yield "off the curve", compressed(next(x for x in range(1, 99) if square_root(x) is None))
    yield "order three", compressed(0)
    yield "order three, other sign", compressed(0, COMPRESSED | SIGN)
    yield "outside the subgroup", compressed(next(x for x in range(1, 99) if square_root(x) is not None))


@pytest.mark.parametrize(
    ("what", "data"), list(hostile()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_hostile_encodings_are_refused(backend: Backend, what: str, data: bytes) -> None:
    with pytest.raises(PointError):
        backend.decode(data)
    with pytest.raises(PointError):
        backend.decode_many([backend.encode(backend.generator()), data])


def test_lengths_cannot_compensate_each_other(backend: Backend) -> None:
    good = backend.encode(backend.generator())
    with pytest.raises(PointError):
        backend.decode_many([good + good[:1], good[1:]])


def test_encodings_come_back(native: Backend, reference: Backend) -> None:
    for k in (0, 1, 2, 3, MODULUS - 1, 12345678901234567890):
        data = reference.encode(reference.msm([reference.generator()], [k]))
        assert native.encode(native.msm([native.generator()], [k])) == data
        for backend in (native, reference):
            assert backend.encode(backend.decode(data)) == data
            point = backend.decode(data)
            assert point == backend.msm([backend.generator()], [k])
            assert hash(point) == hash(backend.msm([backend.generator()], [k]))
            assert point != backend.msm([backend.generator()], [k + 1])
            assert backend.decode_affine(backend.encode_affine([point, point])) == [point, point]
        native_point, reference_point = native.decode(data), reference.decode(data)
        assert native.encode_affine([native_point]) == reference.encode_affine([reference_point])
    assert native.encode(native.identity()) == reference.encode(reference.identity()) == IDENTITY
    assert native.decode_many([]) == reference.decode_many([]) == []


def test_hostile_affine_encodings_are_refused(backend: Backend) -> None:
    good = backend.encode_affine([backend.generator()])
    x, y = good[:48], good[48:]
    outside = next(x for x in range(1, 99) if square_root(x) is not None)
    root = square_root(outside)
    assert root is not None
    wrong = [
        good[:-1],
        good + b"\0",
        bytes(96),
        backend.encode(backend.generator()) + bytes(48),
        IDENTITY + bytes(48),
        b"\x40" + bytes(94) + b"\x01",
        x + (int.from_bytes(y, "big") + 1).to_bytes(48, "big"),
        x + P.to_bytes(48, "big"),
        P.to_bytes(48, "big") + (2).to_bytes(48, "big"),
        bytes(48) + (2).to_bytes(48, "big"),
        outside.to_bytes(48, "big") + root.to_bytes(48, "big"),
    ]
    for data in wrong:
        with pytest.raises(PointError):
            backend.decode_affine(data)


def test_hostile_encodings_of_g2_are_refused(backend: Backend) -> None:
    good = backend.encode_g2(backend.generator_g2())
    assert backend.encode_g2(backend.decode_g2(good)) == good
    assert backend.decode_g2(good) == backend.generator_g2()
    assert hash(backend.decode_g2(good)) == hash(backend.generator_g2())
    outside = bytes([0x80]) + bytes(46) + b"\x01"
    wrong = [
        b"",
        good[:-1],
        good + b"\0",
        bytes([good[0] & 0x7F]) + good[1:],
        bytes([good[0] | 0x40]) + good[1:],
        bytes([0xE0]) + bytes(95),
        bytes([0xC0]) + bytes(94) + b"\x01",
        good[:48] + b"\xff" * 48,
        compressed(P) + good[48:],
        *(outside + k.to_bytes(48, "big") for k in range(8)),
    ]
    for data in wrong:
        with pytest.raises(PointError):
            backend.decode_g2(data)


def test_pairing_is_bilinear(backend: Backend) -> None:
    g, g2 = backend.generator(), backend.generator_g2()
    five, minus = backend.msm([g], [5]), backend.msm([g], [-1])
    assert backend.pairing_check(five, five, g2, g2)
    assert not backend.pairing_check(five, g, g2, g2)
    assert not backend.pairing_check(g, minus, g2, g2)
    assert backend.pairing_check(backend.identity(), backend.identity(), g2, g2)
    assert not backend.pairing_check(backend.identity(), g, g2, g2)
    nothing = backend.decode_g2(IDENTITY + bytes(48))
    assert backend.pairing_check(g, backend.identity(), nothing, g2)
    assert backend.pairing_check(g, five, nothing, nothing)
    assert not backend.pairing_check(g, g, nothing, g2)
