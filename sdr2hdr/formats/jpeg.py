"""JPEG: reading of 8 bits, sequential and progressive, grey, colour and CMYK. What is written is `uhdr`."""

import logging
import re

import numpy as np

from sdr2hdr.formats import _gain_map_find
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._examined import Examined
from sdr2hdr.formats._jpeg_colour import EOI, colour_of, pixels
from sdr2hdr.formats._jpeg_examined import examined, examined_inks
from sdr2hdr.formats._jpeg_segments import Segments, header, whole
from sdr2hdr.formats._signal import picture
from sdr2hdr.formats._source import NAME, damaged
from sdr2hdr.image import SdrImage

logger = logging.getLogger(__name__)

EXTENSIONS = (".jpg", ".jpeg", ".jpe")

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
    """Decode the file's first picture; what phones append to it (films, further pictures) is ignored.

    A gain map is left behind, too, with a warning: it holds the very light that is to be made up.

    Raises
    ------
    InputError
        Cut off or damaged, with or without an end marker.
    """
    found, codes = base(data)
    if gain_map := _gain_map_find.find(data, found):
        logger.warning(
            "%s: holds a gain map (%s), which is not used: its SDR picture is",
            NAME.get(),
            gain_map.kinds[0],
        )
    return _picture(data, found, codes)


def examine(data: bytes) -> Examined:
    """The picture for what it is, with a gain map, ISO's, Ultra HDR's or Apple's, applied in full.

    A gain map that is damaged leaves the SDR picture, with a note.

    Raises
    ------
    InputError
        The picture itself is cut off or damaged.
    """
    found, codes = base(data)
    if len(found.components) == 4:
        return examined_inks(_picture(data, found, codes))
    return examined(codes, found, _gain_map_find.find(data, found))


def _picture(data: bytes, found: Segments, codes: Codes) -> SdrImage:
    if len(found.components) == 4 and found.adobe:
        np.subtract(255, codes, out=codes)
    return picture(
        codes,
        form="jpeg",
        colour=len(found.components),
        profile=found.profile,
        exif=found.exif,
        xmp=found.xmp,
        data=data if colour_of(found) else None,
    )


def base(data: bytes) -> tuple[Segments, Codes]:
    """Segments and codes of the file's first picture, as stored.

    Raises
    ------
    InputError
        As `decode` does.
    """
    found = whole(data)
    codes = pixels(data[: found.end] + EOI)
    if codes.shape[:2] != (found.height, found.width):
        raise damaged("its size is not the header's")
    if _may_be_cut(found, codes) and not np.array_equal(codes, pixels(_prolonged(data, found))):
        raise damaged("its end marker comes before its last pixel")
    return found, codes


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
    return data[: found.end] + _NOISE + bytes([0xFF, 0xD0 + following]) + _NOISE + EOI
