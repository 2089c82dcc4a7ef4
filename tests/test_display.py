"""The promises of the display look, with the weights in the box."""

import colour
import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from quiet_pictures import HEIGHT, PICTURES, WIDTH

from sdr2hdr import Converter, Settings
from sdr2hdr.color.tables import table
from sdr2hdr.color.transfer import pq_encode
from sdr2hdr.image import HdrImage
from sdr2hdr.mask import CLIPPED_SIGNAL

CODES = 4095  # of 12 bits
Floats = npt.NDArray[np.floating]


@pytest.fixture(scope="module")
def converters() -> tuple[Converter, Converter]:
    """The display look, and the direct mapping."""
    settings = {"look": "display", "peak_nits": 10000.0, "precision": "fp32", "device": "cpu"}
    return Converter(Settings(**settings)), Converter(Settings(**settings, strength=0))  # type: ignore[arg-type]


def _pq(image: HdrImage) -> npt.NDArray[np.float32]:
    return pq_encode(torch.from_numpy(np.ascontiguousarray(image.light)) * image.white_nits).numpy()


def _encoded(linear: Floats, shoulder: float = 0.8) -> npt.NDArray[np.uint8]:
    """Light (H, W, 3), 1.0 = SDR white -> 8-bit codes, its highlights rolled off from signal `shoulder` on."""
    signal = colour.models.eotf_inverse_sRGB(np.maximum(linear, 0))
    above = np.maximum(signal - shoulder, 0) / (1 - shoulder)
    signal = np.where(signal > shoulder, shoulder + (1 - shoulder) * (1 - np.exp(-above)), signal)
    return np.rint(np.clip(signal, 0, 1) * 255).astype(np.uint8)


def _lamps(sky: float, radius: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Lamps with a glow over dark houses with lit windows."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    light = np.full((HEIGHT, WIDTH), sky)
    light[260:] = 0.02
    for _ in range(30):
        top, left = int(rng.integers(270, 440)), int(rng.integers(0, 620))
        light[top : top + 12, left : left + 8] = rng.uniform(0.3, 3)
    for at in (100, 320, 540):
        distance = np.hypot(y - 150, x - at)
        light += np.where(distance < radius, 20, 0) + 1.2 * np.exp(
            -np.maximum(distance - radius, 0) / (1.5 * radius)
        )
    return _encoded(light[..., None] * np.array([1, 0.9, 0.75]))


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_without_highlights_stays(name: str, converters: tuple[Converter, Converter]) -> None:
    picture = PICTURES[name]()
    display, direct = (_pq(convert(picture)) for convert in converters)
    change = np.abs(display - direct) * CODES
    assert change.mean() < 1, "12-bit codes, mean"
    assert change.max() < 4, "12-bit codes, largest"


@pytest.fixture(scope="module", params=[(0.01, 6), (0.05, 12), (0.01, 25)], ids=str)
def night(
    request: pytest.FixtureRequest, converters: tuple[Converter, Converter]
) -> tuple[npt.NDArray[np.uint8], HdrImage, HdrImage]:
    """A picture with lamps, in the display look and mapped directly."""
    picture = _lamps(*request.param)
    display, direct = converters
    return picture, display(picture), direct(picture)


def test_lamps_are_lifted_and_nothing_is_darkened(
    night: tuple[npt.NDArray[np.uint8], HdrImage, HdrImage],
) -> None:
    picture, display, direct = night
    lift = _pq(display) - _pq(direct)
    clipped = picture.min(-1) >= 253
    assert lift.max(0)[clipped].mean() > 0.03, "half a stop at least"
    assert lift.max(0).min() > -1 / CODES
    assert np.abs(lift[:, picture.max(-1) < 0.35 * 255]).max() < 1 / CODES, (
        "below the shoulders nothing moves"
    )


def test_hue_stays_within_three_degrees(night: tuple[npt.NDArray[np.uint8], HdrImage, HdrImage]) -> None:
    picture, display, direct = night
    a, b = (colour.RGB_to_ICtCp(image.rgb.astype(np.float64) * 203) for image in (display, direct))
    hue_a, hue_b = (np.degrees(np.arctan2(v[..., 2], v[..., 1])) for v in (a, b))
    lifted = (np.abs(a[..., 0] - b[..., 0]) > 0.005) & (picture.max(-1) < CLIPPED_SIGNAL * 255)
    lifted &= np.hypot(b[..., 1], b[..., 2]) > 0.01  # what is nearly grey has no hue
    assert lifted.sum() > 200
    assert np.abs((hue_a - hue_b + 180) % 360 - 180)[lifted].max() < 3


@pytest.mark.parametrize("look", ["display", "scene"])
def test_a_core_is_not_darker_than_its_rim(
    look: str, night: tuple[npt.NDArray[np.uint8], HdrImage, HdrImage]
) -> None:
    picture, image, _ = night
    if look == "scene":
        image = Converter(Settings(look="scene", peak_nits=10000, precision="fp32", device="cpu"))(picture)
    luminance = np.tensordot(table("bt2020_to_xyz")[1], image.light, 1)
    core = (picture.min(-1) >= 253).astype(np.uint8)
    count, labels = cv2.connectedComponents(core)
    checked = 0
    for label in range(1, count):
        inside = (labels == label).astype(np.uint8)
        if inside.sum() < 60:
            continue
        rim = (cv2.dilate(inside, np.ones((7, 7), np.uint8)) > 0) & (core == 0) & (picture.max(-1) >= 235)
        if rim.any():
            checked += 1
            assert luminance[inside > 0].mean() >= luminance[rim].mean()
    assert checked


def test_a_brighter_grey_never_comes_out_darker(converters: tuple[Converter, Converter]) -> None:
    picture = _lamps(0.01, 12)
    ramp = np.linspace(0, 255, WIDTH).round().astype(np.uint8)
    picture[400:] = ramp[None, :, None]
    luminance = np.tensordot(table("bt2020_to_xyz")[1], converters[0](picture).light, 1)[430]
    assert np.diff(luminance).min() > -0.001 * luminance.max()
    assert luminance[-1] > 1.2, "the ramp's end was lifted too, or this tests nothing"
