"""Words on pictures: one font, one set of colours, and a page that remembers where its words stand.

>>> import numpy
>>> from sdr2hdr.drawing import labels
>>> photo = numpy.zeros((300, 400, 3), numpy.uint8)
>>> labels.captioned(photo, "SDR", "as it was read").shape[1]
400
"""

import io
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
    """Pillow's own font at a size in pixels; it has Latin letters and the signs of `plain`."""
    loaded = ImageFont.load_default(size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType")
    return loaded


@cache
def _has(sign: str) -> bool:
    return bytes(font(TEXT).getmask(sign)) != bytes(font(TEXT).getmask("\uffff"))


def plain(words: str) -> str:
    """The words with the signs that the font has: a dash for the minus, a question mark for what is missing."""
    words = words.replace("−", "–").replace("²", "2").replace("\t", " ").replace("\n", " ")
    return "".join(sign if sign.isprintable() and _has(sign) else "?" for sign in words)


def width(words: str, size: int = TEXT) -> int:
    """Pixels that a line takes."""
    return int(np.ceil(font(size).getlength(plain(words))))


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


class Page:
    """Pixels that are written on; `boxes` tells where every word stands.

    pixels : (H, W, 3); copied
    """

    def __init__(self, pixels: Pixels) -> None:
        self._image = Image.fromarray(np.ascontiguousarray(pixels))
        self._draw = ImageDraw.Draw(self._image)
        self.boxes: list[tuple[Box, str]] = []

    @property
    def size(self) -> tuple[int, int]:
        """Height, width."""
        return self._image.height, self._image.width

    @property
    def pixels(self) -> Pixels:
        """The page as it stands, a copy."""
        return np.array(self._image)

    def box(self, at: tuple[float, float], words: str, size: int = TEXT, anchor: str = "la") -> Box:
        """Where the words would stand; `at` is x, y of the anchor (Pillow's: "la" left top, "mm" middle, "rs" ...)."""
        left, top, right, bottom = self._draw.textbbox(at, plain(words), font=font(size), anchor=anchor)
        return int(np.floor(left)), int(np.floor(top)), int(np.ceil(right)), int(np.ceil(bottom))

    def free(self, box: Box, gap: int = 2) -> bool:
        """Whether a box lies on the page and no word is nearer to it than `gap` pixels."""
        left, top, right, bottom = box
        height, wide = self.size
        if left < 0 or top < 0 or right > wide or bottom > height:
            return False
        return not any(
            left - gap < r and l < right + gap and top - gap < b and t < bottom + gap
            for (l, t, r, b), _ in self.boxes  # noqa: E741
        )

    def write(
        self,
        at: tuple[float, float],
        words: str,
        size: int = TEXT,
        color: Color = INK,
        anchor: str = "la",
        halo: Color | None = None,
    ) -> Box:
        """Write a line; `halo` is the colour of an outline that keeps it readable on a picture."""
        stroke = max(1, size // 8) if halo else 0
        self._draw.text(
            at, plain(words), color, font=font(size), anchor=anchor, stroke_width=stroke, stroke_fill=halo
        )
        box = self.box(at, words, size, anchor)
        self.boxes.append((box, words))
        return box

    def write_if_free(
        self, at: tuple[float, float], words: str, size: int = TEXT, color: Color = INK, anchor: str = "la"
    ) -> bool:
        """Write a line unless it would touch another or leave the page; whether it was written."""
        if not self.free(self.box(at, words, size, anchor)):
            return False
        self.write(at, words, size, color, anchor)
        return True


def blank(height: int, wide: int, color: Color = PAPER) -> Pixels:
    """A page of one colour."""
    return np.full((height, wide, 3), color, np.uint8)


def captioned(picture: Pixels, title: str, note: str = "", size: int = TEXT + 3, lines: int = 0) -> Pixels:
    """A picture under its title and a note in smaller letters; no narrower than `NARROWEST`, the picture centred.

    Parameters
    ----------
    size : of the title, pixels; the note is a fifth smaller
    lines : that the note gets at least, so that pictures beside each other stay level
    """
    return caption_page(picture, title, note, size, lines).pixels


def caption_page(picture: Pixels, title: str, note: str = "", size: int = TEXT + 3, lines: int = 0) -> Page:
    """`captioned`, as a page that can be written on further."""
    height, wide = picture.shape[:2]
    room = max(wide, NARROWEST)
    small = max(TEXT, round(size * 0.8))
    titles, notes = wrap(title, room - 8, size), wrap(note, room - 8, small)
    top = len(titles) * line_height(size) + max(len(notes), lines) * line_height(small) + size // 2
    pixels = blank(top + height, room)
    left = (room - wide) // 2
    pixels[top:, left : left + wide] = picture
    page, y = Page(pixels), 2
    for texts, letters, color in ((titles, size, INK), (notes, small, DIM)):
        for text in texts:
            page.write((4, y), text, letters, color)
            y += line_height(letters)
    return page


def png(pixels: Pixels) -> bytes:
    """A PNG file, marked as sRGB."""
    stream, chunks = io.BytesIO(), PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\0")  # PNG, 11.3.2.5: perceptual
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG", pnginfo=chunks, compress_level=4)
    return stream.getvalue()
