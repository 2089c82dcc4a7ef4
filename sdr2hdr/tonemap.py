"""Tone mapping: light with highlights -> light below white, as graders and phones do it.

All light here is linear, (H, W, 3) float32, 1.0 = white; everything acts on any primaries.
"""

import cv2
import numpy as np

from sdr2hdr.image import FloatArray

DARK = 2.0**-12  # light below it is one tone to the local operator
STRIP = 2**16  # pixels that are worked on at a time
COARSE = 4  # the local operator's statistics are taken at a quarter of the size


def brightest(light: FloatArray) -> FloatArray:
    """Largest channel, (H, W, 3) -> (H, W); ten times as fast as numpy's maximum over a short axis."""
    return cv2.max(cv2.max(light[..., 0], light[..., 1]), light[..., 2])


def _log_rate(reach: float) -> float:
    """The k > 0 with ln(1 + k reach) = k, for reach > 1: Newton's method from above."""
    k = 2 * reach
    for _ in range(60):
        k -= (k - np.log1p(k * reach)) / (1 - reach / (1 + k * reach))
    return float(k)


def shoulder(light: FloatArray, start: float, top: float, logarithmic: float = 0.0) -> FloatArray:
    """One curve, pointwise: identity up to `start`, from there to 1.0 at `top`, 1.0 above; rises steadily.

    With u, U = light and top counted from `start` in units of 1 - start: the mean of the rational
    u (1 + u / U^2) / (1 + u) and the logarithmic ln(1 + k u) / k, where ln(1 + k U) = k. Both begin with slope 1 and
    reach 1 at U; with U = 1 both are a hard clip.

    Parameters
    ----------
    start : where the roll-off begins, 0 <= start < 1
    top : light that becomes white; 1 or less: hard clip
    logarithmic : weight of the logarithmic curve, 0 .. 1; the rational one stays lower for longer

    References
    ----------
    Reinhard et al. 2002, "Photographic Tone Reproduction for Digital Images", eq. 4, begun at `start`.
    """
    if top <= 1.0001:
        return np.minimum(light, 1)
    reach = (top - start) / (1 - start)
    u = light - np.float32(start)  # in place from here on: large arrays are dear to allocate
    np.maximum(u, 0, out=u)
    u *= np.float32(1 / (1 - start))
    curve = u + 1
    np.divide(u, curve, out=curve)
    term = u * np.float32(1 / reach**2)
    term += 1
    curve *= term
    if logarithmic > 0:
        curve *= np.float32(1 - logarithmic)
        rate = _log_rate(reach)
        u *= np.float32(rate)
        np.log1p(u, out=u)
        u *= np.float32(logarithmic / rate)
        curve += u
    curve *= np.float32(1 - start)
    curve += np.float32(start)
    np.minimum(curve, 1, out=curve)
    np.copyto(curve, light, where=light <= start)
    return curve


def scale_to(light: FloatArray, before: FloatArray, after: FloatArray) -> FloatArray:
    """All channels times after / before, both (H, W): hue and saturation stay. Where `before` is 0 the light stays."""
    gain = after / np.maximum(before, np.float32(1e-9))
    gain[before <= 0] = 1
    return cv2.multiply(light, cv2.merge([gain, gain, gain]))


def bleach(mapped: FloatArray, before: FloatArray, after: FloatArray, amount: float) -> FloatArray:
    """Colour taken out of what was compressed: each channel goes towards the largest, by amount (1 - after / before).

    Parameters
    ----------
    mapped : light after `scale_to`
    before, after : (H, W), what it was scaled by
    amount : 0: hue and saturation stay; 1: what is compressed most is white
    """
    if amount <= 0:
        return mapped
    way = (after / np.maximum(before, np.float32(1e-9)) - 1) * np.float32(-amount)
    way[before <= 0] = 0
    m = brightest(mapped)
    kept = 1 - way
    return cv2.multiply(mapped, cv2.merge([kept, kept, kept])) + (m * way)[..., None]


def global_max(light: FloatArray, start: float, top: float, logarithmic: float, fade: float) -> FloatArray:
    """The shoulder on the largest channel, all channels scaled alike, then bleached by `fade`."""
    m = brightest(light)
    after = shoulder(m, start, top, logarithmic)
    return bleach(scale_to(light, m, after), m, after, fade)


def guided_base(log_light: FloatArray, radius: int, edge: float) -> FloatArray:
    """Base layer of a plane by the fast guided filter, its own guide.

    Parameters
    ----------
    log_light : (H, W)
    radius : of the windows, pixels
    edge : standard deviation in a window, in the plane's unit, that is half smoothed away

    References
    ----------
    He, Sun 2015, "Fast Guided Filter", arXiv:1505.00996.
    """
    height, width = log_light.shape
    size = (max(1, width // COARSE), max(1, height // COARSE))
    small = cv2.resize(log_light, size, interpolation=cv2.INTER_AREA)
    side = 2 * max(1, round(radius / COARSE)) + 1

    def mean(plane: FloatArray) -> FloatArray:
        return cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT)

    middle = mean(small)
    variance = np.maximum(mean(small * small) - middle * middle, 0)
    slope = variance / (variance + np.float32(edge**2))
    offset = middle - slope * middle
    base, offset = (cv2.resize(mean(plane), (width, height)) for plane in (slope, offset))
    base *= log_light
    base += offset
    return base


def local(
    light: FloatArray,
    start: float,
    top: float,
    logarithmic: float,
    fade: float,
    radius: int,
    edge: float,
    out: FloatArray | None = None,
) -> FloatArray:
    """The shoulder on the base layer of log light: large bright areas are dimmed, the detail in them stays.

    What the detail then lifts above white is rolled off by a short shoulder of the whole.

    Parameters
    ----------
    fade : amount of `bleach`
    radius : of the filter's windows, pixels
    edge : contrast in stops that still is an edge and not detail
    out : where the result goes, (H, W, 3); may be `light`. A new array if it is not given
    """
    mapped = np.empty_like(light) if out is None else out
    height, width = light.shape[:2]
    step = max(1, STRIP // width)
    strips = [slice(row, row + step) for row in range(0, height, step)]
    m = brightest(light)
    np.maximum(m, np.float32(DARK), out=m)
    base = guided_base(np.log2(m, out=m), radius, edge)
    np.exp2(base, out=base)
    for rows in strips:
        before = base[rows]
        after = shoulder(before, start, top, logarithmic)
        mapped[rows] = bleach(scale_to(light[rows], before, after), before, after, fade)
        m[rows] = brightest(mapped[rows])
    late, peak = (
        max(start, 0.8),
        float(m.max()),
    )  # no earlier than the curve itself: below its start nothing changes
    for rows in strips:
        mapped[rows] = scale_to(mapped[rows], m[rows], shoulder(m[rows], late, peak, logarithmic))
    return mapped
