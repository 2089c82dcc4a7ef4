"""Chunks of PNG files (PNG 3, 5)."""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from sdr2hdr.formats._source import damaged

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = b"XML:com.adobe.xmp"
END = b"\0\0\0\0IEND\xaeB`\x82"

_MAX_TEXT = 1 << 24  # bytes of a profile or an XMP packet once inflated


def chunk(name: bytes, data: bytes) -> bytes:
    """A whole chunk."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and end of every chunk's data, up to IEND.

    Raises
    ------
    InputError
        A critical chunk's checksum is wrong, or the file ends before IEND.
    """
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            break
        if name != b"IDAT" and zlib.crc32(data[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            if name[:1].isupper():  # critical (PNG 3, 5.4); the others may be left out
                raise damaged(f"checksum of {name.decode('ascii', 'replace')}")
        else:
            yield name, at + 8, end
        if name == b"IEND":
            return
        at = end + 4
    raise damaged("no end chunk")


def xmp_chunk(packet: bytes) -> bytes:
    """An iTXt chunk of an XMP packet, uncompressed, so that any program finds it (XMP part 3, 1.1.5)."""
    return chunk(b"iTXt", XMP_KEYWORD + b"\0" + b"\0\0" + b"\0" + b"\0" + packet)


def xmp_packet(text: bytes) -> bytes | None:
    """The XMP packet in an iTXt chunk's data; None if it holds something else."""
    keyword, _, rest = text.partition(b"\0")
    if keyword != XMP_KEYWORD or len(rest) < 4:
        return None
    compressed = rest[0] == 1
    _, _, rest = rest[2:].partition(b"\0")  # language
    _, _, packet = rest.partition(b"\0")  # translated keyword
    return _inflated(packet) if compressed else packet


def profile_of(iccp: bytes) -> bytes:
    """The profile in an iCCP chunk's data; empty if it cannot be inflated, which its reader will complain about."""
    return _inflated(iccp[iccp.find(b"\0") + 2 :])  # after name, null, method


def before_pixels(stream: BinaryIO) -> dict[bytes, list[bytes]]:
    """Data of the chunks before the first IDAT, by name, of a file that is whole; empty for any other file.

    Raises
    ------
    OSError
        It cannot be read.
    """
    size = stream.seek(0, 2)
    stream.seek(max(0, size - len(END)))
    if stream.read() != END:
        return {}
    stream.seek(0)
    if stream.read(len(SIGNATURE)) != SIGNATURE:
        return {}
    found: dict[bytes, list[bytes]] = {}
    while len(head := stream.read(8)) == 8 and head[4:] != b"IDAT":
        length, name = struct.unpack(">I4s", head)
        if length > _MAX_TEXT:
            return {}
        found.setdefault(name, []).append(stream.read(length))
        stream.seek(4, 1)
    return found


def _inflated(data: bytes) -> bytes:
    """A zlib stream's contents, cut off at a sensible size; nothing if it is damaged."""
    try:
        return zlib.decompressobj().decompress(data, _MAX_TEXT)
    except zlib.error:
        return b""
