"""Tone mapping: laws of the shoulder, and the guided filter against a naive loop."""

import numpy as np
import pytest

from sdr2hdr import tonemap
from sdr2hdr.tonemap import bleach, brightest, global_max, guided_base, local, scale_to, shoulder

RAMP = np.linspace(0, 30, 30001, dtype=np.float32)


@pytest.mark.parametrize("start", [0.13, 0.5, 0.89])
@pytest.mark.parametrize("top", [1.0, 1.01, 2.0, 20.0])
@pytest.mark.parametrize("logarithmic", [0.0, 0.4, 1.0])
def test_shoulder_is_identity_then_rises_smoothly_to_white(
    start: float, top: float, logarithmic: float
) -> None:
    y = shoulder(RAMP, start, top, logarithmic)
    np.testing.assert_array_equal(y[start >= RAMP], RAMP[start >= RAMP])
    inside = (start < RAMP) & (top > RAMP)
    assert (np.diff(y) >= -1e-6).all()
    assert (y[inside] <= RAMP[inside] + 1e-6).all()
    assert y[top + 1e-3 <= RAMP] == pytest.approx(1.0, abs=1e-5)
    step = 1e-3 * (1 - start)
    rise = shoulder(np.array([start + step], np.float32), start, top, logarithmic)[0] - start
    assert rise / step == pytest.approx(1, abs=0.01)


def test_shoulder_from_black_is_reinhards() -> None:
    x = RAMP[RAMP <= 8]
    np.testing.assert_allclose(shoulder(x, 0, 8, 0), x * (1 + x / 64) / (1 + x), rtol=1e-5, atol=1e-7)


def test_hard_clip() -> None:
    np.testing.assert_array_equal(shoulder(RAMP, 0.5, 1.0, 0.5), np.minimum(RAMP, 1))


def colours(seed: int = 0) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(0, 1.5, (20, 30, 3))).astype(np.float32)


def test_brightest_is_the_maximum() -> None:
    np.testing.assert_array_equal(brightest(colours()), colours().max(-1))


def test_global_max_keeps_ratios_and_bleach_takes_colour() -> None:
    light = colours()
    mapped = global_max(light, 0.4, 20, 0.5, 0)
    np.testing.assert_allclose(
        mapped / brightest(mapped)[..., None], light / brightest(light)[..., None], rtol=1e-4
    )
    pale = global_max(light, 0.4, 20, 0.5, 0.6)
    np.testing.assert_allclose(brightest(pale), brightest(mapped), rtol=1e-5)
    high = brightest(light) > 2
    assert (pale.min(-1)[high] > mapped.min(-1)[high]).all()
    low = brightest(light) < 0.4
    np.testing.assert_allclose(pale[low], light[low], rtol=1e-5)


def test_black_stays_black() -> None:
    black = np.zeros((16, 16, 3), np.float32)
    plane = black[..., 0]
    for mapped in (
        scale_to(black, plane, plane),
        bleach(black, plane, plane, 1),
        global_max(black, 0.4, 4, 0.5, 0.5),
        local(black, 0.4, 4, 0.5, 0.5, 3, 0.5),
    ):
        assert (mapped == 0).all()


def test_guided_base_is_the_guided_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """He, Sun, Tang 2013, eq. 5 and 6, with the windows cut at the border by hand: only the inside is compared."""
    monkeypatch.setattr(tonemap, "COARSE", 1)
    plane = np.random.default_rng(0).normal(0, 2, (24, 28)).astype(np.float32)
    r, edge = 3, 0.7

    def mean(p: np.ndarray) -> np.ndarray:
        out = np.full(p.shape, np.nan)
        for y in range(r, p.shape[0] - r):
            for x in range(r, p.shape[1] - r):
                out[y, x] = p[y - r : y + r + 1, x - r : x + r + 1].astype(float).mean()
        return out

    m = mean(plane)
    variance = mean(plane.astype(float) ** 2) - m**2
    a = variance / (variance + edge**2)
    expected = mean(a) * plane + mean((1 - a) * m)
    inside = np.isfinite(expected)
    np.testing.assert_allclose(guided_base(plane, r, edge)[inside], expected[inside], atol=2e-4)


def test_local_is_global_where_nothing_varies_and_keeps_detail_where_it_does() -> None:
    flat = np.full((64, 64, 3), 4, np.float32)
    np.testing.assert_allclose(
        local(flat, 0.3, 6, 0.5, 0, 6, 0.5), shoulder(flat, 0.3, 6, 0.5), rtol=0.15, atol=0
    )
    texture = flat * np.exp2(0.2 * np.random.default_rng(0).standard_normal((64, 64, 1))).astype(np.float32)
    contrast = [
        np.log2(m[..., 0]).std()
        for m in (local(texture, 0.3, 6, 0.5, 0, 6, 0.8), global_max(texture, 0.3, 6, 0.5, 0))
    ]
    assert contrast[0] > 1.3 * contrast[1]


@pytest.mark.parametrize("edge", [0.3, 1.2])
def test_local_has_no_halo_at_a_step(edge: float) -> None:
    """A window of 5.0 in a wall of 0.2: next to the edge each side is what it is far away, within a sixth of a stop."""
    light = np.full((96, 192, 3), 0.2, np.float32)
    light[:, 96:] = 5
    mapped = local(light, 0.3, 5, 0.5, 0, 20, edge)[48, :, 0]
    assert np.abs(np.log2(mapped[:96] / mapped[4])).max() < 1 / 6
    assert np.abs(np.log2(mapped[96:] / mapped[-4])).max() < 1 / 6
