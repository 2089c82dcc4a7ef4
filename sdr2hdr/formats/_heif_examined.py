"""AVIF and HEIC of anybody, read for what they are."""

import struct
from dataclasses import replace

import cv2
import numpy as np

from sdr2hdr.errors import InputError
from sdr2hdr.formats import _icc
from sdr2hdr.formats._cicp import signalling_of
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._examined import Examined, Signalling
from sdr2hdr.formats._heif import Still
from sdr2hdr.formats._heif_gain_map import Decode, brightened
from sdr2hdr.formats._icc_light import light_by_profile
from sdr2hdr.formats._light import light_of
from sdr2hdr.formats._recipe import from_xmp
from sdr2hdr.image import FloatArray

_UNTAGGED = "nothing says what its values mean: readers take them as sRGB"
_FEW_BITS = "PQ and HLG need 10 bits: 8 will show bands"
_BOTH = (
    "its nclx tag says PQ or HLG, but its ICC profile does not: readers that believe the profile show it grey"
)
_NO_MAP = "its gain map {}: viewers show the SDR picture, or something else"
_STEP_NITS = 0.0001


def examined(still: Still, codes: Codes, form: str, decode: Decode) -> Examined:
    """What a file says and holds; `codes` are those of its primary picture, upright; `decode` is for its gain map.

    An ICC profile is believed before nclx (ISO/IEC 23000-22, 7.3.6.4), and that before the coded picture's own words.

    Raises
    ------
    InputError
        Code points that are not supported.
    """
    white = (1 << still.coded.bits) - 1
    codes = _rgb(codes)
    values: FloatArray = codes / np.float32(white)
    light, signalling, notes = _light(still, values)
    if signalling.transfer in ("pq", "hlg") and still.coded.bits < 10:
        notes = (*notes, _FEW_BITS)
    signalling = _with_levels(still, signalling)
    if still.gain_map and signalling.transfer not in ("pq", "hlg"):
        try:
            light, headroom = brightened(still, codes, decode)
            said = f"gain map ({still.gain_map})"
            signalling = replace(signalling, said_by=(said, *signalling.said_by), headroom=headroom)
        except InputError as error:
            notes = (*notes, _NO_MAP.format(str(error).partition("; ")[0]))
    clipped = float(np.mean((codes >= white).any(2)))
    recipe = from_xmp(still.xmp) if still.xmp else {}
    return Examined(form, still.coded.bits, False, signalling, light, clipped, notes, recipe)


def _rgb(codes: Codes) -> Codes:
    """(H, W, 3), without alpha."""
    if codes.ndim == 2 or codes.shape[2] < 3:
        codes = codes if codes.ndim == 2 else codes[..., 0]
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(codes), cv2.COLOR_GRAY2RGB))
    return codes[..., :3]


def _light(still: Still, values: FloatArray) -> tuple[FloatArray, Signalling, tuple[str, ...]]:
    """Light, what says so, and what is amiss."""
    primaries, transfer = still.code_points
    if still.icc is None:
        signalling = signalling_of(primaries, transfer, "nclx" if still.tagged else "coded picture")
        return light_of(values, signalling), signalling, () if signalling.said_by else (_UNTAGGED,)
    light, signalling, notes = light_by_profile(values, still.icc)
    if still.tagged:
        signalling = replace(signalling, said_by=(*signalling.said_by, "nclx"))
        if transfer in _icc.HDR_TRANSFERS and signalling.transfer not in ("pq", "hlg"):
            notes = (*notes, _BOTH)
    return light, signalling, notes


def _with_levels(still: Still, signalling: Signalling) -> Signalling:
    """Content light (23008-12, 6.5.35) and the peak of the mastering screen (6.5.36)."""
    clli, mdcv = still.item.get(b"clli") or b"", still.item.get(b"mdcv") or b""
    if len(clli) >= 4:
        max_cll, max_fall = struct.unpack_from(">HH", clli)
        signalling = replace(signalling, max_cll=float(max_cll), max_fall=float(max_fall))
    if len(mdcv) >= 24:
        signalling = replace(signalling, peak_nits=struct.unpack_from(">I", mdcv, 16)[0] * _STEP_NITS)
    return signalling
