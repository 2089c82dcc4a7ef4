"""AVIF: reading of 8 to 12 bits, SDR; writing of PQ in 10 or 12 bits."""

import struct
from pathlib import Path

import numpy as np

from sdr2hdr.errors import OutputError, UsageError
from sdr2hdr.formats import _exif, _heif
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._examined import Examined
from sdr2hdr.formats._heif_examined import examined
from sdr2hdr.formats._isobmff import brands
from sdr2hdr.formats._options import EncodeOptions
from sdr2hdr.formats._pq_codes import pq_codes
from sdr2hdr.formats._pq_heif import MATRIX, PRIMARIES, TRANSFER, labelled, recipe_of
from sdr2hdr.formats._source import damaged
from sdr2hdr.image import HdrImage, SdrImage

EXTENSIONS = (".avif",)
SUMMARY = "10-bit PQ (or 12-bit), BT.2020, 4:4:4, dithered; nclx, mastering screen and content light say so, EXIF kept"
PEAK_NITS = 1000.0  # by default: what HDR screens are graded for

BITS = (10, 12)
# Of 0 .. 100. Over 16 x 16 pixels of a dithered ramp the mean is off by 0.04 codes of 10 bits, as it is before coding;
# at 95 it is 0.16 and steps are seen again, at 99 the file is a third larger for 0.03. 100 would be lossless but for
# YCbCr, and 2.7 times as large.
QUALITY = 98
_SPEED = 8  # of 0 .. 10: slower ones save 5 % of the bytes at three times the time
_MAX_SIDE, _MAX_PIXELS = 32768, 16384 * 16384  # of what libavif, and so Chromium and most others, will decode


def sniff(head: bytes) -> bool:
    """Whether a file is of AVIF's brands."""
    return bool({b"avif", b"avis"} & set(brands(head)))


def dimensions(data: bytes) -> tuple[int, int]:
    """Height, width as stored, of the primary picture."""
    return _still(data).size


def decode(data: bytes) -> SdrImage:
    """Decode the primary picture (of an animation, its still); colour is what ICC profile or nclx say.

    Raises
    ------
    InputError
        Cut off, damaged, or nclx says PQ or HLG.
    """
    still = _still(data)
    profile = still.profile  # refuses HDR, before anything is decoded
    return _heif.picture_of(still, profile, _upright(_codes(data, still), still), "avif")


def examine(data: bytes) -> Examined:
    """Read an AVIF for what it is.

    Raises
    ------
    InputError
        Cut off or damaged, or its colours are said in a way that is not supported.
    """
    still, codes = _decoded(data)

    def decode_part(part: bytes) -> tuple[Codes, int]:
        other, found = _decoded(part)
        return found, other.coded.bits

    return examined(still, codes, "avif", decode_part)


def encode(image: HdrImage, options: EncodeOptions) -> bytes:
    """AVIF file of the picture: PQ codes (SMPTE ST 2084) of its light in cd/m2, full range, dithered.

    Light outside 0 .. 10000 cd/m2 is clipped. Alpha is stored as it is, straight. The picture's EXIF goes along, maker
    notes included; the recipe is in the XMP packet, beside what the source's packet says. Equal pictures give equal
    bytes, on any number of cores.

    Raises
    ------
    OutputError
        The light holds NaN or infinity, or the picture is too large for an AVIF.
    UsageError
        A depth that AVIF does not have.
    """
    import imagecodecs

    height, width = image.size
    if max(height, width) > _MAX_SIDE or height * width > _MAX_PIXELS:
        raise OutputError(f"{width} x {height} pixels are too many for an AVIF; write an .exr")
    bits = _bits(options)
    coded = imagecodecs.avif_encode(
        pq_codes(image, bits, dither=True),
        QUALITY,
        speed=_SPEED,
        bitspersample=bits,
        pixelformat="444",
        primaries=PRIMARIES,
        transfer=TRANSFER,
        matrix=MATRIX,
        numthreads=1,  # the bytes depend on it
    )
    return labelled(bytes(coded), image, image.recipe | words(options))


def words(options: EncodeOptions) -> dict[str, str]:
    """What the options add to the recipe."""
    return {"bits": str(_bits(options))}


def read_recipe(path: Path) -> dict[str, str]:
    """The recipe in an AVIF that `encode` made; empty for any other file, one that is cut off, and none.

    Pixels are not decoded.
    """
    return recipe_of(path, _heif.AV1)


def _bits(options: EncodeOptions) -> int:
    bits = options.bits or BITS[0]
    if bits not in BITS:
        raise UsageError(f"AVIF has no {bits} bits; choose 10 or 12")
    return bits


def _still(data: bytes) -> _heif.Still:
    return _heif.still(data, _heif.AV1, "AVIF")


def _decoded(data: bytes) -> tuple[_heif.Still, Codes]:
    """What the boxes say, and the codes of the primary picture, upright."""
    still = _still(data)
    return still, _upright(_codes(data, still), still)


def _codes(data: bytes, still: _heif.Still) -> Codes:
    """Code values (H, W) or (H, W, C) of the primary picture, full range, straight alpha, as stored."""
    import imagecodecs

    if data[8:12] == b"avis":  # of an animation, too, the still is wanted, whose size is known
        data = data[:8] + b"avif" + data[12:]
    try:
        codes = imagecodecs.avif_decode(data, 0, numthreads=1)
    except (imagecodecs.AvifError, ValueError, RuntimeError, IndexError) as error:
        raise damaged(error) from error
    if codes.shape[:2] != still.size or (codes.dtype == np.uint8) != (still.coded.bits == 8):
        raise damaged("its size or depth is not the header's")
    return np.asarray(codes)


def _upright(codes: Codes, still: _heif.Still) -> Codes:
    """Cropped and turned as the file says, in its order (23008-12, 6.5.9 to 6.5.12)."""
    for kind, data, _ in still.item.properties:
        if kind == b"clap":
            codes = _cropped(codes, data)
        elif kind == b"irot" and data:
            codes = _exif.turn(codes, (1, 8, 3, 6)[data[0] & 3])
        elif kind == b"imir" and data:
            codes = _exif.turn(codes, (4, 2)[data[0] & 1])
    return codes


def _cropped(codes: Codes, clap: bytes) -> Codes:
    """The clean aperture: width, height, and where its centre is from the picture's, as fractions."""
    if len(clap) < 32:
        raise damaged("no clean aperture")
    width, width_by, height, height_by, x, x_by, y, y_by = struct.unpack_from(">IIIIiIiI", clap)
    sides = []
    for whole, side, by, offset, offset_by in (
        (codes.shape[0], height, height_by, y, y_by),
        (codes.shape[1], width, width_by, x, x_by),
    ):
        if not by or not offset_by:
            raise damaged("no clean aperture")
        size = side // by
        start = round((whole - side / by) / 2 + offset / offset_by)
        if size < 1 or start < 0 or start + size > whole:
            raise damaged("its clean aperture lies outside the picture")
        sides.append(slice(start, start + size))
    return np.ascontiguousarray(codes[sides[0], sides[1]])
