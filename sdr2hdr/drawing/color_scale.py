"""The scale of the false colours, to stand below a picture: cd/m2 below it, stops above SDR white on top."""

import math

import numpy as np

from sdr2hdr.drawing import false_color
from sdr2hdr.drawing.labels import DIM, INK, PAPER, TEXT, Color, Page, blank, line_height, width
from sdr2hdr.image import SDR_WHITE_NITS

NARROWEST = 480  # pixels that the scale needs; at 560 all of its words have room


def color_scale(wide: int, white_nits: float = SDR_WHITE_NITS, size: int = TEXT) -> Page:
    """A horizontal bar of the colours with ticks.

    Parameters
    ----------
    wide : of the page, at least `NARROWEST` pixels
    white_nits : luminance of SDR white: 0 stops
    size : of the words, pixels
    """
    words = line_height(size)
    left, right = width("cd/m2", size) + size, wide - width("10000", size) // 2 - 4
    bar = round(size * 1.2)
    top, tick = size // 2 + words + size // 3, size // 3
    page = Page(blank(top + bar + tick + words + size // 2, wide, PAPER))
    place = (np.arange(left, right) - left) / (right - left - 1)
    page.canvas[top : top + bar, left:right] = false_color.color(false_color.nits_at(place))

    def column(nits: float) -> float:
        return left + float(false_color.position(nits)) * (right - left - 1)

    for stop in _by_importance(white_nits):
        _mark(
            page, column(white_nits * 2.0**stop), top - 1, -tick, _stops(stop), size, INK if not stop else DIM
        )
    for nits in (SDR_WHITE_NITS, 1000.0, 10.0, 100.0, 1.0, 4000.0, 10000.0, 0.1):
        _mark(page, column(nits), top + bar, tick, f"{nits:g}", size, INK)
    page.write((2, top - tick - 1), "stops", size, DIM, "ld")
    page.write((2, top + bar + tick + 1), "cd/m2", size, DIM, "la")
    return page


def _mark(page: Page, x: float, y: int, length: int, words: str, size: int, color: Color) -> None:
    """A tick from y, upwards or downwards, and its words beyond, unless there is no room for them."""
    end = y + length
    page.canvas[min(y, end) : max(y, end), round(x)] = DIM
    page.write_if_free((x, end + (1 if length > 0 else -1)), words, size, color, "ma" if length > 0 else "md")


def _by_importance(white_nits: float) -> list[int]:
    """Stops on the scale: white, then the even ones above and below it."""
    low = math.ceil(math.log2(false_color.LOW_NITS / white_nits))
    high = math.floor(math.log2(false_color.HIGH_NITS / white_nits))
    return sorted((stop for stop in range(low, high + 1) if stop % 2 == 0), key=abs)


def _stops(stop: int) -> str:
    return f"{stop:+d}" if stop else "SDR white"
