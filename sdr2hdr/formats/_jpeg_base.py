"""The base of an Ultra HDR file: a JPEG that keeps its bytes, with segments added that say what follows it."""

import logging
import struct

from sdr2hdr.formats import _exif, _gain_map, _mpf, _xmp
from sdr2hdr.formats._jpeg_segments import XMP_MARK, parts
from sdr2hdr.formats._recipe import to_xmp

_LOG = logging.getLogger(__name__)

EXIF_MARK = b"Exif\0\0"
_SOI, _APP0, _APP1, _APP2, _APP14, _COM, _APPS = 0xD8, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, range(0xE0, 0xF0)
MAX_SEGMENT = 65533  # bytes of contents

# Google's container: what follows the picture, in order ("Ultra HDR Image Format v1.1").
_DIRECTORY = """<rdf:Description rdf:about="" xmlns:hdrgm="{hdrgm}" xmlns:Container="{container}" \
xmlns:Item="{container}item/" hdrgm:Version="1.0">
<Container:Directory><rdf:Seq>
<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>
<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" \
Item:Length="{size}"/></rdf:li>
</rdf:Seq></Container:Directory>
</rdf:Description>"""


def segment(marker: int, contents: bytes) -> bytes:
    """A whole segment."""
    return struct.pack(">BBH", 0xFF, marker, len(contents) + 2) + contents


def with_segments(jpeg: bytes, segments: list[bytes]) -> bytes:
    """A JPEG with segments added in front."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def base(
    jpeg: bytes,
    following: int,
    recipe: dict[str, str],
    xmp: bytes | None,
    *,
    same_pixels: bool = True,
    strip: bool = False,
) -> bytes:
    """A JPEG that says that a gain map of `following` bytes comes right behind it.

    All its segments and all its picture data stay as they are and in order, but for three of which a file may have
    only one: its XMP packet is merged with ours, and an index of further pictures (MPF) and a version of ISO 21496-1,
    which spoke of what is not there any more, are replaced by ours. They stand behind what has to come first (JFIF,
    EXIF).

    Parameters
    ----------
    jpeg : one picture, from its first to its last byte
    xmp : the source's packet, or None
    same_pixels : the JPEG is the source itself
    strip : leave out EXIF but for the orientation, and whatever else is neither picture nor colour
    """
    more = [_DIRECTORY.format(hdrgm=_xmp.HDRGM, container=_xmp.CONTAINER, size=following)]
    packet = to_xmp(recipe, xmp, more=more, same_pixels=same_pixels)
    if len(packet) > MAX_SEGMENT - len(XMP_MARK):
        _LOG.warning("the XMP packet does not fit into a JPEG and is left out")
        packet = to_xmp(recipe, more=more)
    first: list[bytes] = []
    others: list[bytes] = []
    at = 2
    for marker, start, stop in parts(jpeg, 0, len(jpeg)):
        whole, contents = jpeg[at:stop], jpeg[start:stop]
        at = stop
        if _replaced(marker, contents):
            continue
        if strip:
            whole = _stripped(marker, contents, whole)
        leading = marker == _APP0 or (marker == _APP1 and contents.startswith(EXIF_MARK))
        (first if leading and not others else others).append(whole)
    front = b"".join(
        [jpeg[:2], *first, segment(_APP1, XMP_MARK + packet), segment(_APP2, _gain_map.ISO_VERSION)]
    )
    rest = b"".join(others) + jpeg[at:]
    size = len(front) + 4 + _mpf.SIZE + len(rest)
    return front + segment(_APP2, _mpf.index(len(front) + 4, size, following)) + rest


def _replaced(marker: int, contents: bytes) -> bool:
    return (marker == _APP1 and contents.startswith(XMP_MARK)) or (
        marker == _APP2 and contents.startswith((_mpf.MARK, _gain_map.ISO_MARK))
    )


def _stripped(marker: int, contents: bytes, whole: bytes) -> bytes:
    """What is left of a segment: all that has to do with the pixels, and how the camera was held."""
    if marker == _APP1 and contents.startswith(EXIF_MARK):
        how = _exif.orientation(_exif.plain(contents))
        return segment(_APP1, EXIF_MARK + _exif.only_orientation(how)) if how != 1 else b""
    colour = marker in (_APP0, _APP14) or (marker == _APP2 and contents.startswith(b"ICC_PROFILE\0"))
    return b"" if (marker in _APPS and not colour) or marker == _COM else whole
