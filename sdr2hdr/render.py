"""The picture at full size, strip by strip: tone curve, residual, light, roll-off, and the levels that files state."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sdr2hdr.color import inplace
from sdr2hdr.color.tables import table
from sdr2hdr.image import PQ_PEAK_NITS, SDR_WHITE_NITS, FloatArray
from sdr2hdr.mask import CLIPPED_SIGNAL
from sdr2hdr.rolloff import at_most, roll_off
from sdr2hdr.strips import for_each, strips

FREE_COLOUR = 0.25  # of the nets' colour at full signal, where the others are kept

Carried = Callable[[FloatArray, slice], FloatArray]


@dataclass(frozen=True)
class Rendered:
    """Light (3, H, W), BT.2020, 1.0 = the white asked for, and its levels in cd/m2 (CTA-861.3).

    max_cll : largest R, G or B of any pixel (MaxCLL of a single frame)
    max_fall : mean over the pixels of the largest of R, G, B (MaxFALL of a single frame)
    """

    light: FloatArray
    max_cll: float
    max_fall: float


def mapped(signal: FloatArray, curve: inplace.Lookup) -> FloatArray:
    """SDR signal (3, h, w) -> PQ, BT.2020, through the tone curve: what `render` gives without a residual."""
    height, width = signal.shape[1:]
    pq = np.empty((3, height, width), np.float32)

    def strip(rows: slice) -> None:
        light = inplace.convert(curve(signal[:, rows]), "bt709_to_bt2020")
        _to_pq(light)
        pq[:, rows] = light

    for_each(strip, height, width)
    return pq


def render(
    signal: FloatArray,
    curve: inplace.Lookup,
    carried: Carried | None,
    strength: float,
    white_nits: float,
    peak_nits: float,
    keep_colour: bool = False,
) -> Rendered:
    """SDR signal (3, H, W) -> HDR light.

    Parameters
    ----------
    curve : signal -> linear light in BT.709 primaries, 1.0 = SDR white; the tone curve is in it
    carried : PQ residual (3, n, W) of some rows, from their signal; None: nothing is added
    strength : 1: this; 0: the direct mapping; between, a mixture of both in PQ
    white_nits : luminance that SDR white gets, in cd/m2; 1.0 in the result
    peak_nits : brightest light of the result in cd/m2
    keep_colour : what is not clipped keeps the direct mapping's chromaticity and gets only the luminance of this
    """
    height, width = signal.shape[1:]
    light = np.empty((3, height, width), np.float32)
    levels = _Levels(height, width)
    direct, top = inplace.srgb_light(), at_most(PQ_PEAK_NITS / white_nits)
    mixed = strength < 1 and not (carried is None and curve is direct)

    def strip(rows: slice) -> None:
        source = np.ascontiguousarray(signal[:, rows])
        result = inplace.convert(curve(source), "bt709_to_bt2020")
        if carried is not None or mixed:
            _to_pq(result)
            if carried is not None:
                result += carried(source, rows)
            if mixed:
                other = inplace.convert(direct(source), "bt709_to_bt2020")
                _to_pq(other)
                result -= other
                result *= np.float32(strength)
                result += other
            inplace.pq_decode(result)
            result /= np.float32(SDR_WHITE_NITS)
        if keep_colour and not (carried is None and curve is direct):
            _keep_colour(result, source, direct)
        np.clip(result, 0, top, out=light[:, rows])
        levels.measure(light[:, rows], rows)

    for_each(strip, height, width)
    largest = min(levels.largest * white_nits, PQ_PEAK_NITS)  # without the product's rounding
    return below(Rendered(light, largest, levels.mean * white_nits), white_nits, peak_nits)


def below(rendered: Rendered, white_nits: float, peak_nits: float) -> Rendered:
    """Light rolled off to a peak in cd/m2, in place, if any of it is brighter; with the levels that it has then."""
    light, source_nits = rendered.light, rendered.max_cll
    if source_nits <= peak_nits:
        return rendered
    height, width = light.shape[1:]
    levels = _Levels(height, width)

    def strip(rows: slice) -> None:
        roll_off(light[:, rows], white_nits, peak_nits, source_nits)
        levels.measure(light[:, rows], rows)

    for_each(strip, height, width)
    return Rendered(light, levels.largest * white_nits, levels.mean * white_nits)


def _to_pq(light: FloatArray) -> None:
    light *= np.float32(SDR_WHITE_NITS)
    inplace.pq_encode(light)


def _keep_colour(light: FloatArray, signal: FloatArray, direct: inplace.Lookup) -> None:
    """Light (3, h, w) -> the direct mapping times one gain a pixel; towards full signal, a quarter back to what it was.

    A gain moves the hue in ICtCp by less than 3 degrees (factor 8, every colour of BT.709), a curve on each channel
    by tens of them. At full signal the nets know something of a sunset's colour (a half would gain 0.1 dB over
    graded pairs), but too much of theirs puts rings around suns, cyan where one channel clipped first and pink where
    all did.
    """
    plain = inplace.convert(direct(signal), "bt709_to_bt2020")
    gain = _luminance(light)
    gain /= np.maximum(_luminance(plain), np.float32(1e-9))
    plain *= gain
    clipped = ((signal.max(0) - CLIPPED_SIGNAL) / np.float32(1 - CLIPPED_SIGNAL)).clip(0, 1)
    light -= plain
    light *= np.float32(FREE_COLOUR) * clipped
    light += plain


def _luminance(light: FloatArray) -> FloatArray:
    weights = table("bt2020_to_xyz")[1].astype(np.float32)
    luminance: FloatArray = np.tensordot(weights, light, 1)
    return luminance


class _Levels:
    """Largest and mean of the pixels' largest channel, gathered strip by strip, the same in any order."""

    def __init__(self, height: int, width: int) -> None:
        self._pixels = height * width
        self._places = {rows.start: i for i, rows in enumerate(strips(height, width))}
        self._largest = np.zeros(len(self._places))
        self._sums = np.zeros(len(self._places))

    def measure(self, light: FloatArray, rows: slice) -> None:
        brightest = light.max(0)
        place = self._places[rows.start]
        self._largest[place] = brightest.max()
        self._sums[place] = brightest.sum(dtype=np.float64)

    @property
    def largest(self) -> float:
        return float(self._largest.max())

    @property
    def mean(self) -> float:
        return math.fsum(self._sums) / self._pixels
