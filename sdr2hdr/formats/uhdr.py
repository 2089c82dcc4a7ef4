"""Ultra HDR JPEG, written: an SDR picture that every program shows, and a gain map that makes it HDR.

What is read is a JPEG (`jpeg`), with or without a gain map.
"""

import logging
import math
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np

from sdr2hdr.color.inplace import convert, srgb_light, srgb_signal
from sdr2hdr.errors import OutputError
from sdr2hdr.formats import _gain_map, _jpeg_base, _mpf
from sdr2hdr.formats._content_light import content_light
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._exif import orientation, plain, turn, turn_back
from sdr2hdr.formats._gain_map_light import gains, quantised
from sdr2hdr.formats._jpeg_base import EXIF_MARK, MAX_SEGMENT, segment, with_segments
from sdr2hdr.formats._jpeg_colour import EOI, colour_of, pixels, rgb
from sdr2hdr.formats._jpeg_segments import XMP_MARK, parts, whole
from sdr2hdr.formats._options import EncodeOptions
from sdr2hdr.formats._recipe import from_xmp
from sdr2hdr.formats._srgb_profile import srgb_profile
from sdr2hdr.formats._xmp import packet
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray, HdrImage

logger = logging.getLogger(__name__)

EXTENSIONS = (".jpg", ".jpeg", ".jpe")  # to be written; what is read has `jpeg.EXTENSIONS`
SUMMARY = "an SDR JPEG, untouched where the source is one, and a gain map (ISO 21496-1 and XMP) behind it"
PEAK_NITS = 1000.0  # by default: what HDR screens are graded for

# The map has the base's size, so that no reader's way of enlarging it matters, and three channels, so that recovered
# light has its colour. Against that, at equal bytes, half the size in better quality is off by 1 to 3 dB more, and one
# channel by 10 to 20 dB.
BASE_QUALITY, MAP_QUALITY = 95, 85
_MAX_SIDE = 65500  # of a picture, in libjpeg
_LEAST_HEADROOM = 1 / 16  # log2; readers divide by it


def encode(image: HdrImage, options: EncodeOptions) -> bytes:
    """Ultra HDR file of the picture.

    Where it was made of a JPEG, that JPEG is the base, as `_jpeg_base.base` says; else the SDR picture is encoded
    once, without subsampling, with its EXIF. Transparent pictures are put on white: JPEG has no alpha. Equal
    pictures give equal bytes.

    Raises
    ------
    OutputError
        The light holds NaN or infinity, or the picture is too large for a JPEG.
    """
    if max(image.size) > _MAX_SIDE:
        raise OutputError(f"{image.size[1]} x {image.size[0]} pixels are too many for a JPEG; write an .exr")
    headroom = math.log2(content_light(image).peak / SDR_WHITE_NITS)
    kept = image.alpha is None and image.sdr is not None and image.sdr.size == image.size
    source = image.sdr.data if kept and image.sdr is not None else None
    if source is None:
        image = _on_white(image)
    jpeg = source or _encoded(image)
    found = whole(jpeg)
    colour = colour_of(found)
    assert colour is not None, "`SdrImage.data` and `_encoded` are JPEGs of known colour"
    how = orientation(plain(found.exif))
    codes = turn(rgb(pixels(jpeg[: found.end] + EOI)), how)
    map_codes, gain_map = quantised(gains(image, codes, colour), max(headroom, _LEAST_HEADROOM))
    data = _jpeg(turn_back(map_codes, how), MAP_QUALITY)
    segments = [
        segment(0xE1, XMP_MARK + packet([_gain_map.to_xmp(gain_map)])),
        segment(0xE2, _gain_map.to_iso(gain_map)),
    ]
    behind = with_segments(data, segments)
    base = _jpeg_base.base(
        jpeg[: found.after],
        len(behind),
        image.recipe,
        image.xmp,
        same_pixels=source is not None,
        strip=options.strip,
    )
    return base + behind


def _on_white(image: HdrImage) -> HdrImage:
    """Without alpha, on SDR white; light and SDR picture are mixed alike, as light."""
    if image.alpha is None:
        return image
    logger.warning("a JPEG has no transparency; the picture is put on white")
    through = np.clip(image.alpha, 0, 1)
    white = np.float32(SDR_WHITE_NITS / image.white_nits)
    sdr = image.sdr
    if sdr is not None and sdr.size == image.size:
        sdr = replace(
            sdr, signal=srgb_signal()(srgb_light()(sdr.signal) * through + (1 - through)), alpha=None
        )
    return replace(image, light=image.light * through + white * (1 - through), alpha=None, sdr=sdr)


def _encoded(image: HdrImage) -> bytes:
    """The SDR picture as a JPEG: that which it was made of, else its own light as far as white."""
    if image.sdr is not None and image.sdr.size == image.size:
        signal: FloatArray = image.sdr.signal
    else:
        light = convert(np.ascontiguousarray(image.light), "bt2020_to_bt709")
        signal = srgb_signal()(light * np.float32(image.white_nits / SDR_WHITE_NITS))
    codes = np.rint(signal.clip(0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    data = _jpeg(codes, BASE_QUALITY)
    segments = [segment(0xE2, b"ICC_PROFILE\0\1\1" + srgb_profile())]
    block = EXIF_MARK + (image.exif or b"")
    if image.exif and len(block) > MAX_SEGMENT:
        logger.warning("the EXIF block does not fit into a JPEG and is left out")
    elif image.exif:
        segments.insert(0, segment(0xE1, block))
    return with_segments(data, segments)


def _jpeg(codes: Codes, quality: int) -> bytes:
    """A JPEG of codes (H, W, 3), uint8, any strides."""
    whole = np.empty(codes.shape, np.uint8)  # imagecodecs minds strides, even of axes of length 1
    whole[...] = codes
    return bytes(imagecodecs.jpeg8_encode(whole, level=quality, subsampling="444", optimize=True))


def words(options: EncodeOptions) -> dict[str, str]:
    """What the options add to the recipe: nothing: none is about these files."""
    return {}


def read_recipe(path: Path) -> dict[str, str]:
    """The recipe in a file that `encode` made; empty for any other file, one that is cut off, and none.

    Pixels are not read.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    if not data.startswith(b"\xff\xd8\xff"):
        return {}
    found: dict[str, str] = {}
    end = 0
    for marker, start, stop in parts(data, 0, len(data)):
        if marker == 0xE1 and data.startswith(XMP_MARK, start):
            found = found or from_xmp(data[start + len(XMP_MARK) : stop])
        elif marker == 0xE2 and data.startswith(_mpf.MARK, start):
            end = max((begin + size for begin, size in _mpf.pictures(data[start:stop], start)), default=0)
    return found if end == len(data) else {}
