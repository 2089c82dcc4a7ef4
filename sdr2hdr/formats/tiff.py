"""TIFF: reading of 1 to 16 bits in every usual arrangement, first page; writing of 16-bit PQ."""

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tifffile

from sdr2hdr.errors import InputError
from sdr2hdr.formats import _exif, jpeg
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._examined import Examined
from sdr2hdr.formats._pq_tiff import PEAK_NITS, SUMMARY, encode, read_recipe, words
from sdr2hdr.formats._sdr_examined import examined_sdr
from sdr2hdr.formats._signal import picture
from sdr2hdr.formats._source import damaged
from sdr2hdr.formats._tiff_examined import examined
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

EXTENSIONS = (".tif", ".tiff")

# It logs what is wrong with a file, which is said once, in the error.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

_GREY_INVERTED, _GREY, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6  # photometric interpretations
_COLOURS = {_GREY_INVERTED: 1, _GREY: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3}
_RAW = {32803, 34892}  # colour filter array, linear raw
_LOGLUV = {32844, 32845}
_JPEG = 7
_COMPRESSIONS = {
    1: "none",
    5: "LZW",
    _JPEG: "JPEG",
    8: "Deflate",
    32773: "PackBits",
    32946: "Deflate",
    34925: "LZMA",
    50000: "Zstandard",
}
_SUBIFDS, _DNG_VERSION, _INK_SET, _XMP = 330, 50706, 332, 700
_ASSOCIATED, _UNASSOCIATED = 1, 2  # extra samples that are alpha
_MAX_SAMPLES = 8


def sniff(head: bytes) -> bool:
    """Whether a file begins as TIFF or BigTIFF files do."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def dimensions(data: bytes) -> tuple[int, int]:
    """Height, width as stored, of the first page."""
    with _first_page(data) as page:
        return int(page.imagelength), int(page.imagewidth)


def decode(data: bytes) -> SdrImage:
    """Decode the first page; further pages are ignored. The EXIF block is rebuilt without the maker's note.

    Raises
    ------
    InputError
        Cut off, damaged, floating point (which is linear or HDR already), a camera's raw file, or in a colour space or
        compression that is not supported.
    """
    with _first_page(data) as page:
        _refuse(page, data)
        codes, white, colour = _arranged(page)
        extra = [int(kind) for kind in page.extrasamples]
        profile, orientation, xmp = page.iccprofile, page.tags.valueof(274, 1), page.tags.valueof(_XMP)
    alpha = [colour + i for i, kind in enumerate(extra) if kind in (_ASSOCIATED, _UNASSOCIATED)][:1]
    if not extra and codes.shape[2] == colour + 1:  # some writers leave the tag out
        alpha = [colour]
    return picture(
        codes[..., [*range(colour), *alpha]] if codes.shape[2] > colour else codes,
        form="tiff",
        colour=colour,
        white=white,
        profile=profile,
        exif=_exif.from_tiff(data),
        xmp=xmp if isinstance(xmp, bytes) else None,
        orientation=orientation if orientation in range(1, 9) else 1,
        premultiplied=bool(alpha) and bool(extra) and extra[alpha[0] - colour] == _ASSOCIATED,
    )


def examine(data: bytes) -> Examined:
    """What the first page says and holds; alpha is passed over, orientation applied.

    Raises
    ------
    InputError
        As for `decode`; floating point is taken in grey and RGB.
    """
    with _first_page(data) as page:
        floating = (
            page.dtype is not None and page.dtype.kind == "f" and int(page.photometric) in (_GREY, _RGB)
        )
        _refuse(page, data, floating)
        if int(page.photometric) == _CMYK:
            return examined_sdr(sys.modules[__name__], data)
        codes, white, colour = _arranged(page)
        return examined(page, codes[..., :colour], white)


def _arranged(page: tifffile.TiffPage) -> tuple[Codes, int, int]:
    """Codes (H, W, C), palettes looked up and grey the right way round; the code of signal 1; channels of colour."""
    codes = _pixels(page)
    photometric = int(page.photometric)
    if photometric == _PALETTE:
        return *_from_palette(page, codes), 3
    white = (1 << int(page.bitspersample)) - 1
    if photometric == _GREY_INVERTED:
        codes[..., 0] = white - codes[..., 0]
    return codes, white, _COLOURS[photometric]


@contextmanager
def _first_page(data: bytes) -> Iterator[tifffile.TiffPage]:
    """The first page; whatever tifffile raises in the body becomes an InputError."""
    try:
        # NumPy's numbers overflow in tifffile where a file lies, and each would be a warning on standard error.
        with np.errstate(all="ignore"), tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[0]
            if not isinstance(page, tifffile.TiffPage):
                raise damaged("no page")
            yield page
    except (InputError, MemoryError):
        raise
    except Exception as error:  # a hostile file makes tifffile raise nearly anything
        raise damaged(error) from error


def _refuse(page: tifffile.TiffPage, data: bytes, floating: bool = False) -> None:
    """What is not decoded, each with its cure; and what would take more memory than the picture is worth.

    floating : take floating point
    """
    photometric, dtype = int(page.photometric), page.dtype
    if photometric in _RAW or _DNG_VERSION in page.tags or data[8:10] == b"CR" or _is_preview(page):
        raise InputError("is a camera's raw file; develop it to a 16-bit TIFF first")
    if photometric in _LOGLUV or (dtype is not None and dtype.kind == "f" and not floating):
        raise InputError(
            "holds floating-point light, which is linear or HDR already; only SDR pictures are converted"
        )
    odd = (photometric == _CMYK and page.tags.valueof(_INK_SET, 1) != 1) or (
        photometric == _YCBCR and int(page.compression) != _JPEG  # tifffile converts what libjpeg does
    )
    if photometric not in _COLOURS or odd:
        raise InputError(
            f"is in a colour space that is not supported ({_name(page.photometric)}); save it in RGB"
        )
    if (
        dtype is None
        or dtype.kind not in ("f" if floating else "ub")
        or dtype.itemsize > (8 if floating else 2)
        or not isinstance(page.bitspersample, int)
    ):
        raise InputError(
            f"has samples of {page.bitspersample} bits that are not supported; save it in 8 or 16 bits"
        )
    if int(page.compression) not in _COMPRESSIONS:
        raise InputError(
            f"has a compression that is not supported ({_name(page.compression)}); save it with LZW or ZIP"
        )
    if page.samplesperpixel > _MAX_SAMPLES or page.imagedepth > 1:
        raise InputError(f"has {page.samplesperpixel} channels; save it in RGB")
    if page.samplesperpixel < _COLOURS[photometric]:
        raise damaged(f"{page.samplesperpixel} channels")
    _check_segments(page, data)


def _name(code: int) -> str:
    """Of one of tifffile's enumerations; a number that it does not know stays one."""
    return str(getattr(code, "name", code))


