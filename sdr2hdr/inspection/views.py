"""Layers and light as pictures for any screen: (H, W, 3) uint8, sRGB."""

import cv2
import numpy as np

from sdr2hdr import scale, tonemap
from sdr2hdr.color import inplace
from sdr2hdr.drawing.labels import Color, Pixels
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray
from sdr2hdr.inspection.figures import decoded
from sdr2hdr.inspection.origin import Classes

SMALLEST = 240  # pixels of the long side: smaller pictures are enlarged, every pixel to a square
SLENDER = 12  # pixels of the short side at least
RANGES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)  # stops that a detail layer may be shown at
SHADOWS = 0.1  # base layer's signal below which detail does not choose that range
ROLL_OFF = {"start": 0.5, "logarithmic": 0.5, "fade": 0.3}  # of `tonemap.global_max`
COLORS: tuple[Color, ...] = ((64, 128, 214), (250, 196, 62), (238, 62, 128))  # of the classes


def size_within(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Height and width, both shrunk alike to a long side, if they are larger."""
    factor = min(1.0, long_side / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def shrunk(planes: FloatArray, long_side: int) -> FloatArray:
    """Planes (C, H, W) -> area averages, the long side at most this."""
    height, width = size_within(planes.shape[1:], long_side)
    if (height, width) == planes.shape[1:]:
        return np.array(planes, np.float32)
    resized = [
        cv2.resize(np.ascontiguousarray(plane), (width, height), interpolation=cv2.INTER_AREA)
        for plane in planes
    ]
    return np.stack(resized).astype(np.float32)


def of_signal(signal: FloatArray, long_side: int) -> Pixels:
    """An sRGB signal (3, H, W), shrunk in light."""
    size = size_within((signal.shape[1], signal.shape[2]), long_side)
    return _codes(scale.shrink(signal, size)[0].numpy())


def of_values(values: FloatArray, long_side: int) -> Pixels:
    """Numbers (3, h, w) from 0 to 1, as codes."""
    return _codes(shrunk(values, long_side))


def of_detail(detail: FloatArray, reach: float, long_side: int) -> Pixels:
    """A detail layer (3, h, w): grey is 1, black and white are `reach` stops below and above."""
    stops = np.log2(np.maximum(shrunk(detail, long_side), np.float32(2.0**-20)))
    return _codes(0.5 + stops / np.float32(2 * reach))


def reach(detail: FloatArray, base: FloatArray) -> float:
    """Stops at which a detail layer is shown: 98 % of it lies within, shadows apart, where noise is all of it."""
    some = detail[base > SHADOWS] if (base > SHADOWS).mean() > 0.01 else detail
    most = float(np.percentile(np.abs(np.log2(np.maximum(some, np.float32(2.0**-20)))), 98))
    return next((step for step in RANGES if most <= step), RANGES[-1])


def of_pq(pq: FloatArray, top: float, long_side: int) -> Pixels:
    """A PQ layer (3, h, w), BT.2020, its highlights rolled off so that `top` (1.0 = SDR white) is white."""
    return rolled_off(shrunk(decoded(pq), long_side) * np.float32(1 / SDR_WHITE_NITS), top)


def rolled_off(light: FloatArray, top: float) -> Pixels:
    """BT.2020 light (3, h, w), 1.0 = SDR white, as above."""
    narrow = np.maximum(inplace.convert(light, "bt2020_to_bt709"), 0).transpose(1, 2, 0)
    shown = tonemap.global_max(np.ascontiguousarray(narrow), top=top, **ROLL_OFF)
    return _codes(inplace.srgb_signal()(shown.transpose(2, 0, 1)))


def exposed(light: FloatArray, stops: int) -> Pixels:
    """BT.2020 light (3, h, w), 1.0 = SDR white, at an exposure, clipped."""
    narrow = inplace.convert(light, "bt2020_to_bt709") * np.float32(2.0**stops)
    return _codes(inplace.srgb_signal()(np.clip(narrow, 0, 1)))


def of_classes(classes: Classes, structure: Pixels) -> Pixels:
    """Classes (H, W) in their colours, with the lights and shades of a picture (h, w, 3) of the size wanted."""
    height, width = structure.shape[:2]
    each = np.stack([(classes == index).astype(np.float32) for index in range(len(COLORS))])
    parts = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in each]
    flat = np.einsum("chw,cd->hwd", np.stack(parts), np.array(COLORS, np.float32))
    grey = structure.astype(np.float32).mean(-1, keepdims=True) / 255
    return np.rint(flat * (0.3 + 0.7 * grey)).clip(0, 255).astype(np.uint8)


def legible(pixels: Pixels) -> Pixels:
    """A tiny picture enlarged by a whole factor, a line of pixels made a band; others as they are."""
    factor = max(1, SMALLEST // max(pixels.shape[:2]))
    across, down = factor, factor
    across = max(across, -(-SLENDER // pixels.shape[1]))
    down = max(down, -(-SLENDER // pixels.shape[0]))
    return pixels.repeat(down, 0).repeat(across, 1) if across * down > 1 else pixels


def _codes(values: FloatArray) -> Pixels:
    """(3, h, w) in 0 .. 1 -> (h, w, 3) codes; values outside are clamped."""
    codes: Pixels = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(codes)
