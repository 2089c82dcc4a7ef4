"""Plots and scales: what is drawn stands where it should, and words keep apart."""

import colour
import numpy as np
import pytest
import torch
from drawn import assert_readable

from sdr2hdr.color.tables import table
from sdr2hdr.drawing import false_color, gamut_diagram, histogram, labels, tone_curve
from sdr2hdr.drawing.axes import Axis, Plot, legend_page, linear
from sdr2hdr.drawing.color_scale import color_scale
from sdr2hdr.drawing.labels import Page
from sdr2hdr.inspection.observed import tone_curve as curve_of
from sdr2hdr.networks.tone import KNOTS, Tone

WIDTHS = [640, 1120]
BT2020 = colour.RGB_COLOURSPACES["ITU-R BT.2020"]


def test_the_locus_is_that_of_the_standard_observer() -> None:
    """CIE 15: chromaticities of 520 nm and 600 nm as printed; all of them by colour-science."""
    locus = table("spectral_locus")
    observer = colour.MSDS_CMFS["CIE 1931 2 Degree Standard Observer"]
    for nm, x, y in locus[::40]:
        np.testing.assert_allclose([x, y], colour.XYZ_to_xy(observer[nm]), atol=1e-12)
    np.testing.assert_allclose(locus[locus[:, 0] == 520, 1:], [[0.0743, 0.8338]], atol=5e-5)
    np.testing.assert_allclose(locus[locus[:, 0] == 600, 1:], [[0.6270, 0.3725]], atol=5e-5)


def test_chromaticities() -> None:
    light = np.random.default_rng(0).random((3, 7, 9)).astype(np.float32) * 1000
    light[:, 0, 0] = 0
    light[:, 0, 1] = gamut_diagram.DARK_NITS * 0.99
    xy = gamut_diagram.chromaticities(light)
    flat = light.reshape(3, -1).T
    xyz = colour.RGB_to_XYZ(flat, BT2020, apply_cctf_decoding=False)
    expected = colour.XYZ_to_xy(xyz[xyz[:, 1] >= gamut_diagram.DARK_NITS])
    np.testing.assert_allclose(xy.T, expected, atol=1e-5)


@pytest.mark.parametrize("primary", range(3))
def test_a_primary_shines_at_its_corner(primary: int) -> None:
    """Light of one BT.709 primary alone: the only bright place of the diagram is that corner."""
    light = np.zeros((3, 8, 8), np.float32)
    light[:] = table("bt709_to_bt2020")[:, primary].astype(np.float32)[:, None, None] * 203
    page = Page(labels.blank(700, 700))
    axes = (
        Axis(linear(*gamut_diagram.X_RANGE), [(0, "")], ""),
        Axis(linear(*gamut_diagram.Y_RANGE), [(0, "")], ""),
    )
    plot = Plot(page, (0, 0, 700, 700), *axes)
    density = gamut_diagram._density(plot, gamut_diagram.chromaticities(light))
    row, column = np.unravel_index(density.argmax(), density.shape)
    x, y = colour.RGB_COLOURSPACES["ITU-R BT.709"].primaries[primary]
    low, high = gamut_diagram.X_RANGE
    assert column == pytest.approx((x - low) / (high - low) * 699, abs=1.5)
    low, high = gamut_diagram.Y_RANGE
    assert row == pytest.approx((1 - (y - low) / (high - low)) * 699, abs=1.5)
    assert (density > 0.02).sum() < 200


@pytest.mark.parametrize("wide", WIDTHS)
def test_gamut_words(wide: int) -> None:
    light = np.random.default_rng(0).random((3, 20, 30)).astype(np.float32) * 500
    clouds = (
        gamut_diagram.Cloud(light, "SDR picture", "all in BT.709"),
        gamut_diagram.Cloud(light * 0, "HDR", "n"),
    )
    page = gamut_diagram.draw(clouds, wide)
    assert_readable(page)
    words = [line.words for line in page.lines]
    assert {"BT.2020", "P3 (dashed)", "BT.709", "520", "600", "all in BT.709"} <= set(words)


def test_histogram_against_numpy() -> None:
    nits = np.exp(np.random.default_rng(0).normal(3, 3, (50, 40))).astype(np.float32)
    nits[0, :5] = 0
    found = histogram.histogram(nits)
    assert found.shares.sum() == pytest.approx(1)
    stops = np.log2(np.maximum(nits.astype(np.float64), 1e-6) / 203).clip(found.edges[0], found.edges[-1])
    expected, _ = np.histogram(stops, found.edges)
    np.testing.assert_allclose(found.shares, expected / nits.size, atol=2 / nits.size)


