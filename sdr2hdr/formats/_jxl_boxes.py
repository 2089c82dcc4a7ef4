"""JPEG XL files: a bare codestream, or boxes around one (ISO/IEC 18181-2)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sdr2hdr.formats._jxl_header import SIGNATURE
from sdr2hdr.formats._source import damaged

CONTAINER = b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a"

_FTYP = b"\x00\x00\x00\x14ftypjxl \x00\x00\x00\x00jxl "
_LEVEL = b"\x00\x00\x00\x09jxll"
_MAX_BROB = 1 << 24  # bytes of a compressed EXIF block or XMP packet, unpacked
_FIRST = 1 << 16  # bytes of the codestream in which its header ends
_SPLIT_LAST = 1 << 31  # mark of the last part of a codestream that is split


@dataclass(frozen=True)
class Boxes:
    """What a file consists of.

    codestream : joined
    level : 5 or 10: what a decoder has to be able to do
    exif : EXIF block, from its TIFF header on, or None; xmp : XMP packet or None
    jpeg : whether it holds what a JPEG is to be restored with, bit by bit
    """

    codestream: bytes
    level: int = 5
    exif: bytes | None = None
    xmp: bytes | None = None
    jpeg: bool = False


def start(data: bytes) -> bytes:
    """The codestream's first bytes, in which its header is.

    Raises
    ------
    InputError
        Cut off, or without a codestream.
    """
    if data.startswith(SIGNATURE):
        return data[:_FIRST]
    parts, length = [], 0
    for kind, begin, end in _boxes(data, partial=True):
        if kind in (b"jxlc", b"jxlp"):
            part = data[begin + 4 * (kind == b"jxlp") : min(end, begin + _FIRST)]
            parts.append(part)
            length += len(part)
            if kind == b"jxlc" or length >= _FIRST:
                break
    return b"".join(parts)


def parse(data: bytes) -> Boxes:
    """Take a file apart.

    Raises
    ------
    InputError
        Cut off, damaged, or without a codestream.
    """
    if data.startswith(SIGNATURE):
        return Boxes(data)
    found: dict[bytes, bytes] = {}
    parts: dict[int, bytes] = {}
    for kind, begin, end in _boxes(data):
        contents = data[begin:end]
        if kind == b"jxlp" and len(contents) >= 4:
            parts[int.from_bytes(contents[:4], "big") & ~_SPLIT_LAST] = contents[4:]
        elif kind == b"brob":
            found.setdefault(contents[:4], _unpacked(contents[:4], contents[4:]))
        else:
            found.setdefault(kind, contents)
    codestream = found.get(b"jxlc", b"".join(parts[i] for i in sorted(parts)))
    if not codestream:
        raise damaged("no picture in it")
    level = found.get(b"jxll", b"\x05")
    exif = found.get(b"Exif", b"")
    offset = 4 + int.from_bytes(exif[:4], "big")
    return Boxes(
        codestream, level[0] if level else 5, exif[offset:] or None, found.get(b"xml "), b"jbrd" in found
    )


def build(codestream: bytes, level: int, exif: bytes | None, xmp: bytes | None) -> bytes:
    """A file with boxes around a codestream, which comes last."""
    boxes = [CONTAINER, _FTYP]
    if level != 5:
        boxes.append(_LEVEL + bytes([level]))
    if exif is not None:
        boxes.append(_box(b"Exif", bytes(4) + exif))
    if xmp is not None:
        boxes.append(_box(b"xml ", xmp))
    return b"".join([*boxes, _box(b"jxlc", codestream)])


def read_xmp(stream: BinaryIO) -> bytes | None:
    """The XMP packet of a file that is whole and has its codestream last, which is not read; None for any other file.

    Raises
    ------
    OSError
        It cannot be read.
    """
    size = stream.seek(0, 2)
    stream.seek(0)
    if stream.read(len(CONTAINER)) != CONTAINER:
        return None
    xmp, at, kind = None, len(CONTAINER), b""
    while at < size:
        stream.seek(at)
        head = stream.read(16)
        if len(head) < 8:
            return None
        length, kind = struct.unpack_from(">I4s", head)
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack_from(">Q", head, 8)
        if not 8 <= length <= size - at:
            return None
        if kind == b"xml " and length < _MAX_BROB:
            stream.seek(at + 8)
            xmp = stream.read(length - 8)
        at += length
    return xmp if kind == b"jxlc" else None


def _box(kind: bytes, contents: bytes) -> bytes:
    if len(contents) + 8 < 1 << 32:
        return struct.pack(">I4s", len(contents) + 8, kind) + contents
    return struct.pack(">I4sQ", 1, kind, len(contents) + 16) + contents


def _boxes(data: bytes, partial: bool = False) -> Iterator[tuple[bytes, int, int]]:
    """Type, begin and end of every box's contents; with `partial`, the last one may be cut off."""
    if not data.startswith(CONTAINER):
        raise damaged("no header")
    at = len(CONTAINER)
    while at < len(data):
        if at + 8 > len(data):
            raise damaged("ends within a box")
        length, kind = struct.unpack_from(">I4s", data, at)
        begin, end = at + 8, at + length
        if length == 0:
            end = len(data)
        elif length == 1 and at + 16 <= len(data):
            begin, end = at + 16, at + int(struct.unpack_from(">Q", data, at + 8)[0])
        if end < begin or (end > len(data) and not partial):
            raise damaged("ends within a box")
        yield kind, begin, end
        at = end


def _unpacked(kind: bytes, compressed: bytes) -> bytes:
    """A compressed EXIF block or XMP packet; nothing if it is something else, too large or damaged."""
    import imagecodecs

    if kind not in (b"Exif", b"xml "):
        return b""
    try:
        return bytes(imagecodecs.brotli_decode(compressed, out=_MAX_BROB))
    except (imagecodecs.BrotliError, ValueError, RuntimeError):
        return b""
