"""PNG: reading of every colour type and depth, first picture of an animation; writing of 16-bit PQ."""

import struct

import imagecodecs
import numpy as np

from sdr2hdr.color.tables import table
from sdr2hdr.errors import InputError
from sdr2hdr.formats import _icc
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._examined import Examined
from sdr2hdr.formats._png_chunks import SIGNATURE, chunks, profile_of, xmp_packet
from sdr2hdr.formats._png_examined import examined
from sdr2hdr.formats._pq_png import PEAK_NITS, SUMMARY, encode, read_recipe, words
from sdr2hdr.formats._signal import picture
from sdr2hdr.formats._source import damaged
from sdr2hdr.image import SdrImage

__all__ = [
    "EXTENSIONS",
    "PEAK_NITS",
    "SUMMARY",
    "decode",
    "dimensions",
    "encode",
    "examine",
    "read_recipe",
    "sniff",
    "words",
]

EXTENSIONS = (".png", ".apng")

_LABELS = {b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf", b"cLLI", b"mDCV"}
_PALETTE = 3  # colour type
_PRIMARIES = {1: "bt709", 9: "bt2020", 12: "p3"}  # ITU-T H.273, table 2
_GAMMA = {4: 2.2, 5: 2.8, 8: 1.0}  # ITU-T H.273, table 3; the other SDR curves are taken as sRGB's


def sniff(head: bytes) -> bool:
    """Whether a file begins with PNG's signature."""
    return head.startswith(SIGNATURE)


def dimensions(data: bytes) -> tuple[int, int]:
    """Height, width as stored, from IHDR."""
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise damaged("no header")
    width, height = struct.unpack_from(">II", data, 16)
    return height, width


def decode(data: bytes) -> SdrImage:
    """Decode; the colour space is what cICP, iCCP, sRGB, or gAMA and cHRM say, in this order (PNG 3, 4.3).

    Raises
    ------
    InputError
        Cut off, damaged, or cICP says PQ or HLG.
    """
    found, xmp = _labels(data)
    profile = _profile(found)
    codes = _pixels(data)
    colour = 1 if codes.ndim == 2 or codes.shape[2] < 3 else 3
    return picture(codes, form="png", colour=colour, profile=profile, exif=found.get(b"eXIf"), xmp=xmp)


def examine(data: bytes) -> Examined:
    """Read a PNG for what it is.

    Raises
    ------
    InputError
        Cut off or damaged, or its colours are said in a way that is not supported.
    """
    found, xmp = _labels(data)
    bits = 8 if data[25] == _PALETTE else data[24]
    return examined(_pixels(data), bits, found, xmp)


def _labels(data: bytes) -> tuple[dict[bytes, bytes], bytes | None]:
    """Data of the chunks that say something of the pixels, the first of each kind; XMP packet."""
    found: dict[bytes, bytes] = {}
    xmp = None
    for name, start, end in chunks(data):
        if name in _LABELS:
            found.setdefault(name, data[start:end])
        elif name == b"iTXt":
            xmp = xmp or xmp_packet(data[start:end])
    return found, xmp


def _pixels(data: bytes) -> Codes:
    """Code values (H, W) or (H, W, C), 8 or 16 bits."""
    # libpng says on standard error what it dislikes about labels, which are none of its business here
    kept = [
        data[start - 8 : end + 4]
        for name, start, end in chunks(data)
        if name[:1].isupper() or name == b"tRNS"
    ]
    try:
        codes: Codes = imagecodecs.png_decode(b"".join([SIGNATURE, *kept]))
    except (imagecodecs.PngError, ValueError, RuntimeError) as error:
        raise damaged(error) from error
    if codes.shape[:2] != dimensions(data):
        raise damaged("its size is not the header's")
    return codes


def _profile(found: dict[bytes, bytes]) -> bytes | _icc.Profile | None:
    if len(cicp := found.get(b"cICP", b"")) == 4:
        return _from_code_points(cicp[0], cicp[1])
    if b"iCCP" in found:
        return profile_of(found[b"iCCP"])
    if b"sRGB" in found:
        return None
    return _from_gamma(found.get(b"gAMA"), found.get(b"cHRM"))


def _from_code_points(primaries: int, transfer: int) -> _icc.Profile | None:
    if transfer in _icc.HDR_TRANSFERS:
        raise InputError("is already HDR (its cICP chunk says PQ or HLG); only SDR pictures are converted")
    curve = _icc.gamma_curve(_GAMMA[transfer]) if transfer in _GAMMA else _icc.decode_srgb
    name = _PRIMARIES.get(primaries, "bt709")
    return _icc.from_chromaticities(table(f"chromaticities_{name}"), curve, f"cICP {primaries}/{transfer}")


def _from_gamma(gama: bytes | None, chrm: bytes | None) -> _icc.Profile | None:
    """What gAMA (1 / exponent) and cHRM (white and primaries) say, both in units of 1 / 100000."""
    if gama is None and chrm is None:
        return None
    curve: _icc.Curve = _icc.decode_srgb
    chromaticities = table("chromaticities_bt709")
    if gama is not None and len(gama) == 4:
        (value,) = struct.unpack(">I", gama)
        if value and abs(value - 45455) > 1000:
            curve = _icc.gamma_curve(100000 / value)
    if chrm is not None and len(chrm) == 32:
        values = np.array(struct.unpack(">8I", chrm)) / 100000
        chromaticities = np.roll(values, -2)  # white comes first in the file
    try:
        return _icc.from_chromaticities(chromaticities, curve, "gAMA and cHRM")
    except _icc.ProfileError:
        return None
