"""Laws of the roll-off."""

import colour
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr.rolloff import KNEE, curve, roll_off

PEAKS = st.floats(250, 9000)
SOURCES = st.floats(1.0001, 40)  # times the peak


@settings(max_examples=60, deadline=None)
@given(PEAKS, SOURCES)
def test_monotone_below_the_light_itself_and_never_above_the_peak(peak, times):
    source = min(peak * times, 10000)
    nits = np.linspace(KNEE * peak, source, 2001).astype(np.float32)
    out = curve(nits, peak, source)
    assert (np.diff(out) >= -1e-5 * peak).all()
    assert (out <= nits * (1 + 1e-5)).all()
    assert out.max() <= peak
    assert out[-1] == pytest.approx(peak, rel=1e-4)


def test_smooth_at_the_knee_and_concave_in_pq():
    peak, source = 1000.0, 10000.0
    signal = np.linspace(colour.models.eotf_inverse_ST2084(KNEE * peak), 1, 500)
    nits = colour.models.eotf_ST2084(signal).astype(np.float32)
    slope = np.diff(colour.models.eotf_inverse_ST2084(curve(nits, peak, source).astype(float))) / np.diff(
        signal
    )
    assert slope[0] == pytest.approx(1, abs=0.03)
    assert (np.diff(slope) < 2e-3).all()
    assert slope[-1] > 0


@settings(max_examples=30, deadline=None)
@given(PEAKS, SOURCES, st.floats(80, 400))
def test_below_the_knee_untouched_above_it_hue_kept(peak, times, white):
    source = min(peak * times, 10000)
    rng = np.random.default_rng(1)
    light = (source / white * rng.random((3, 20, 30)) ** 3).astype(np.float32)
    light[:, 0, 0] = source / white
    before = light.copy()
    roll_off(light, white, peak, source)
    above = before.max(0) > KNEE * peak / white
    np.testing.assert_array_equal(light[:, ~above], before[:, ~above])
    assert (light.astype(np.float64) * white).max() <= peak
    ratio = light[:, above] / light[:, above].max(0)
    np.testing.assert_allclose(ratio, before[:, above] / before[:, above].max(0), atol=1e-6)


def test_nothing_to_do():
    light = np.random.default_rng(2).random((3, 5, 6), np.float32)
    before = light.copy()
    roll_off(light, 203.0, 10000.0, 203.0)
    np.testing.assert_array_equal(light, before)
