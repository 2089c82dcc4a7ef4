"""ICC profiles: from a picture's code values to linear BT.709 light, or to LittleCMS where a profile is a table.

Clauses of ICC.1:2022 (profile version 4.4). Matrix/TRC and grey profiles (8.3.3, 8.3.4) are evaluated here; profiles
with an A2B table, and those of CMYK, go through LittleCMS with the relative colorimetric intent.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from sdr2hdr.color.primaries import adapt, to_xyz
from sdr2hdr.color.tables import table
from sdr2hdr.errors import InputError

Array = npt.NDArray[np.float64]
Curve = Callable[[Array], Array]
"""Signal [0, 1] -> linear [0, 1]."""

HDR_TRANSFERS = (16, 18)  # ITU-T H.273, table 3: PQ, HLG
_HEADER = 128
_MAX_ENTRIES = 100


class ProfileError(ValueError):
    """A profile that cannot be used."""


@dataclass(frozen=True)
class Profile:
    """How code values become colour.

    space : "RGB", "GRAY" or "CMYK"
    description : the profile's own words
    curves : one per channel, to linear light; empty where `lut` is set
    matrix : (3, 3) linear light to linear BT.709; the identity for grey
    lut : the whole profile, for LittleCMS, or None
    """

    space: str
    description: str
    curves: tuple[Curve, ...] = ()
    matrix: Array | None = None
    lut: bytes | None = None

    def is_srgb(self) -> bool:
        """Whether it says the same as sRGB, within half an 8-bit code in every curve and every primary."""
        if self.lut is not None or self.matrix is None or self.space == "CMYK":
            return False
        x = np.linspace(0, 1, 256)
        curves = all(np.abs(encode_srgb(curve(x)) - x).max() < 0.5 / 255 for curve in self.curves)
        return curves and bool(np.abs(self.matrix - np.eye(3)).max() < 0.002)


def encode_srgb(linear: Array) -> Array:
    """Linear light [0, 1] -> sRGB signal (IEC 61966-2-1), from the standard's table; clamped."""
    curve = table("linear_to_srgb")
    return np.interp(linear, np.linspace(0, 1, len(curve)), curve)


def decode_srgb(signal: Array) -> Array:
    """sRGB signal [0, 1] -> linear light (IEC 61966-2-1), from the standard's table; clamped."""
    curve = table("srgb_to_linear")
    return np.interp(signal, np.linspace(0, 1, len(curve)), curve)


def gamma_curve(gamma: float) -> Curve:
    """A pure power."""
    return lambda x: np.asarray(np.clip(x, 0, 1) ** gamma)


_D50 = np.array([0.9642, 1.0, 0.8249])  # ICC, 7.2.16


@cache
def _bt709_to_d50() -> Array:
    matrix = to_xyz(table("chromaticities_bt709"))
    return np.asarray(adapt(matrix.sum(1), _D50) @ matrix)


def _to_bt709(colorants: Array) -> Array:
    """Columns R, G, B in XYZ under D50 -> matrix to linear BT.709."""
    return np.asarray(np.linalg.solve(_bt709_to_d50(), colorants), np.float64)


def from_chromaticities(chromaticities: Array, curve: Curve, description: str) -> Profile:
    """A profile from (8,) x, y of R, G, B, W and one curve for the three channels.

    Raises
    ------
    ProfileError
        Primaries on a line, or no white.
    """
    try:
        with np.errstate(all="raise"):
            colorants = to_xyz(chromaticities)
            matrix = _to_bt709(adapt(colorants.sum(1), _D50) @ colorants)
    except (FloatingPointError, np.linalg.LinAlgError) as error:
        raise ProfileError("impossible primaries") from error
    return Profile("RGB", description, (curve,) * 3, matrix)


