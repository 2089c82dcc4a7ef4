"""JPEG, read only: 8 bits, sequential and progressive; grey, colour and CMYK."""

import re

import imagecodecs
import numpy as np

from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._jpeg_segments import Segments, header, whole
from sdr2hdr.formats._signal import picture
from sdr2hdr.formats._source import damaged
from sdr2hdr.image import SdrImage

EXTENSIONS = (".jpg", ".jpeg", ".jpe")

_EOI = b"\xff\xd9"
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_NOISE = np.random.default_rng(0).integers(0, 255, 256, np.uint8).tobytes()  # entropy-coded data; no 0xFF
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as JFIF has it


def sniff(head: bytes) -> bool:
    """Whether a file begins as JPEG files do."""
    return head.startswith(b"\xff\xd8\xff")


def dimensions(data: bytes) -> tuple[int, int]:
    """Height, width as stored, from the frame header."""
    found = header(data)
    return found.height, found.width


def decode(data: bytes) -> SdrImage:
    """Decode the file's first picture; what phones append to it (gain maps, films) is ignored.

    Raises
    ------
    InputError
        Cut off or damaged, with or without an end marker.
    """
    found = whole(data)
    codes = _pixels(data[: found.end] + _EOI)
    if codes.shape[:2] != (found.height, found.width):
        raise damaged("its size is not the header's")
    if _may_be_cut(found, codes) and not np.array_equal(codes, _pixels(_prolonged(data, found))):
        raise damaged("its end marker comes before its last pixel")
    if len(found.components) == 4 and found.adobe:
        np.subtract(255, codes, out=codes)
    return picture(codes, form="jpeg", colour=len(found.components), profile=found.profile, exif=found.exif)


def _pixels(data: bytes) -> Codes:
    try:
        codes: Codes = imagecodecs.jpeg8_decode(data)
    except (imagecodecs.Jpeg8Error, ValueError, RuntimeError) as error:
        raise damaged(error) from error
    return codes


def _may_be_cut(found: Segments, codes: Codes) -> bool:
    """Whether entropy-coded data may have ended before the picture did.

    The decoder fills silently. In a file of one Huffman-coded scan it fills with mid-grey, so a last pixel of another
    luminance clears the picture (up to its last block). All others are decoded a second time with noise before the end
    marker: where a picture was complete, that changes nothing.
    """
    if found.scans > 1 or found.frame not in (0xC0, 0xC1) or len(found.components) == 4:
        return True
    luma = float(codes[-1, -1] @ _LUMA) if len(found.components) == 3 else float(codes[-1, -1])
    return abs(luma - 128) < 3


def _prolonged(data: bytes, found: Segments) -> bytes:
    """The picture with noise behind its last scan, as the rest of a restart interval and as the next one."""
    restarts = _RESTART.findall(data, found.begin, found.end)
    following = (restarts[-1][1] + 1) % 8 if restarts else 0
    return data[: found.end] + _NOISE + bytes([0xFF, 0xD0 + following]) + _NOISE + _EOI
