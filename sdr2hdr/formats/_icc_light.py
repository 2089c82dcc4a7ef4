"""Code values -> light by the ICC profile in the file, SDR or HDR."""

import re
from dataclasses import replace

import numpy as np

from sdr2hdr.color.inplace import Lookup
from sdr2hdr.color.primaries import to_xyz
from sdr2hdr.color.tables import CODES, table
from sdr2hdr.errors import InputError
from sdr2hdr.formats import _icc
from sdr2hdr.formats._cicp import signalling_of
from sdr2hdr.formats._convert import to_signal
from sdr2hdr.formats._examined import Chromaticities, Signalling
from sdr2hdr.formats._icc import Array, Profile, ProfileError
from sdr2hdr.formats._light import ROWS, light_of, name_of
from sdr2hdr.formats._source import one_line
from sdr2hdr.image import FloatArray

SAID = "ICC profile"

_BY_NAME = "its profile says PQ or HLG by its name alone: only readers that know the name show it right"
_HALF_CODE = 0.5 / 255


def light_by_profile(values: FloatArray, data: bytes) -> tuple[FloatArray, Signalling, tuple[str, ...]]:
    """Light, what the profile says, and what is amiss with it.

    A profile's `cicp` tag goes before its curves; without one, a name that says PQ or HLG with BT.2100 or BT.2020.
    Curves and matrix are applied here, tables by LittleCMS, which clips to BT.709. A profile that cannot be used is
    passed over: the values are taken as sRGB.

    Parameters
    ----------
    values : (H, W, 3) float32, signal in [0, 1], grey expanded
    data : the profile

    Returns
    -------
    (3, H, W) float32, BT.2020, 1.0 = 203 cd/m2; signalling; notes
    """
    if (coded := _by_code_points(data)) is not None:
        return light_of(values, coded), coded, ()
    try:
        profile = _icc.parse(data)
        if profile.space == "CMYK":
            raise ProfileError("of inks, in a picture of light")
        if (called := _by_name(profile.description)) is not None:
            return light_of(values, called), called, (_BY_NAME,)
        if profile.lut is not None:
            signal = to_signal(_codes(values, profile), CODES - 1, profile)
            return light_of(signal, Signalling()), Signalling(said_by=(SAID,)), ()
        return _through(values, profile), signalling_of_profile(profile), ()
    except ProfileError as error:
        why = f"its ICC profile cannot be used ({one_line(error)}): readers take it as sRGB"
        return light_of(values, Signalling()), Signalling(), (why,)


def signalling_of_profile(profile: Profile) -> Signalling:
    """What curves and matrix come to: a transfer, as near as its name or an exponent can say it, and primaries."""
    matrix = np.eye(3) if profile.matrix is None else profile.matrix
    xyz = to_xyz(table("chromaticities_bt709")) @ matrix
    at = np.concatenate([xyz, xyz.sum(1, keepdims=True)], 1)
    xy = (at[:2] / np.maximum(np.abs(at.sum(0)), 1e-9)).T.ravel().tolist()
    name = name_of(xy)
    custom: Chromaticities | None = None if name != "custom" else tuple(xy)
    said = Signalling(primaries=name, said_by=(SAID,), chromaticities=custom)
    x = np.linspace(0, 1, 256)
    light = profile.curves[-2 if len(profile.curves) > 1 else 0](x)  # green's, or grey's
    if np.abs(light - x).max() < _HALF_CODE:
        return replace(said, transfer="linear", gamma=1.0)
    if np.abs(_icc.encode_srgb(light) - x).max() < _HALF_CODE:
        return said
    middle = float(np.clip(light[128], 1e-6, 1 - 1e-6))
    return replace(said, transfer="gamma", gamma=round(float(np.log(middle) / np.log(x[128])), 2))


def _by_code_points(data: bytes) -> Signalling | None:
    try:
        said = signalling_of(*points, SAID) if (points := _icc.code_points(data)) else None
    except InputError:  # unknown ones: curves and matrix say it, too
        return None
    return said if said is not None and said.said_by else None


def _by_name(description: str) -> Signalling | None:
    found = re.search(r"PQ|HLG", description)
    if found is None or not re.search(r"2100|2020", description):
        return None
    return signalling_of(9, {"PQ": 16, "HLG": 18}[found[0]], SAID)


def _codes(values: FloatArray, profile: Profile) -> "np.typing.NDArray[np.uint16]":
    """16-bit codes, which LittleCMS takes."""
    wanted = values[..., :1] if profile.space == "GRAY" else values
    return (np.clip(wanted, 0, 1) * np.float32(CODES - 1)).round().astype(np.uint16)


def _through(values: FloatArray, profile: Profile) -> FloatArray:
    """Curves and matrix, a strip of rows at a time; nothing is clipped."""
    signal: Array = np.linspace(0, 1, CODES)
    curves = np.stack([np.asarray(curve(signal)) for curve in profile.curves])
    decode = Lookup(
        curves.astype(np.float32) if len(curves) == 3 else np.repeat(curves, 3, 0).astype(np.float32)
    )
    to_bt709 = np.eye(3) if profile.matrix is None else profile.matrix
    matrix = (table("bt709_to_bt2020") @ to_bt709).astype(np.float32)
    light = np.empty((3, *values.shape[:2]), np.float32)
    for top in range(0, values.shape[0], ROWS):
        strip = decode(np.moveaxis(values[top : top + ROWS], -1, 0))
        light[:, top : top + ROWS] = np.einsum("dc,chw->dhw", matrix, strip)
    return light
