"""The packed light, against a decoder that goes pixel by pixel as the page's script does."""

import zlib

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr.color.tables import table
from sdr2hdr.report.codes import BITS, LEAST_NITS, levels, pack


def unpacked(data: bytes, height: int, width: int) -> npt.NDArray[np.int64]:
    """PQ codes (3, H, W)."""
    low, high = np.frombuffer(zlib.decompress(data), np.uint8).astype(int).reshape(2, 3, height, width)
    folded = low + 256 * high
    planes = np.zeros((3, height, width), int)
    for plane, rest in zip(planes, folded, strict=True):
        for y in range(height):
            for x in range(width):
                if y and x:
                    left, above = plane[y, x - 1], plane[y - 1, x]
                    guess = sorted((left, above, left + above - plane[y - 1, x - 1]))[1]
                else:
                    guess = plane[y, x - 1] if x else plane[y - 1, x] if y else 0
                rise = rest[y, x]
                plane[y, x] = guess + (-(rise + 1) // 2 if rise % 2 else rise // 2)
    green, red, blue = planes
    return np.stack([red + green, green, blue + green])


def eotf(code: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.float64]:
    """SMPTE ST 2084, 5.1, in double precision."""
    m1, m2, c1, c2, c3 = table("pq")
    signal = (code / (2**bits - 1)) ** (1 / m2)
    return 10000 * (np.maximum(signal - c1, 0) / (c2 - c3 * signal)) ** (1 / m1)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from(BITS), st.integers(0, 2**32 - 1), st.booleans())
def test_light_comes_back_within_half_a_code(
    height: int, width: int, bits: int, seed: int, wild: bool
) -> None:
    rng = np.random.default_rng(seed)
    nits = (10 ** rng.uniform(-3, 4, (3, height, width))).astype(np.float32)
    if wild:
        nits = rng.choice(np.array([0, -5, 1e-9, 203, 10000, 99999], np.float32), nits.shape)
    packed = pack(nits, bits)
    codes = unpacked(packed.data, height, width)
    assert codes.min() >= 0
    assert codes.max() < 2**bits
    held = nits.clip(0, 10000).astype(np.float64)
    below, above = eotf((codes - 0.502).clip(0), bits), eotf((codes + 0.502).clip(0, 2**bits - 1), bits)
    assert ((below <= held * 1.0001) & (held <= above * 1.0001 + 1e-6)).all()
    seen = held >= LEAST_NITS
    worst = np.abs(eotf(codes, bits)[seen] / held[seen] - 1).max(initial=0)
    assert packed.error == pytest.approx(worst, abs=2e-5)


@pytest.mark.parametrize(("bits", "most"), [(12, 0.0025), (11, 0.005), (10, 0.01)])
def test_stated_errors(bits: int, most: float) -> None:
    ramp = np.geomspace(1, 10000, 60000, dtype=np.float32).reshape(1, 200, 300).repeat(3, 0)
    assert most / 2 < pack(ramp, bits).error < most


@pytest.mark.parametrize("bits", BITS)
def test_levels_are_the_standards(bits: int) -> None:
    assert levels(bits) == pytest.approx(eotf(np.arange(2**bits), bits), rel=1e-3, abs=1e-5)


def test_smooth_light_takes_little_and_equal_light_gives_equal_bytes() -> None:
    ramp = np.geomspace(0.1, 4000, 300 * 200, dtype=np.float32).reshape(1, 200, 300).repeat(3, 0)
    data = pack(ramp, 12).data
    assert len(data) < 0.1 * ramp.size
    assert data == pack(np.asfortranarray(ramp), 12).data
