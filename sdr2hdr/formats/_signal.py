"""From decoded code values to the picture in memory: orientation, ICC profile, alpha."""

import logging

import cv2
import numpy as np

from sdr2hdr.formats import _exif, _icc
from sdr2hdr.formats._convert import Codes, check, levels, to_signal
from sdr2hdr.formats._source import NAME, one_line
from sdr2hdr.image import SdrImage

logger = logging.getLogger(__name__)


def picture(
    codes: Codes,
    *,
    form: str,
    colour: int = 3,
    white: int | None = None,
    profile: bytes | _icc.Profile | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    orientation: int | None = None,
    premultiplied: bool = False,
    data: bytes | None = None,
) -> SdrImage:
    """Make a picture of code values.

    Parameters
    ----------
    codes
        (H, W) or (H, W, C), uint8 or uint16: grey, RGB or CMYK (0 is no ink), alpha after the colours.
    form
        What `SdrImage.format` is to say.
    colour
        Channels of colour: 1, 3 or 4.
    white
        Code of signal 1.0; by default the largest that the type holds.
    profile
        ICC profile of the file, or None for sRGB. One that is broken is taken as sRGB, with a warning.
    exif
        EXIF block, as it was found.
    xmp
        XMP packet, as it was found.
    orientation
        1..8 where something else than the EXIF block says it.
    premultiplied
        The colours are multiplied by alpha.
    data
        The file, if a gain map can be added to it.

    Returns
    -------
    SdrImage
        The signal is code / white exactly where the profile is sRGB or missing. Colours outside BT.709 are
        clipped to [0, 1].
    """
    exif = _exif.plain(exif)
    codes = _exif.turn(codes, _exif.orientation(exif) if orientation is None else orientation)
    if white is None:
        white = int(np.iinfo(codes.dtype).max)
    used = _usable(profile, colour)
    alpha = None
    if codes.ndim == 3 and codes.shape[2] > colour:
        transparency = np.ascontiguousarray(codes[..., colour])
        alpha = np.asarray(cv2.LUT(transparency, levels(codes.dtype, white).astype(np.float32)), np.float32)
        codes = codes[..., :colour]
        if premultiplied:
            codes = _unmultiplied(codes, transparency, white)
    signal = to_signal(codes if codes.ndim == 3 else codes[..., None], white, used)
    return SdrImage(
        signal=signal.transpose(2, 0, 1),
        alpha=alpha,
        bits=8 if white <= 255 else 16,
        format=form,
        profile=None if used is None else used.description or "unnamed",
        exif=_exif.upright(exif),
        xmp=xmp or None,
        data=data,
    )


def _usable(profile: bytes | _icc.Profile | None, colour: int) -> _icc.Profile | None:
    """The profile that has to be converted from; None where the picture is sRGB or has to be taken as such."""
    if profile is None:
        return None
    try:
        if isinstance(profile, bytes):
            profile = _icc.parse(profile)
        if profile.space not in {1: ("GRAY", "RGB"), 3: ("RGB",), 4: ("CMYK",)}[colour]:
            raise _icc.ProfileError(f"a {profile.space} profile in a picture of {colour} colour channels")
        check(profile)
    except _icc.ProfileError as error:
        instead = "converted without one" if colour == 4 else "taken as sRGB"
        logger.warning(
            "%s: its ICC profile cannot be used (%s); the picture is %s", NAME.get(), one_line(error), instead
        )
        return None
    return None if profile.is_srgb() else profile


def _unmultiplied(codes: Codes, alpha: Codes, white: int) -> Codes:
    """Straight colours of premultiplied ones (H, W, C); black where nothing is left of them."""
    straight = codes * (np.float32(white) / np.maximum(alpha, 1)[..., None])
    return np.asarray(straight.round().clip(0, white).astype(codes.dtype))
