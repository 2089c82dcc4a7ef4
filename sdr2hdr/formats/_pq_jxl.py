"""The writing half of JPEG XL: PQ, BT.2020, visually lossless; lossless where there is alpha."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from sdr2hdr.color.tables import table
from sdr2hdr.errors import OutputError
from sdr2hdr.formats import _jxl_boxes
from sdr2hdr.formats._content_light import content_light
from sdr2hdr.formats._exif_pq import beside_pq
from sdr2hdr.formats._jxl_header import DEFAULT_TARGET_NITS
from sdr2hdr.formats._jxl_relabel import as_pq
from sdr2hdr.formats._options import EncodeOptions
from sdr2hdr.formats._pq_codes import pq_codes
from sdr2hdr.formats._recipe import from_xmp, to_xmp
from sdr2hdr.formats._strips import strips
from sdr2hdr.image import PQ_PEAK_NITS, FloatArray, HdrImage

SUMMARY = (
    "PQ, BT.2020, visually lossless by Butteraugli (lossless with alpha), EXIF kept; a tenth of a PNG's size"
)
PEAK_NITS = 1000.0  # by default: what HDR screens are graded for

DISTANCE = (
    0.3  # Butteraugli's: 1 is just noticeable at the luminance of SDR screens; some room for HDR and grading
)
_EFFORT, _LOSSLESS_EFFORT = 5, 2  # beyond these, seconds double and files hardly shrink
_BITS = 16


def encode(image: HdrImage, options: EncodeOptions) -> bytes:
    """JPEG XL file of the picture: PQ (SMPTE ST 2084) of its light in cd/m2, clipped to 0 .. 10000 cd/m2.

    The picture is coded in XYB, JPEG XL's own space of cone responses, which is absolute; decoders make PQ code values
    of it. Pictures with alpha (straight) are coded as code values and lossless. The intensity target is the brightest
    light. The picture's EXIF goes along, maker notes included; the recipe is in the XMP packet. Equal pictures give
    equal bytes.

    Raises
    ------
    OutputError
        The light holds NaN or infinity, or the picture is too large for libjxl.
    """
    import imagecodecs

    target = _target(max(content_light(image).max_cll, image.white_nits))
    try:
        if image.alpha is None:
            coded = imagecodecs.jpegxl_encode(_linear(image), effort=_EFFORT, distance=DISTANCE)
        else:
            coded = imagecodecs.jpegxl_encode(pq_codes(image), effort=_LOSSLESS_EFFORT, lossless=True)
    except imagecodecs.JpegxlError as error:
        height, width = image.size
        raise OutputError(
            f"{width} x {height} pixels cannot be made a JPEG XL ({error}); write an .exr"
        ) from error
    boxes = _jxl_boxes.parse(bytes(coded))
    codestream = as_pq(boxes.codestream, _BITS, target)
    return _jxl_boxes.build(
        codestream, boxes.level, beside_pq(image.exif, image.size), to_xmp(image.recipe, image.xmp)
    )


def words(options: EncodeOptions) -> dict[str, str]:
    """What the options add to the recipe: nothing: none is about these files."""
    return {}


def read_recipe(path: Path) -> dict[str, str]:
    """The recipe in a file that `encode` made; empty for any other file, one that is cut off, and none.

    Pixels are not read.
    """
    try:
        with path.open("rb") as stream:
            xmp = _jxl_boxes.read_xmp(stream)
    except OSError:
        return {}
    return from_xmp(xmp) if xmp else {}


def _linear(image: HdrImage) -> FloatArray:
    """Light (H, W, 3) as libjxl takes it where nothing is said: BT.709 (negative outside of it), 1.0 = 255 cd/m2."""
    matrix = (table("bt2020_to_bt709") * (image.white_nits / DEFAULT_TARGET_NITS)).astype(np.float32)
    limit = np.float32(PQ_PEAK_NITS / image.white_nits)
    linear: FloatArray = np.empty((*image.size, 3), np.float32)
    for rows, light, _ in strips(image):
        np.einsum("dc,chw->hwd", matrix, light.clip(0, limit), out=linear[rows])
    return linear


def _target(nits: float) -> float:
    """The next 16-bit floating-point number that is not smaller."""
    half: np.float16 | npt.NDArray[np.float16] = np.float16(nits)
    return float(half if half >= nits else np.nextafter(half, np.float16(np.inf)))
