"""WebP, read only: lossy, lossless, alpha; first frame of an animation."""

import struct
from collections.abc import Iterator

import imagecodecs

from sdr2hdr.formats._signal import picture
from sdr2hdr.formats._source import damaged
from sdr2hdr.image import SdrImage

EXTENSIONS = (".webp",)


def sniff(head: bytes) -> bool:
    """Whether a file is a RIFF of kind WEBP."""
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def dimensions(data: bytes) -> tuple[int, int]:
    """Height, width as stored, from the first chunk (RFC 9649, 2.4 to 2.7)."""
    for name, chunk in _chunks(data):
        if name == b"VP8X" and len(chunk) >= 10:
            width, height = (int.from_bytes(chunk[i : i + 3], "little") + 1 for i in (4, 7))
            return height, width
        if name == b"VP8 " and len(chunk) >= 10 and chunk[3:6] == b"\x9d\x01\x2a":
            width, height = struct.unpack_from("<HH", chunk, 6)
            return height & 0x3FFF, width & 0x3FFF
        if name == b"VP8L" and len(chunk) >= 5 and chunk[0] == 0x2F:
            (bits,) = struct.unpack_from("<I", chunk, 1)
            return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
        break
    raise damaged("no header")


def decode(data: bytes) -> SdrImage:
    """Decode.

    Raises
    ------
    InputError
        Cut off or damaged.
    """
    chunks = dict(_chunks(data))
    try:
        codes = imagecodecs.webp_decode(data)
    except (imagecodecs.WebpError, ValueError, RuntimeError) as error:
        raise damaged(error) from error
    if codes.shape[:2] != dimensions(data):
        raise damaged("its size is not the header's")
    return picture(
        codes,
        form="webp",
        profile=chunks.get(b"ICCP"),
        exif=chunks.get(b"EXIF"),
        xmp=chunks.get(b"XMP "),
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and contents of every chunk (RFC 9649, 2.3)."""
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > len(data):
            raise damaged("ends within a chunk")
        yield name, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
