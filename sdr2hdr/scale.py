"""The working size, at which the nets see a picture, and the way down to it: means of light over areas."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import torch

from sdr2hdr.color.inplace import srgb_light, srgb_signal
from sdr2hdr.image import FloatArray
from sdr2hdr.strips import for_each


def working_size(size: tuple[int, int], megapixels: float) -> tuple[int, int]:
    """Height and width at which the nets see a picture of this height and width.

    Parameters
    ----------
    megapixels : 10^6 pixels that the working copy has at most (rounding aside); 0: full size
    """
    height, width = size
    limit = megapixels * 1e6
    if not limit or height * width <= limit:
        return size
    factor = math.sqrt(limit / (height * width))
    small = [max(1, round(height * factor)), max(1, round(width * factor))]
    if min(small) == 1:  # a line of pixels: only its length can shrink
        small[small.index(max(small))] = min(max(size), max(1, int(limit)))
    return small[0], small[1]


def shrink(signal: FloatArray, size: tuple[int, int]) -> torch.Tensor:
    """sRGB signal (3, H, W), any strides -> signal (1, 3, h, w), the mean light of every pixel's area.

    The size may be smaller by any real factor; an equal size gives a copy.
    """
    height, width = signal.shape[1:]
    if (height, width) == size:
        return torch.from_numpy(np.array(signal, np.float32, order="C"))[None]
    light = _means(lambda rows: srgb_light()(signal[:, rows]), 3, (height, width), size)
    small = np.empty_like(light)

    def encode(rows: slice) -> None:
        small[:, rows] = srgb_signal()(light[:, rows])

    for_each(encode, *size)
    return torch.from_numpy(small)[None]


def variance(signal: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Variance of the signal (3, H, W), mean of the channels, inside every pixel of the size (h, w)."""

    def moments(rows: slice) -> FloatArray:
        grey = signal[0, rows] + signal[1, rows]
        grey += signal[2, rows]
        grey *= np.float32(1 / 3)
        return np.stack([grey, grey * grey])

    mean, square = _means(moments, 2, (signal.shape[1], signal.shape[2]), size)
    return np.maximum(square - mean * mean, 0)


def _means(
    strip: Callable[[slice], FloatArray], planes: int, size: tuple[int, int], small: tuple[int, int]
) -> FloatArray:
    """Area averages (planes, h, w) of what `strip` makes of some rows of the full size, (planes, n, W)."""
    narrow = np.empty((planes, size[0], small[1]), np.float32)  # columns first: exact in strips, and small

    def narrow_strip(rows: slice) -> None:
        for source, target in zip(strip(rows), narrow[:, rows], strict=True):
            _area(source, target)

    for_each(narrow_strip, *size)
    means = np.empty((planes, *small), np.float32)
    for source, target in zip(narrow, means, strict=True):
        _area(source, target)
    return means


def _area(source: FloatArray, target: FloatArray) -> None:
    cv2.resize(source, target.shape[::-1], dst=target, interpolation=cv2.INTER_AREA)
