"""Radiance pictures (.hdr): linear light in 32 bits a pixel, for lighting and rendering."""

import logging
from pathlib import Path

import numpy as np

from sdr2hdr.color.inplace import convert
from sdr2hdr.color.tables import table
from sdr2hdr.errors import OutputError
from sdr2hdr.formats import _radiance_header
from sdr2hdr.formats._options import EncodeOptions
from sdr2hdr.formats._radiance_examined import examined as examine
from sdr2hdr.formats._radiance_header import MAGICS
from sdr2hdr.formats._recipe import SOFTWARE, full
from sdr2hdr.formats._strips import strips
from sdr2hdr.image import FloatArray, HdrImage

__all__ = [
    "EXTENSIONS",
    "LOOK",
    "PEAK_NITS",
    "SUMMARY",
    "dimensions",
    "encode",
    "examine",
    "read_recipe",
    "sniff",
    "words",
]

EXTENSIONS = (".hdr",)
SUMMARY = "linear light, BT.709, 8 bits a channel and a common exponent (RGBE)"
PEAK_NITS = 10000.0  # by default: all the light there is
LOOK = "scene"

_LOG = logging.getLogger(__name__)
_LEVELS = 256  # of the largest channel's mantissa
_DARKEST = -106  # exponent: OpenCV writes 0 for less than 1e-32


def sniff(head: bytes) -> bool:
    """Whether a file begins as Radiance pictures do."""
    return head.startswith(MAGICS)


def dimensions(data: bytes) -> tuple[int, int]:
    """Height, width as they are to be looked at, from the line before the pixels."""
    return _radiance_header.parse(data).size


def encode(image: HdrImage, options: EncodeOptions) -> bytes:
    """Radiance file of the picture: BT.709 primaries, which nearly all readers assume, 1.0 = `white_nits`.

    The format has no negative numbers: colours outside BT.709 are mixed with grey of their own luminance until they
    are inside. Mantissas are rounded to nearest, for readers that take them as they are (OpenCV, OpenImageIO, stb and
    most others). The recipe is in comment lines, and so is the luminance of 1.0. There is no alpha, EXIF or XMP.

    Raises
    ------
    OutputError
        Light or alpha is NaN or infinite.
    """
    import cv2

    if image.alpha is not None:
        _LOG.warning("a Radiance picture has no alpha: it is left out")
    pixels: FloatArray = np.empty((*image.size, 3), np.float32)
    for rows, light, _ in strips(image):
        pixels[rows] = _rounded(_inside_bt709(light)).transpose(1, 2, 0)[..., ::-1]
    done, coded = cv2.imencode(".hdr", pixels)
    if not done:
        raise OutputError("OpenCV cannot write it as a Radiance picture; write an .exr")
    begin = _radiance_header.parse(coded.tobytes()).pixels
    return _radiance_header.build(coded.tobytes()[begin:], image.size, _comments(image), SOFTWARE)


def words(options: EncodeOptions) -> dict[str, str]:
    """What the options add to the recipe: nothing: none is about these files."""
    return {}


def read_recipe(path: Path) -> dict[str, str]:
    """The recipe in a file that `encode` made; empty for any other file, one that is cut off, and none.

    Pixels are not read.
    """
    try:
        return _radiance_header.recipe_of(path)
    except OSError:
        return {}


def _comments(image: HdrImage) -> list[str]:
    white = f"{image.white_nits:g}"
    recipe = full(image.recipe)
    return [
        *(f"{_radiance_header.PREFIX}{key}={word}" for key, word in recipe.items()),
        f"{_radiance_header.WHITE}={white}",
        f"Linear light, BT.709 primaries, 1.0 = SDR white = {white} cd/m2.",
    ]


def _inside_bt709(light: FloatArray) -> FloatArray:
    """BT.2020 light (3, h, W) in BT.709, without negative values: luminance and hue kept, saturation not."""
    light = np.maximum(light, 0)
    luminance = np.tensordot(table("bt2020_to_xyz")[1].astype(np.float32), light, 1)
    inside = convert(light, "bt2020_to_bt709")
    lowest = inside.min(0)
    outside = lowest < 0
    share = np.ones_like(luminance)
    np.divide(luminance, luminance - lowest, out=share, where=outside)
    inside = luminance + share * (inside - luminance)
    return np.maximum(inside, 0, out=inside)


def _rounded(light: FloatArray) -> FloatArray:
    """What RGBE can hold exactly, nearest to the light (3, h, W); OpenCV cuts off what it cannot hold."""
    mantissa, exponent = np.frexp(light.max(0))
    exponent += mantissa >= 1 - 0.5 / _LEVELS  # rounded up, it has the next exponent
    step = np.ldexp(np.float32(1 / _LEVELS), np.maximum(exponent, _DARKEST))
    return np.asarray(np.rint(light / step) * step, np.float32)
