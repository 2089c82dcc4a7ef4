"""Pictures side by side on one page."""

from collections.abc import Sequence

import cv2
import numpy as np

from sdr2hdr.drawing.labels import DIM, INK, TEXT, Page, Pixels, blank, line_height, wrap

GAP = 14  # pixels between cells


def fit(pixels: Pixels, room: tuple[int, int]) -> Pixels:
    """Shrunk, area-averaged, to no more than a height and width; small pictures stay as they are."""
    height, width = pixels.shape[:2]
    factor = min(room[0] / height, room[1] / width)
    if factor >= 1:
        return pixels
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def grid(cells: Sequence[Pixels], columns: int, gap: int = GAP) -> Pixels:
    """Cells row by row, all columns as wide as the widest cell, rows as high as their highest; centred, top aligned."""
    return grid_of([Page(cell) for cell in cells], columns, gap).pixels


def grid_of(cells: Sequence[Page], columns: int, gap: int = GAP) -> Page:
    """`grid` for pages."""
    rows = [cells[at : at + columns] for at in range(0, len(cells), columns)]
    width = max(cell.size[1] for cell in cells)
    heights = [max(cell.size[0] for cell in row) for row in rows]
    page = Page(blank(sum(heights) + gap * (len(rows) + 1), columns * (width + gap) + gap))
    y = gap
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            page.put(cell, gap + column * (width + gap) + (width - cell.size[1]) // 2, y)
        y += height + gap
    return page


def stack(pages: Sequence[Page]) -> Page:
    """Pages one below the other, centred."""
    whole = Page(blank(sum(page.size[0] for page in pages), max(page.size[1] for page in pages)))
    y = 0
    for page in pages:
        whole.put(page, (whole.size[1] - page.size[1]) // 2, y)
        y += page.size[0]
    return whole


def headed(body: Page, title: str, lines: Sequence[str], size: int = 2 * TEXT) -> Page:
    """A page under a title and some lines of text, wrapped to its width."""
    room = body.size[1] - 2 * GAP
    small = round(size * 0.62)
    texts = [(part, size, INK) for part in wrap(title, room, size)]
    texts += [(part, small, DIM) for line in lines for part in wrap(line, room, small)]
    top = GAP + sum(line_height(letters) for _, letters, _ in texts)
    page, y = Page(blank(top + body.size[0], body.size[1])), GAP
    for words, letters, color in texts:
        page.write((GAP, y), words, letters, color)
        y += line_height(letters)
    page.put(body, 0, top)
    return page
