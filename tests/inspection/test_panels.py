"""All pictures of small conversions: what they show, of every shape, readable."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import colour
import numpy as np
import pytest
from drawn import assert_readable

import sdr2hdr
from sdr2hdr import Converter, Settings, formats
from sdr2hdr.drawing import false_color
from sdr2hdr.inspection import sheet, views
from sdr2hdr.inspection.figures import Figures
from sdr2hdr.inspection.observed import Observed, observe
from sdr2hdr.inspection.origin import INVENTED, MEASURED, classify
from sdr2hdr.inspection.panels import Panels, percent

Seen = Callable[..., Observed]


@pytest.fixture(scope="module")
def seen(random_weights_folder: Path) -> Seen:
    """Converts an array with small random nets and these settings."""

    @cache
    def loaded(settings: Settings) -> Converter:
        return Converter(settings)

    def convert(pixels: np.ndarray, **settings: object) -> Observed:
        converter = loaded(Settings(weights=random_weights_folder, **settings))  # type: ignore[arg-type]
        image = formats.picture(pixels)
        return observe("a.png", converter.settings, image, lambda keep: converter.convert(image, keep))

    return convert


def scene(height: int, width: int) -> np.ndarray:
    """A ramp with a clipped patch, a partly clipped one, and noise."""
    rng = np.random.default_rng(0)
    pixels = np.linspace(10, 235, width)[None, :, None].repeat(height, 0).repeat(3, 2)
    pixels += rng.normal(0, 3, pixels.shape)
    pixels[: height // 3, : width // 3] = 255
    pixels[: height // 3, -(width // 3) :] = (255, 120, 60)
    return pixels.clip(0, 255).astype(np.uint8)


SHAPES = [(1, 1), (1, 37), (37, 1), (3, 700), (64, 90)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape(seen: Seen, shape: tuple[int, int]) -> None:
    figures = Figures(seen(scene(*shape)))
    panels = list(Panels(figures, 300).all())
    assert [panel.name for panel in panels] == list(sheet.ORDER)
    for panel in panels:
        assert_readable(panel.page(300))
    whole = sheet.sheet(figures.observed, figures, panels)
    assert_readable(whole)
    assert {panel.title for panel in panels} <= {line.words for line in whole.lines}
    json.dumps(figures.as_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"strength": 0.0}, {"base", "detail", "mask", "b-net", "d-net", "r-net", "origin"}),
        ({"invent": False}, {"d-net"}),
        ({"strength": 0.5, "white_nits": 100.0, "peak_nits": 400.0, "threshold": 0.8}, set()),
    ],
)
def test_what_is_not_computed_is_not_shown(
    seen: Seen, settings: dict[str, object], missing: set[str]
) -> None:
    figures = Figures(seen(scene(48, 64), **settings))
    panels = list(Panels(figures, 200).all())
    assert {panel.name for panel in panels} == set(sheet.ORDER) - missing
    for panel in panels:
        assert_readable(panel.page(200))
    assert_readable(sheet.sheet(figures.observed, figures, panels))


@pytest.mark.parametrize("kind", ["grey", "alpha", "black", "white", "float"])
def test_every_kind(seen: Seen, kind: str) -> None:
    pixels = {
        "grey": scene(40, 50)[..., 0],
        "alpha": np.dstack([scene(40, 50), np.full((40, 50), 99, np.uint8)]),
        "black": np.zeros((40, 50, 3), np.uint8),
        "white": np.full((40, 50, 3), 255, np.uint8),
        "float": scene(40, 50).astype(np.float32) / 255,
    }[kind]
    figures = Figures(seen(pixels))
    for panel in Panels(figures, 200).all():
        page = panel.page(200)
        assert_readable(page)
        assert ("alpha" in panel.note) == (kind == "alpha" and panel.name == "sdr")
    expected = {"black": (1, 0, 0), "white": (0, 0, 1)}.get(kind)
    if expected:
        assert tuple(figures.shares.values()) == expected
    json.dumps(figures.as_dict(), allow_nan=False)


def test_measured_pixels_have_nothing_of_the_d_net(seen: Seen) -> None:
    """And invented ones do, where it adds light: outside of the mask the detail is the tone curve's own, exactly."""
    layers = (found := seen(scene(64, 90))).layers
    classes = classify(layers["signal"], found.report.tau)
    changed = (layers["hdr_detail"] != layers["detail"]).any(0)
    assert not changed[classes == MEASURED].any()
    assert changed[classes == INVENTED].mean() > 0.3
    assert (layers["hdr_detail"] >= layers["detail"] - 1e-6).all()
    figures = Figures(found)
    assert figures.nets["measured"]["d_net_p99_of_size"] == 0
    assert figures.nets["invented"]["d_net_p99_of_size"] > 0


