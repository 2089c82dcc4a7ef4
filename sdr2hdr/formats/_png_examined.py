"""PNG of anybody, read for what they are."""

import struct
from dataclasses import replace

import numpy as np

from sdr2hdr.formats import _exif
from sdr2hdr.formats._cicp import signalling_of
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._examined import Chromaticities, Examined, Signalling
from sdr2hdr.formats._icc_light import SAID, light_by_profile
from sdr2hdr.formats._light import light_of, name_of
from sdr2hdr.formats._png_chunks import profile_of
from sdr2hdr.formats._recipe import from_xmp
from sdr2hdr.image import FloatArray

_UNTAGGED = "nothing says what its values mean: readers take them as sRGB"
_FEW_BITS = "PQ and HLG need 10 bits: 8 will show bands"
_ONLY_CICP = "only its cICP chunk says PQ or HLG: readers older than the third edition of PNG show it grey"
_ONLY_ICC = "only its ICC profile says PQ or HLG: readers that heed cICP chunks alone show it grey"
_NO_RGB = (
    "its cICP chunk states a matrix or a narrow range, which PNG does not have: readers may pass it over"
)
_STEP_NITS = 0.0001  # PNG 3, 11.3.2.7 and 11.3.2.8
_SRGB_GAMMA = 45455

Chunks = dict[bytes, bytes]


def examined(codes: Codes, bits: int, found: Chunks, xmp: bytes | None) -> Examined:
    """What a PNG says and holds. cICP is believed first, then iCCP, sRGB, and gAMA with cHRM (PNG 3, 4.3).

    Parameters
    ----------
    codes : (H, W) or (H, W, C), 8 or 16 bits, alpha last
    bits : of the file
    found : data of the chunks that say something of colours, or how the camera was held

    Raises
    ------
    InputError
        Code points that are not supported.
    """
    codes = _exif.turn(codes, _exif.orientation(_exif.plain(found.get(b"eXIf"))))
    codes = codes.reshape(*codes.shape[:2], -1)
    codes = codes[..., : 3 if codes.shape[2] >= 3 else 1]
    white = np.iinfo(codes.dtype).max
    values = np.broadcast_to(codes / np.float32(white), (*codes.shape[:2], 3))
    light, signalling, notes = _light(values, found)
    if signalling.transfer in ("pq", "hlg") and bits < 10:
        notes = (*notes, _FEW_BITS)
    return Examined(
        format="png",
        bits=bits,
        floating=False,
        signalling=_with_levels(signalling, found),
        light=light,
        clipped=float(np.mean((codes == white).any(-1))),
        notes=notes,
        recipe=from_xmp(xmp) if xmp else {},
    )


def _light(values: FloatArray, found: Chunks) -> tuple[FloatArray, Signalling, tuple[str, ...]]:
    """Light, all that says so, and what is amiss."""
    notes: tuple[str, ...]
    others = tuple(name for name in ("sRGB", "gAMA", "cHRM") if name.encode() in found)
    if len(cicp := found.get(b"cICP", b"")) == 4:
        signalling = signalling_of(cicp[0], cicp[1], "cICP")
        if signalling.said_by:
            notes = () if cicp[2:] == b"\0\1" else (_NO_RGB,)
            if b"iCCP" in found:
                others = (SAID, *others)
            elif signalling.transfer in ("pq", "hlg"):
                notes = (*notes, _ONLY_CICP)
            signalling = replace(signalling, said_by=(*signalling.said_by, *others))
            return light_of(values, signalling), signalling, notes
    if b"iCCP" in found:
        light, signalling, notes = light_by_profile(values, profile_of(found[b"iCCP"]))
        if signalling.transfer in ("pq", "hlg"):
            notes = (*notes, _ONLY_ICC)
        return light, replace(signalling, said_by=(*signalling.said_by, *others)), notes
    signalling = Signalling(said_by=others)
    if b"sRGB" not in found:
        signalling = _from_gamma(signalling, found.get(b"gAMA", b""), found.get(b"cHRM", b""))
    return light_of(values, signalling), signalling, () if signalling.said_by else (_UNTAGGED,)


def _from_gamma(signalling: Signalling, gama: bytes, chrm: bytes) -> Signalling:
    """What gAMA (1 / exponent) and cHRM (white and primaries) say, both in units of 1 / 100000."""
    if len(gama) == 4 and (value := int.from_bytes(gama, "big")):
        transfer = "linear" if value == 100000 else "gamma"
        if abs(value - _SRGB_GAMMA) > 1000:
            signalling = replace(signalling, transfer=transfer, gamma=100000 / value)
    if len(chrm) == 32:
        white_x, white_y, *xy = (value / 100000 for value in struct.unpack(">8I", chrm))
        at: Chromaticities = (xy[0], xy[1], xy[2], xy[3], xy[4], xy[5], white_x, white_y)
        name = name_of(at)
        signalling = replace(signalling, primaries=name, chromaticities=at if name == "custom" else None)
    return signalling


def _with_levels(signalling: Signalling, found: Chunks) -> Signalling:
    """Content light and the mastering screen's peak."""
    if len(clli := found.get(b"cLLI", b"")) == 8:
        cll, fall = (steps * _STEP_NITS or None for steps in struct.unpack(">2I", clli))
        signalling = replace(signalling, max_cll=cll, max_fall=fall)
    if len(mdcv := found.get(b"mDCV", b"")) == 24:
        signalling = replace(signalling, peak_nits=struct.unpack_from(">I", mdcv, 16)[0] * _STEP_NITS or None)
    return signalling
