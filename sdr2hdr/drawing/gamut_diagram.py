"""CIE 1931 chromaticity diagrams of a picture, before and after (figure 2 of the paper)."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sdr2hdr.color.tables import table
from sdr2hdr.drawing.axes import Axis, Plot, legend, linear
from sdr2hdr.drawing.labels import (
    ACCENT,
    DIM,
    INK,
    PAPER,
    TEXT,
    Color,
    Page,
    Pixels,
    blank,
    box_of,
    line_height,
)
from sdr2hdr.image import FloatArray

X_RANGE, Y_RANGE = (-0.09, 0.81), (-0.03, 0.89)
TRIANGLES: tuple[tuple[str, str, Color, float], ...] = (  # name, table, colour, dash
    ("BT.2020", "chromaticities_bt2020", ACCENT, 0),
    ("P3", "chromaticities_p3", (126, 206, 255), 4),
    ("BT.709", "chromaticities_bt709", INK, 0),
)
WAVELENGTHS = (460, 480, 500, 520, 540, 560, 580, 600, 620, 700)  # nm, labelled
FAINT, STRONG = 0.16, 1.0  # brightness of the diagram's own colours, and of the pixels on it
DARK_NITS = 1.0  # darker pixels are left out: their chromaticities are rounding


@dataclass(frozen=True)
class Cloud:
    """The chromaticities of a picture.

    light : (3, h, w), linear BT.2020, cd/m2
    title : above its diagram
    note : below it
    """

    light: FloatArray
    title: str
    note: str = ""


def chromaticities(light: FloatArray) -> FloatArray:
    """x, y (CIE 1931) of BT.2020 light (3, ...) in cd/m2, (2, N): of the pixels that are not dark."""
    flat = light.reshape(3, -1)
    xyz = table("bt2020_to_xyz").astype(np.float32) @ flat
    bright = xyz[1] >= DARK_NITS
    xyz = xyz[:, bright]
    return np.asarray(xyz[:2] / xyz.sum(0), np.float32)


def draw(clouds: tuple[Cloud, Cloud], wide: int) -> Page:
    """Two diagrams side by side; `wide` in pixels of both."""
    unit = wide / 640
    size = round(TEXT * unit)
    row = line_height(size)
    margin, gap = round(34 * unit), round(14 * unit)
    across = (wide - margin - 2 * gap) // 2
    down = round(across * (Y_RANGE[1] - Y_RANGE[0]) / (X_RANGE[1] - X_RANGE[0]))
    page = Page(blank(row + size + down + round(3.8 * row), wide, PAPER))
    for index, cloud in enumerate(clouds):
        left = margin + index * (across + gap)
        top = row + size // 2
        frame = (left, top, left + across, top + down)
        _diagram(page, frame, cloud, size, unit, labelled=index == 0)
        page.write((left, size // 3), cloud.title, size, INK)
        foot = top + down + size // 2 + row
        page.write_if_free((left + across / 2, foot + size // 4), cloud.note, size, DIM, "ma")
    entries = [(color, f"{name}{' (dashed)' if dash else ''}") for name, _, color, dash in TRIANGLES]
    legend(page, (margin, page.size[0] - row - size // 3), entries, size, wide - margin)
    return page


def _diagram(
    page: Page, frame: tuple[int, int, int, int], cloud: Cloud, size: int, unit: float, labelled: bool
) -> None:
    """One diagram in its frame."""
    ticks = [(i / 5, f"{i / 5:g}") for i in range(5)]
    y_ticks = [(v, w if labelled else "") for v, w in ticks]
    plot = Plot(page, frame, Axis(linear(*X_RANGE), ticks, ""), Axis(linear(*Y_RANGE), y_ticks, ""), size)
    locus = table("spectral_locus")
    outline = plot.at(np.append(locus[:, 1], locus[0, 1]), np.append(locus[:, 2], locus[0, 2]))
    left, top, right, bottom = frame
    inside = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(inside, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    canvas = page.canvas[top:bottom, left:right]
    _shine(canvas, inside, _density(plot, chromaticities(cloud.light)))
    plot.path(outline, DIM, max(1, round(unit)))
    _wavelengths(page, plot, locus)
    for _, key, color, dash in TRIANGLES:
        corners = table(key).reshape(4, 2)[[0, 1, 2, 0]]
        plot.line(corners[:, 0], corners[:, 1], color, max(1, round(unit)), dash * unit)
    white = plot.at(*table("chromaticities_bt709")[6:])[0]
    cv2.drawMarker(
        canvas, tuple(np.rint(white).astype(int).tolist()), (255, 255, 255), cv2.MARKER_CROSS, size
    )
    page.write((right - size // 3, bottom - size // 3), "x", size, DIM, "rd")
    page.write((left + size // 3, top + size // 3), "y", size, DIM, "la")


def _wavelengths(page: Page, plot: Plot, locus: npt.NDArray[np.float64]) -> None:
    """Words beside the locus, on its outer side, where they fit into the frame."""
    white = np.array(table("chromaticities_bt709")[6:])
    left, top, right, bottom = plot.frame
    size = max(10, round(plot.size * 0.8))
    for nm in WAVELENGTHS:
        xy = locus[locus[:, 0] == nm][0, 1:]
        outward = (xy - white) / np.hypot(*(xy - white))
        x, y = plot.on_page(*xy)
        at = x + outward[0] * size * 1.3, y - outward[1] * size * 0.9
        box = box_of(at, str(nm), size, "mm")
        if box[0] >= left and box[1] >= top and box[2] <= right and box[3] <= bottom:
            page.write_if_free(at, str(nm), size, DIM, "mm")


def _density(plot: Plot, xy: FloatArray) -> npt.NDArray[np.float32]:
    """How many pixels fall on each place of the frame: 0 none, 1 the most, logarithmic between."""
    left, top, right, bottom = plot.frame
    shape = (bottom - top, right - left)
    if not xy.size:
        return np.zeros(shape, np.float32)
    points = np.rint(plot.at(xy[0], xy[1])).astype(np.int64)
    within = (points >= 0).all(1) & (points < shape[::-1]).all(1)
    places = points[within] @ np.array([1, shape[1]])
    counts = np.bincount(places, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float32)
    spread = cv2.GaussianBlur(counts, (0, 0), max(0.6, shape[1] / 500))
    level = np.log1p(spread * 4)
    return np.asarray(level / max(float(level.max()), 1e-6), np.float32)


def _shine(canvas: Pixels, inside: npt.NDArray[np.uint8], density: npt.NDArray[np.float32]) -> None:
    """Colour the diagram faintly, and brightly where there are pixels."""
    height, wide = inside.shape
    x = np.linspace(*X_RANGE, wide)[None].repeat(height, 0)
    y = np.linspace(*Y_RANGE[::-1], height)[:, None].repeat(wide, 1)
    colors = _brightest(x, np.maximum(y, 1e-3))
    strength = FAINT + (STRONG - FAINT) * np.minimum(1.0, 0.25 * (density > 0.02) + density)
    cover = np.maximum(inside / np.float32(255), (density > 0.02).astype(np.float32))[..., None]
    shown = colors * (strength[..., None] * 255)
    canvas[:] = np.rint(canvas * (1 - cover) + shown * cover).astype(np.uint8)


def _brightest(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> FloatArray:
    """sRGB codes 0 .. 1 of the brightest colour of a chromaticity; what sRGB lacks is clipped to its edge."""
    xyz = np.stack([x / y, np.ones_like(x), (1 - x - y) / y])
    to_709 = table("bt2020_to_bt709") @ np.linalg.inv(table("bt2020_to_xyz"))
    light = np.maximum(np.einsum("dc,chw->hwd", to_709, xyz), 0)
    light /= np.maximum(light.max(-1, keepdims=True), 1e-9)
    codes = np.interp(light, np.linspace(0, 1, 65536), table("linear_to_srgb"))
    return np.asarray(codes, np.float32)
