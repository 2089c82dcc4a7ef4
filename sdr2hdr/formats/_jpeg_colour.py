"""What the codes of a JPEG mean as light, without leaving its own primaries."""

from dataclasses import dataclass

import cv2
import imagecodecs
import numpy as np
import numpy.typing as npt

from sdr2hdr.color.tables import table
from sdr2hdr.formats import _icc
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._jpeg_segments import Segments
from sdr2hdr.formats._source import damaged
from sdr2hdr.image import FloatArray

EOI = b"\xff\xd9"


@dataclass(frozen=True)
class Colour:
    """Codes to light.

    curves : (3, 256) float32, linear light in [0, 1] of every code
    matrix : (3, 3) that light to linear BT.709
    profile : description of the ICC profile that says so; None for sRGB and untagged files
    """

    curves: FloatArray
    matrix: _icc.Array
    profile: str | None = None

    @property
    def is_bt709(self) -> bool:
        """Whether the primaries are BT.709's, exactly."""
        return np.array_equal(self.matrix, np.eye(3))


def srgb() -> Colour:
    """Of an untagged file."""
    curve = table("srgb_to_linear")[:: 65535 // 255].astype(np.float32)
    return Colour(np.ascontiguousarray(np.broadcast_to(curve, (3, 256))), np.eye(3))


def colour_of(found: Segments) -> Colour | None:
    """What a file's profile says; sRGB where it has none, or a broken one; None for inks, and for tables.

    Raises
    ------
    InputError
        The profile says that the picture is PQ or HLG.
    """
    if len(found.components) == 4:
        return None
    return colour_in(found.profile, grey=len(found.components) == 1)


def colour_in(block: bytes | None, *, grey: bool) -> Colour | None:
    """As `colour_of`, of a profile alone."""
    try:
        profile = _icc.parse(block) if block is not None else None
    except _icc.ProfileError:
        profile = None
    if profile is None or not (profile.space == "RGB" or (grey and profile.space == "GRAY")):
        return srgb()
    if profile.lut is not None or profile.matrix is None:
        return None
    if profile.is_srgb():
        return srgb()
    signal = np.arange(256) / 255
    curves = [curve(signal) for curve in profile.curves] * (3 // len(profile.curves))
    return Colour(np.stack(curves).astype(np.float32), profile.matrix, profile.description or "unnamed")


def pixels(data: bytes) -> Codes:
    """Codes of a JPEG file, (H, W), (H, W, 3) or (H, W, 4), uint8; its first picture has to be all of it.

    Raises
    ------
    InputError
        Damaged.
    """
    try:
        codes: Codes = imagecodecs.jpeg8_decode(data)
    except (imagecodecs.Jpeg8Error, ValueError, RuntimeError) as error:
        raise damaged(error) from error
    return codes


def rgb(codes: Codes) -> Codes:
    """Grey or colour codes as (H, W, 3)."""
    return codes if codes.ndim == 3 else np.asarray(cv2.cvtColor(codes, cv2.COLOR_GRAY2RGB))


def through(light: FloatArray, matrix: npt.NDArray[np.floating]) -> FloatArray:
    """(h, W, 3) light through a matrix; the light itself where that is the identity."""
    if np.array_equal(matrix, np.eye(3)):
        return light
    return np.asarray(cv2.transform(light, matrix.astype(np.float32)))
