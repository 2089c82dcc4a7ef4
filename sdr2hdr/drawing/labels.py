"""Words on pictures: one font, one set of colours, and a page that remembers where its words stand.

>>> import numpy
>>> from sdr2hdr.drawing import labels
>>> photo = numpy.zeros((300, 400, 3), numpy.uint8)
>>> labels.captioned(photo, "SDR", "as it was read").shape[1]
400
"""

import io
import math
import unicodedata
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

Pixels = npt.NDArray[np.uint8]
Color = tuple[int, int, int]
Box = tuple[int, int, int, int]  # left, top, right, bottom; the last two are outside

PAPER: Color = (24, 25, 28)
GRID: Color = (62, 64, 70)
DIM: Color = (164, 167, 173)
INK: Color = (233, 233, 231)
ACCENT: Color = (255, 196, 84)

TEXT = 13  # pixels: the smallest size that reads well at 100 %
NARROWEST = 240  # pixels: a caption needs as much


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font at a size in pixels; it has Latin letters without accents, see `plain`."""
    loaded = ImageFont.load_default(size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType")
    return loaded


@cache
def _has(sign: str) -> bool:
    return bytes(font(TEXT).getmask(sign)) != bytes(font(TEXT).getmask("\uffff"))


@cache
def _printed(sign: str) -> str:
    if not sign.isprintable():
        return "?"
    if _has(sign):
        return sign
    letters = "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
    return letters if letters != sign and all(map(_has, letters)) else "?"


def plain(words: str) -> str:
    """The words in signs that the font has: a hyphen for the minus, letters without accents, else question marks."""
    words = words.replace("−", "-").replace("\t", " ").replace("\n", " ")
    return "".join(map(_printed, unicodedata.normalize("NFC", words)))


def width(words: str, size: int = TEXT) -> int:
    """Pixels that a line takes."""
    return math.ceil(font(size).getlength(plain(words)))


def line_height(size: int = TEXT) -> int:
    """Pixels from line to line."""
    return round(size * 1.35)


def wrap(words: str, room: int, size: int = TEXT) -> list[str]:
    """Lines no wider than `room` pixels, broken between words; a word that is too long is cut and gets an ellipsis."""
    lines: list[str] = []
    for word in words.split():
        if lines and width(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
            continue
        while width(word, size) > room and len(word) > 1:
            word = f"{word.rstrip('…')[:-1]}…" if word != "…" else ""
        lines.append(word)
    return lines


@dataclass(frozen=True)
class Line:
    """A line of text on a page: where its anchor is, and the box that its letters fill."""

    at: tuple[float, float]
    words: str
    size: int
    color: Color
    anchor: str
    halo: Color | None
    box: Box


class Page:
    """Pixels that are drawn on, and lines of text above them.

    canvas : (H, W, 3), of its own; what is drawn on it stays below the text
    lines : the text, with the box of each line
    """

    def __init__(self, canvas: Pixels) -> None:
        self.canvas: Pixels = np.array(canvas, np.uint8, order="C")
        self.lines: list[Line] = []

    @property
    def size(self) -> tuple[int, int]:
        """Height, width."""
        return self.canvas.shape[0], self.canvas.shape[1]

    @property
    def pixels(self) -> Pixels:
        """The page as it stands, text and all; a copy."""
        image = Image.fromarray(self.canvas)
        draw = ImageDraw.Draw(image)
        for line in self.lines:
            draw.text(
                line.at,
                line.words,
                line.color,
                font=font(line.size),
                anchor=line.anchor,
                stroke_width=max(1, line.size // 8) if line.halo else 0,
                stroke_fill=line.halo,
            )
        return np.array(image)

    def free(self, box: Box, gap: int = 2) -> bool:
        """Whether a box lies on the page and no text is nearer to it than `gap` pixels."""
        height, wide = self.size
        if box[0] < 0 or box[1] < 0 or box[2] > wide or box[3] > height:
            return False
        grown = box[0] - gap, box[1] - gap, box[2] + gap, box[3] + gap
        return not any(overlap(grown, line.box) for line in self.lines)

    def write(
        self,
        at: tuple[float, float],
        words: str,
        size: int = TEXT,
        color: Color = INK,
        anchor: str = "la",
        halo: Color | None = None,
    ) -> Box:
        """Write a line, with its anchor at x, y (Pillow's anchors: "la" left top, "mm" middle, "rs" right foot).

        `halo` is the colour of an outline, which keeps the words readable on a picture.
        """
        box = box_of(at, words, size, anchor)
        self.lines.append(Line(at, plain(words), size, color, anchor, halo, box))
        return box

    def write_if_free(
        self,
        at: tuple[float, float],
        words: str,
        size: int = TEXT,
        color: Color = INK,
        anchor: str = "la",
        halo: Color | None = None,
    ) -> bool:
        """Write a line unless it would touch another or leave the page; whether it was written."""
        if not self.free(box_of(at, words, size, anchor)):
            return False
        self.write(at, words, size, color, anchor, halo)
        return True

    def put(self, other: "Page", left: int, top: int) -> None:
        """Lay another page, text and all, on this one; it must lie within."""
        height, wide = other.size
        self.canvas[top : top + height, left : left + wide] = other.canvas
        for line in other.lines:
            at = (line.at[0] + left, line.at[1] + top)
            box = (line.box[0] + left, line.box[1] + top, line.box[2] + left, line.box[3] + top)
            self.lines.append(replace(line, at=at, box=box))


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share a pixel."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def box_of(at: tuple[float, float], words: str, size: int = TEXT, anchor: str = "la") -> Box:
    """The box that the letters would fill."""
    left, top, right, bottom = font(size).getbbox(plain(words), anchor=anchor)
    x, y = at
    return (math.floor(x + left), math.floor(y + top), math.ceil(x + right), math.ceil(y + bottom))


def blank(height: int, wide: int, color: Color = PAPER) -> Pixels:
    """A page of one colour."""
    return np.full((height, wide, 3), color, np.uint8)


def captioned(
    picture: Pixels, title: str, note: str = "", size: int = TEXT + 3, note_lines: int = 0
) -> Pixels:
    """A picture under its title and a note in smaller letters; no narrower than `NARROWEST`, the picture centred.

    Parameters
    ----------
    size : of the title, pixels; the note is a fifth smaller
    note_lines : that the note gets at least, so that pictures beside each other stay level
    """
    return caption(Page(picture), title, note, size, note_lines).pixels


def caption(body: Page, title: str, note: str = "", size: int = TEXT + 3, note_lines: int = 0) -> Page:
    """`captioned` for a page."""
    height, wide = body.size
    room = max(wide, NARROWEST)
    small = max(TEXT, round(size * 0.8))
    titles, notes = wrap(title, room - 8, size), wrap(note, room - 8, small)
    top = len(titles) * line_height(size) + max(len(notes), note_lines) * line_height(small) + size // 2
    page, y = Page(blank(top + height, room)), 2
    for texts, letters, color in ((titles, size, INK), (notes, small, DIM)):
        for text in texts:
            page.write((2, y), text, letters, color)
            y += line_height(letters)
    page.put(body, (room - wide) // 2, top)
    return page


def png(pixels: Pixels) -> bytes:
    """A PNG file, marked as sRGB."""
    stream, chunks = io.BytesIO(), PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\0")  # PNG, 11.3.2.5: perceptual
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG", pnginfo=chunks, compress_level=4)
    return stream.getvalue()
