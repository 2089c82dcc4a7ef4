"""The picture at full size, strip by strip: tone curve, residual, light, roll-off, and the levels that files state."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sdr2hdr.color import inplace
from sdr2hdr.image import PQ_PEAK_NITS, SDR_WHITE_NITS, FloatArray
from sdr2hdr.rolloff import roll_off
from sdr2hdr.strips import for_each, strips

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
) -> Rendered:
    """SDR signal (3, H, W) -> HDR light.

    Parameters
    ----------
    curve : signal -> linear light in BT.709 primaries, 1.0 = SDR white; the tone curve is in it
    carried : PQ residual (3, n, W) of some rows, from their signal; None: nothing is added
    strength : 1: this; 0: the direct mapping; between, a mixture of both in PQ
    white_nits : luminance that SDR white gets, in cd/m2; 1.0 in the result
    peak_nits : brightest light of the result in cd/m2
    """
    height, width = signal.shape[1:]
    light = np.empty((3, height, width), np.float32)
    levels = _Levels(height, width)
    direct = inplace.srgb_light()
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
        np.clip(result, 0, PQ_PEAK_NITS / white_nits, out=light[:, rows])
        levels.measure(light[:, rows], rows)

    for_each(strip, height, width)
    source_nits = levels.largest * white_nits
    if source_nits > peak_nits:

        def roll(rows: slice) -> None:
            roll_off(light[:, rows], white_nits, peak_nits, source_nits)
            levels.measure(light[:, rows], rows)

        for_each(roll, height, width)
    return Rendered(light, levels.largest * white_nits, levels.mean * white_nits)


def _to_pq(light: FloatArray) -> None:
    light *= np.float32(SDR_WHITE_NITS)
    inplace.pq_encode(light)


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
