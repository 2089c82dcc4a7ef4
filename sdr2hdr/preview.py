"""A sheet for any screen: the SDR picture beside its HDR version at several exposures.

What an SDR screen cannot show at once it can show one after the other. At 0 stops SDR white is white and all light
above it is clipped, so that this looks much like the photograph; every stop down lets twice as much light through.
An area that stays evenly grey there holds no more than the photograph had; one that shows shape is recovered light.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from sdr2hdr import rendition
from sdr2hdr.color.inplace import convert, srgb_light, srgb_signal
from sdr2hdr.drawing import labels, sheets
from sdr2hdr.drawing.labels import Pixels
from sdr2hdr.formats import EncodeOptions
from sdr2hdr.image import FloatArray, HdrImage

STOPS = (0, -1, -2, -3)
ROOM = (1080, 1920)  # height and width that the pictures share, pixels
LAYOUT = "1"  # word of the recipe: number of this sheet, to be raised when it changes
_IHDR_END = 33  # of a PNG's signature and first chunk


def exposed(light: FloatArray, stops: float = 0) -> Pixels:
    """HDR light as an SDR screen shows it at an exposure: SDR white times 2^stops is white, the rest is clipped.

    Parameters
    ----------
    light : (3, H, W), linear, BT.2020, 1.0 = SDR white

    Returns
    -------
    (H, W, 3) uint8, sRGB
    """
    narrow = convert(np.ascontiguousarray(light), "bt2020_to_bt709")
    narrow *= np.float32(2.0**stops)
    return _codes(narrow)


def sheet(image: HdrImage) -> Pixels:
    """The sheet as pixels, (H, W, 3) uint8, sRGB; the SDR picture is left out where it is not at hand.

    Everything is shrunk in linear light, so that a lamp keeps its light.

    Raises
    ------
    OutputError
        The light is not finite.
    """
    words = _words(image)
    height, width = image.size
    count = len(STOPS) + 1 + (image.sdr is not None)
    columns, size = _layout(height, width, count)
    light = _shrunk(image.light, size)
    cells = []
    small = replace(image, light=light, alpha=None)
    if image.sdr is not None:
        sdr = _shrunk(srgb_light()(np.ascontiguousarray(image.sdr.signal)), size)
        cells.append(labels.captioned(_codes(sdr), "SDR", "the photograph"))
        small = replace(small, sdr=replace(image.sdr, signal=srgb_signal()(sdr), alpha=None, data=None))
    for stops in STOPS:
        note = "SDR white is white" if not stops else f"{2**-stops} times SDR white is white"
        title = f"HDR, {stops} stop{'s' * (stops != -1)}"
        cells.append(labels.captioned(exposed(light, stops), title.replace("-", "−"), note))
    cells.append(
        labels.captioned(rendition.codes(small), "HDR, tone-mapped", "all of its light in one picture")
    )
    body = labels.Page(sheets.grid(cells, columns))
    return sheets.headed(body, "SDR and HDR", words).pixels


def _layout(height: int, width: int, count: int) -> tuple[int, tuple[int, int]]:
    """Columns, and the height and width of every picture: what makes the pictures largest."""

    def scale(columns: int) -> float:
        rows = -(-count // columns)
        return min(ROOM[0] / rows / height, ROOM[1] / columns / width, 1.0)

    columns = max(range(1, count + 1), key=lambda n: (scale(n), -(-count % n), n))
    factor = scale(columns)
    return columns, (max(1, round(height * factor)), max(1, round(width * factor)))


def _shrunk(linear: FloatArray, size: tuple[int, int]) -> FloatArray:
    """(3, H, W) to this height and width, area-averaged."""
    planes = [
        cv2.resize(np.ascontiguousarray(plane), size[::-1], interpolation=cv2.INTER_AREA) for plane in linear
    ]
    return np.stack(planes).astype(np.float32, copy=False)


def _codes(linear: FloatArray) -> Pixels:
    found: Pixels = np.rint(srgb_signal()(linear).transpose(1, 2, 0) * 255).astype(np.uint8)
    return found


def _words(image: HdrImage) -> list[str]:
    from sdr2hdr.formats._content_light import content_light

    levels = content_light(image)
    above = float((image.light.max(0) > 1).mean())
    facts = (
        f"SDR white {image.white_nits:.0f} cd/m², MaxCLL {levels.max_cll:.0f}, MaxFALL {levels.max_fall:.0f} cd/m², "
        f"{100 * above:.1f} % of the pixels above SDR white"
    )
    if look := image.recipe.get("look"):
        facts += f"; {look} look"
    return [
        facts,
        "What shows shape in the darker pictures, where the photograph is plain white, is recovered light.",
    ]


def encode(image: HdrImage, options: EncodeOptions) -> bytes:
    """The sheet as a PNG, sRGB, with the recipe in its XMP packet. Equal pictures give equal bytes.

    Raises
    ------
    OutputError
        The light is not finite.
    """
    from sdr2hdr.formats._png_chunks import xmp_chunk
    from sdr2hdr.formats._recipe import to_xmp

    data = labels.png(sheet(image))
    packet = to_xmp(image.recipe | words(options))
    return data[:_IHDR_END] + xmp_chunk(packet) + data[_IHDR_END:]


def words(options: EncodeOptions) -> dict[str, str]:
    """What the sheet depends on besides its light."""
    return {"preview": LAYOUT}


def read_recipe(path: Path) -> dict[str, str]:
    """The recipe in a sheet that `encode` made; empty for any other file, one that is cut off, and none."""
    from sdr2hdr.formats import _pq_png

    return _pq_png.read_recipe(path)
