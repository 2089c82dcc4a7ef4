"""An ICC profile for sRGB (IEC 61966-2-1), made from the standards' numbers (ICC.1:2022, profile version 4.4)."""

import struct
from functools import cache

import numpy as np

from sdr2hdr.color.primaries import adapt
from sdr2hdr.color.tables import table
from sdr2hdr.formats._pq_profile import D50, assemble, fixed, text_tag, xyz_tag

_CURVE = (
    2.4,
    1 / 1.055,
    0.055 / 1.055,
    1 / 12.92,
    0.04045,
)  # gamma, a, b, c, d of ICC.1:2022, table 68, type 3


@cache
def srgb_profile() -> bytes:
    """The profile's bytes, the same at every call and on every machine."""
    xyz = table("bt2020_to_xyz") @ table("bt709_to_bt2020")
    adaptation = adapt(xyz.sum(axis=1), D50)
    colorants, white = fixed(adaptation @ xyz), fixed(D50)
    colorants[:, 1] = white - colorants[:, 0] - colorants[:, 2]  # rounded, they still add up to white
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + fixed(np.array(_CURVE)).astype(">i4").tobytes()
    tags = {
        b"desc": text_tag("sRGB"),
        b"cprt": text_tag("No copyright, use freely"),
        b"wtpt": xyz_tag(white),
        b"chad": b"sf32" + bytes(4) + fixed(adaptation).astype(">i4").tobytes(),
        b"rXYZ": xyz_tag(colorants[:, 0]),
        b"gXYZ": xyz_tag(colorants[:, 1]),
        b"bXYZ": xyz_tag(colorants[:, 2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    return assemble(tags, white)
