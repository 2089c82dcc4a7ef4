"""Full-size rendering against the formulas in double precision; strips, strength, white, levels."""

import colour
import numpy as np
import pytest
import torch

from sdr2hdr import strips
from sdr2hdr.color import gamut, inplace, transfer
from sdr2hdr.render import mapped, render

WHITE, PEAK = 203.0, 10000.0


def picture(height=40, width=50):
    return np.random.default_rng(0).random((height, width, 3), np.float32).transpose(2, 0, 1)


def residual(signal, rows):
    return 0.2 * signal**2 - 0.02


def curved():
    return inplace.Lookup((np.linspace(0, 1, 65536) ** 2.5 * 1.3).astype(np.float32))


def pq(light):
    return colour.models.eotf_inverse_ST2084(np.clip(light.astype(np.float64) * WHITE, 0, 10000))


def direct(signal):
    return gamut.convert(transfer.srgb_decode(torch.from_numpy(signal.copy())), "bt709_to_bt2020").numpy()


def test_direct_mapping():
    found = render(picture(), inplace.srgb_light(), None, 1.0, WHITE, PEAK).light
    np.testing.assert_allclose(found, direct(picture()), rtol=1e-6, atol=1e-8)


def test_curve_and_residual_add_up_in_pq():
    signal = picture()
    mapped = inplace.convert(curved()(signal), "bt709_to_bt2020")
    found = render(signal, curved(), residual, 1.0, WHITE, PEAK).light
    expected = np.clip(pq(mapped) + residual(signal, None), 0, 1)
    np.testing.assert_allclose(pq(found), expected, atol=2e-6)


def test_mapped_is_the_direct_mapping_in_pq():
    found = mapped(picture(), inplace.srgb_light())
    expected = transfer.pq_encode(torch.from_numpy(direct(picture())) * WHITE).numpy()
    np.testing.assert_allclose(found, expected, atol=5e-7)


@pytest.mark.parametrize("strength", [0.0, 0.3, 0.999])
def test_strength_mixes_in_pq(strength):
    full = pq(render(picture(), curved(), residual, 1.0, WHITE, PEAK).light)
    found = pq(render(picture(), curved(), residual, strength, WHITE, PEAK).light)
    base = pq(direct(picture()))
    inside = (full > 1e-4) & (full < 1)  # where the full effect was not clipped
    np.testing.assert_allclose(found[inside], (base + strength * (full - base))[inside], atol=3e-6)


def test_strips_are_the_whole_bit_for_bit(monkeypatch):
    arguments = (picture(123, 77), curved(), residual, 0.7, WHITE, 400.0)
    whole = render(*arguments)
    monkeypatch.setattr(strips, "PIXELS", 500)
    parts = render(*arguments)
    np.testing.assert_array_equal(whole.light, parts.light)
    assert whole.max_cll == parts.max_cll
    assert whole.max_fall == pytest.approx(parts.max_fall, rel=1e-12)


@pytest.mark.parametrize("white", [100.0, 203.0, 400.0])
def test_white_is_the_luminance_of_1_and_levels_follow(white):
    reference = render(picture(), inplace.srgb_light(), None, 1.0, WHITE, PEAK)
    found = render(picture(), inplace.srgb_light(), None, 1.0, white, PEAK)
    np.testing.assert_array_equal(found.light, reference.light)
    brightest = found.light.astype(np.float64).max(0) * white
    assert found.max_cll == pytest.approx(brightest.max(), rel=1e-7)
    assert found.max_fall == pytest.approx(brightest.mean(), rel=1e-6)


def test_light_never_exceeds_the_scale_nor_the_peak():
    bright = inplace.Lookup(np.linspace(0, 1000, 65536, dtype=np.float32))
    assert render(picture(), bright, None, 1.0, WHITE, PEAK).light.max() == pytest.approx(10000 / WHITE)
    rolled = render(picture(), bright, residual, 1.0, WHITE, 1000.0)
    assert rolled.max_cll == pytest.approx(1000, rel=1e-4)
    assert rolled.max_cll <= 1000
    assert rolled.light.min() >= 0
