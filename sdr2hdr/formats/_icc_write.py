"""Writing of ICC profiles of a curve and a matrix (ICC.1:2022, profile version 4.4)."""

import hashlib
import struct

import numpy as np
import numpy.typing as npt

from sdr2hdr.color.primaries import adapt

Array = npt.NDArray[np.float64]
Fixed = npt.NDArray[np.int64]  # s15Fixed16Number

D50: Array = np.array([0.9642, 1.0, 0.8249])  # ICC.1:2022, 7.2.16
# Of the profiles' design: a constant, so that equal pictures are equal files.
_CREATED = (2026, 1, 1, 0, 0, 0)


def matrix_profile(name: str, xyz: Array, curve: bytes, more: dict[bytes, bytes] | None = None) -> bytes:
    """A profile's bytes.

    Parameters
    ----------
    name : description
    xyz : (3, 3) from linear R, G, B to XYZ, not adapted
    curve : data of the tag that all three channels share
    more : further tags, by their signatures
    """
    adaptation = adapt(xyz.sum(axis=1), D50)
    colorants, white = fixed(adaptation @ xyz), fixed(D50)
    colorants[:, 1] = white - colorants[:, 0] - colorants[:, 2]  # rounded, they still add up to white
    tags = {
        b"desc": _text(name),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": xyz_tag(white),
        b"chad": b"sf32" + bytes(4) + fixed(adaptation).astype(">i4").tobytes(),
        b"rXYZ": xyz_tag(colorants[:, 0]),
        b"gXYZ": xyz_tag(colorants[:, 1]),
        b"bXYZ": xyz_tag(colorants[:, 2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    return _assemble(tags | (more or {}), white)


def fixed(value: Array) -> Fixed:
    """Numbers as s15Fixed16Number (ICC.1:2022, 4.6)."""
    return np.rint(value * 65536).astype(np.int64)


def xyz_tag(value: Fixed) -> bytes:
    """XYZType of one colour."""
    return b"XYZ " + bytes(4) + value.astype(">i4").tobytes()


def _text(text: str) -> bytes:
    """multiLocalizedUnicodeType with one entry, English (United States)."""
    encoded = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III", 0, 1, 12) + b"enUS" + struct.pack(">II", len(encoded), 28) + encoded


def _assemble(tags: dict[bytes, bytes], white: Fixed) -> bytes:
    """Header, tag table and data; equal data is stored once; the profile ID is filled in last."""
    data = bytearray()
    first = 128 + 4 + 12 * len(tags)
    rows, places = bytearray(struct.pack(">I", len(tags))), dict[bytes, int]()
    for name, value in tags.items():
        if value not in places:
            places[value] = first + len(data)
            data += value + bytes(-len(value) % 4)
        rows += name + struct.pack(">II", places[value], len(value))
    header = bytearray(128)
    struct.pack_into(">I", header, 0, first + len(data))
    header[8:12] = bytes([4, 0x40, 0, 0])  # version 4.4
    header[12:24] = b"mntrRGB XYZ "
    struct.pack_into(">6H", header, 24, *_CREATED)
    header[36:40] = b"acsp"
    struct.pack_into(">I", header, 64, 1)  # intent: media-relative colorimetric
    header[68:80] = white.astype(">i4").tobytes()
    profile = header + rows + data
    # 7.2.18: MD5 with flags, intent and the ID itself set to 0
    blank = profile[:44] + bytes(4) + profile[48:64] + bytes(4) + profile[68:84] + bytes(16) + profile[100:]
    profile[84:100] = hashlib.md5(blank, usedforsecurity=False).digest()
    return bytes(profile)
