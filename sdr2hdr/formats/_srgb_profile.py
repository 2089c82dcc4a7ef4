"""An ICC profile for sRGB (IEC 61966-2-1), made from the standards' numbers (ICC.1:2022, profile version 4.4)."""

import struct
from functools import cache

import numpy as np

from sdr2hdr.color.tables import table
from sdr2hdr.formats._icc_write import fixed, matrix_profile

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
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + fixed(np.array(_CURVE)).astype(">i4").tobytes()
    return matrix_profile("sRGB", table("bt2020_to_xyz") @ table("bt709_to_bt2020"), curve)
