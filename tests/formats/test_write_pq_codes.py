"""Dithered code values."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr.color.transfer import pq_decode
from sdr2hdr.formats._pq_codes import pq_codes
from sdr2hdr.image import HdrImage


def light_of(codes: np.ndarray, bits: int) -> np.ndarray:
    """Light (3, H, W), 1.0 = 203 cd/m2, of fractional codes (H, W), the same in every channel."""
    import torch

    nits = pq_decode(
        torch.from_numpy(codes / (2**bits - 1))
    )  # float64, so that the test errs less than what it tests
    return np.repeat((nits.numpy() / 203).astype(np.float32)[None], 3, axis=0)


@pytest.mark.parametrize("bits", [10, 12])
def test_a_ramp_keeps_its_mean_and_has_no_bands(bits: int) -> None:
    """Over 16 x 16 pixels; rounded, the same ramp has bands of half a code."""
    wanted = 300 + np.linspace(0, 3, 1024)[None] + np.linspace(0, 1.3, 96)[:, None]
    image = HdrImage(light_of(wanted, bits))
    off = {
        dither: cv2.blur(pq_codes(image, bits, dither=dither)[..., 1] - wanted, (16, 16))[8:-8, 8:-8]
        for dither in (False, True)
    }
    assert np.abs(off[True]).max() < 0.07
    assert np.abs(off[False]).max() > 0.3
    assert abs(off[True].mean()) < 0.005


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.sampled_from([10, 12]), st.integers(1, 40), st.integers(1, 40))
def test_moves_by_less_than_a_code_and_keeps_grey(signal: float, bits: int, height: int, width: int) -> None:
    wanted = np.full((height, width), signal * (2**bits - 1))
    codes = pq_codes(HdrImage(light_of(wanted, bits)), bits, dither=True).astype(float)
    assert (np.abs(codes - wanted[..., None]) < 1).all()
    assert (codes == codes[..., :1]).all()


@pytest.mark.parametrize("bits", [10, 12])
def test_what_is_a_code_stays(bits: int) -> None:
    """Black and white among them, wherever they are."""
    every = np.broadcast_to(np.arange(2**bits, dtype=float)[:, None], (2**bits, 64))
    codes = pq_codes(HdrImage(light_of(every, bits)), bits, dither=True)
    np.testing.assert_array_equal(codes[..., 0], every)
    beyond = np.array([-1.0, 0.0, 60.0], np.float32)[None, :, None] * np.ones((3, 1, 64), np.float32)
    np.testing.assert_array_equal(pq_codes(HdrImage(beyond), bits, dither=True)[:, 5, 1], [0, 0, 2**bits - 1])


def test_the_pattern_depends_on_the_place_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    image = HdrImage(np.random.default_rng(3).random((3, 70, 40), dtype=np.float32))
    whole = pq_codes(image, 10, dither=True)
    monkeypatch.setattr("sdr2hdr.formats._strips._PIXELS", 40 * 7)
    np.testing.assert_array_equal(pq_codes(image, 10, dither=True), whole)
    flipped = HdrImage(np.ascontiguousarray(image.light[:, :, ::-1])[:, :, ::-1])
    np.testing.assert_array_equal(pq_codes(flipped, 10, dither=True), whole)


def test_the_pattern_is_even_and_fine() -> None:
    """Half a code: as many above as below, even in 4 x 4 pixels, and hardly anything at low frequencies."""
    codes = pq_codes(HdrImage(light_of(np.full((128, 128), 400.5), 10)), 10, dither=True)[..., 0] - 400.0
    assert set(np.unique(codes)) == {0, 1}
    blocks = codes.reshape(32, 4, 32, 4).mean((1, 3))
    assert np.abs(blocks - 0.5).max() <= 0.15
    power = np.abs(np.fft.fft2(codes - codes.mean())) ** 2 / codes.size  # white noise: 0.25 everywhere
    assert power[:9, :9].mean() < 0.025


def test_alpha_is_rounded() -> None:
    alpha = np.random.default_rng(4).random((30, 40), dtype=np.float32)
    codes = pq_codes(HdrImage(np.ones((3, 30, 40), np.float32), alpha=alpha), 10, dither=True)
    np.testing.assert_array_equal(codes[..., 3], np.rint(alpha * np.float32(1023)))
