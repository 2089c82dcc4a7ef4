"""What the colours of a JPEG XL mean, for its reader."""

from contextlib import suppress

import numpy as np

from sdr2hdr.errors import InputError
from sdr2hdr.formats import _icc
from sdr2hdr.formats._cicp import transfer_of
from sdr2hdr.formats._examined import Signalling
from sdr2hdr.formats._jxl_bits import Bits
from sdr2hdr.formats._jxl_header import (
    CUSTOM,
    DEFAULT_TARGET_NITS,
    GAMMA,
    GREY,
    RGB,
    SRGB,
    Colour,
    Header,
    parse,
    skip_transform,
)
from sdr2hdr.formats._jxl_icc import profile_at
from sdr2hdr.formats._jxl_relabel import relabelled

_SAID_BY = "JPEG XL colour encoding"
_NAMED = {1: "bt709", 9: "bt2020", 11: "p3"}  # ISO/IEC 18181-1, E.2
_D65, _LINEAR, _DCI = 1, 8, 17
_BITS = 16


def profile_of(colour: Colour) -> _icc.Profile | None:
    """What an SDR picture is converted from; None for sRGB.

    Raises
    ------
    InputError
        No colour space that a picture has.
    """
    if colour.space not in (RGB, GREY):
        raise InputError("is in a colour space that is not supported; save it in RGB")
    if colour.transfer == GAMMA:
        curve = _icc.gamma_curve(colour.gamma)
    elif colour.transfer in (_LINEAR, _DCI):
        curve = _icc.gamma_curve(1.0 if colour.transfer == _LINEAR else 2.6)
    else:
        curve = _icc.decode_srgb
    words = f"JPEG XL {colour.white}/{colour.primaries}/{colour.transfer}"
    try:
        return _icc.from_chromaticities(np.array(colour.chromaticities), curve, words)
    except _icc.ProfileError as error:
        raise InputError(f"states primaries that enclose no colours ({error}); export it again") from error


def signalling_of(header: Header) -> Signalling:
    """What the header says, in the words of `Examined`."""
    colour, target = header.colour, header.target_nits
    transfer, gamma = ("gamma", colour.gamma) if colour.transfer == GAMMA else transfer_of(colour.transfer)
    named = colour.white == _D65 and colour.primaries != CUSTOM and colour.primaries in _NAMED
    stated = target if target != DEFAULT_TARGET_NITS else None
    return Signalling(
        transfer=transfer,
        primaries=_NAMED[colour.primaries] if named else "custom",
        said_by=(_SAID_BY,),
        gamma=gamma,
        chromaticities=None if named else colour.chromaticities,
        white_nits=stated if transfer == "linear" else None,
        peak_nits=stated if transfer in ("pq", "hlg") else None,
    )


def icc_profile(codestream: bytes, header: Header) -> bytes:
    """The ICC profile of a header that says that there is one.

    Raises
    ------
    InputError
        Cut off, damaged or too large.
    """
    bits = Bits(codestream, header.spans[-1])
    skip_transform(bits, header.lossy)
    return profile_at(bits)


def without_profile(codestream: bytes) -> tuple[bytes, Header]:
    """A lossy picture with an ICC profile, to be decoded to 16 bits of BT.2020 with sRGB's curve, and its header.

    libjxl itself would decode it to linear light of as many bits as the picture once had, which has no shades of dark.

    Raises
    ------
    InputError
        The profile is cut off, damaged or too large, or says that the picture is PQ or HLG.
    """
    with suppress(_icc.ProfileError):
        _icc.parse(icc_profile(codestream, parse(codestream)))
    codestream = relabelled(codestream, _BITS, SRGB)
    return codestream, parse(codestream)
