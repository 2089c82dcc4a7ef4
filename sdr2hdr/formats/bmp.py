"""BMP, read only: 1 to 32 bits, palettes, run lengths, alpha, embedded profiles."""

import io
import struct

import numpy as np
from PIL import BmpImagePlugin, Image

from sdr2hdr.formats._signal import picture
from sdr2hdr.formats._source import damaged
from sdr2hdr.image import SdrImage

EXTENSIONS = (".bmp", ".dib")

_V5_HEADER = 124
_EMBEDDED = b"DEBM"  # PROFILE_EMBEDDED, little-endian


def sniff(head: bytes) -> bool:
    """Whether a file begins as BMP files do: "BM", and a header of a known size."""
    return head.startswith(b"BM") and len(head) >= 18 and head[14] in (12, 16, 40, 52, 56, 64, 108, 124)


def dimensions(data: bytes) -> tuple[int, int]:
    """Height, width, from the header; a height below 0 means rows from the top."""
    if len(data) < 26:
        raise damaged("ends within its header")
    if data[14] == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(height), width


def decode(data: bytes) -> SdrImage:
    """Decode.

    Raises
    ------
    InputError
        Cut off, damaged, or of a kind that Pillow does not read.
    """
    try:
        # The class, not Image.open: that has a limit of its own and warns of large pictures.
        image: Image.Image = BmpImagePlugin.BmpImageFile(io.BytesIO(data))
        image.load()
        if image.mode not in ("L", "RGB", "RGBA"):
            image = image.convert("L" if image.mode == "1" else "RGB")
    except Exception as error:  # Pillow raises whatever its parsers happen to
        raise damaged(error) from error
    codes = np.asarray(image)
    return picture(codes, form="bmp", colour=1 if codes.ndim == 2 else 3, profile=_profile(data))


def _profile(data: bytes) -> bytes | None:
    """The profile that a header of version 5 may point to."""
    if data[14] != _V5_HEADER or data[70:74] != _EMBEDDED or len(data) < 14 + _V5_HEADER:
        return None
    offset, size = struct.unpack_from("<II", data, 14 + 112)
    return data[14 + offset : 14 + offset + size]
