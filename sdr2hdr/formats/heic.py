"""HEIC: reading of 8 to 12 bits, SDR; writing of 10-bit PQ; both by the package pillow-heif, which is optional."""

import io
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from sdr2hdr.errors import InputError, OutputError
from sdr2hdr.formats import _heif
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._examined import Examined
from sdr2hdr.formats._heif_examined import examined
from sdr2hdr.formats._isobmff import brands
from sdr2hdr.formats._options import EncodeOptions
from sdr2hdr.formats._pq_codes import pq_codes
from sdr2hdr.formats._pq_heif import MATRIX, PRIMARIES, TRANSFER, labelled, recipe_of
from sdr2hdr.formats._source import damaged, one_line
from sdr2hdr.image import HdrImage, SdrImage

EXTENSIONS = (".heic", ".heif", ".hif")
SUMMARY = (
    "10-bit PQ, BT.2020, 4:2:0, dithered; nclx, mastering screen and content light say so (needs pillow-heif)"
)
PEAK_NITS = 1000.0  # by default: what HDR screens are graded for

BITS = 10
# Of 0 .. 100. The mean over 16 x 16 pixels of a dithered ramp is off by 0.05 codes; more is hardly better, as what is
# left is the halved resolution of colour. Slower presets save 5 % of the bytes, at four times the time.
QUALITY = 90
_X265 = {
    "preset": "ultrafast",
    "x265:frame-threads": "1",  # with a pool, be it of one, the bytes do not depend on the number of cores
    "x265:pools": "1",
}
_MAX_CODED, _TILE = (
    35_651_584,
    4096,
)  # pixels of a picture in HEVC's level 6.2; larger ones are put together of tiles
_MAX_SIDE = 32768  # of what libheif decodes
_FAILURES = (RuntimeError, ValueError, OSError, EOFError, SyntaxError, IndexError)
_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"hevc", b"hevx", b"msf1"}
_CURE = "pip install 'sdr2hdr[heic]'"


def sniff(head: bytes) -> bool:
    """Whether a file is of HEIF's brands, and not of AVIF's."""
    found = set(brands(head))
    return bool(found & _BRANDS) and not found & {b"avif", b"avis"}


def dimensions(data: bytes) -> tuple[int, int]:
    """Height, width as stored, of the primary picture."""
    return _still(data).size


def decode(data: bytes) -> SdrImage:
    """Decode the primary picture; colour is what ICC profile or nclx say, or else sRGB.

    Raises
    ------
    InputError
        Cut off, damaged, nclx says PQ or HLG, or pillow-heif is not installed.
    """
    opened = _open(data)
    profile = opened.still.profile  # refuses HDR, before anything is decoded
    return _heif.picture_of(opened.still, profile, opened.codes(), "heic", premultiplied=opened.premultiplied)


def examine(data: bytes) -> Examined:
    """Read a HEIC for what it is.

    Raises
    ------
    InputError
        Cut off or damaged, its colours are said in a way that is not supported, or pillow-heif is not installed.
    """
    opened = _open(data)

    def decode_part(part: bytes) -> tuple[Codes, int]:
        other = _open(part)
        return other.codes(), other.still.coded.bits

    return examined(opened.still, opened.codes(), "heic", decode_part)


def encode(image: HdrImage, options: EncodeOptions) -> bytes:
    """HEIC file of the picture: PQ codes (SMPTE ST 2084) of its light in cd/m2, 10 bits, full range, dithered.

    Colour has half the resolution (4:2:0), as in the files of phones, whose decoders need not know more. Light outside
    0 .. 10000 cd/m2 is clipped. Alpha is stored as it is, straight. The picture's EXIF goes along, maker notes
    included; the recipe is in the XMP packet, beside what the source's packet says. Equal pictures give equal bytes,
    on any number of cores.

    Raises
    ------
    OutputError
        The light holds NaN or infinity, the picture is too large, or pillow-heif is not installed.
    """
    library = _library()
    if library is None:
        raise OutputError(missing())
    height, width = image.size
    if max(height, width) > _MAX_SIDE:
        raise OutputError(f"{width} x {height} pixels are too many for a HEIC; write an .exr")
    codes = pq_codes(image, BITS, dither=True)
    codes <<= 16 - BITS
    stream = io.BytesIO()
    try:
        library.encode(
            "RGB;16" if image.alpha is None else "RGBA;16",
            (width, height),
            codes.tobytes(),
            stream,
            quality=QUALITY,
            bit_depth=BITS,
            chroma=420,
            color_primaries=PRIMARIES,
            transfer_characteristics=TRANSFER,
            matrix_coefficients=MATRIX,
            full_range_flag=1,
            tile_size=_TILE if image.alpha is None and height * width > _MAX_CODED else 0,
            enc_params=dict(_X265),
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise OutputError(f"the HEIC encoder failed ({one_line(error)}); write an .avif") from error
    return labelled(stream.getvalue(), image, image.recipe | words(options))


def missing() -> str:
    """What has to be installed first, in one line; nothing if it is there."""
    return "" if _library() else f"HEIC needs the package pillow-heif, which is not installed; run: {_CURE}"


def words(options: EncodeOptions) -> dict[str, str]:
    """What the options add to the recipe: nothing, the depth is fixed."""
    return {}


def read_recipe(path: Path) -> dict[str, str]:
    """The recipe in a HEIC that `encode` made; empty for any other file, one that is cut off, and none.

    Pixels are not decoded.
    """
    return recipe_of(path, _heif.HEVC)


@dataclass(frozen=True)
class _Opened:
    """A file that can be decoded. still : what its boxes say; file : of pillow-heif."""

    still: _heif.Still
    file: Any

    @property
    def premultiplied(self) -> bool:
        """Whether the colours are multiplied by alpha."""
        return bool(self.file.premultiplied_alpha)

    def codes(self) -> Codes:
        """Code values (H, W) or (H, W, C), full range, upright.

        Raises
        ------
        InputError
            Damaged.
        """
        try:
            codes = np.asarray(self.file)
        except _FAILURES as error:
            raise damaged(error) from error
        limit = self.still.size[0] * self.still.size[1]
        if codes.shape[0] * codes.shape[1] > limit or (codes.dtype == np.uint8) != (
            self.still.coded.bits == 8
        ):
            raise damaged("its size or depth is not the header's")
        return codes


def _open(data: bytes) -> _Opened:
    """Open the primary picture; nothing is decoded yet.

    Raises
    ------
    InputError
        Cut off, damaged, of another kind, or pillow-heif is not installed.
    """
    still, library = _still(data), _library()
    if library is None:
        raise InputError(f"is a HEIC picture; {missing()}")
    try:
        file = library.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False, hdr_to_16bit=False)
    except _FAILURES as error:
        raise damaged(error) from error
    return _Opened(still, file)


def _still(data: bytes) -> _heif.Still:
    return _heif.still(data, _heif.HEVC, "HEIC")


def _library() -> ModuleType | None:
    """pillow-heif, if it is installed."""
    try:
        import pillow_heif
    except ImportError:
        return None
    return pillow_heif
