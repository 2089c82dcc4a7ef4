"""EXIF of the source beside PQ pixels, for containers that take the whole block as it is (PNG, JPEG XL, AVIF, HEIC).

What the block says of the pixels is made true; everything else, maker notes included, stays where it was.
"""

import logging
import struct

from sdr2hdr.formats import _ifd
from sdr2hdr.formats._ifd import EXIF, LONG, SHORT

_LOG = logging.getLogger(__name__)

_COLOR_SPACE, _WIDTH, _HEIGHT = 0xA001, 0xA002, 0xA003
_UNCALIBRATED = 0xFFFF
_THUMBNAIL_AT, _THUMBNAIL_SIZE = 513, 514


def beside_pq(exif: bytes | None, size: tuple[int, int]) -> bytes | None:
    """The block without its SDR thumbnail; colour space uncalibrated, the picture's size (height, width) as it is now.

    None where there is none, or where it is damaged, with a warning: no picture fails because of it.
    """
    if exif is None:
        return None
    block = bytearray(exif)
    try:
        order, first = _ifd.header(block)
        for entry in _ifd.entries(block, order, first):
            if entry.code == EXIF:
                directory = list(_ifd.entries(block, order, _ifd.number(block, order, entry)))
                describe_pixels(block, order, directory, size)
        blank_thumbnail(block, order, first)
        struct.pack_into(order + "I", block, _next(block, order, first), 0)
    except (struct.error, ValueError) as error:
        _LOG.warning("the EXIF block is damaged (%s) and is left out", error)
        return None
    return bytes(block)


def describe_pixels(block: bytearray, order: str, directory: list[_ifd.Entry], size: tuple[int, int]) -> None:
    """Colour space and size in the Exif directory, in place."""
    facts = {_COLOR_SPACE: _UNCALIBRATED, _WIDTH: size[1], _HEIGHT: size[0]}
    for entry in directory:
        if entry.code in facts and entry.kind in (SHORT, LONG):
            form, limit = ("H", 0xFFFF) if entry.kind == SHORT else ("I", 0xFFFFFFFF)
            struct.pack_into(order + form, block, entry.at, min(facts[entry.code], limit))


def blank_thumbnail(block: bytearray, order: str, first: int) -> None:
    """Zeros for the thumbnail, which nothing will point to any more; `first` is where the first directory is."""
    try:
        (second,) = struct.unpack_from(order + "I", block, _next(block, order, first))
        found = {entry.code: _ifd.number(block, order, entry) for entry in _ifd.entries(block, order, second)}
        start, size = found[_THUMBNAIL_AT], found[_THUMBNAIL_SIZE]
    except (struct.error, ValueError, KeyError):
        return  # there is none
    if start >= 8 and start + size <= len(block):
        block[start : start + size] = bytes(size)


def _next(block: bytearray, order: str, first: int) -> int:
    """Where the first directory says where the second is."""
    return first + 2 + 12 * _ifd.count(block, order, first)
