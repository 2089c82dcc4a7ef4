"""JPEG XL: reading of 8 to 16 bits, bare or in a container; writing of PQ."""

from dataclasses import replace

import numpy as np

from sdr2hdr.errors import InputError
from sdr2hdr.formats import _icc, _jxl_boxes, _jxl_header, jpeg
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._examined import Examined
from sdr2hdr.formats._icc_light import SAID, light_by_profile
from sdr2hdr.formats._jxl_colour import icc_profile, profile_of, signalling_of, without_profile
from sdr2hdr.formats._jxl_header import GREY, Header
from sdr2hdr.formats._light import light_of
from sdr2hdr.formats._pq_jxl import PEAK_NITS, SUMMARY, encode, read_recipe, words
from sdr2hdr.formats._recipe import from_xmp
from sdr2hdr.formats._signal import picture
from sdr2hdr.formats._source import damaged
from sdr2hdr.image import FloatArray, SdrImage

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

EXTENSIONS = (".jxl",)

_MAX_BITS = 16
_FEW_BITS = "PQ and HLG need 10 bits: 8 will show bands"


def sniff(head: bytes) -> bool:
    """Whether a file begins as JPEG XL files do: with a codestream, or with a box that says so."""
    return head.startswith((_jxl_header.SIGNATURE, _jxl_boxes.CONTAINER))


def dimensions(data: bytes) -> tuple[int, int]:
    """Height, width as stored, from the codestream's header."""
    header = _jxl_header.parse(_jxl_boxes.start(data))
    return header.height, header.width


def decode(data: bytes) -> SdrImage:
    """Decode the file's first picture. What was a JPEG is restored to one first, and read as that.

    Raises
    ------
    InputError
        Cut off, damaged, floating point (which is linear or HDR already), or PQ or HLG.
    """
    boxes = _jxl_boxes.parse(data)
    header = _jxl_header.parse(boxes.codestream)
    if header.colour.transfer in _icc.HDR_TRANSFERS:
        raise InputError(
            "is already HDR (its colour encoding says PQ or HLG); only SDR pictures are converted"
        )
    if header.floating:
        raise InputError(
            "holds floating-point light, which is linear or HDR already; only SDR pictures are converted"
        )
    if boxes.jpeg and (restored := _restored(data, header)) is not None:
        return restored
    codestream, profile = boxes.codestream, None
    if header.colour.icc and header.lossy:
        codestream, header = without_profile(codestream)
    elif header.colour.icc:
        profile = icc_profile(codestream, header)
    codes = _pixels(codestream, header)
    colour = 1 if header.colour.space == GREY else 3
    return picture(
        codes,
        form="jxl",
        colour=colour,
        white=(1 << header.bits) - 1,
        profile=profile or profile_of(header.colour),
        exif=boxes.exif,
        xmp=boxes.xmp,
        orientation=1,  # libjxl has turned it
        premultiplied=header.associated,
    )


def examine(data: bytes) -> Examined:
    """Read a JPEG XL for what it is.

    Raises
    ------
    InputError
        Cut off or damaged, or its colours are said in a way that is not supported.
    """
    boxes = _jxl_boxes.parse(data)
    codestream = boxes.codestream
    notes: tuple[str, ...] = ()
    header = first = _jxl_header.parse(codestream)
    if header.colour.icc and header.lossy:
        codestream, header = without_profile(codestream)
    values, clipped = _values(_pixels(codestream, header), header)
    if header.colour.icc:
        light, signalling, notes = light_by_profile(values, icc_profile(codestream, header))
    else:
        signalling = signalling_of(header)
        light = light_of(values, signalling)
    if first.colour.icc and first.lossy:
        signalling = replace(signalling, said_by=(SAID,))
    if signalling.transfer in ("pq", "hlg") and first.bits < 10:
        notes = (*notes, _FEW_BITS)
    recipe = from_xmp(boxes.xmp) if boxes.xmp else {}
    return Examined("jxl", first.bits, first.floating, signalling, light, clipped, notes, recipe)


def _restored(data: bytes, header: Header) -> SdrImage | None:
    """The picture in the JPEG that the file was made of; None where that cannot be restored."""
    import imagecodecs

    try:
        restored = bytes(imagecodecs.jpegxl_decode_jpeg(data, numthreads=1))
        if jpeg.dimensions(restored) == (header.height, header.width):
            return replace(jpeg.decode(restored), format="jxl")
    except (imagecodecs.JpegxlError, ValueError, RuntimeError, InputError):
        pass
    return None


def _pixels(codestream: bytes, header: Header) -> Codes:
    """Code values (H, W) or (H, W, C), turned upright: colours, alpha if there is one."""
    import imagecodecs

    if header.bits > _MAX_BITS and not header.floating:
        raise InputError(f"has samples of {header.bits} bits that are not supported; save it in 8 or 16 bits")
    try:
        codes: Codes = imagecodecs.jpegxl_decode(codestream, index=0)
    except (imagecodecs.JpegxlError, ValueError, RuntimeError) as error:
        raise damaged(error) from error
    size = header.height, header.width
    if codes.shape[:2] != (size if header.orientation < 5 else size[::-1]):
        raise damaged("its size is not the header's")
    return codes


def _values(codes: Codes, header: Header) -> tuple[FloatArray, float]:
    """Signal (H, W, 3) without alpha, and the share of the pixels that hold the largest code."""
    colour = 1 if header.colour.space == GREY else 3
    codes = codes.reshape(*codes.shape[:2], -1)[..., :colour]
    if header.floating:
        values, top = codes.astype(np.float32), ~np.isfinite(codes)
    else:
        white = (1 << header.bits) - 1
        values, top = codes / np.float32(white), codes >= white
    clipped = float(np.mean(top.any(-1)))
    return np.broadcast_to(values, (*codes.shape[:2], 3)), clipped