def test_sdr_white_is_in_one_bin() -> None:
    found = histogram.histogram(np.float32(203) * np.float32([1 - 1e-6, 1, 1 + 1e-6]))
    (place,) = np.nonzero(found.shares)[0]
    assert found.edges[place] < 0 < found.edges[place + 1]


@pytest.mark.parametrize("wide", WIDTHS)
def test_histogram_words(wide: int) -> None:
    nits = np.exp(np.random.default_rng(0).normal(3, 3, (50, 40))).astype(np.float32)
    page = histogram.draw(histogram.histogram(nits), histogram.histogram(nits * 0), wide)
    assert_readable(page)
    words = {line.words for line in page.lines}
    assert {
        "203 cd/m2",
        "1000 cd/m2",
        "1000",
        "0",
        "+2",
        "-12",
        "1 %",
        "SDR picture",
        "stops",
        "cd/m2",
    } <= words


def test_tone_curve_is_that_of_the_nets() -> None:
    """Against `networks.tone.Tone`, which the nets were trained with."""
    knots = torch.from_numpy(np.random.default_rng(0).normal(0, 0.02, (1, 3, KNOTS)).astype(np.float32))
    found = curve_of(knots[0].numpy())
    tone = Tone()
    signal = torch.from_numpy(found.signal.astype(np.float32)).expand(1, 3, 1, -1)
    expected = tone.decode(tone.curve(signal, knots))[0, :, 0].numpy()
    np.testing.assert_allclose(found.nits, expected, rtol=2e-4, atol=2e-3)
    np.testing.assert_allclose(found.direct, 203 * colour.eotf(found.signal, "sRGB"), rtol=1e-5, atol=1e-4)


def test_tone_curve_without_nets_is_the_direct_mapping() -> None:
    found = curve_of(None, 100)
    np.testing.assert_array_equal(found.nits, np.tile(found.direct, (3, 1)))
    assert found.direct[-1] == pytest.approx(100)
    assert not found.stops.any()


@pytest.mark.parametrize("wide", WIDTHS)
@pytest.mark.parametrize("rise", [0.0, 0.4])
def test_tone_curve_words(wide: int, rise: float) -> None:
    knots = np.linspace(0, rise, KNOTS, dtype=np.float32) * np.ones((3, 1), np.float32)
    for tau in (0.75, 0.995):
        page = tone_curve.draw(curve_of(knots), tau, wide)
        assert_readable(page)
        assert {"203", "100", "0.5", f"mask from {tau:.3f}"} <= {line.words for line in page.lines}


def test_pq_of_the_axis() -> None:
    """SMPTE ST 2084: PQ of 100 and 1000 cd/m2."""
    np.testing.assert_allclose(tone_curve.pq([100, 1000, 10000]), [0.508078, 0.751827, 1], atol=1e-6)


@pytest.mark.parametrize("white", [100.0, 203.0, 400.0])
@pytest.mark.parametrize("wide", [480, 560, 1600])
def test_color_scale(white: float, wide: int) -> None:
    """Words keep apart; below a tick stands the luminance of the colour that the bar has there."""
    page = color_scale(wide, white, 13)
    assert_readable(page)
    words = {line.words: line.at[0] for line in page.lines}
    assert {"1", "10", "203", "1000", "4000", "SDR white", "+2", "stops", "cd/m2"} <= set(words)
    assert wide < 560 or "100" in words
    bar = page.canvas[page.size[0] // 2].astype(int)
    for nits in (1.0, 10.0, 203.0, 1000.0, 4000.0):
        seen = bar[round(words[f"{nits:g}"])]
        near = false_color.colors().astype(int)
        entry = np.abs(near - seen).sum(1).argmin()
        assert abs(entry - float(false_color.position(nits)) * 255) <= 1.1 * 256 / (wide - 100) + 1
    for stop in (-2, 2):
        x = words[f"{stop:+d}"]
        one_stop = (words["1000"] - words["10"]) / np.log2(100)
        assert x - words["SDR white"] == pytest.approx(stop * one_stop, abs=0.1)


def test_legends_wrap() -> None:
    entries = [
        ((255, 0, 0), "a rather long word for red"),
        ((0, 255, 0), "green"),
        ((0, 0, 255), "blue, too"),
    ]
    for wide in (240, 480, 1600):
        page = legend_page(wide, entries, 13)
        assert_readable(page)
        for color, _ in entries:
            assert (page.canvas == color).all(-1).sum() == 13 * 13
