"""The display look keeps the colour of what is not clipped."""

import colour
import numpy as np
import numpy.typing as npt

from sdr2hdr.color import inplace
from sdr2hdr.color.tables import table
from sdr2hdr.mask import CLIPPED_SIGNAL
from sdr2hdr.render import render

RNG = np.random.default_rng(0)
Floats = npt.NDArray[np.float32]


def _curve(ends: tuple[float, float, float]) -> inplace.Lookup:
    """A tone curve that raises each channel differently from signal 0.5 on, by up to `ends`."""
    ramp = np.linspace(0, 1, 65536)
    rise = 1 + np.clip(ramp - 0.5, 0, None) * 2 * (np.array(ends)[:, None] - 1)
    return inplace.Lookup((colour.models.eotf_sRGB(ramp) * rise).astype(np.float32))


def _hue(light: Floats) -> tuple[Floats, Floats]:
    """Hue in degrees and chroma in ICtCp (BT.2100), light (3, H, W)."""
    ictcp = colour.RGB_to_ICtCp(light.transpose(1, 2, 0).astype(np.float64) * 203)
    return np.degrees(np.arctan2(ictcp[..., 2], ictcp[..., 1])), np.hypot(ictcp[..., 1], ictcp[..., 2])


def _rendered(signal: Floats, keep: bool) -> Floats:
    return render(
        signal, _curve((4.0, 1.5, 1.0)), None, 1.0, 203, 10000, keep_colour=keep
    ).light  # a curve that would turn every hue


def test_hue_stays_within_three_degrees() -> None:
    signal = (RNG.random((3, 90, 110)) ** 0.5 * CLIPPED_SIGNAL).astype(np.float32)
    direct = render(signal, inplace.srgb_light(), None, 1.0, 203, 10000).light
    hue, chroma = _hue(direct)
    turned = {}
    for keep in (True, False):
        light = _rendered(signal, keep)
        assert light.max() > 1.2, "something was raised"
        distance = np.abs((_hue(light)[0] - hue + 180) % 360 - 180)
        turned[keep] = float(distance[chroma > 0.01].max())
    assert turned[True] < 3 < turned[False]


def test_luminance_is_that_of_the_curve() -> None:
    signal = RNG.random((3, 40, 50)).astype(np.float32)
    signal[:, :10] = 1
    kept, free = _rendered(signal, True), _rendered(signal, False)
    weights = table("bt2020_to_xyz")[1]
    np.testing.assert_allclose(np.tensordot(weights, kept, 1), np.tensordot(weights, free, 1), rtol=1e-4)
    assert np.ptp(free[:, 0, 0]) > 1
    assert np.ptp(kept[:, 0, 0]) < 0.3 * np.ptp(free[:, 0, 0]), "white is nearer to white"


def test_where_nothing_is_raised_nothing_changes() -> None:
    signal = (RNG.random((3, 30, 40)) * 0.49).astype(np.float32)
    direct = render(signal, inplace.srgb_light(), None, 1.0, 203, 10000).light
    np.testing.assert_allclose(_rendered(signal, True), direct, rtol=2e-5)
