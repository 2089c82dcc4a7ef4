"""Light as whole numbers in a few bytes, which the page's script unpacks (`light.js`).

A picture file would have to go through the browser's decoder, which gives 8 bits, and may match colours to the screen;
these codes reach the script as they are. They are PQ codes (SMPTE ST 2084) of BT.2020 light, `bits` per channel. The
planes are G, R - G and B - G; of each pixel only the difference to the median predictor of its neighbours is kept
(M. J. Weinberger et al., "The LOCO-I lossless image compression algorithm", IEEE Trans. Image Process. 9(8), 2000,
eq. 1), as 2d or -2d - 1. All low bytes, then all high bytes, go through zlib's deflate (RFC 1950).
"""

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sdr2hdr.color import inplace
from sdr2hdr.image import FloatArray

BITS = (12, 11, 10)  # from the finest
LEAST_NITS = 1.0  # relative errors are told from here on
Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Packed:
    """Light in few bytes.

    bits : of a code
    data : as the module's docstring says
    error : largest relative error of a channel above 1 cd/m2
    """

    bits: int
    data: bytes
    error: float


def pack(nits: FloatArray, bits: int) -> Packed:
    """Pack light.

    Parameters
    ----------
    nits : (3, H, W) float32 in cd/m2, linear BT.2020; clamped to 0 .. 10000
    bits : per channel, 10 to 12
    """
    top = 2**bits - 1
    signal = np.array(nits, np.float32)
    inplace.pq_encode(signal)
    codes = np.rint(signal * top).astype(np.int32)
    red, green, blue = codes
    rest = np.stack([_folded(plane - _predicted(plane)) for plane in (green, red - green, blue - green)])
    shuffled = np.stack([rest & 255, rest >> 8]).astype(np.uint8)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
    data = squeeze.compress(shuffled.tobytes()) + squeeze.flush()
    return Packed(bits, data, _error(nits, codes, top))


def levels(bits: int) -> FloatArray:
    """What the codes stand for, (2^bits,), cd/m2."""
    signal = np.linspace(0, 1, 2**bits, dtype=np.float32)
    inplace.pq_decode(signal)
    return signal


def _predicted(plane: Codes) -> Codes:
    """The median of left, above, and left + above - left above; in the first row the left one, in the first column the
    one above, at first 0."""
    left, above, corner = np.zeros((3, *plane.shape), np.int32)
    left[:, 1:], above[1:], corner[1:, 1:] = plane[:, :-1], plane[:-1], plane[:-1, :-1]
    guess: Codes = np.clip(left + above - corner, np.minimum(left, above), np.maximum(left, above))
    guess[0], guess[:, 0] = left[0], above[:, 0]
    return guess


def _folded(difference: Codes) -> Codes:
    """0, -1, 1, -2, 2, ... -> 0, 1, 2, 3, 4, ..."""
    return np.where(difference < 0, -2 * difference - 1, 2 * difference).astype(np.int32)


def _error(nits: FloatArray, codes: Codes, top: int) -> float:
    told = levels((top + 1).bit_length() - 1)[codes]
    held = np.clip(nits, 0, 10000)
    seen = held >= LEAST_NITS
    return float(np.abs(told[seen] / held[seen] - 1).max(initial=0))
