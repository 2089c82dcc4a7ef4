"""Levels that files state of their light."""

import struct
from dataclasses import dataclass

import numpy as np

from sdr2hdr.color.tables import table
from sdr2hdr.formats._strips import strips
from sdr2hdr.image import PQ_PEAK_NITS, HdrImage

MASTERING_FLOOR_NITS = 0.005  # of the screen that a picture is meant for; what most HDR masters state
ROUND_NITS = 100.0  # its peak, where the recipe does not say it, is the brightest light rounded up to this

# Units of a mastering screen's levels and chromaticities (H.265, D.3.28; 23008-12, 6.5.20; PNG 3, 11.3.2.7).
STEP_NITS, STEP_XY = 0.0001, 0.00002


@dataclass(frozen=True)
class ContentLight:
    """Levels in cd/m2.

    max_cll : largest R, G or B of any pixel (CTA-861.3, MaxCLL of a single frame)
    max_fall : mean over the pixels of the largest of R, G, B (CTA-861.3, MaxFALL of a single frame)
    peak, floor : brightest and darkest light of the screen that it is made for (SMPTE ST 2086), BT.2020 and D65
    """

    max_cll: float
    max_fall: float
    peak: float
    floor: float = MASTERING_FLOOR_NITS


def content_light(image: HdrImage) -> ContentLight:
    """The levels of a picture.

    Raises
    ------
    OutputError
        Light or alpha is NaN or infinite.
    """
    largest, total = 0.0, 0.0
    for _, light, _ in strips(image):
        top = light.max(0)
        largest = max(largest, float(top.max()))
        total += float(top.sum(dtype=np.float64))
    height, width = image.size
    max_cll = min(largest * image.white_nits, PQ_PEAK_NITS)
    peak = float(image.recipe.get("peak", 0)) or np.ceil(max_cll / ROUND_NITS) * ROUND_NITS
    return ContentLight(max_cll, total / (height * width) * image.white_nits, max(float(peak), ROUND_NITS))


def mastering(light: ContentLight, order: str) -> bytes:
    """The screen that a picture is made for, as PNG, AVIF and HEIC store it: its primaries, white, peak and black.

    Parameters
    ----------
    order : of the primaries; "RGB" in PNG, "GBR" in AVIF and HEIC
    """
    xy = dict(zip("RGBW", table("chromaticities_bt2020").reshape(4, 2), strict=True))
    steps = [round(float(value) / STEP_XY) for name in order + "W" for value in xy[name]]
    return struct.pack(">8H2I", *steps, round(light.peak / STEP_NITS), round(light.floor / STEP_NITS))
