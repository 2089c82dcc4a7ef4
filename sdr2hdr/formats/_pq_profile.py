"""An ICC profile for Rec.2100 PQ, made from the standards' numbers (ICC.1:2022, profile version 4.4).

Scaling: the white of the profile connection space is PQ's top, 10000 cd/m2 (the `lumi` tag says so). So the curve
is the PQ EOTF itself, nothing is clipped, and the `cicp` tag says the same thing as curve and colorants, as
ICC.1:2022 9.2.17 demands. Software that knows `cicp` shows the picture as HDR; software that only knows curves
shows it dark, SDR white at 2 % of its own, with every highlight intact (+5.6 stops of exposure bring it back).
A curve entry has 16 bits, steps of 0.15 cd/m2: such software sees 1 cd/m2 to 7 % only, and black below 0.08 cd/m2.
"""

import hashlib
import struct
from functools import cache

import numpy as np
import numpy.typing as npt

from sdr2hdr.color.primaries import adapt
from sdr2hdr.color.tables import table
from sdr2hdr.image import PQ_PEAK_NITS

Array = npt.NDArray[np.float64]
Fixed = npt.NDArray[np.int64]  # s15Fixed16Number

D50: Array = np.array([0.9642, 1.0, 0.8249])  # ICC.1:2022, 7.2.16
_ENTRIES = 4096
_CREATED = (
    2026,
    1,
    1,
    0,
    0,
    0,
)  # of the profile's design: a constant, so that equal pictures are equal files


@cache
def pq_profile() -> bytes:
    """The profile's bytes, the same at every call and on every machine."""
    xyz = table("bt2020_to_xyz")
    adaptation = adapt(xyz.sum(axis=1), D50)
    colorants = fixed(adaptation @ xyz)
    white = fixed(D50)
    colorants[:, 1] = white - colorants[:, 0] - colorants[:, 2]  # rounded, they still add up to white
    curve = b"curv" + struct.pack(">II", 0, _ENTRIES) + _pq_curve().astype(">u2").tobytes()
    tags = {
        b"desc": text_tag("Rec.2100 PQ"),
        b"cprt": text_tag("No copyright, use freely"),
        b"wtpt": xyz_tag(white),
        b"lumi": xyz_tag(fixed(np.array([0.0, PQ_PEAK_NITS, 0.0]))),
        b"chad": b"sf32" + bytes(4) + fixed(adaptation).astype(">i4").tobytes(),
        b"rXYZ": xyz_tag(colorants[:, 0]),
        b"gXYZ": xyz_tag(colorants[:, 1]),
        b"bXYZ": xyz_tag(colorants[:, 2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
        # ITU-T H.273: BT.2020 primaries, PQ, RGB (identity matrix), full range
        b"cicp": b"cicp" + bytes(4) + bytes([9, 16, 0, 1]),
    }
    return assemble(tags, white)


def _pq_curve() -> Array:
    """PQ EOTF (SMPTE ST 2084, 5.1) at equally spaced signals, 65535 = 10000 cd/m2, rounded."""
    m1, m2, c1, c2, c3 = table("pq")
    signal = np.linspace(0, 1, _ENTRIES) ** (1 / m2)
    curve: Array = np.rint(65535 * (np.maximum(signal - c1, 0) / (c2 - c3 * signal)) ** (1 / m1))
    return curve


def assemble(tags: dict[bytes, bytes], white: Fixed) -> bytes:
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


def fixed(value: Array) -> Fixed:
    """Numbers as s15Fixed16Number (ICC.1:2022, 4.6)."""
    return np.rint(value * 65536).astype(np.int64)


def xyz_tag(value: Fixed) -> bytes:
    """XYZType of one colour."""
    return b"XYZ " + bytes(4) + value.astype(">i4").tobytes()


def text_tag(text: str) -> bytes:
    """multiLocalizedUnicodeType with one entry, English (United States)."""
    encoded = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III", 0, 1, 12) + b"enUS" + struct.pack(">II", len(encoded), 28) + encoded