def parse(data: bytes) -> Profile:
    """Read an ICC profile.

    Raises
    ------
    ProfileError
        Damaged, or of a kind that describes no picture.
    InputError
        The profile says that the picture is PQ or HLG.
    """
    if len(data) < _HEADER + 4 or data[36:40] != b"acsp":
        raise ProfileError("no ICC profile")
    space = {b"RGB ": "RGB", b"GRAY": "GRAY", b"CMYK": "CMYK"}.get(data[16:20])
    if space is None:
        raise ProfileError(f"colour space {data[16:20]!r}")
    try:
        tags = _tags(data)
        description = _text(tags.get(b"desc", b""))
        if len(cicp := tags.get(b"cicp", b"")) >= 12 and cicp[9] in HDR_TRANSFERS:  # 10.3
            raise InputError(
                "is already HDR (its ICC profile says PQ or HLG); only SDR pictures are converted"
            )
        if b"A2B0" in tags or b"A2B1" in tags or space == "CMYK":
            return Profile(space, description, lut=data)
        if space == "GRAY":
            return Profile(space, description, (_curve(tags[b"kTRC"]),), np.eye(3))
        colorants = np.stack([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
        curves = tuple(_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
        return Profile(space, description, curves, _to_bt709(colorants))
    except KeyError as error:
        raise ProfileError(f"without {error.args[0].decode('ascii', 'replace')}") from error
    except struct.error as error:
        raise ProfileError("cut off") from error


def code_points(data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer by ITU-T H.273 from a profile's `cicp` tag (10.3); None if it has none."""
    try:
        cicp = _tags(data).get(b"cicp", b"")
    except (ProfileError, struct.error):
        return None
    return (cicp[8], cicp[9]) if len(cicp) >= 12 else None


def _tags(data: bytes) -> dict[bytes, bytes]:
    """Tag table (7.3)."""
    (count,) = struct.unpack_from(">I", data, _HEADER)
    if count > _MAX_ENTRIES:
        raise ProfileError(f"{count} tags")
    tags = {}
    for i in range(count):
        name, offset, size = struct.unpack_from(">4sII", data, _HEADER + 4 + 12 * i)
        if offset + size > len(data):
            raise ProfileError("cut off")
        tags[name] = data[offset : offset + size]
    return tags


def _xyz(tag: bytes) -> Array:
    """XYZType (10.31)."""
    if tag[:4] != b"XYZ ":
        raise ProfileError("colorant of an unknown type")
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _curve(tag: bytes) -> Curve:
    """curveType (10.6) or parametricCurveType (10.18)."""
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return gamma_curve(1.0)
        if count == 1:
            return gamma_curve(struct.unpack_from(">H", tag, 12)[0] / 256)
        if 12 + 2 * count > len(tag):
            raise ProfileError("cut off")
        values = np.frombuffer(tag, ">u2", count, 12) / 65535
        return lambda x: np.asarray(np.interp(x, np.linspace(0, 1, count), values))
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        if kind > 4:
            raise ProfileError(f"curve of kind {kind}")
        numbers = struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)
        return _parametric(kind, [n / 65536 for n in numbers])
    raise ProfileError("curve of an unknown type")


def _parametric(kind: int, numbers: list[float]) -> Curve:
    """The five functions of table 68, as the most general one: (a x + b)^g + e from d on, c x + f below."""
    g, a, b, c, d, e, f = (numbers + [0.0] * 6)[:7]
    if kind == 0:
        a = 1.0
    elif kind < 3:  # constant below -b / a
        if a == 0:
            raise ProfileError("curve without slope")
        c, d, e, f = 0.0, -b / a, c, c

    def curve(x: Array) -> Array:
        with np.errstate(all="ignore"):
            y = np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)
        return np.asarray(np.nan_to_num(y).clip(0, 1))

    return curve


def _text(tag: bytes) -> str:
    """multiLocalizedUnicodeType (10.15), or textDescriptionType of version 2; one printable line, perhaps empty."""
    text = ""
    if tag[:4] == b"mluc" and len(tag) >= 28:
        length, offset = struct.unpack_from(">II", tag, 20)
        text = tag[offset : offset + min(length, 512)].decode("utf-16-be", "replace")
    elif tag[:4] == b"desc" and len(tag) >= 12:
        (length,) = struct.unpack_from(">I", tag, 8)
        text = tag[12 : 12 + min(length, 512)].decode("latin-1")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
