"""False colours: an inverse scale, even lightness by colour-science, and a change of hue at SDR white."""

from itertools import pairwise

import colour
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdr2hdr.drawing import false_color


@pytest.fixture(scope="module")
def lab() -> np.ndarray:
    return colour.XYZ_to_Lab(colour.sRGB_to_XYZ(false_color.colors() / 255))


@given(st.floats(0.0501, 10000))
def test_the_scale_has_an_inverse(nits: float) -> None:
    assert float(false_color.nits_at(false_color.position(nits))) == pytest.approx(nits, rel=1e-5)


def test_the_scale_is_logarithmic_and_clamped() -> None:
    places = false_color.position([0, 0.01, 0.05, 0.5, 5, 50, 500, 5000, 10000, 1e6])
    np.testing.assert_allclose(np.diff(places[2:8]), np.log(10) / np.log(200000), rtol=1e-5)
    assert places[:3].tolist() == [0, 0, 0]
    assert places[-2:].tolist() == [1, 1]


def test_lightness_rises_evenly(lab: np.ndarray) -> None:
    """Perceptual order: L* by colour-science, on a straight line but for what sRGB cannot show."""
    assert (np.diff(lab[:, 0]) > 0).all()
    line = np.linspace(false_color.DARKEST, false_color.LIGHTEST, false_color.ENTRIES)
    assert np.abs(lab[:, 0] - line).max() < 5
    assert np.abs(lab[:, 0] - line).mean() < 1


def test_cool_below_white_and_warm_above(lab: np.ndarray) -> None:
    entry = np.rint(false_color.position([0.5, 2, 10, 50, 150, 190, 220, 400, 1000, 4000]) * 255).astype(int)
    a, b = lab[entry, 1], lab[entry, 2]
    assert ((a < 0) | (b < 0))[:6].all(), "violet, blue or green"
    assert (a > 0)[6:].all(), "gold, orange, salmon, pink"


def test_marks_are_told_apart() -> None:
    shown = colour.XYZ_to_Lab(colour.sRGB_to_XYZ(false_color.color(false_color.MARKS) / 255))
    for one, other in pairwise(shown):
        assert colour.delta_E(one, other, method="CIE 2000") > 8
    below, above = (colour.sRGB_to_XYZ(false_color.color(n) / 255) for n in (190.0, 216.0))
    assert colour.delta_E(colour.XYZ_to_Lab(below), colour.XYZ_to_Lab(above), method="CIE 2000") > 20


def test_colors_of_an_array() -> None:
    nits = np.array([[0.0, 203.0], [10000.0, 1e9]], np.float32)
    shown = false_color.color(nits)
    assert shown.shape == (2, 2, 3)
    assert shown.dtype == np.uint8
    assert (shown[1, 0] == shown[1, 1]).all()
    assert (shown[0, 0] == false_color.colors()[0]).all()
    assert (shown[1, 1] == false_color.colors()[-1]).all()
