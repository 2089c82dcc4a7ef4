"""A plot's frame: two axes with ticks and words, and lines within it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sdr2hdr.drawing.labels import DIM, GRID, TEXT, Box, Color, Page, blank, line_height, width

Values = npt.ArrayLike
Places = npt.NDArray[np.float64]
PANEL: Color = (33, 34, 38)  # inside of a frame
_SHIFT = 4  # OpenCV draws at sixteenths of a pixel


@dataclass(frozen=True)
class Axis:
    """place : values -> 0 (left, bottom) .. 1; ticks : values and words, "" for a line alone; title : with the unit."""

    place: Callable[[Values], Places]
    ticks: Sequence[tuple[float, str]]
    title: str


def linear(low: float, high: float) -> Callable[[Values], Places]:
    """An even scale."""
    return lambda values: (np.asarray(values, np.float64) - low) / (high - low)


def logarithmic(low: float, high: float) -> Callable[[Values], Places]:
    """A scale of equal ratios; what is below it stays on its lower end."""
    span = np.log(high / low)
    return lambda values: np.log(np.maximum(np.asarray(values, np.float64), low) / low) / span


class Plot:
    """A frame on a page.

    frame : left, top, right, bottom on the page; words of the axes stand outside of it
    size : of the words, pixels
    """

    def __init__(self, page: Page, frame: Box, x: Axis, y: Axis, size: int = TEXT) -> None:
        self.page, self.frame, self.x, self.y, self.size = page, frame, x, y, size
        left, top, right, bottom = frame
        page.canvas[top:bottom, left:right] = PANEL
        self._inside = page.canvas[top:bottom, left:right]
        self._grid()

    def at(self, x: Values, y: Values) -> Places:
        """Places of points within the frame in pixels, (N, 2); y downwards."""
        left, top, right, bottom = self.frame
        across = self.x.place(x) * (right - left - 1)
        down = (1 - self.y.place(y)) * (bottom - top - 1)
        return np.stack(np.broadcast_arrays(across, down), -1).reshape(-1, 2)

    def on_page(self, x: float, y: float) -> tuple[float, float]:
        """The place of one point on the page."""
        ((across, down),) = self.at(x, y)
        return self.frame[0] + float(across), self.frame[1] + float(down)

    def line(self, x: Values, y: Values, color: Color, thickness: int = 2, dash: float = 0) -> None:
        """A line through points; `dash` is the length of its dashes in pixels, 0 for none."""
        self.path(self.at(x, y), color, thickness, dash)

    def path(self, points: Places, color: Color, thickness: int = 2, dash: float = 0) -> None:
        """A line through places that `at` gave."""
        for part in _dashes(points, dash) if dash else [points]:
            fixed = np.rint(part * (1 << _SHIFT)).astype(np.int32)
            cv2.polylines(self._inside, [fixed], False, color, thickness, cv2.LINE_AA, _SHIFT)

    def fill(self, x: Values, y: Values, color: Color) -> None:
        """What lies below a line is filled, down to the frame's lower edge."""
        points = self.at(x, y)
        foot = self.frame[3] - self.frame[1]
        ends = np.array([[points[-1, 0], foot], [points[0, 0], foot]])
        fixed = np.rint(np.concatenate([points, ends]) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(self._inside, [fixed], color, cv2.LINE_AA, _SHIFT)

    def _grid(self) -> None:
        left, top, right, bottom = self.frame
        gap = self.size // 2
        for value, words in self.x.ticks:
            across = self.on_page(value, self.y.ticks[0][0])[0]
            column = min(round(across), right - 1)
            self.page.canvas[top:bottom, column] = GRID
            if words:
                self.page.write_if_free((across, bottom + gap), words, self.size, DIM, "ma")
        for value, words in self.y.ticks:
            down = self.on_page(self.x.ticks[0][0], value)[1]
            row = min(round(down), bottom - 1)
            self.page.canvas[row, left:right] = GRID
            if words:
                self.page.write_if_free((left - gap, down), words, self.size, DIM, "rm")
        middle = (left + right) / 2, bottom + gap + line_height(self.size)
        if self.x.title:
            self.page.write_if_free(middle, self.x.title, self.size, DIM, "ma")
        if self.y.title:
            self.page.write_if_free((left, top - gap), self.y.title, self.size, DIM, "ls")


def _dashes(points: Places, dash: float) -> list[Places]:
    """Every other stretch of this length along a line."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    parts = []
    for start in np.arange(0, along[-1], 2 * dash):
        end = min(start + dash, along[-1])
        inner = along[(along > start) & (along < end)]
        stops = np.concatenate([[start], inner, [end]])
        parts.append(np.stack([np.interp(stops, along, points[:, axis]) for axis in (0, 1)], 1))
    return parts


def legend(
    page: Page, at: tuple[int, int], entries: Sequence[tuple[Color, str]], size: int, room: int
) -> None:
    """Patches of colour with words, from left to right, in as many rows as `room` pixels need."""
    for (x, y), (color, words) in zip(_places(entries, size, room), entries, strict=True):
        left, top = at[0] + x, at[1] + y
        page.canvas[top + size // 8 : top + size // 8 + size, left : left + size] = color
        page.write((left + size + size // 2, top), words, size)


def legend_page(wide: int, entries: Sequence[tuple[Color, str]], size: int) -> Page:
    """`legend` as a page of its own."""
    room, margin = wide - size, size // 2
    rows = _places(entries, size, room)[-1][1] + line_height(size)
    page = Page(blank(rows + size, wide))
    legend(page, (margin, margin), entries, size, room)
    return page


def _places(entries: Sequence[tuple[Color, str]], size: int, room: int) -> list[tuple[int, int]]:
    """Where the entries begin, within their room."""
    x, y, places = 0, 0, []
    for _, words in entries:
        wide = size + size // 2 + width(words, size)
        if x and x + wide > room:
            x, y = 0, y + line_height(size)
        places.append((x, y))
        x += wide + 2 * size
    return places
