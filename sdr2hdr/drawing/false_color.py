"""False colours for luminance: dark to light, cool below SDR white, warm above it.

The scale is logarithmic from 0.05 to 10000 cd/m2. Lightness (CIELAB L*) rises evenly with it, so that the picture still
reads when it is printed in grey; hue tells the level: violet and blue for shadows, green just below SDR white (203
cd/m2), and from there gold, orange, salmon (1000 cd/m2), pink to white. The control points below are our own.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from sdr2hdr.color.tables import table
from sdr2hdr.drawing.labels import Pixels
from sdr2hdr.image import FloatArray

LOW_NITS, HIGH_NITS = 0.05, 10000.0
MARKS = (1.0, 10.0, 100.0, 203.0, 1000.0, 4000.0)  # cd/m2 that scales are labelled at
ENTRIES = 256

# cd/m2, CIELAB chroma and hue in degrees; linear between them in a* and b*. L* is `_lightness`.
CONTROLS = (
    (0.05, 12, 305),
    (0.5, 42, 302),
    (3.0, 48, 285),
    (15.0, 38, 245),
    (60.0, 38, 190),
    (190.0, 50, 152),
    (216.0, 66, 88),
    (450.0, 68, 70),
    (1000.0, 54, 48),
    (2200.0, 40, 22),
    (4500.0, 26, 350),
    (10000.0, 0, 350),
)
DARKEST, LIGHTEST = 6.0, 99.0  # L* of both ends


def position(nits: npt.ArrayLike) -> FloatArray:
    """Place on the scale, 0 at 0.05 cd/m2 and 1 at 10000 cd/m2; clamped."""
    level = np.log(np.maximum(np.asarray(nits, np.float32), np.float32(LOW_NITS)) / LOW_NITS) / np.log(
        HIGH_NITS / LOW_NITS
    )
    return np.asarray(np.minimum(level, 1), np.float32)


def nits_at(place: npt.ArrayLike) -> FloatArray:
    """Luminance at a place on the scale: the inverse of `position`."""
    return np.asarray(LOW_NITS * (HIGH_NITS / LOW_NITS) ** np.asarray(place, np.float64), np.float32)


@cache
def colors() -> Pixels:
    """The table, (256, 3): entry i stands for place i / 255."""
    place = np.linspace(0, 1, ENTRIES)
    at = position(np.array([nits for nits, _, _ in CONTROLS], np.float32))
    chroma, hue = np.array([[c, h] for _, c, h in CONTROLS]).T
    a, b = chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))
    lab = np.stack([_lightness(place), np.interp(place, at, a), np.interp(place, at, b)], 1)
    return _srgb(lab)


def color(nits: npt.ArrayLike) -> Pixels:
    """Luminance in cd/m2, any shape -> colours, that shape and 3."""
    entry = np.rint(position(nits) * (ENTRIES - 1)).astype(np.uint8)
    found: Pixels = colors()[entry]
    return found


def _lightness(place: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return DARKEST + (LIGHTEST - DARKEST) * place


def _srgb(lab: npt.NDArray[np.float64]) -> Pixels:
    """CIELAB (N, 3) under D65 (CIE 15, 8.2.1) -> sRGB codes, clipped into sRGB."""
    f = lab[:, :1] / 116 + 16 / 116 + lab[:, 1:] @ np.array([[1 / 500, 0, 0], [0, 0, -1 / 200]])
    f[:, 1] = (lab[:, 0] + 16) / 116
    ratio = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    to_xyz = table("bt2020_to_xyz") @ table("bt709_to_bt2020")
    light = np.linalg.solve(to_xyz, (ratio * to_xyz.sum(1)).T).T
    codes = np.interp(light, np.linspace(0, 1, len(table("linear_to_srgb"))), table("linear_to_srgb"))
    return np.rint(codes * 255).astype(np.uint8)
