"""The writing half of PNG: 16-bit PQ, BT.2020, labelled in every way that PNG 3 has."""

import struct
import zlib
from pathlib import Path

from sdr2hdr.errors import OutputError
from sdr2hdr.formats._content_light import STEP_NITS, content_light, mastering
from sdr2hdr.formats._exif_pq import beside_pq
from sdr2hdr.formats._options import EncodeOptions
from sdr2hdr.formats._png_chunks import before_pixels, chunk, xmp_chunk, xmp_packet
from sdr2hdr.formats._pq_codes import pq_codes
from sdr2hdr.formats._pq_profile import pq_profile
from sdr2hdr.formats._recipe import from_xmp, to_xmp
from sdr2hdr.image import HdrImage

SUMMARY = "16-bit PQ, BT.2020, lossless; cICP, mastering screen, content light and profile say so, EXIF kept"
PEAK_NITS = 1000.0  # by default: what HDR screens are graded for

_PAETH = 128
_IHDR_END = 33  # of the signature and the first chunk
_CICP = bytes([9, 16, 0, 1])  # ITU-T H.273: BT.2020 primaries, PQ, RGB (identity matrix), full range
_PROFILE_NAME = b"Rec.2100 PQ"
_MAX_SIDE = 1_000_000  # of a picture, in libpng


def encode(image: HdrImage, options: EncodeOptions) -> bytes:
    """PNG file of the picture: PQ codes (SMPTE ST 2084) of its light in cd/m2, full range, rounded to nearest.

    Light outside 0 .. 10000 cd/m2 is clipped. Alpha is stored as it is, straight. The picture's EXIF goes along,
    maker notes included; the recipe is in the XMP packet. Equal pictures give equal bytes.

    Raises
    ------
    OutputError
        The light holds NaN or infinity, or the picture is too large for a PNG.
    """
    import imagecodecs

    height, width = image.size
    if max(height, width) > _MAX_SIDE:
        raise OutputError(f"{width} x {height} pixels are too many for a PNG; write an .exr")
    # Run lengths behind a good filter: as small as deflate makes 16-bit light (within 4 %) in a fifth of the time.
    data = bytes(imagecodecs.png_encode(pq_codes(image), 1, strategy=3, filter=_PAETH))
    return data[:_IHDR_END] + _labels(image) + data[_IHDR_END:]


def words(options: EncodeOptions) -> dict[str, str]:
    """What the options add to the recipe: nothing: none is about these files."""
    return {}


def read_recipe(path: Path) -> dict[str, str]:
    """The recipe in a PNG that `encode` made; empty for any other file, one that is cut off, and none.

    Pixels are not read.
    """
    try:
        with path.open("rb") as stream:
            texts = before_pixels(stream).get(b"iTXt", [])
    except OSError:
        return {}
    packets = [packet for text in texts if (packet := xmp_packet(text))]
    return from_xmp(packets[0]) if packets else {}


def _labels(image: HdrImage) -> bytes:
    """Chunks that come before the pixels (PNG 3, 5.6)."""
    light, exif = content_light(image), beside_pq(image.exif, image.size)
    labels = [
        chunk(b"cICP", _CICP),
        chunk(b"iCCP", _PROFILE_NAME + b"\0\0" + zlib.compress(pq_profile(), 9)),
        chunk(b"mDCV", mastering(light, "RGB")),
        chunk(b"cLLI", struct.pack(">II", _steps(light.max_cll), _steps(light.max_fall))),
        xmp_chunk(to_xmp(image.recipe, image.xmp)),
    ]
    if exif is not None:
        labels.append(chunk(b"eXIf", exif))
    return b"".join(labels)


def _steps(nits: float) -> int:
    return round(nits / STEP_NITS)
