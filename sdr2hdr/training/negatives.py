"""Pictures without a highlight: whatever is white in them is paper, cloud, snow or skin, and stays where it is.

The reference of each is the direct mapping of its SDR version. All are drawn, with grain and compression.
"""

from collections.abc import Callable

import cv2
import numpy as np
import torch

from sdr2hdr.camera import Codes, Compression, Shot, compress
from sdr2hdr.color.gamut import convert
from sdr2hdr.color.transfer import srgb_decode
from sdr2hdr.image import FloatArray

GRAIN = 0.02  # largest standard deviation of the noise that is laid over, in signal
LETTERS = "etaoinshrdlucmfwypvbgkETAOINSHRDLU0123456789,."
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)
Size = tuple[int, int]
Draw = Callable[[Size, np.random.Generator], FloatArray]


def direct_light(codes: Codes) -> FloatArray:
    """8-bit sRGB codes (H, W, 3) -> linear light (H, W, 3), BT.2020, 1.0 = SDR white: the direct mapping."""
    linear = srgb_decode(torch.from_numpy(codes.astype(np.float32) / 255).permute(2, 0, 1))
    return convert(linear, "bt709_to_bt2020").permute(1, 2, 0).contiguous().numpy()


def clouds(size: Size, rng: np.random.Generator, octaves: int = 5) -> FloatArray:
    """Smooth noise of several scales, (H, W), mean 0, standard deviation 1."""
    height, width = size
    total = np.zeros(size, np.float32)
    for octave in range(octaves):
        cells = (2 + (height << octave) // 96, 2 + (width << octave) // 96)
        noise = rng.standard_normal(cells, dtype=np.float32)
        total += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) * np.float32(0.6**octave)
    return (total - total.mean()) / max(float(total.std()), 1e-6)


def _flat(size: Size, colour: FloatArray) -> FloatArray:
    return np.broadcast_to(np.asarray(colour, np.float32), (*size, 3)).copy()


def _tint(rng: np.random.Generator, most: float) -> FloatArray:
    """Nearly grey, warm or cold: factors on R, G, B, at most 1."""
    warm = rng.uniform(-most, most)
    return np.array([1 + min(0, warm), 1 - abs(warm) / 2, 1 - max(0, warm)], np.float32)