def test_figures_by_colour_science(seen: Seen) -> None:
    """Luminance of both pictures, levels, and shares."""
    found = seen(scene(64, 90))
    figures = Figures(found)
    bt2020 = colour.RGB_COLOURSPACES["ITU-R BT.2020"]
    light = found.hdr.light.transpose(1, 2, 0).astype(np.float64)
    expected = colour.RGB_to_XYZ(light, bt2020, apply_cctf_decoding=False)[..., 1] * 203
    np.testing.assert_allclose(figures.hdr_nits, expected, rtol=1e-4, atol=1e-4)
    sdr = colour.sRGB_to_XYZ(found.sdr.signal.transpose(1, 2, 0).astype(np.float64))[..., 1] * 203
    np.testing.assert_allclose(figures.sdr_nits, sdr, rtol=1e-3, atol=1e-3)
    told = figures.as_dict()
    assert told["max_cll"] == pytest.approx(light.max() * 203, rel=1e-3)
    assert told["luminance_nits"]["hdr"]["p50"] == pytest.approx(np.median(expected), rel=1e-3)
    assert sum(told["origin"].values()) == pytest.approx(1, abs=2e-6)
    assert told["luminance_share_above"]["203"] == pytest.approx((expected > 203).mean(), abs=1e-3)
    assert len(told["tone_curve"]["signal"]) == len(told["tone_curve"]["nits"][2]) == 17


def test_exposures_are_the_light_times_a_power_of_two(seen: Seen) -> None:
    found = seen(scene(64, 90))
    shown = views.exposed(found.hdr.light, -2)
    narrow = colour.RGB_to_RGB(
        found.hdr.light.transpose(1, 2, 0).astype(np.float64),
        colour.RGB_COLOURSPACES["ITU-R BT.2020"],
        colour.RGB_COLOURSPACES["ITU-R BT.709"],
    )
    expected = colour.eotf_inverse((narrow / 4).clip(0, 1), "sRGB") * 255
    assert np.abs(shown - expected).max() < 0.6


def test_the_heat_map_is_the_luminance(seen: Seen) -> None:
    """A picture of one grey: its colour on the map is that of its luminance on the scale."""
    figures = Figures(seen(np.full((60, 80, 3), 150, np.uint8), strength=0.0))
    (panel,) = [panel for panel in Panels(figures, 300).all() if panel.name == "heat-map"]
    nits = 203 * float(colour.eotf(150 / 255, "sRGB"))
    page = panel.page(300).canvas
    assert (page == false_color.color(nits)).all(-1).sum() >= 60 * 80


def test_classes_in_their_colours() -> None:
    """Equal structure: the shares of the colours are the shares of the pixels, whatever the size."""
    classes = np.repeat(np.uint8([0, 1, 2, 2]), 30)[None].repeat(60, 0)
    shown = views.of_classes(classes, np.full((30, 60, 3), 255, np.uint8))
    for index, color in enumerate(views.COLORS):
        assert (shown == color).all(-1).mean() == (0.25, 0.25, 0.5)[index]


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0 %"),
        (1e-6, "< 0.01 %"),
        (0.00456, "0.46 %"),
        (0.0456, "4.6 %"),
        (0.5, "50.0 %"),
        (0.9999999, "> 99.99 %"),
        (1.0, "100 %"),
    ],
)
def test_shares_in_words(share: float, words: str) -> None:
    assert percent(share) == words


def test_tiny_pictures_are_enlarged() -> None:
    assert views.legible(np.zeros((1, 1, 3), np.uint8)).shape == (240, 240, 3)
    assert views.legible(np.zeros((1, 1600, 3), np.uint8)).shape == (12, 1600, 3)
    assert views.legible(np.zeros((70, 90, 3), np.uint8)).shape == (140, 180, 3)
    assert views.legible(np.zeros((700, 900, 3), np.uint8)).shape == (700, 900, 3)


def test_observing_changes_nothing(seen: Seen, random_weights_folder: Path) -> None:
    pixels = scene(40, 60)
    plain = sdr2hdr.Converter(Settings(weights=random_weights_folder))(pixels)
    np.testing.assert_array_equal(seen(pixels).hdr.light, plain.light)
