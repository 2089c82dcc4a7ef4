"""An ICC profile for Rec.2100 PQ, made from the standards' numbers (ICC.1:2022, profile version 4.4).

Scaling: the white of the profile connection space is PQ's top, 10000 cd/m2 (the `lumi` tag says so). So the curve
is the PQ EOTF itself, nothing is clipped, and the `cicp` tag says the same thing as curve and colorants, as
ICC.1:2022 9.2.17 demands. Software that knows `cicp` shows the picture as HDR; software that only knows curves
shows it dark, SDR white at 2 % of its own, with every highlight intact (+5.6 stops of exposure bring it back).
A curve entry has 16 bits, steps of 0.15 cd/m2: such software sees 1 cd/m2 to 7 % only, and black below 0.08 cd/m2.
"""

import struct
from functools import cache

import numpy as np

from sdr2hdr.color.tables import table
from sdr2hdr.formats._icc import Array
from sdr2hdr.formats._icc_write import fixed, matrix_profile, xyz_tag
from sdr2hdr.image import PQ_PEAK_NITS

_ENTRIES = 4096


@cache
def pq_profile() -> bytes:
    """The profile's bytes, the same at every call and on every machine."""
    more = {
        b"lumi": xyz_tag(fixed(np.array([0.0, PQ_PEAK_NITS, 0.0]))),
        # ITU-T H.273: BT.2020 primaries, PQ, RGB (identity matrix), full range
        b"cicp": b"cicp" + bytes(4) + bytes([9, 16, 0, 1]),
    }
    curve = b"curv" + struct.pack(">II", 0, _ENTRIES) + _pq_curve().astype(">u2").tobytes()
    return matrix_profile("Rec.2100 PQ", table("bt2020_to_xyz"), curve, more)


def _pq_curve() -> Array:
    """PQ EOTF (SMPTE ST 2084, 5.1) at equally spaced signals, 65535 = 10000 cd/m2, rounded."""
    m1, m2, c1, c2, c3 = table("pq")
    signal = np.linspace(0, 1, _ENTRIES) ** (1 / m2)
    curve: Array = np.rint(65535 * (np.maximum(signal - c1, 0) / (c2 - c3 * signal)) ** (1 / m1))
    return curve
