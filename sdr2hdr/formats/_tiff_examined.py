"""TIFF pages of anybody, read for what they are."""

from typing import TYPE_CHECKING

import numpy as np

from sdr2hdr.formats import _exif, _icc
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._examined import Examined, Signalling
from sdr2hdr.formats._icc_light import SAID, light_by_profile, signalling_of_profile
from sdr2hdr.formats._light import light_of
from sdr2hdr.formats._recipe import from_xmp
from sdr2hdr.image import FloatArray

if TYPE_CHECKING:
    import tifffile

_ORIENTATION, _XMP = 274, 700
_NO_WHITE = (
    "it is floating point, and nothing says what 1.0 is: readers take it as SDR white of BT.709, or guess"
)
_HALF_MAX = 65504.0


def examined(page: "tifffile.TiffPage", codes: Codes, white: int) -> Examined:
    """What a page says and holds.

    Parameters
    ----------
    codes : (H, W, 1 or 3), as the page holds them, grey with black as 0
    white : code of signal 1, for whole numbers

    Returns
    -------
    Examined
        Floating point is taken as linear light, whatever curves a profile has: so do all who write it.
    """
    orientation = page.tags.valueof(_ORIENTATION, 1)
    codes = _exif.turn(codes, orientation if orientation in range(1, 9) else 1)
    codes = codes if codes.ndim == 3 else codes[..., None]
    floating = codes.dtype.kind == "f"
    limit = _largest(codes) if floating else white
    with np.errstate(invalid="ignore"):
        clipped = float(np.mean((np.abs(codes) >= limit if floating else codes >= limit).any(2)))
    values: FloatArray = codes.astype(np.float32) if floating else codes / np.float32(white)
    values = np.broadcast_to(values, (*values.shape[:2], 3))
    profile = page.iccprofile if isinstance(page.iccprofile, bytes) else None
    notes: tuple[str, ...] = ()
    if floating:
        signalling = _linear(profile)
        light = light_of(values, signalling)
        notes = (_NO_WHITE,)
    elif profile:
        light, signalling, notes = light_by_profile(values, profile)
    else:
        signalling = Signalling()
        light = light_of(values, signalling)
    xmp = page.tags.valueof(_XMP)
    recipe = from_xmp(xmp) if isinstance(xmp, bytes) else {}
    bits = int(page.bitspersample)
    return Examined("tiff", bits, floating, signalling, light, clipped, notes, recipe)


def _largest(codes: Codes) -> float:
    return _HALF_MAX if codes.dtype.itemsize == 2 else float("inf")


def _linear(profile: bytes | None) -> Signalling:
    """Linear light, in the primaries of a profile if it has some."""
    try:
        known = signalling_of_profile(_icc.parse(profile)) if profile else None
    except (
        _icc.ProfileError,
        ValueError,
        IndexError,
    ):  # tables, which name no primaries; PQ, which it cannot be
        known = None
    if known is None:
        return Signalling("linear", gamma=1.0)
    return Signalling("linear", known.primaries, (SAID,), 1.0, known.chromaticities)
