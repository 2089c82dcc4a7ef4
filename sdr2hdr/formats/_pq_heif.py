"""What AVIF and HEIC files share when they are written: levels, EXIF and the recipe beside the coded picture."""

import struct
from pathlib import Path

from sdr2hdr.errors import InputError
from sdr2hdr.formats._content_light import content_light, mastering
from sdr2hdr.formats._exif_pq import beside_pq
from sdr2hdr.formats._heif import XMP_TYPE, still
from sdr2hdr.formats._isobmff import Item, Property, Reference, parse
from sdr2hdr.formats._isobmff_write import assemble
from sdr2hdr.formats._recipe import from_xmp, to_xmp
from sdr2hdr.image import HdrImage

PRIMARIES, TRANSFER, MATRIX = 9, 16, 9  # ITU-T H.273: BT.2020, PQ, BT.2020 with non-constant luminance

_MAX_LEVEL = 65535  # of content light, in cd/m2


def labelled(data: bytes, image: HdrImage, recipe: dict[str, str]) -> bytes:
    """A file of one coded PQ picture, with content light, mastering screen, EXIF and XMP added.

    Raises
    ------
    OutputError
        The light holds NaN or infinity, or the file would be too large.
    """
    container = parse(data)
    light = content_light(image)
    container.items[container.primary].properties += [
        Property(b"clli", struct.pack(">HH", _level(light.max_cll), _level(light.max_fall))),
        Property(b"mdcv", mastering(light, "GBR")),
    ]
    added = [Item(b"mime", XMP_TYPE, data=to_xmp(recipe, image.xmp), hidden=True)]
    if exif := beside_pq(image.exif, image.size):
        added.append(Item(b"Exif", data=bytes(4) + exif, hidden=True))
    numbers = range(max(container.items) + 1, max(container.items) + 1 + len(added))
    container.references += [Reference(b"cdsc", number, (container.primary,)) for number in numbers]
    container.items = (
        dict(zip(numbers, added, strict=True)) | container.items
    )  # what is read first comes first
    return assemble(container)


def recipe_of(path: Path, codec: bytes) -> dict[str, str]:
    """The recipe in a whole file that `labelled` made; empty for any other, one that is cut off, and none."""
    try:
        return from_xmp(still(path.read_bytes(), codec, "picture").xmp or b"")
    except (OSError, InputError):
        return {}


def _level(nits: float) -> int:
    return min(round(nits), _MAX_LEVEL)
