"""The writing half of TIFF: 16-bit PQ, BT.2020, deflate, with profile, recipe and EXIF."""

import io
from pathlib import Path

from sdr2hdr.errors import OutputError
from sdr2hdr.formats import _exif_tiff
from sdr2hdr.formats._options import EncodeOptions
from sdr2hdr.formats._pq_codes import pq_codes
from sdr2hdr.formats._pq_profile import pq_profile
from sdr2hdr.formats._recipe import SOFTWARE, from_xmp, to_xmp
from sdr2hdr.image import HdrImage

SUMMARY = "16-bit PQ, BT.2020, deflate, Rec.2100 PQ profile, EXIF kept"
PEAK_NITS = 1000.0  # by default: what HDR screens are graded for

ROWS = 64  # of a strip
_CLASSIC_LIMIT = 2**32 - 2**26  # offsets of a classic TIFF have 32 bits; some room for everything but pixels
_XMP = 700
_BYTE, _LONG = 1, 4
# tifffile refuses to write pointers to directories, so they go in under free codes just below and are renamed.
_PLACEHOLDERS = {34664: 34665, 34852: 34853}  # Exif, GPS


def encode(image: HdrImage, options: EncodeOptions) -> bytes:
    """TIFF file of the picture: PQ codes (SMPTE ST 2084) of its light in cd/m2, full range, rounded to nearest.

    Light outside 0 .. 10000 cd/m2 is clipped. Alpha is stored as it is, straight (unassociated). The picture's EXIF
    goes along, maker notes included; the recipe is in the XMP packet, beside what the source's packet says. Equal
    pictures give equal bytes.

    Raises
    ------
    OutputError
        The light holds NaN or infinity, or the picture is too large for a TIFF.
    """
    import tifffile

    height, width = image.size
    if height * width * 8 > _CLASSIC_LIMIT:
        raise OutputError(f"{width} x {height} pixels are too many for a TIFF; write an .exr")
    codes = pq_codes(image)
    block = _exif_tiff.prepare(image.exif, image.size)
    xmp = to_xmp(image.recipe, image.xmp)
    stand_ins = {code: stand_in for stand_in, code in _PLACEHOLDERS.items()}
    pointers = [(stand_ins[code], _LONG, 1, offset, True) for code, offset in block.pointers]
    resolution = (
        {"resolution": block.resolution[:2], "resolutionunit": block.resolution[2]}
        if block.resolution
        else {}
    )
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, byteorder="<" if block.byteorder == "<" else ">") as writer:
        buffer.write(block.body)  # between the header, which is written by now, and the first directory
        writer.write(
            codes,
            photometric="rgb",
            extrasamples=["unassalpha"] if image.alpha is not None else None,
            compression="adobe_deflate",
            compressionargs={"level": 1},
            predictor=True,
            rowsperstrip=ROWS,
            iccprofile=pq_profile(),
            software=SOFTWARE,
            description=block.description,
            extratags=[*block.tags, (_XMP, _BYTE, len(xmp), xmp, True), *pointers],
            metadata=None,
            **resolution,
        )
    if pointers:
        _exif_tiff.link(buffer.getbuffer(), _PLACEHOLDERS)
    return buffer.getvalue()


def words(options: EncodeOptions) -> dict[str, str]:
    """What the options add to the recipe: nothing: none is about these files."""
    return {}


def read_recipe(path: Path) -> dict[str, str]:
    """The recipe in a TIFF that `encode` made; empty for any other file, one that is cut off, and none.

    Pixels are not read.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            tag = page.tags.get(_XMP)
            if tag is None or page.dataoffsets[-1] + page.databytecounts[-1] > path.stat().st_size:
                return {}
            return from_xmp(tag.value)
    except Exception:  # whatever a stranger's or a damaged file makes tifffile stumble over
        return {}
