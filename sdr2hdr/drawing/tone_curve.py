"""A picture's tone curve against the direct mapping, and the stops between them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sdr2hdr.color import inplace
from sdr2hdr.drawing.axes import Axis, Places, Plot, Values, legend, linear
from sdr2hdr.drawing.labels import DIM, INK, PAPER, TEXT, Color, Page, blank, line_height
from sdr2hdr.image import SDR_WHITE_NITS

Curve = npt.NDArray[np.float64]
COLORS: tuple[Color, Color, Color] = ((255, 92, 84), (92, 208, 112), (96, 156, 255))
TICKS = (0.0, 0.1, 1.0, 10.0, 50.0, 100.0, 203.0, 400.0, 1000.0, 4000.0, 10000.0)
DARK = 0.1  # signal below which the stops do not choose the lower plot's range


@dataclass(frozen=True)
class ToneCurve:
    """signal : (N,) rising, 0 .. 1; nits : (3, N) R, G, B of it in BT.709 primaries, cd/m2; direct : (N,) likewise."""

    signal: Curve
    nits: Curve
    direct: Curve

    @property
    def stops(self) -> Curve:
        """(3, N), how far the curve is above the direct mapping; 0.01 cd/m2 stand in for black."""
        above: Curve = np.log2(np.maximum(self.nits, 0.01) / np.maximum(self.direct, 0.01))
        return above


def pq(nits: Values) -> Places:
    """cd/m2 -> PQ signal (SMPTE ST 2084)."""
    signal = np.array(nits, np.float32, ndmin=1)
    inplace.pq_encode(signal)
    return signal.reshape(np.shape(nits)).astype(np.float64)


def draw(curve: ToneCurve, tau: float, wide: int) -> Page:
    """Two plots, 3:2 together: cd/m2 on a PQ scale, and stops; `tau` is the signal at which the mask begins."""
    unit = wide / 640
    size = round(TEXT * unit)
    height = round(wide * 2 / 3)
    page = Page(blank(height, wide, PAPER))
    row = line_height(size)
    left, right = round(58 * unit), wide - round(10 * unit)
    parting = round(height * 0.66)
    ticks = [(i / 4, f"{i / 4:g}") for i in range(5)]
    top = max(float(curve.nits.max()), SDR_WHITE_NITS) * 1.15
    light = Axis(
        lambda nits: pq(nits) / pq(top), [(t, f"{t:g}") for t in TICKS if t <= top], "cd/m2, on a PQ scale"
    )
    upper = Plot(
        page,
        (left, 2 * row + size // 3, right, parting),
        Axis(linear(0, 1), [(v, "") for v, _ in ticks], ""),
        light,
        size,
    )
    reach = _reach(curve)
    below = (left, parting + row + size // 2, right, height - round(2.5 * row))
    marks = [(step * reach, f"{step * reach:+g}" if step else "0") for step in (-1, 0, 1)]
    lower = Plot(
        page,
        below,
        Axis(linear(0, 1), ticks, "SDR signal (sRGB-encoded)"),
        Axis(linear(-reach, reach), marks, "stops above the direct mapping"),
        size,
    )
    thick = max(1, round(1.5 * unit))
    for values, color in zip(curve.nits, COLORS, strict=True):
        upper.line(curve.signal, values, color, thick)
    for values, color in zip(curve.stops, COLORS, strict=True):
        lower.line(curve.signal, np.clip(values, -2 * reach, 2 * reach), color, thick)
    upper.line(curve.signal, curve.direct, INK, max(1, round(unit)), 5 * unit)
    upper.line([tau, tau], [0, top], DIM, max(1, round(unit)), 2 * unit)
    lower.line([tau, tau], [-reach, reach], DIM, max(1, round(unit)), 2 * unit)
    x, y = upper.on_page(tau, 0)
    page.write((x - size // 2, y - size // 2), f"mask from {tau:.3f}", size, DIM, "rs")
    entries = [*zip(COLORS, "RGB", strict=True), (INK, "direct mapping (dashed)")]
    legend(page, (left, size // 4), entries, size, right - left)
    return page


def _reach(curve: ToneCurve) -> float:
    """Half of the lower plot's range, stops."""
    most = float(np.abs(curve.stops[:, curve.signal >= DARK]).max())
    return next(step for step in (0.25, 0.5, 1.0, 2.0, 4.0, 16.0) if most <= step or step == 16)
