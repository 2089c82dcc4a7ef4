"""Code values of PQ pictures, for every format that stores them."""

import numpy as np
import numpy.typing as npt

from sdr2hdr.color.inplace import pq_encode
from sdr2hdr.formats._strips import strips
from sdr2hdr.image import FloatArray, HdrImage

# Fractions of 1 / g and 1 / g^2 in units of 2^-32, g = 1.3247 the plastic number: steps from pixel to pixel along x
# and y that fill [0, 1) most evenly (M. Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018).
_STEP_X, _STEP_Y = 3242174889, 2447445414
_EXACT = 1 / 32  # of a code: what comes closer to a code than this is that code


def pq_codes(image: HdrImage, bits: int = 16, *, dither: bool = False) -> npt.NDArray[np.uint16]:
    """Full-range codes: (H, W, 3), or (H, W, 4) with straight alpha, 0 .. 2^bits - 1.

    Colour is SMPTE ST 2084 of the light in cd/m2, clipped to 0 .. 10000 cd/m2, and rounded to nearest; or, with
    `dither`, to the code below or above by a pattern that depends on the place only, so that on the mean over a few
    pixels nothing is lost and no bands are seen. Black, and whatever is a code already, stays. The three channels share
    the pattern: grey stays grey. Alpha is always rounded to nearest.

    Raises
    ------
    OutputError
        Light or alpha is NaN or infinite.
    """
    top = 2**bits - 1
    codes = np.empty((*image.size, 3 if image.alpha is None else 4), np.uint16)
    for rows, light, alpha in strips(image):
        with np.errstate(over="ignore"):  # infinite light is clipped like all above 10000 cd/m2
            signal = light * np.float32(image.white_nits)
        pq_encode(signal, exact=True)
        signal *= np.float32(top)
        if dither:
            signal += _thresholds(rows, image.size[1])
            np.floor(signal, out=signal)
        else:
            np.rint(signal, out=signal)
        codes[rows, :, :3] = signal.transpose(1, 2, 0)
        if alpha is not None:
            codes[rows, :, 3] = np.rint(alpha.clip(0, 1) * np.float32(top))
    return codes


def _thresholds(rows: slice, width: int) -> FloatArray:
    """What is added before rounding down: (h, W), evenly spread over `_EXACT` .. 1 - `_EXACT`."""
    y = np.arange(rows.start, rows.stop, dtype=np.uint32)[:, None] * np.uint32(_STEP_Y)
    x = np.arange(width, dtype=np.uint32) * np.uint32(_STEP_X)
    even = ((y + x) >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)
    return np.asarray(even * np.float32(1 - 2 * _EXACT) + np.float32(_EXACT))
