"""The pinned ceremony, its consistency, and bases kept on disk that nobody needs to trust."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from zkmargin.algebra import Backend, Setup, SetupError, ceremony, check_consistency, setup
from zkmargin.algebra import lagrange as lagrange_module
from zkmargin.algebra.field import MODULUS
from zkmargin.algebra.setup import CEREMONY_SHA256, ceremony_bytes, parse_ceremony

TAU = 0x1234567890ABCDEF1234567890ABCDEF


def toy(backend: Backend, size: int = 16, directory: Path | None = None) -> Setup:
    """A setup whose tau is known in G1; its points of G2 play no part."""
    g = backend.generator()
    powers = [backend.msm([g], [pow(TAU, k, MODULUS)]) for k in range(size)]
    g2 = backend.generator_g2()
    return Setup.from_points(backend, powers, g2, g2, directory)


def test_the_file_is_pinned() -> None:
    content = ceremony_bytes()
    lagrange, g2, powers = parse_ceremony(content)
    assert (len(lagrange), len(g2), len(powers)) == (4096, 65, 4096)
    for tampered in (b"", content[:-1], content + b"\n", content.replace(b"a0413c0d", b"a0413c0e", 1)):
        with pytest.raises(SetupError, match="SHA-256"):
            parse_ceremony(tampered)


def test_a_missing_file_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "CEREMONY_FILE", Path("absent.txt"))
    with pytest.raises(SetupError, match=r"absent\.txt"):
        ceremony_bytes()
    monkeypatch.setattr(setup, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match="eth-account"):
        ceremony_bytes()


def test_the_ceremony(backend: Backend) -> None:
    loaded = ceremony(backend)
    assert loaded is ceremony(backend)
    assert (loaded.size, loaded.digest) == (4096, CEREMONY_SHA256)
    assert loaded.powers(1) == [backend.generator()]
    assert backend.pairing_check(loaded.powers(2)[1], backend.generator(), loaded.g2, loaded.g2_tau)
    with pytest.raises(SetupError, match="4097"):
        loaded.powers(4097)


def test_the_ceremony_is_consistent(setups: tuple[Setup, Setup]) -> None:
    check_consistency(setups[0])


def test_a_tampered_power_is_found(setups: tuple[Setup, Setup]) -> None:
    native = setups[0]
    for index in (0, 1, 2000, 4095):
        powers = native.powers(native.size)
        powers[index] = native.backend.msm([powers[index], powers[7]], [1, 1])
        tampered = Setup.from_points(native.backend, powers, native.g2, native.g2_tau)
        assert tampered.digest != native.digest
        with pytest.raises(SetupError):
            check_consistency(tampered)
    with pytest.raises(SetupError):
        check_consistency(replace(native, g2_tau=native.g2))
    with pytest.raises(SetupError, match="generator"):
        check_consistency(replace(native, g2=native.g2_tau))


def test_the_lagrange_points_of_the_file_are_ours(setups: tuple[Setup, Setup]) -> None:
    native = setups[0]
    lagrange, _, _ = parse_ceremony(ceremony_bytes())
    ours = native.backend.lagrange_points(native.powers(4096))
    assert [native.backend.encode(point) for point in ours] == lagrange


def test_commitments_to_evaluations_and_coefficients_agree(backend: Backend) -> None:
    small = toy(backend)
    values = backend.vector([3, -1, MODULUS - 2, 2**200, 0, 5, 2**63, 9])
    assert small.commit_evaluations(8, values) == small.commit_coefficients(backend.intt(values))
    expected = backend.evaluate(backend.intt(values), TAU)
    assert small.commit_evaluations(8, values) == backend.msm([backend.generator()], [expected])
    with pytest.raises(ValueError, match="domain of 16"):
        small.commit_evaluations(16, values)
    with pytest.raises(SetupError, match="exceeds"):
        small.commit_coefficients(backend.zeros(17))
    with pytest.raises(SetupError, match="32 powers"):
        small.commit_evaluations(32, backend.zeros(32))


def test_blinding_points_are_multiples_of_the_vanishing_polynomial(backend: Backend) -> None:
    small = toy(backend)
    for k in (0, 1, 7):
        expected = TAU**k * (TAU**8 - 1) % MODULUS
        assert small.blinding_point(8, k) == backend.msm([backend.generator()], [expected])
    with pytest.raises(SetupError):
        small.blinding_point(8, 8)


def test_powers_are_decoded_when_needed(native: Backend) -> None:
    asked: list[int] = []
    points = [native.generator()] * 64

    def decode(count: int) -> list[object]:
        asked.append(count)
        return list(points[:count])

    lazy = Setup(native, "00" * 32, native.generator_g2(), native.generator_g2(), 64, decode)
    assert asked == []
    lazy.powers(5)
    lazy.powers(3)
    lazy.powers(9)
    lazy.powers(64)
    assert asked == [8, 16, 64]


class Recorder:
    """Counts how often a basis is computed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, backend: Backend) -> None:
        self.count = 0
        original = backend.lagrange_points

        def counted(powers: list[object]) -> list[object]:
            self.count += 1
            return list(original(powers))

        monkeypatch.setattr(backend, "lagrange_points", counted)


def test_a_basis_is_kept_on_disk_and_never_trusted(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "not" / "there yet"
    recorder = Recorder(monkeypatch, backend)
    small = toy(backend, 8)
    powers, digest = small.powers(8), small.digest

    def basis() -> list[object]:
        return list(lagrange_module.lagrange_basis(backend, powers, digest, directory))

    expected = basis()
    assert recorder.count == 1
    (path,) = directory.iterdir()
    stored = path.read_bytes()
    assert basis() == expected
    assert recorder.count == 1

    body = len(stored) - 8 * 96
    swapped = backend.encode_affine([expected[1], expected[0], *expected[2:]])
    forged = lagrange_module._header(digest, 8)
    corruptions = {
        "empty": b"",
        "cut short": stored[:-1],
        "longer": stored + b"\0",
        "another setup": stored.replace(bytes.fromhex(digest), bytes(32)),
        "flipped bit": stored[:-1] + bytes([stored[-1] ^ 1]),
        "swapped points": stored[:body] + swapped,
        "swapped points, right digest": sealed(forged, swapped),
        "no points, right digest": sealed(forged, b""),
        "rubbish, right digest": sealed(forged, bytes(8 * 96)),
    }
    for count, content in enumerate(corruptions.values(), start=2):
        path.write_bytes(content)
        assert basis() == expected
        assert recorder.count == count
        assert path.read_bytes() == stored
    assert list(directory.iterdir()) == [path]


def sealed(header: bytes, body: bytes) -> bytes:
    """A file whose digest fits."""
    return header + hashlib.sha256(header + body).digest() + body


def test_a_directory_that_cannot_be_used_costs_time_only(native: Backend, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    small = toy(native, 8, tmp_path / "file")
    values = native.vector([1, 2, 3, 4, 5, 6, 7, 8])
    assert small.commit_evaluations(8, values) == toy(native, 8).commit_evaluations(8, values)
    occupied = tmp_path / "occupied"
    (occupied / f"lagrange-{small.digest[:16]}-8").mkdir(parents=True)
    lagrange_module.lagrange_basis(native, small.powers(8), small.digest, occupied)
    assert len(list(occupied.iterdir())) == 1
