"""Histograms of luminance in stops, SDR against HDR."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sdr2hdr.drawing.axes import Axis, Plot, legend, linear, logarithmic
from sdr2hdr.drawing.labels import ACCENT, INK, PAPER, TEXT, Color, Page, blank, line_height
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray

STEP = 0.25  # stops of a bin
LOW, HIGH = (
    -13.125,
    6.125,
)  # stops about 203 cd/m2, which is the middle of a bin; the ends hold what lies beyond
LEAST = 1e-5  # share at the foot of the plot
MARKS = ((203.0, "203 cd/m2", "rd"), (1000.0, "1000 cd/m2", "ld"))
SDR_COLOR: Color = (106, 126, 150)
HDR_COLOR: Color = ACCENT


@dataclass(frozen=True)
class Histogram:
    """edges : (N + 1,) stops about 203 cd/m2; shares : (N,) of the pixels, their sum is 1."""

    edges: npt.NDArray[np.float64]
    shares: npt.NDArray[np.float64]


def histogram(nits: FloatArray) -> Histogram:
    """Of luminance in cd/m2, any shape, black included."""
    edges = np.arange(LOW, HIGH + STEP / 2, STEP)
    stops = np.log2(np.maximum(nits, np.float32(1e-6)) * np.float32(1 / SDR_WHITE_NITS)).ravel()
    place = np.clip((stops - np.float32(LOW)) * np.float32(1 / STEP), 0, len(edges) - 2).astype(np.int64)
    counts = np.bincount(place, minlength=len(edges) - 1)
    return Histogram(edges, counts / nits.size)


def draw(sdr: Histogram, hdr: Histogram, wide: int) -> Page:
    """Both in one plot, 3:2, the shares on a logarithmic scale; `wide` in pixels."""
    unit = wide / 640
    size = round(TEXT * unit)
    page = Page(blank(round(wide * 2 / 3), wide, PAPER))
    top = round(2.4 * line_height(size))
    frame = (round(58 * unit), top, wide - round(10 * unit), page.size[0] - round(3.6 * line_height(size)))
    y = Axis(
        logarithmic(LEAST, 1),
        [(1, "100 %"), (0.1, "10 %"), (0.01, "1 %"), (1e-3, "0.1 %"), (1e-4, "0.01 %"), (LEAST, "")],
        "",
    )
    stops = range(round(LOW) + 1, round(HIGH) + 1, 2)
    x = Axis(linear(LOW, HIGH), [(stop, f"{stop:+d}" if stop else "0") for stop in stops], "")
    plot = Plot(page, frame, x, y, size)
    across, up = _steps(sdr)
    plot.fill(across, up, SDR_COLOR)
    across, up = _steps(hdr)
    plot.line(across, up, HDR_COLOR, max(2, round(2 * unit)))
    _nits_row(page, plot)
    for nits, words, anchor in MARKS:
        stop = float(np.log2(nits / SDR_WHITE_NITS))
        plot.line([stop, stop], [LEAST, 1], INK, max(1, round(unit)), 5 * unit)
        page.write((plot.on_page(stop, 1)[0], top - size // 3), words, size, INK, anchor)
    room = round(0.62 * wide)
    legend(page, (frame[0], size // 3), [(SDR_COLOR, "SDR picture"), (HDR_COLOR, "HDR result")], size, room)
    return page


def _steps(shown: Histogram) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A staircase through the bins."""
    return np.repeat(shown.edges, 2)[1:-1], np.repeat(shown.shares, 2)


def _nits_row(page: Page, plot: Plot) -> None:
    """A second row of words below the axis, in cd/m2, and what the two rows are."""
    size = plot.size
    left, _, right, bottom = plot.frame
    y = bottom + size // 2 + line_height(size)
    for nits in (0.1, 1, 10, 100, 1000, 10000):
        across = plot.on_page(float(np.log2(nits / SDR_WHITE_NITS)), LEAST)[0]
        page.write_if_free((across, y), f"{nits:g}", size, INK, "ma")
    page.write_if_free((2, bottom + size // 2), "stops", size, INK)
    page.write_if_free((2, y), "cd/m2", size, INK)
    title = "luminance; 0 stops = 203 cd/m2; share of the pixels in each quarter of a stop"
    page.write_if_free(((left + right) / 2, y + line_height(size)), title, size, INK, "ma")
