"""Pictures without a highlight, drawn here and nowhere in training: paper, text, screens, cloud, skin, snow, grey."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Codes = npt.NDArray[np.uint8]
HEIGHT, WIDTH = 480, 640
WORDS = (
    "light",
    "that",
    "clipping",
    "took",
    "comes",
    "back",
    "where",
    "it",
    "was",
    "lost",
    "and",
    "no",
    "more",
)


def _codes(signal: npt.NDArray[np.floating]) -> Codes:
    return np.rint(np.clip(signal, 0, 1) * 255).astype(np.uint8)


def _grain(sd: float, seed: int = 0) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, sd, (HEIGHT, WIDTH, 3))


def _relief(scale: float, seed: int) -> npt.NDArray[np.float64]:
    """Smooth noise between -1 and 1."""
    noise = np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH))
    smooth = cv2.GaussianBlur(noise, (0, 0), scale)
    return np.asarray(smooth / np.abs(smooth).max())


def grey(code: int) -> Codes:
    """One grey all over."""
    return np.full((HEIGHT, WIDTH, 3), code, np.uint8)


def paper() -> Codes:
    """An empty sheet, warm, photographed: vignetting and grain."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    light = 0.96 - 0.06 * (x * x + y * y)
    return _codes(light[..., None] * np.array([1, 0.98, 0.93]) + _grain(0.006))


def text() -> Codes:
    """A page of a book: black on white."""
    page = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(16)
    for line in range(20):
        words = [WORDS[(line * 7 + i) % len(WORDS)] for i in range(11)]
        pen.text((40, 24 + 22 * line), " ".join(words), (20, 20, 20), font)
    return np.asarray(page)


def screenshot() -> Codes:
    """A window of a program: white, grey bars, colored buttons, a list, a dark title."""
    page = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    pen.rectangle((0, 0, WIDTH, 36), (48, 52, 60))
    pen.rectangle((0, 36, 150, HEIGHT), (243, 244, 246))
    for i, colour in enumerate([(0, 122, 255), (52, 199, 89), (255, 59, 48), (255, 204, 0)]):
        pen.rounded_rectangle((170 + 110 * i, 60, 265 + 110 * i, 90), 8, colour)
    for i in range(14):
        pen.text((14, 50 + 28 * i), WORDS[i % len(WORDS)], (60, 60, 60), font)
        pen.line((165, 115 + 26 * i, WIDTH - 20, 115 + 26 * i), (225, 226, 228))
        pen.text((172, 118 + 26 * i), " ".join(WORDS[i % 9 : i % 9 + 7]), (30, 30, 30), font)
    return np.asarray(page)


def overcast() -> Codes:
    """A closed sky, light grey to white, over a dark row of trees."""
    sky = 0.93 + 0.05 * _relief(60, 1) - 0.1 * np.linspace(0, 1, HEIGHT)[:, None]
    signal = np.repeat(sky[..., None], 3, 2) * np.array([0.985, 0.995, 1.0])
    edge = 330 + 40 * _relief(12, 2)[200]
    trees = np.arange(HEIGHT)[:, None] > edge
    signal[trees] = (0.18 + 0.1 * _relief(2, 3))[trees][:, None] * np.array([0.8, 1, 0.7])
    return _codes(signal + _grain(0.008))


def skin() -> Codes:
    """Twelve tones of skin, softly lit from the left, each a ball on grey."""
    signal = np.full((HEIGHT, WIDTH, 3), 0.45)
    tones = np.linspace([0.98, 0.84, 0.75], [0.36, 0.24, 0.19], 12)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    for i, tone in enumerate(tones):
        cy, cx = 90 + 150 * (i // 4), 95 + 150 * (i % 4)
        dy, dx = (y - cy) / 62, (x - cx) / 62
        inside = dx * dx + dy * dy < 1
        facing = np.sqrt(np.maximum(1 - dx * dx - dy * dy, 0)) * 0.8 - 0.45 * dx - 0.3 * dy
        light = 0.45 + 0.55 * np.clip(facing, 0, 1)
        signal[inside] = (light[..., None] * tone)[inside]
    return _codes(cv2.GaussianBlur(signal, (0, 0), 0.8) + _grain(0.006))


def snow() -> Codes:
    """A snowfield under a veiled sky: texture near white, blue shadows, no sun."""
    field = 0.9 + 0.05 * _relief(6, 4) + 0.04 * _relief(40, 5)
    signal = np.repeat(field[..., None], 3, 2)
    shadow = _relief(50, 6) > 0.25
    signal[shadow] *= np.array([0.74, 0.82, 0.93])
    return _codes(signal + _grain(0.008))


PICTURES: dict[str, Callable[[], Codes]] = {
    "paper": paper,
    "text": text,
    "screenshot": screenshot,
    "overcast": overcast,
    "skin": skin,
    "snow": snow,
    "grey 240": lambda: grey(240),
    "grey 245": lambda: grey(245),
    "white": lambda: grey(255),
    "middle grey": lambda: grey(128),
    "black": lambda: grey(0),
}
