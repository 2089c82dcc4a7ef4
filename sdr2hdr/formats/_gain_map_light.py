"""Gain maps: from a base and brighter light to the map, and from base and map to light."""

from collections.abc import Callable

import cv2
import numpy as np

from sdr2hdr.color.tables import table
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._gain_map import OFFSET, GainMap
from sdr2hdr.formats._icc import Array
from sdr2hdr.formats._jpeg_colour import Colour, through
from sdr2hdr.formats._strips import strips
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray, HdrImage

Brighten = Callable[[FloatArray, FloatArray], FloatArray]

_LEVELS = 255  # the map's largest code
_LEAST_RANGE = 1 / 16  # stops; readers divide by it
_ROWS = 64


def gains(image: HdrImage, codes: Codes, colour: Colour) -> FloatArray:
    """log2 of the gain of every pixel and channel, in the base's primaries; (H, W, 3) float32.

    Colours outside the base's gamut are clipped to it. What had been clipped off the base when it was read, which is
    what lies outside BT.709, is put back: it is in the base, and where a picture was not changed the gain is 1.

    Parameters
    ----------
    codes : (H, W, 3) uint8, the base as it is looked at

    Raises
    ------
    OutputError
        The light is NaN or infinite.
    """
    height, width = image.size
    out = np.empty((height, width, 3), np.float32)
    to_base = np.linalg.inv(colour.matrix)
    scale = np.float32(image.white_nits / SDR_WHITE_NITS)
    lights = np.ascontiguousarray(colour.curves.T)[None]
    logs = np.log2(lights + np.float32(OFFSET))
    for rows, light, _ in strips(image):
        bright = cv2.merge(tuple(light))
        bright = through(bright, np.asarray(scale * (to_base @ table("bt2020_to_bt709")), np.float64))
        if not colour.is_bt709:
            base = cv2.LUT(codes[rows], lights)
            bright += base - through(np.clip(through(base, colour.matrix), 0, 1), to_base)
        np.maximum(bright, 0, out=bright)
        bright += np.float32(OFFSET)
        np.log2(bright, out=bright)
        np.subtract(bright, cv2.LUT(codes[rows], logs), out=out[rows])
    return out


def quantised(gain: FloatArray, headroom: float) -> tuple[Codes, GainMap]:
    """Codes of a map (h, w, 3) of gains, uint8, and its numbers.

    The range is what the map needs, stretched until a gain of 1 has a code of its own: what was not changed stays as
    it was, exactly.
    """
    low, high = min(float(gain.min()), 0.0), max(float(gain.max()), 0.0)
    if high - low < _LEAST_RANGE:
        high = low + _LEAST_RANGE
    if low < 0 < high:
        zero = min(max(int(np.ceil(_LEVELS * -low / (high - low))), 1), _LEVELS - 1)
        step = max(-low / zero, high / (_LEVELS - zero))
        low, high = -step * zero, step * (_LEVELS - zero)
    codes = (gain - np.float32(low)) * np.float32(_LEVELS / (high - low))
    codes = np.rint(codes, out=codes).clip(0, _LEVELS).astype(np.uint8)
    return codes, GainMap((low,) * 3, (high,) * 3, headroom)


def applied(
    codes: Codes, colour: Colour, map_codes: Codes, gain_map: GainMap, alternate: Colour | None = None
) -> FloatArray:
    """Light of a base with its map applied in full.

    Parameters
    ----------
    codes : (H, W, 3) uint8, the base as stored
    map_codes : (h, w, 3) uint8, the map as stored; it covers the whole base
    alternate : the brighter picture's colour, where the map says that it acts in it

    Returns
    -------
    (3, H, W) float32, linear, BT.2020 primaries, 1.0 = SDR white
    """
    first, last = _around(colour, None if gain_map.base_primaries else alternate)
    low, high, gamma, base, other = (
        np.array(three, np.float32)
        for three in (
            gain_map.low,
            gain_map.high,
            gain_map.gamma,
            gain_map.base_offset,
            gain_map.alternate_offset,
        )
    )

    def brighten(light: FloatArray, part: FloatArray) -> FloatArray:
        part = part ** (1 / gamma) * (high - low) + low
        return np.asarray(through((through(light, first) + base) * np.exp2(part) - other, last))

    return _each(codes, colour, map_codes, brighten)


def applied_apple(codes: Codes, colour: Colour, map_codes: Codes, headroom: float) -> FloatArray:
    """As `applied`, of Apple's map: light is multiplied by 1 + (2^headroom - 1) of the map's light.

    The map is encoded with BT.709's curve (Apple, «Applying Apple HDR effect to your photos»).
    """
    _, last = _around(colour, None)
    most = np.float32(2**headroom - 1)

    def brighten(light: FloatArray, part: FloatArray) -> FloatArray:
        linear = np.where(part < 0.081, part / 4.5, ((part + 0.099) / 1.099) ** (1 / 0.45))
        return through(light * (1 + most * linear).astype(np.float32), last)

    return _each(codes, colour, map_codes, brighten)


def _around(colour: Colour, alternate: Colour | None) -> tuple[Array, Array]:
    """Matrices from the base's primaries to those that the map acts in, and from there to BT.2020."""
    acting = colour if alternate is None else alternate
    first = np.eye(3) if alternate is None else np.asarray(np.linalg.solve(acting.matrix, colour.matrix))
    return first, table("bt709_to_bt2020") @ acting.matrix


def _each(codes: Codes, colour: Colour, map_codes: Codes, brighten: Brighten) -> FloatArray:
    """`brighten` of every strip of the base's light (h, W, 3) and the map's values in [0, 1], as (3, H, W)."""
    height, width = codes.shape[:2]
    out = np.empty((3, height, width), np.float32)
    lights = np.ascontiguousarray(colour.curves.T)[None]
    whole: FloatArray = np.multiply(map_codes, np.float32(1 / _LEVELS), dtype=np.float32)
    if map_codes.shape[:2] != (height, width):
        whole = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    for top in range(0, height, _ROWS):
        rows = slice(top, top + _ROWS)
        out[:, rows] = brighten(np.asarray(cv2.LUT(codes[rows], lights), np.float32), whole[rows]).transpose(
            2, 0, 1
        )
    return out
