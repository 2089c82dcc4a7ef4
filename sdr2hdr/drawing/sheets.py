"""Pictures side by side on one page."""

import cv2
import numpy as np

from sdr2hdr.drawing.labels import INK, PAPER, TEXT, Page, Pixels, blank, line_height, wrap

GAP = 14  # pixels between cells


def fit(pixels: Pixels, room: tuple[int, int]) -> Pixels:
    """Shrunk, area-averaged, to no more than a height and width; small pictures stay as they are."""
    height, width = pixels.shape[:2]
    factor = min(room[0] / height, room[1] / width)
    if factor >= 1:
        return pixels
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def grid(cells: list[Pixels], columns: int, gap: int = GAP) -> Pixels:
    """Cells row by row, all columns as wide as the widest cell, rows as high as their highest; centred, top aligned."""
    rows = [cells[at : at + columns] for at in range(0, len(cells), columns)]
    width = max(cell.shape[1] for cell in cells)
    heights = [max(cell.shape[0] for cell in row) for row in rows]
    page = blank(sum(heights) + gap * (len(rows) + 1), columns * (width + gap) + gap)
    y = gap
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            x = gap + column * (width + gap) + (width - cell.shape[1]) // 2
            page[y : y + cell.shape[0], x : x + cell.shape[1]] = cell
        y += height + gap
    return page


def headed(body: Pixels, title: str, lines: list[str], size: int = 2 * TEXT) -> Pixels:
    """A page under a title and some lines of text, wrapped to its width."""
    room = body.shape[1] - 2 * GAP
    small = round(size * 0.62)
    titles = wrap(title, room, size)
    texts = [part for line in lines for part in wrap(line, room, small)]
    top = GAP + len(titles) * line_height(size) + len(texts) * line_height(small)
    page = Page(np.concatenate([blank(top, body.shape[1], PAPER), body]))
    y = GAP
    for words, letters in [(t, size) for t in titles] + [(t, small) for t in texts]:
        page.write((GAP, y), words, letters, INK)
        y += line_height(letters)
    return page.pixels