def page(size: Size, rng: np.random.Generator) -> FloatArray:
    """Paper or a screen with lines of text, boxes and pictures, unevenly lit now and then."""
    height, width = size
    signal = _flat(size, rng.uniform(0.75, 1.0) * _tint(rng, 0.06))
    line = int(rng.integers(3, 4 + height // 12))
    if rng.random() < 0.7:
        ink, margin = rng.uniform(0, 0.4), int(width * rng.uniform(0, 0.15))
        for top in range(margin, height - margin, 2 * line):
            at = margin
            while at < width - margin:
                word = int(rng.integers(line, 6 * line))
                signal[top : top + line, at : min(at + word, width - margin)] *= rng.uniform(ink, 1)
                at += word + line // 2 + 1
    for _ in range(int(rng.integers(0, 12))):
        y, x = int(rng.integers(height)), int(rng.integers(width))
        h, w = int(rng.integers(1, 4 + height // 4)), int(rng.integers(1, 4 + width // 3))
        signal[y : y + h, x : x + w] = rng.uniform(0, 1, 3) if rng.random() < 0.5 else rng.uniform(0, 1)
    if rng.random() < 0.5:
        slope = np.linspace(1, rng.uniform(0.8, 1), width, dtype=np.float32)[None, :, None]
        signal = cv2.GaussianBlur(signal * slope, (0, 0), rng.uniform(0.3, 1.5))
    return signal


def _letters(rng: np.random.Generator, count: int) -> str:
    """So many letters in words of one to nine."""
    text = "".join(LETTERS[i] for i in rng.integers(len(LETTERS), size=count))
    ends = np.cumsum(rng.integers(1, 10, count))
    return " ".join(text[a:b] for a, b in zip([0, *ends], ends, strict=False) if a < count)


def _write(signal: FloatArray, box: tuple[int, int, int, int], rng: np.random.Generator, ink: float) -> None:
    """Lines of letters into a box (top, left, height, width) of the picture, all of one size and ink, in place."""
    top, left, height, width = box
    font, scale = int(rng.choice(FONTS)), float(rng.uniform(0.25, 0.6))
    step = int(32 * scale * rng.uniform(1, 1.8))
    cover = np.zeros(signal.shape[:2], np.uint8)  # OpenCV writes into nothing else
    for y in range(top + step, top + height, step):
        line = _letters(rng, int(width * rng.uniform(0.2, 1) / (18 * scale)))
        cv2.putText(cover, line, (left, y), font, scale, (255,), 1, cv2.LINE_AA)
    signal += (np.float32(ink) - signal) * (cover[..., None] / np.float32(255))


def screen(size: Size, rng: np.random.Generator) -> FloatArray:
    """A page of letters as a screen shows it, or a window of a program: bars, buttons, columns; dark now and then."""
    height, width = size
    dark = rng.random() < 0.15
    signal = _flat(size, np.full(3, rng.uniform(0.05, 0.2) if dark else min(1, rng.uniform(0.9, 1.15))))
    ink = float(rng.uniform(0.7, 1) if dark else rng.uniform(0, 0.4))
    left, top = (int(side * rng.uniform(0, 0.3)) for side in (width, height))
    if rng.random() < 0.6:
        shade = np.float32(rng.uniform(0.85, 1))
        signal[:, :left] *= shade
        signal[:top] = rng.uniform(0, 1) if rng.random() < 0.5 else signal[:top] * shade
        for x in range(left, width, max(8, int(width * rng.uniform(0.1, 0.3)))):
            y, long, high = int(height * rng.uniform(0, 1)), int(width * 0.08), int(height * 0.08)
            cv2.rectangle(signal, (x, y), (x + long, y + high), rng.uniform(0, 1, 3).tolist(), -1)
    _write(signal, (top, left, int(height * rng.uniform(0.4, 1)), width - left), rng, ink)
    if left > 40:
        _write(signal, (top, 4, height, left), rng, ink)
    return signal


def plain(size: Size, rng: np.random.Generator) -> FloatArray:
    """One tone all over, mostly a light one and white now and then, or a smooth ramp of two."""
    a, b = np.minimum(rng.uniform(0.6, 1.1, 2), 1)
    if rng.random() < 0.6:
        return _flat(size, a * (_tint(rng, 0.1) if rng.random() < 0.5 else np.ones(3, np.float32)))
    ramp = np.linspace(a, b, size[1], dtype=np.float32)[None, :, None]
    return _flat(size, _tint(rng, 0.1)) * ramp


def blank(size: Size, rng: np.random.Generator) -> FloatArray:
    """White all over, or black, and nothing else."""
    return _flat(size, np.full(3, float(rng.random() < 0.8), np.float32))


def overcast(size: Size, rng: np.random.Generator) -> FloatArray:
    """A closed sky, nearly white, over darker land."""
    height, width = size
    sky = rng.uniform(0.75, 1.0) + rng.uniform(0.003, 0.05) * clouds(size, rng)
    signal = sky[..., None] * _tint(rng, 0.05)
    horizon = height * rng.uniform(0.3, 1.1) + clouds((1, width), rng)[0] * height * rng.uniform(0, 0.12)
    land = np.arange(height)[:, None] > horizon[None]
    ground = rng.uniform(0.05, 0.4) * (1 + 0.4 * clouds(size, rng))
    signal[land] = (ground[..., None] * rng.uniform(0.5, 1, 3).astype(np.float32))[land]
    return signal


def snow(size: Size, rng: np.random.Generator) -> FloatArray:
    """Bright ground with bluish shadows, no sun in it."""
    relief = clouds(size, rng)
    signal = (rng.uniform(0.8, 0.97) + rng.uniform(0.01, 0.08) * relief)[..., None] * np.ones(3, np.float32)
    shade = (clouds(size, rng, 3) > rng.uniform(0, 1.5))[..., None]
    return np.where(shade, signal * np.array([0.75, 0.83, 0.95], np.float32) * rng.uniform(0.7, 1), signal)


def skin(size: Size, rng: np.random.Generator) -> FloatArray:
    """A face or a hand: an oval of a skin's tone, softly lit, its brightest part not clipped, before anything."""
    height, width = size
    signal = _flat(size, (rng.uniform(0.05, 0.9) * rng.uniform(0.7, 1, 3)).astype(np.float32))
    tone = np.array([0.95, rng.uniform(0.62, 0.84), rng.uniform(0.5, 0.75)], np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(int(rng.integers(1, 10))):
        r = min(height, width) * rng.uniform(0.1, 0.5)
        dy, dx = (y - rng.uniform(0, height)) / (1.3 * r), (x - rng.uniform(0, width)) / r
        light = 1 - rng.uniform(0.2, 0.6) * np.hypot(dy - rng.uniform(-0.5, 0.5), dx - rng.uniform(-0.5, 0.5))
        inside = dy * dy + dx * dx < 1
        signal[inside] = (np.clip(light, 0.1, 1)[..., None] * tone * rng.uniform(0.5, 1.03))[inside]
    return signal


def collage(size: Size, rng: np.random.Generator) -> FloatArray:
    """Two of the others, side by side or one above the other."""
    signal = _one(size, rng)
    other = _one(size, rng)
    if rng.random() < 0.5:
        at = int(size[0] * rng.uniform(0.2, 0.8))
        signal[:at] = other[:at]
    else:
        at = int(size[1] * rng.uniform(0.2, 0.8))
        signal[:, :at] = other[:, :at]
    return signal


_SINGLE: tuple[Draw, ...] = (page, screen, screen, plain, overcast, snow, skin, skin)
DRAWN: tuple[Draw, ...] = (*_SINGLE, collage, collage, blank)


def _one(size: Size, rng: np.random.Generator) -> FloatArray:
    return np.asarray(_SINGLE[int(rng.integers(len(_SINGLE)))](size, rng), np.float32)


def negative(size: Size, rng: np.random.Generator, compression: Compression) -> Shot:
    """One of them, with grain and compression, and the direct mapping of what came of it."""
    signal = DRAWN[int(rng.integers(len(DRAWN)))](size, rng).clip(0, 1).astype(np.float32)
    if rng.random() < 0.5:
        signal = signal + rng.standard_normal(signal.shape, dtype=np.float32) * np.float32(
            rng.uniform(0, GRAIN)
        )
    codes = compress(np.round(signal.clip(0, 1) * 255).astype(np.uint8), rng, compression)
    return Shot(codes, direct_light(codes), 1.0, {"kind": "negative"})


def framed(shot: Shot, rng: np.random.Generator) -> Shot:
    """The picture on white, grey or black: a frame, or bars on two sides, that stay at the direct mapping."""
    codes, light = shot.codes.copy(), shot.light.copy()
    height, width = codes.shape[:2]
    y, x = (int(rng.uniform(0.02, 0.2) * side) * int(rng.random() < 0.7) for side in (height, width))
    frame = np.ones((height, width), bool)
    frame[y : height - y, x : width - x] = False
    codes[frame] = (0, 255, 255, int(rng.integers(0, 256)))[int(rng.integers(4))]
    light[frame] = direct_light(codes)[frame]
    return Shot(codes, light, shot.gain, shot.drawn)
