"""EXIF blocks of what is read: how the camera was held, and a block for TIFFs, which keep theirs in the open."""

import struct
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sdr2hdr.formats import _ifd
from sdr2hdr.formats._ifd import EXIF, GPS, LONG, SHORT, Entry

_ORIENTATION = 274
_PREFIX = b"Exif\0\0"  # put before the block by JPEG, and by some writers of WebP and PNG
# Of a TIFF's first directory: description, make, model, resolution, software, date, artist, copyright.
_DESCRIPTIVE = {270, 271, 272, 282, 283, 296, 305, 306, 315, 33432}
_LOST = {
    0x927C,
    0xA005,
}  # maker's note, interoperability: hold offsets that would be wrong in a rebuilt block
_MAX_ENTRIES, _MAX_SIZE = 256, 1 << 16  # kept of a directory: a hostile file must not make a large block

Values = list[tuple[Entry, bytes]]


def plain(block: bytes | None) -> bytes | None:
    """The block from its TIFF header on, or None where that is missing."""
    block = block.removeprefix(_PREFIX) if block else b""
    try:
        _ifd.header(block)
    except (ValueError, struct.error):
        return None
    return block


def orientation(block: bytes | None) -> int:
    """Orientation 1..8 (TIFF 6.0, tag 274) that a plain block states; 1 where it states none, or nonsense."""
    order, entry = _orientation(block)
    value = _ifd.number(block, order, entry) if block and entry else 1
    return value if 1 <= value <= 8 else 1


def upright(block: bytes | None) -> bytes | None:
    """A plain block with orientation 1 where it states one."""
    order, entry = _orientation(block)
    if block is None or entry is None:
        return block
    edited = bytearray(block)
    struct.pack_into(order + ("H" if entry.kind == SHORT else "I"), edited, entry.at, 1)
    return bytes(edited)


def turn(pixels: npt.NDArray[Any], how: int) -> npt.NDArray[Any]:
    """Pixels (H, W) or (H, W, C), C <= 4, as they are to be looked at; `how` is the orientation 1..8."""
    if how in (5, 7):  # mirrored across a diagonal
        pixels = np.asarray(cv2.transpose(pixels))
    steps = {
        3: cv2.ROTATE_180,
        6: cv2.ROTATE_90_CLOCKWISE,
        7: cv2.ROTATE_180,
        8: cv2.ROTATE_90_COUNTERCLOCKWISE,
    }
    if how in steps:
        return np.asarray(cv2.rotate(pixels, steps[how]))
    if how in (2, 4):
        return np.asarray(cv2.flip(pixels, 1 if how == 2 else 0))
    return pixels


def turn_back(pixels: npt.NDArray[Any], how: int) -> npt.NDArray[Any]:
    """The inverse of `turn`: as they are stored."""
    return turn(pixels, {6: 8, 8: 6}.get(how, how))


def only_orientation(how: int) -> bytes:
    """A block that says nothing else."""
    return b"II" + struct.pack("<HIHHHIHHI", 42, 8, 1, _ORIENTATION, SHORT, 1, how, 0, 0)


def from_tiff(data: bytes) -> bytes | None:
    """A block of a TIFF's descriptive tags, EXIF and GPS directories; None for BigTIFF or where there are none.

    The maker's note stays behind: its offsets would be wrong in a smaller block.
    """
    try:
        order, offset = _ifd.header(data)
        first = {entry.code: entry for entry in _ifd.entries(data, order, offset)}
    except (ValueError, struct.error):
        return None
    below = {}
    for code in (EXIF, GPS):
        if code in first and first[code].kind == LONG:
            try:
                entries = list(_ifd.entries(data, order, _ifd.number(data, order, first[code])))
            except (ValueError, struct.error):
                continue
            if values := _values(data, entries):
                below[code] = values
    main = _values(data, [entry for code, entry in first.items() if code in _DESCRIPTIVE])
    return _block(order, main, below) if main or below else None


def _orientation(block: bytes | None) -> tuple[str, Entry | None]:
    """Byte order and the entry of a plain block's orientation."""
    if block is None:
        return "<", None
    order, offset = _ifd.header(block)
    try:
        for entry in _ifd.entries(block, order, offset):
            if entry.code == _ORIENTATION and entry.kind in (SHORT, LONG) and entry.count == 1:
                return order, entry
    except (ValueError, struct.error):
        pass
    return order, None


def _values(data: bytes, entries: list[Entry]) -> Values:
    """Entries worth keeping with their values, by code."""
    kept = {e.code: e for e in entries if e.code not in _LOST and e.size < _MAX_SIZE}
    return [
        (kept[code], data[kept[code].at : kept[code].at + kept[code].size])
        for code in sorted(kept)[:_MAX_ENTRIES]
    ]


def _block(order: str, main: Values, below: dict[int, Values]) -> bytes:
    """A block of one directory and those below it."""
    at = 8 + 2 + 12 * (len(main) + len(below)) + 4 + sum(_outside(value) for _, value in main)
    parts = []
    for code, values in below.items():
        main = [*main, (Entry(code, LONG, 1, 0, 0, 4), struct.pack(order + "I", at))]
        parts.append(_directory(order, values, at))
        at += len(parts[-1])
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return head + _directory(order, main, 8) + b"".join(parts)


def _outside(value: bytes) -> int:
    """Bytes that a value takes outside its entry, with padding to an even number."""
    return 0 if len(value) <= 4 else len(value) + len(value) % 2


def _directory(order: str, values: Values, at: int) -> bytes:
    """A directory that lies at `at`, with its values behind it."""
    table, outside = [struct.pack(order + "H", len(values))], []
    at += 2 + 12 * len(values) + 4
    for entry, value in values:
        table.append(struct.pack(order + "HHI", entry.code, entry.kind, entry.count))
        if _outside(value):
            table.append(struct.pack(order + "I", at))
            outside.append(value.ljust(_outside(value), b"\0"))
            at += _outside(value)
        else:
            table.append(value.ljust(4, b"\0"))
    return b"".join([*table, bytes(4), *outside])
