"""Code values of any colour space to sRGB signal, a strip of rows at a time."""

from collections.abc import Callable
from typing import Any

import cv2
import imagecodecs
import numpy as np
import numpy.typing as npt

from sdr2hdr.formats._icc import Array, Profile, ProfileError, encode_srgb
from sdr2hdr.image import FloatArray

Codes = npt.NDArray[Any]
Converter = Callable[[Codes, FloatArray], None]
"""Codes (H, W, C), contiguous -> sRGB signal, written into (H, W, 3)."""

_STRIP = 1 << 16  # pixels converted at a time: what stays in the caches
_RELATIVE_COLORIMETRIC = 1


def to_signal(codes: Codes, white: int, profile: Profile | None) -> FloatArray:
    """Codes (H, W, C) of 1, 3 or 4 colours -> sRGB signal (H, W, 3) in [0, 1]; `white` is the code of signal 1."""
    height, width, channels = codes.shape
    out = np.empty((height, width, 3), np.float32)
    convert = _converter(channels, codes.dtype, white, profile)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        convert(np.ascontiguousarray(codes[top : top + rows]), out[top : top + rows])
    return out


def levels(dtype: npt.DTypeLike, white: int) -> Array:
    """Signal of every code of an unsigned type."""
    return np.asarray(np.minimum(np.arange(int(np.iinfo(dtype).max) + 1) / white, 1))


def check(profile: Profile) -> None:
    """Try a profile on one pixel.

    Raises
    ------
    ProfileError
        LittleCMS does not take it.
    """
    if profile.lut is not None:
        channels = {"GRAY": 1, "RGB": 3, "CMYK": 4}[profile.space]
        _through_littlecms(profile, 255)(
            np.zeros((1, 1, channels), np.uint8), np.empty((1, 1, 3), np.float32)
        )


def _converter(channels: int, dtype: npt.DTypeLike, white: int, profile: Profile | None) -> Converter:
    if profile is not None and profile.lut is not None and (channels > 1 or profile.space == "GRAY"):
        return _through_littlecms(profile, white)
    if channels == 1:
        return _grey(dtype, white, profile)
    if channels == 4:
        return _cmyk(white)
    return _rgb(dtype, white) if profile is None else _matrix(dtype, white, profile)


def _grey(dtype: npt.DTypeLike, white: int, profile: Profile | None) -> Converter:
    if profile is not None and profile.space == "RGB":
        coloured = _converter(3, dtype, white, profile)
        return lambda codes, out: coloured(cv2.cvtColor(codes, cv2.COLOR_GRAY2RGB), out)
    signal = levels(dtype, white)
    if profile is not None:
        signal = encode_srgb(profile.curves[0](signal))
    table = signal.astype(np.float32)

    def convert(codes: Codes, out: FloatArray) -> None:
        cv2.cvtColor(cv2.LUT(codes, table), cv2.COLOR_GRAY2RGB, dst=out)

    return convert


def _rgb(dtype: npt.DTypeLike, white: int) -> Converter:
    table = levels(dtype, white).astype(np.float32)

    def convert(codes: Codes, out: FloatArray) -> None:
        cv2.LUT(codes, table, dst=out)

    return convert


def _matrix(dtype: npt.DTypeLike, white: int, profile: Profile) -> Converter:
    signal = levels(dtype, white)
    linear = np.stack([curve(signal) for curve in profile.curves], axis=1)[None].astype(np.float32)
    matrix = np.asarray(profile.matrix)

    def convert(codes: Codes, out: FloatArray) -> None:
        light = cv2.transform(cv2.LUT(codes, linear), matrix)
        np.clip(light, 0, 1, out=light)
        cv2.pow(light, 1 / 2.4, dst=out)  # IEC 61966-2-1
        out *= 1.055
        out -= 0.055
        np.copyto(out, light * np.float32(12.92), where=light <= 0.0031308)

    return convert


def _cmyk(white: int) -> Converter:
    """Without a profile: inks as ideal filters, R = (1 - C) (1 - K)."""

    def convert(codes: Codes, out: FloatArray) -> None:
        left = 1 - codes.astype(np.float32) / np.float32(white)
        np.multiply(left[..., :3], left[..., 3:], out=out)

    return convert


def _through_littlecms(profile: Profile, white: int) -> Converter:
    space, table = profile.space.lower(), profile.lut or b""
    srgb = imagecodecs.cms_profile("srgb")

    def convert(codes: Codes, out: FloatArray) -> None:
        largest = int(np.iinfo(codes.dtype).max)
        if white != largest:
            codes = (np.minimum(codes, white) * (65535 / white)).round().astype(np.uint16)
        try:
            signal = imagecodecs.cms_transform(
                codes[..., 0] if space == "gray" else codes,
                table,
                srgb,
                colorspace=space,
                outcolorspace="rgb",
                outdtype=np.float32,
                intent=_RELATIVE_COLORIMETRIC,
            )
        except (imagecodecs.CmsError, ValueError) as error:
            raise ProfileError(f"LittleCMS: {error}") from error
        np.clip(np.nan_to_num(signal.reshape(out.shape)), 0, 1, out=out)

    return convert
