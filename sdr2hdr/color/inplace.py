"""Curves and matrices on strips of a picture, with NumPy, in place where that saves memory.

What `transfer` and `gamut` do on tensors, for the parts that run over every pixel at full size. All operations are
element by element, so a pixel's result does not depend on the strip that it is in, nor on the number of threads.
"""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from sdr2hdr.color.tables import CODES, table

FloatArray = npt.NDArray[np.float32]

OUTSIDE = 0.01  # a channel below minus this times the largest one is outside of its gamut ...
DARK_NITS = 1.0  # ... in pixels that have more light than this: below, rounding alone leads out of a gamut

_PEAK_NITS = 10000.0  # SMPTE ST 2084: luminance of signal 1.0


class Lookup:
    """A curve of the signal as a table of 16-bit codes, linear between them.

    values : (65536,) one curve, or (3, 65536) one a channel
    """

    def __init__(self, values: FloatArray) -> None:
        values = np.broadcast_to(np.asarray(values, np.float32), (3, CODES))
        self.values = np.ascontiguousarray(values)
        self.slopes = np.diff(self.values, axis=1, append=self.values[:, -1:])

    def __call__(self, signal: FloatArray) -> FloatArray:
        """Signal (3, h, W) in [0, 1], any strides -> curve of it, a new array. Signals outside are clamped."""
        out = np.empty(signal.shape, np.float32)
        at = np.empty(signal.shape[1:], np.float32)
        low = np.empty_like(at)
        code = np.empty(at.shape, np.uint16)
        for channel in range(3):
            np.multiply(signal[channel], np.float32(CODES - 1), out=at)
            np.clip(at, 0, CODES - 1, out=at)
            np.floor(at, out=low)
            at -= low
            np.copyto(code, low, casting="unsafe")
            cv2.LUT(code, self.values[channel], dst=out[channel])
            slope = cv2.LUT(code, self.slopes[channel], dst=low)
            slope *= at
            out[channel] += slope
        return out


@cache
def srgb_light() -> Lookup:
    """sRGB signal -> linear light (IEC 61966-2-1)."""
    return Lookup(table("srgb_to_linear").astype(np.float32))


@cache
def srgb_signal() -> Lookup:
    """Linear light -> sRGB signal (IEC 61966-2-1)."""
    return Lookup(table("linear_to_srgb").astype(np.float32))


def convert(linear: FloatArray, name: str) -> FloatArray:
    """Linear light (3, h, W) through a matrix of `tables.table`, a new array."""
    matrix = table(name).astype(np.float32)
    out = np.empty_like(linear)
    part = np.empty_like(linear[0])
    for row, target in zip(matrix, out, strict=True):
        np.multiply(linear[0], row[0], out=target)
        for channel in (1, 2):
            np.multiply(linear[channel], row[channel], out=part)
            target += part
    return out


def outside(light: FloatArray, gamut: str, white_nits: float) -> npt.NDArray[np.bool_]:
    """Which pixels, (h, W), of BT.2020 light (3, h, W) other primaries can only make with negative light.

    By more than `OUTSIDE`, and where the largest channel has more than `DARK_NITS`.

    Parameters
    ----------
    gamut : "bt709" or "p3"
    white_nits : luminance of 1.0 in cd/m2
    """
    brightest = light.max(0)
    lowest = convert(light, f"bt2020_to_{gamut}").min(0)
    out = lowest < np.float32(-OUTSIDE) * brightest
    out &= brightest > np.float32(DARK_NITS / white_nits)
    return out


def pq_encode(nits: FloatArray, *, exact: bool = False) -> None:
    """Luminance in cd/m2 -> PQ signal, in place (ST 2084, 5.2); clamped to 0 .. 10000 cd/m2. As `transfer` does it.

    Parameters
    ----------
    exact : in double precision where single precision would tell: within 0.007 of a 16-bit code, as for files, and not
        0.013; takes twice as long
    """
    m1, m2, c1, c2, c3 = table("pq").tolist()
    np.clip(nits, 0, _PEAK_NITS, out=nits)
    nits /= _PEAK_NITS
    np.power(nits, m1, out=nits)
    y = nits.astype(np.float64) if exact else nits
    n = y * (c2 - c3)
    n -= 1 - c1
    y *= c3
    y += 1
    n /= y
    np.log1p(n, out=n)
    n *= m2
    np.exp(n, out=nits, casting="same_kind")


def pq_decode(signal: FloatArray) -> None:
    """PQ signal -> luminance in cd/m2, in place (ST 2084, 5.1); signals outside [0, 1] are clamped."""
    m1, m2, c1, c2, c3 = table("pq").tolist()
    e = signal
    np.clip(e, 1e-9, 1, out=e)
    np.log(e, out=e)
    e /= m2
    np.expm1(e, out=e)  # signal^(1/m2) - 1
    below = e * -c3
    below += c2 - c3
    e += 1 - c1
    np.maximum(e, 0, out=e)
    e /= below
    np.power(e, 1 / m1, out=e)
    e *= _PEAK_NITS
