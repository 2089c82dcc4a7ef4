"""BT.2446 A and C against what the report states, its own inverse, and colour-science's Y'CbCr."""

import numpy as np
import pytest

from sdr2hdr.color.bt2446 import curve_a, curve_c, method_a, method_c


def grey(nits: list[float]) -> np.ndarray:
    return np.repeat(np.array(nits, np.float32)[None, :, None], 3, 2)


def test_method_a_undoes_the_reports_inverse() -> None:
    """Table 4's SDR to HDR conversion of six signals; a fit of its own, so it agrees within 0.011."""
    signals, nits = [0.25, 0.5, 0.75, 0.9, 0.96, 1.0], [11.63, 76.28, 278.98, 592.35, 808.5, 999.5]
    np.testing.assert_allclose(method_a(grey(nits))[0, :, 1] ** (1 / 2.4), signals, atol=0.011)


def test_method_a_maps_black_and_the_masters_white() -> None:
    for master in (1000.0, 4000.0):
        np.testing.assert_allclose(method_a(grey([0, master, 9000]), master)[0, :, 0], [0, 1, 1], atol=1e-5)


def test_method_a_scales_colour_differences_as_table_3_says() -> None:
    import colour

    nits = np.random.default_rng(0).uniform(0, 900, (1, 50, 3)).astype(np.float32)
    weights = colour.WEIGHTS_YCBCR["ITU-R BT.2020"]
    ycbcr = colour.RGB_to_YCbCr((nits.astype(float) / 1000) ** (1 / 2.4), K=weights, out_legal=False)
    luma = ycbcr[..., 0]
    mapped = curve_a(luma.astype(np.float32)).astype(float)
    chroma = ycbcr[..., 1:] * (mapped / (1.1 * luma))[..., None]
    mapped = mapped - np.maximum(0.1 * chroma[..., 1], 0)
    rgb = colour.YCbCr_to_RGB(np.concatenate([mapped[..., None], chroma], -1), K=weights, in_legal=False)
    np.testing.assert_allclose(method_a(nits), np.clip(rgb, 0, 1) ** 2.4, atol=2e-4)


def test_method_c_keeps_the_conditions_that_its_constants_come_from() -> None:
    """HDR reference white, 203 cd/m2, at 96 % SDR signal; the inflection at 80 %; 1000 cd/m2 at 118 cd/m2."""
    nits = np.array([203, 69.8, 1000, 10], np.float32)
    signal = (curve_c(nits) / 100) ** (1 / 2.4)
    np.testing.assert_allclose(signal[:2], [0.96, 0.8], atol=1e-3)
    np.testing.assert_allclose(curve_c(nits)[2:], [118.39, 8.3802], atol=0.01)


@pytest.mark.parametrize("alpha", [0.0, 0.05, 0.3])
def test_method_c_keeps_chromaticity_below_its_inflection_and_greys_everywhere(alpha: float) -> None:
    dark = np.random.default_rng(0).uniform(1, 40, (4, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(method_c(dark, alpha), dark * 0.0083802, rtol=1e-3)
    ramp = method_c(grey([0, 50, 203, 300]), alpha)
    np.testing.assert_allclose(ramp, ramp[..., :1].repeat(3, -1), atol=1e-4)


def test_method_c_follows_the_report_step_by_step() -> None:
    """Crosstalk, XYZ and x, y by colour-science, the curve on Y, back, and the inverse crosstalk (6.1.2 to 6.1.6)."""
    import colour

    nits = np.random.default_rng(0).uniform(1, 200, (1, 50, 3))
    space, alpha = colour.RGB_COLOURSPACES["ITU-R BT.2020"], 0.1
    crosstalk = np.full((3, 3), alpha) + np.eye(3) * (1 - 3 * alpha)
    xyy = colour.XYZ_to_xyY(nits @ crosstalk.T @ space.matrix_RGB_to_XYZ.T)
    xyy[..., 2] = curve_c(xyy[..., 2].astype(np.float32))
    rgb = colour.xyY_to_XYZ(xyy) @ space.matrix_XYZ_to_RGB.T @ np.linalg.inv(crosstalk).T
    np.testing.assert_allclose(method_c(nits.astype(np.float32), alpha), np.clip(rgb / 100, 0, 1), atol=2e-4)


@pytest.mark.parametrize("curve", [lambda x: curve_a(x / 4000), curve_c])
def test_both_rise(curve: object) -> None:
    nits = np.linspace(0, 4000, 5000, dtype=np.float32)
    assert callable(curve)
    values = curve(nits)
    assert (np.diff(values) > -2e-6 * values.max()).all()
    assert values[0] == 0
