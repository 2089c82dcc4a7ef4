"""Radiance pictures of anybody, read for what they are."""

import numpy as np
import numpy.typing as npt

from sdr2hdr.color.primaries import to_xyz
from sdr2hdr.errors import InputError
from sdr2hdr.formats import _radiance_header
from sdr2hdr.formats._examined import Chromaticities, Examined, Signalling
from sdr2hdr.formats._light import light_of, name_of
from sdr2hdr.formats._radiance_header import Header
from sdr2hdr.formats._source import damaged
from sdr2hdr.image import FloatArray

_FORMATS = {"32-bit_rle_rgbe": False, "32-bit_rle_xyze": True}  # whether the channels are X, Y, Z
# Of X, Y, Z red, green and blue are made that have the same white, where the three are equal.
_FROM_XYZ: Chromaticities = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 1 / 3, 1 / 3)
_NO_PRIMARIES = "it states no primaries: readers take its colours as BT.709"
_NO_WHITE = "it does not say how bright 1.0 is: readers take it as SDR white"
_NOT_HEEDED = (
    "it states primaries that most readers of this format pass over: they take its colours as BT.709"
)
_NEW_RUNS = (8, 32767)  # widths of lines whose channels are coded one after the other

Bytes = npt.NDArray[np.uint8]


def examined(data: bytes) -> Examined:
    """What a Radiance picture says and holds. Values are divided by its exposures, as the format has it.

    Raises
    ------
    InputError
        Cut off, damaged, or coded in an unknown way.
    """
    header = _radiance_header.parse(data)
    wide = _FORMATS.get(next(iter(header.variables.get("FORMAT", [])), "32-bit_rle_rgbe"))
    if wide is None:
        raise InputError("is coded in an unknown way; save it again as RGBE")
    rgbe = _upright(_coded(data[header.pixels :], header), header)
    exposure = np.prod([_positive(value) for value in header.variables.get("EXPOSURE", [])])
    scale = np.ldexp(np.float32(1), rgbe[..., 3].astype(np.int32) - 136) * (rgbe[..., 3] > 0)
    values: FloatArray = (rgbe[..., :3] * (scale / exposure)[..., None]).astype(np.float32)
    if wide:
        values = (values @ np.linalg.inv(to_xyz(np.array(_FROM_XYZ))).T).astype(np.float32)
    signalling, notes = _signalling(header, wide)
    return Examined(
        format="radiance",
        bits=8,
        floating=True,
        signalling=signalling,
        light=light_of(values, signalling),
        clipped=float(np.mean((rgbe[..., :3] == 255).any(-1) & (rgbe[..., 3] == 255))),
        notes=notes,
        recipe=_radiance_header.recipe(header),
    )


def _signalling(header: Header, wide: bool) -> tuple[Signalling, tuple[str, ...]]:
    stated = _radiance_header.comment(header, _radiance_header.WHITE)
    white = _positive(stated) if stated is not None else None
    notes = () if white is not None else (_NO_WHITE,)
    if wide:
        return Signalling("linear", "custom", ("FORMAT",), 1.0, _FROM_XYZ, white), notes
    try:
        at = tuple(float(word) for word in header.variables["PRIMARIES"][-1].split())
        red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y = at
    except (KeyError, ValueError):
        return Signalling("linear", "bt709", (), 1.0, None, white), (*notes, _NO_PRIMARIES)
    name = name_of(at)
    custom = (red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y) if name == "custom" else None
    said = Signalling("linear", name, ("PRIMARIES",), 1.0, custom, white)
    return said, notes if name == "bt709" else (*notes, _NOT_HEEDED)


def _positive(word: str) -> float:
    """A number of the header."""
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not 1e-30 < value < 1e30:
        raise damaged("a number in its header")
    return value


def _coded(pixels: bytes, header: Header) -> Bytes:
    """Mantissas and exponent (slow axis, fast axis, 4)."""
    height, width = header.size if header.axes[0][1] == "Y" else header.size[::-1]
    low, high = _NEW_RUNS
    if low <= width <= high and pixels[:2] == b"\2\2" and pixels[2:4] == width.to_bytes(2, "big"):
        return _new_runs(pixels, height, width)
    return _old_runs(pixels, height * width).reshape(height, width, 4)


def _new_runs(pixels: bytes, height: int, width: int) -> Bytes:
    """Line by line, each channel for itself: runs (over 128) and what differs."""
    out = np.empty((height, 4, width), np.uint8)
    mark, at, source = b"\2\2" + width.to_bytes(2, "big"), 0, np.frombuffer(pixels, np.uint8)
    for row in range(height):
        if pixels[at : at + 4] != mark:
            raise damaged("ends within its pixels")
        at += 4
        for channel in out[row]:
            done = 0
            while done < width:
                if at + 1 >= len(pixels):
                    raise damaged("ends within its pixels")
                count = pixels[at]
                run = count > 128
                count -= 128 * run
                if count == 0 or done + count > width or (not run and at + 1 + count > len(pixels)):
                    raise damaged("its run lengths make no sense")
                channel[done : done + count] = pixels[at + 1] if run else source[at + 1 : at + 1 + count]
                done += count
                at += 2 if run else 1 + count
    return out.transpose(0, 2, 1)


def _old_runs(pixels: bytes, count: int) -> Bytes:
    """Pixels one after the other; mantissas of 1, 1, 1 repeat the pixel before, as often as the exponent says."""
    rgbe = np.frombuffer(pixels, np.uint8, len(pixels) // 4 * 4).reshape(-1, 4)[:count]
    repeats = (rgbe[:, :3] == 1).all(1)
    if not repeats.any():
        if len(rgbe) < count:
            raise damaged("ends within its pixels")
        return rgbe
    # The second of several in a row counts in units of 256, and so on.
    place = np.arange(len(rgbe))
    since = place - np.maximum.accumulate(np.where(repeats, -1, place))
    times = np.where(repeats, rgbe[:, 3].astype(np.int64) << 8 * np.clip(since - 1, 0, 3), 1)
    ends = np.cumsum(times)
    if repeats[0] or ends[-1] < count:
        raise damaged("ends within its pixels")
    source = np.maximum.accumulate(np.where(repeats, 0, place))
    return rgbe[source[np.searchsorted(ends, np.arange(count), side="right")]]


def _upright(rgbe: Bytes, header: Header) -> Bytes:
    """Rows from the top, columns from the left; the size line says how they lie in the file."""
    slow, fast = header.axes
    if slow[1] == "X":
        rgbe, slow, fast = rgbe.transpose(1, 0, 2), fast, slow
    return rgbe[:: 1 if slow[0] == "-" else -1, :: 1 if fast[0] == "+" else -1]