def _is_preview(page: tifffile.TiffPage) -> bool:
    """Raw files of most makers put a small preview first and the picture itself into a sub-directory."""
    return bool(page.is_reduced) and _SUBIFDS in page.tags


def _check_segments(page: tifffile.TiffPage, data: bytes) -> None:
    """Every strip or tile has to lie inside the file and be no larger than it may be."""
    needed = int(np.prod(page.chunked))
    offsets, counts = page.dataoffsets, page.databytecounts
    if len(offsets) < needed or len(counts) < needed:
        raise damaged("strips or tiles are missing")
    for offset, count in zip(offsets[:needed], counts[:needed], strict=True):
        if count <= 0 or offset + count > len(data):
            raise damaged("strips or tiles lie outside the file")
    height, width = int(page.imagelength), int(page.imagewidth)
    if page.is_tiled and page.tilelength * page.tilewidth > 4 * height * width + (1 << 20):
        raise damaged("tiles are larger than the picture")
    if int(page.compression) == _JPEG:
        rows, columns = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, width)
        for offset, count in zip(offsets[:needed], counts[:needed], strict=True):
            size = jpeg.dimensions(data[offset : offset + count])
            if size[0] > rows + 16 or size[1] > columns + 16:
                raise damaged("a JPEG in it is larger than its tile")


def _pixels(page: tifffile.TiffPage) -> Codes:
    """Codes (H, W, C) whatever the arrangement in the file."""
    codes = page.asarray(squeeze=False, maxworkers=1)  # (separate channels, depth, H, W, channels)
    separate, _, height, width, channels = codes.shape
    codes = codes.reshape(separate, height, width, channels)
    codes = np.moveaxis(codes, 0, -1).reshape(height, width, separate * channels)
    return codes.astype(np.uint8) if codes.dtype == bool else codes


def _from_palette(page: tifffile.TiffPage, codes: Codes) -> tuple[Codes, int]:
    """Codes (H, W, 3) of a palette's indices, and the code of signal 1.

    The palette has 16 bits; some writers fill only the lower 8, others only the upper.
    """
    if page.colormap is None:
        raise damaged("no palette")
    palette, white = page.colormap.T, 65535
    if palette.max() < 256:
        white = 255
    elif not (palette & 255).any():
        palette, white = palette >> 8, 255
    palette = np.ascontiguousarray(palette.astype(np.uint8 if white == 255 else np.uint16))
    return palette[np.minimum(codes[..., 0], len(palette) - 1)], white
