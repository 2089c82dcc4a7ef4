"""JPEG files of anybody, read for what they are: SDR, or with a gain map that makes them HDR."""

from dataclasses import replace

import numpy as np

from sdr2hdr.errors import InputError
from sdr2hdr.formats import _exif, _icc
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._examined import Examined, Signalling
from sdr2hdr.formats._gain_map_find import Found
from sdr2hdr.formats._gain_map_light import applied, applied_apple
from sdr2hdr.formats._icc_light import light_by_profile, signalling_of_profile
from sdr2hdr.formats._jpeg_colour import Colour, colour_in, colour_of, pixels, rgb
from sdr2hdr.formats._jpeg_segments import Segments, header, whole
from sdr2hdr.formats._light import light_of
from sdr2hdr.formats._recipe import from_xmp
from sdr2hdr.image import FloatArray, SdrImage

_LARGEST = 255
_NO_MAP = "its gain map {}: viewers show the SDR picture, or something else"
_NO_HEADROOM = "its gain map states no headroom: every screen shows it in full, or none"
_XMP_ONLY = "its gain map is described in XMP alone: readers that know ISO 21496-1 only show the SDR picture"


def examined(codes: Codes, found: Segments, gain_map: Found | None) -> Examined:
    """What a JPEG of grey or colours says and holds.

    Parameters
    ----------
    codes : as stored
    gain_map : the gain map behind it
    """
    codes = rgb(codes)
    how = _exif.orientation(_exif.plain(found.exif))
    recipe = from_xmp(found.xmp) if found.xmp else {}
    whole_codes = (codes == _LARGEST).any(2)
    plain = Examined("jpeg", 8, False, Signalling(), _NOTHING, float(np.mean(whole_codes)), (), recipe)
    if gain_map is not None:
        try:
            return _bright(plain, codes, found, gain_map, how)
        except InputError as error:
            plain = replace(plain, notes=(_NO_MAP.format(error),))
    upright = _exif.turn(codes, how) / np.float32(_LARGEST)
    if found.profile is None:
        return replace(plain, light=light_of(upright, Signalling()))
    light, signalling, notes = light_by_profile(upright, found.profile)
    return replace(plain, light=light, signalling=signalling, notes=(*plain.notes, *notes))


def examined_inks(image: SdrImage) -> Examined:
    """What a JPEG of inks holds, once it is made a picture of light."""
    said = Signalling(said_by=("ICC profile",) if image.profile else ())
    clipped = float(np.mean((image.signal >= 1).any(0)))
    return Examined("jpeg", 8, False, said, light_of(image.signal.transpose(1, 2, 0), said), clipped, (), {})


_NOTHING: FloatArray = np.empty((3, 0, 0), np.float32)


def _bright(plain: Examined, codes: Codes, found: Segments, gain_map: Found, how: int) -> Examined:
    """The picture with its gain map applied in full; InputError where that cannot be."""
    colour = colour_of(found)
    if colour is None:
        raise InputError("acts on colours that a table describes")
    if gain_map.amiss:
        raise InputError(f"cannot be used ({gain_map.amiss})")
    map_codes, within = _map(gain_map.data, codes.shape[0] * codes.shape[1])
    notes: tuple[str, ...] = ()
    if gain_map.gain_map is None:
        if gain_map.apple_headroom is None:
            raise InputError("says nowhere how bright it is (Apple's maker note is missing)")
        headroom = gain_map.apple_headroom
        light = applied_apple(codes, colour, map_codes, headroom)
    else:
        numbers = gain_map.gain_map
        headroom = numbers.headroom
        if numbers.base_headroom >= headroom:
            raise InputError("makes the picture darker, not brighter (its base is the HDR picture)")
        light = applied(codes, colour, map_codes, numbers, within)
        if gain_map.kinds == ("Ultra HDR",):
            notes = (_XMP_ONLY,)
    if headroom <= 0:
        notes = (*notes, _NO_HEADROOM)
    said = replace(
        _said(found.profile, colour),
        said_by=tuple(f"gain map ({kind})" for kind in gain_map.kinds),
        headroom=headroom,
    )
    full = map_codes == _LARGEST
    if full.shape == codes.shape:
        plain = replace(plain, clipped=float(np.mean(((codes == _LARGEST) & full).any(2))))
    light = np.ascontiguousarray(np.moveaxis(_exif.turn(np.moveaxis(light, 0, -1), how), -1, 0))
    return replace(plain, format="uhdr", signalling=said, light=light, notes=notes)


def _map(data: bytes, limit: int) -> tuple[Codes, Colour | None]:
    """Codes (h, w, 3) of a map's own JPEG, and its own colour; it may be no larger than its base."""
    try:
        head = header(data)
        if not 0 < head.height * head.width <= limit:
            raise InputError("is larger than its picture")
        found = whole(data)
    except InputError as error:
        raise InputError(str(error).partition("; ")[0]) from error
    if len(found.components) == 4:
        raise InputError("is made of inks")
    codes = pixels(data[: found.after])
    if codes.shape[:2] != (found.height, found.width):
        raise InputError("is damaged")
    try:
        colour = colour_in(found.profile, grey=len(found.components) == 1) if found.profile else None
    except InputError:  # PQ: the light that it stands for, not that it holds
        colour = None
    return rgb(codes), colour


def _said(block: bytes | None, colour: Colour) -> Signalling:
    if block is None or colour.is_bt709:
        return Signalling()
    try:
        return signalling_of_profile(_icc.parse(block))
    except _icc.ProfileError:
        return Signalling()
