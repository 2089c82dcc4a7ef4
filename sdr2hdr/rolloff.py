"""Highlights above what a display can show, rolled off instead of cut.

The curve acts in PQ on the largest of R, G, B, and all three are scaled alike, so hue and saturation stay. Below the
knee nothing changes. BT.2390's Hermite spline is not used: with a knee as late as this one its secant is below a
third of its first slope, and it would overshoot the peak.
"""

import math

import numpy as np

from sdr2hdr.color import inplace
from sdr2hdr.image import FloatArray

KNEE = 0.75  # of the peak's luminance: everything below is left alone


def _pq(nits: float) -> float:
    value = np.array([nits], np.float32)
    inplace.pq_encode(value)
    return float(value[0])


def curve(brightest: FloatArray, peak_nits: float, source_nits: float) -> FloatArray:
    """Luminance after the roll-off, in cd/m2.

    In PQ, above the knee: y = x X Y / (X Y + x (X - Y)), with x and y counted from the knee, X the way to the brightest
    light of the picture and Y the way to the peak: slope 1 at the knee, falling steadily, y = Y at x = X.

    Parameters
    ----------
    brightest : largest channel of pixels above the knee, cd/m2
    peak_nits : what the brightest light becomes
    source_nits : the brightest light of the picture, above `peak_nits`
    """
    knee_nits = KNEE * peak_nits
    knee = _pq(knee_nits)
    before, after = _pq(source_nits) - knee, _pq(peak_nits) - knee
    x = brightest.copy()
    inplace.pq_encode(x)
    x -= knee
    np.clip(x, 0, before, out=x)
    y = x * (before * after)
    x *= before - after
    x += before * after
    y /= x
    y += knee
    inplace.pq_decode(y)
    return np.clip(y, knee_nits, peak_nits, out=y)


def roll_off(light: FloatArray, white_nits: float, peak_nits: float, source_nits: float) -> None:
    """Bring light (3, n, W), 1.0 = `white_nits`, below `peak_nits`, in place; for the other arguments see `curve`."""
    if source_nits <= peak_nits:
        return
    brightest = light.max(0)
    above = brightest > KNEE * peak_nits / white_nits
    if not above.any():
        return
    old = brightest[above]
    new = curve(old * np.float32(white_nits), peak_nits, source_nits)
    new /= np.float32(white_nits)
    new /= old
    for channel in light:
        channel[above] *= new
    np.minimum(light, at_most(peak_nits / white_nits), out=light)  # rounding, too, stays below the peak


def at_most(value: float) -> np.float32:
    """The largest float32 that is not above `value`."""
    nearest = np.float32(value)
    return nearest if float(nearest) <= value else np.nextafter(nearest, np.float32(-math.inf))
