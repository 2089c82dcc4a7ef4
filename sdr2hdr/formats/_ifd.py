"""Directories (IFDs) of TIFF structures, which EXIF blocks are (TIFF 6.0, section 2; Exif 3.0, 4.6)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

Block = bytes | bytearray | memoryview
Value = str | bytes | tuple[int, ...] | tuple[Fraction, ...]

EXIF, GPS = 34665, 34853  # tags of the first directory that point at further ones
SHORT, LONG, RATIONAL = 3, 4, 5

_ASCII, _SRATIONAL = 2, 10
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes by type
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I"}  # struct's letters by type


@dataclass(frozen=True)
class Entry:
    """One entry of a directory; `where` is its offset, `at` and `size` are its value's."""

    code: int
    kind: int
    count: int
    where: int
    at: int
    size: int


def header(block: Block) -> tuple[str, int]:
    """Byte order as struct writes it ("<" or ">") and the offset of the first directory.

    Raises ValueError or struct.error if there is no TIFF header.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(block[:4]))
    if order is None:
        raise ValueError("no TIFF header")
    return order, int(struct.unpack_from(order + "I", block, 4)[0])


def count(block: Block, order: str, offset: int) -> int:
    """How many entries the directory at `offset` says it has."""
    if offset < 8:
        raise ValueError("a directory inside the header")
    return int(struct.unpack_from(order + "H", block, offset)[0])


def entries(block: Block, order: str, offset: int) -> Iterator[Entry]:
    """The sound entries of a directory: of known types, with values that lie in the block.

    Raises ValueError or struct.error where the directory itself does not.
    """
    for where in range(offset + 2, offset + 2 + 12 * count(block, order, offset), 12):
        code, kind, number = struct.unpack_from(order + "HHI", block, where)
        size = _SIZES.get(kind, 0) * number
        at = where + 8 if size <= 4 else struct.unpack_from(order + "I", block, where + 8)[0]
        if kind in _SIZES and at + size <= len(block):
            yield Entry(code, kind, number, where, at, size)


def value(block: Block, order: str, entry: Entry) -> Value:
    """An entry's value: text without its final zeros, whole numbers, fractions, or bytes for everything else.

    Raises ZeroDivisionError for a fraction over zero (EXIF's way to say unknown).
    """
    raw = bytes(block[entry.at : entry.at + entry.size])
    if entry.kind == _ASCII:
        return raw.decode("utf-8", "replace").rstrip("\0 ")
    if entry.kind in (RATIONAL, _SRATIONAL):
        numbers = struct.unpack(f"{order}{2 * entry.count}{'I' if entry.kind == RATIONAL else 'i'}", raw)
        return tuple(Fraction(a, b) for a, b in zip(numbers[::2], numbers[1::2], strict=True))
    if entry.kind in _INTEGERS:
        return struct.unpack(f"{order}{entry.count}{_INTEGERS[entry.kind]}", raw)
    return raw


def number(block: Block, order: str, entry: Entry) -> int:
    """A single whole number, SHORT or LONG."""
    return int(struct.unpack_from(order + ("H" if entry.kind == SHORT else "I"), block, entry.at)[0])
