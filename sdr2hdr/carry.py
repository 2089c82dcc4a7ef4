"""Up from the working size: what the nets add to a picture, carried to full size along the picture's own edges.

The guided filter (He, Sun, Tang 2013) in its fast form (He, Sun 2015): around every pixel of the working size the
residual is a linear function of the signal's three channels; its coefficients are interpolated and applied to the
signal at full size. So the residual's edges are where the picture's edges are, to the pixel.

Two things differ from the published filter. A pixel of the working size that an edge runs through is neither window
nor frame, and what the nets say of it belongs to no pixel at full size: it hardly counts in the fit. And the windows'
coefficients are not averaged once more: that would let the frame's zeros dim the rim of a window.
"""

import cv2
import numpy as np

from sdr2hdr.image import FloatArray
from sdr2hdr.strips import for_each

# Variance of the signal below which the residual does not follow the guide: (1.4 %)^2 is more than grain and JPEG
# blocks have at the working size, less than any edge worth keeping.
EPSILON = 2e-4
# Variance of the signal inside a pixel of the working size at which the pixel counts half.
MIXED = 1e-3
_PAIRS = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]  # of a symmetric matrix, row by row
PLANES = 18  # coefficients of a pixel: 9 slopes, 3 offsets, 3 minima, 3 maxima


class Carrier:
    """A residual at the working size, to be read in rows of the full size.

    Parameters
    ----------
    residual : (3, h, w) PQ
    guide : (3, h, w) signal at the working size
    variance : (h, w) of the signal at full size inside the pixels of the working size
    size : height and width at full size

    The result never leaves the range that the residual has in the 3 x 3 pixels around: a wire or a glint that is finer
    than the working size lies outside of what the linear function was fitted to, and would else get dark or bright
    fringes.
    """

    def __init__(
        self, residual: FloatArray, guide: FloatArray, variance: FloatArray, size: tuple[int, int]
    ) -> None:
        height, width = residual.shape[1:]
        self.size = size
        self.planes = np.empty((height, PLANES, width), np.float32)
        weight = (1 / (1 + variance / np.float32(MIXED)))[None]
        inputs = [np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="edge") for x in (residual, guide, weight)]

        def fit(rows: slice) -> None:
            padded = slice(rows.start, rows.stop + 2)
            p, g, w = (x[:, padded] for x in inputs)
            _fit(p, g, w, self.planes[rows].swapaxes(0, 1))

        for_each(fit, height, width)

    def rows(self, guide: FloatArray, rows: slice) -> FloatArray:
        """Residual (3, n, W) of some rows of the full size, from the signal (3, n, W) in these rows."""
        planes = self._enlarged(rows)
        out = np.empty(guide.shape, np.float32)
        part = np.empty_like(out[0])
        for channel, value in enumerate(out):
            np.multiply(planes[3 * channel], guide[0], out=value)
            for other in (1, 2):
                np.multiply(planes[3 * channel + other], guide[other], out=part)
                value += part
        out += planes[9:12]
        np.maximum(out, planes[12:15], out=out)
        return np.minimum(out, planes[15:], out=out)

    def _enlarged(self, rows: slice) -> FloatArray:
        """Coefficients (18, n, W) in rows of the full size, bilinear."""
        height, _, width = self.planes.shape
        at = (np.arange(rows.start, rows.stop, dtype=np.float64) + 0.5) * height / self.size[0] - 0.5
        at = np.clip(at, 0, height - 1)
        low = at.astype(int)
        out = np.empty((len(at), PLANES, self.size[1]), np.float32)
        row = np.empty((PLANES, width), np.float32)
        for y, weight, target in zip(low, (at - low).astype(np.float32), out, strict=True):
            above, below = self.planes[y], self.planes[min(y + 1, height - 1)]
            np.subtract(below, above, out=row)
            row *= weight
            row += above
            # one call a row, always of one shape: OpenCV rounds differently by a row's place in its array
            cv2.resize(row, target.shape[::-1], dst=target, interpolation=cv2.INTER_LINEAR)
        return out.swapaxes(0, 1)


def _sums(planes: FloatArray) -> FloatArray:
    """Sums over 3 x 3 pixels, (C, h + 2, w + 2) -> (C, h, w)."""
    down = planes[:, :-2] + planes[:, 1:-1]
    down += planes[:, 2:]
    across = down[:, :, :-2] + down[:, :, 1:-1]
    across += down[:, :, 2:]
    return across


def _fit(residual: FloatArray, guide: FloatArray, weight: FloatArray, out: FloatArray) -> None:
    """Weighted ridge regression in every window of 3 x 3: (C, h + 2, w + 2) each -> coefficients (18, h, w)."""
    moments = np.empty((22, *weight.shape[1:]), np.float32)
    moments[0] = weight[0]
    np.multiply(guide, weight, out=moments[1:4])
    np.multiply(residual, weight, out=moments[4:7])
    for k, (i, j) in enumerate(_PAIRS):
        np.multiply(moments[1 + i], guide[j], out=moments[7 + k])
    for i in range(3):
        np.multiply(moments[1 + i], residual, out=moments[13 + 3 * i : 16 + 3 * i])
    means = _sums(moments)
    means[1:] *= 1 / means[0]
    mean, mean_residual, variance = means[1:4], means[4:7], means[7:13]
    covariance = means[13:].reshape(3, 3, *means.shape[1:])  # (guide, residual, h, w)
    for k, (i, j) in enumerate(_PAIRS):
        variance[k] -= mean[i] * mean[j]
        if i == j:
            variance[k] += EPSILON
    for i in range(3):
        covariance[i] -= mean[i] * mean_residual
    slopes = _solve(variance, covariance)
    for channel in range(3):
        out[3 * channel : 3 * channel + 3] = slopes[:, channel]
        offset = mean_residual[channel]
        for i in range(3):
            offset -= slopes[i, channel] * mean[i]
        out[9 + channel] = offset
    window = np.ones((3, 3), np.uint8)
    for channel, plane in enumerate(residual):
        out[12 + channel] = cv2.erode(plane, window)[1:-1, 1:-1]
        out[15 + channel] = cv2.dilate(plane, window)[1:-1, 1:-1]


def _solve(a: FloatArray, b: FloatArray) -> FloatArray:
    """Symmetric positive 3 x 3 systems by L D L', in place of `b`.

    a : (6, ...) upper triangle, row by row; b : (3, M, ...) right-hand sides
    """
    a00, a01, a02, a11, a12, a22 = a
    l10, l20 = a01 / a00, a02 / a00
    d1 = np.maximum(a11 - l10 * a01, EPSILON / 2)  # rounding aside, no pivot is below epsilon
    l21 = (a12 - l10 * a02) / d1
    d2 = np.maximum(a22 - l20 * a02 - l21 * l21 * d1, EPSILON / 2)
    b[1] -= l10 * b[0]
    b[2] -= l20 * b[0]
    b[2] -= l21 * b[1]
    b[2] /= d2
    b[1] /= d1
    b[1] -= l21 * b[2]
    b[0] /= a00
    b[0] -= l10 * b[1]
    b[0] -= l20 * b[2]
    return b
