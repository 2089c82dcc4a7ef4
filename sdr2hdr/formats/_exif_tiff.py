"""EXIF of the source in a TIFF of ours, maker notes included.

An EXIF block is itself a TIFF: a header of 8 bytes, then directories and values that point at each other by offsets
from the block's start. So the block's body is put at the start of our file, at the offsets that it always had, in
its own byte order; only the first directory is made anew, by merging. Nothing is moved, so the offsets inside maker
notes, which only their makers understand, stay right as well.
"""

import logging
import struct
from dataclasses import dataclass

from sdr2hdr.formats import _ifd
from sdr2hdr.formats._exif_pq import blank_thumbnail, describe_pixels
from sdr2hdr.formats._ifd import EXIF, GPS, RATIONAL

_LOG = logging.getLogger(__name__)

# What the first directory keeps: make, model, date, artist, host, rating, copyright and Windows' XP words.
# Layout, colour and orientation describe the source's pixels; the program's name is ours.
_KEPT = {271, 272, 306, 315, 316, 18246, 18249, 33432, 40091, 40092, 40093, 40094, 40095}
_DESCRIPTION = 270
_RESOLUTION = _X, _Y, _UNIT = 282, 283, 296
_UNITS = (1, 2, 3)  # none, inch, centimetre (TIFF 6.0, section 8)

ExtraTag = tuple[int, int, int, bytes, bool]


@dataclass(frozen=True)
class ExifBlock:
    """An EXIF block made ready for a TIFF.

    byteorder : "<" or ">", which the file must have
    body : what follows the file's header of 8 bytes
    tags : for the first directory: code, type, count, value in the block's byte order, True
    pointers : code of a directory (Exif, GPS) and its offset in the file
    description : ImageDescription of the source, or None
    resolution : x and y as fractions and the unit's code, or None
    """

    byteorder: str = "<"
    body: bytes = b""
    tags: tuple[ExtraTag, ...] = ()
    pointers: tuple[tuple[int, int], ...] = ()
    description: bytes | None = None
    resolution: tuple[tuple[int, int], tuple[int, int], int] | None = None


def prepare(exif: bytes | None, size: tuple[int, int]) -> ExifBlock:
    """Take an EXIF block apart; `size` is the picture's height, width.

    The copy that goes beside PQ pixels says that its colours are not sRGB (ColorSpace: uncalibrated), has the size
    of the picture as it is now, and loses its SDR thumbnail. A block or directory that is damaged is left out with a
    warning: no picture fails because of it.
    """
    if exif is None:
        return ExifBlock()
    try:
        return _prepare(bytearray(exif), size)
    except (struct.error, ValueError) as error:
        _LOG.warning("the EXIF block is damaged (%s) and is left out", error)
        return ExifBlock()


def link(file: memoryview, codes: dict[int, int]) -> None:
    """Rename entries of a TIFF's first directory, old code to new, in place; their order must not change by it."""
    order, first = _ifd.header(file)
    for entry in _ifd.entries(file, order, first):
        if entry.code in codes:
            struct.pack_into(order + "H", file, entry.where, codes[entry.code])


def _prepare(block: bytearray, size: tuple[int, int]) -> ExifBlock:
    order, first = _ifd.header(block)
    main = {entry.code: entry for entry in _ifd.entries(block, order, first)}
    raw = {code: bytes(block[e.at : e.at + e.size]) for code, e in main.items()}
    tags = tuple(
        (code, main[code].kind, main[code].count, raw[code], True) for code in sorted(_KEPT & set(main))
    )
    pointers = []
    for code in EXIF, GPS:
        if code in main:
            offset = _ifd.number(block, order, main[code])
            directory = list(_ifd.entries(block, order, offset))
            if len(directory) < _ifd.count(block, order, offset):
                _LOG.warning("directory %d of the EXIF block is damaged and is left out", code)
                continue
            pointers.append((code, offset))
            if code == EXIF:
                describe_pixels(block, order, directory, size)
    resolution = None
    if set(_RESOLUTION) <= set(main) and main[_X].kind == main[_Y].kind == RATIONAL:
        x, y = (struct.unpack_from(order + "2I", raw[code]) for code in (_X, _Y))
        unit = _ifd.number(block, order, main[_UNIT])
        resolution = (x, y, unit) if unit in _UNITS else None
    description = raw[_DESCRIPTION].rstrip(b"\0 ") if _DESCRIPTION in main else None
    blank_thumbnail(block, order, first)
    return ExifBlock(order, bytes(block[8:]), tags, tuple(pointers), description, resolution)
