"""What AVIF and HEIC files share when they are read: size, colour, orientation and metadata of the primary picture."""

import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sdr2hdr.color.tables import table
from sdr2hdr.errors import InputError
from sdr2hdr.formats import _cicp, _icc
from sdr2hdr.formats._coded_size import Coded, av1_headers, hevc_headers
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._isobmff import Container, Item, parse
from sdr2hdr.formats._signal import picture
from sdr2hdr.formats._source import NAME, damaged, one_line
from sdr2hdr.image import SdrImage

logger = logging.getLogger(__name__)

AV1, HEVC = b"av01", b"hvc1"
XMP_TYPE = b"application/rdf+xml"

_DERIVED = (b"grid", b"iden", b"iovl")
_MARGIN = 64  # pixels by which a coded picture may be larger: HEVC codes whole blocks
_GAMMA = {4: 2.2, 5: 2.8, 8: 1.0}  # ITU-T H.273, table 3; the other SDR curves are taken as sRGB's
_APPLE_GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"


@dataclass(frozen=True)
class Still:
    """The primary picture of a file.

    container, item : the file, and the picture in it
    size : height, width, as stored: before any turning
    coded : what the coded picture says of itself (of a grid: its first tile)
    """

    container: Container
    item: Item
    size: tuple[int, int]
    coded: Coded

    @property
    def icc(self) -> bytes | None:
        """ICC profile."""
        return next((p[4:] for p in _colours(self.item) if p[:4] in (b"prof", b"rICC")), None)

    @property
    def tagged(self) -> bool:
        """Whether there is an `nclx` property."""
        return code_points_of(self.item) is not None

    @property
    def code_points(self) -> tuple[int, int]:
        """Primaries and transfer (ITU-T H.273) as `nclx` states them, or else the coded picture; 2: nothing does."""
        return code_points_of(self.item) or (self.coded.primaries, self.coded.transfer)

    @property
    def profile(self) -> bytes | _icc.Profile:
        """How its code values become colour; an ICC profile is believed before code points.

        Raises
        ------
        InputError
            It is PQ or HLG.
        """
        primaries, transfer = self.code_points
        if transfer in _icc.HDR_TRANSFERS:
            raise InputError("is already HDR (its nclx tag says PQ or HLG); only SDR pictures are converted")
        if self.icc is not None:
            return self.icc
        curve = _icc.gamma_curve(_GAMMA[transfer]) if transfer in _GAMMA else _icc.decode_srgb
        return _icc.from_chromaticities(primaries_xy(primaries), curve, f"nclx {primaries}/{transfer}")

    @property
    def exif(self) -> bytes | None:
        """EXIF block, behind the 4 bytes that say where its TIFF header is (23008-12, A.2.1)."""
        data = self._described(b"Exif")
        return data[4 + int.from_bytes(data[:4], "big") :] if data else None

    @property
    def xmp(self) -> bytes | None:
        """XMP packet."""
        return self._described(b"mime") or None

    @property
    def gain_map(self) -> str:
        """Which kind of gain map lies beside the picture, in words; empty if none does."""
        iso, apple = gain_map_items(self)
        return "ISO 21496-1" if iso else "Apple" if apple else ""

    def _described(self, kind: bytes) -> bytes:
        """Data of the item of metadata that describes the picture."""
        items = self.container.items
        for number in self.container.linked(b"cdsc", self.container.primary):
            item = items.get(number)
            if item is not None and item.kind == kind and item.content_type in (b"", XMP_TYPE):
                return item.data
        return b""


def code_points_of(item: Item) -> tuple[int, int] | None:
    """Primaries and transfer of an item's `nclx` property."""
    nclx = next((p for p in _colours(item) if p[:4] == b"nclx" and len(p) >= 11), None)
    if nclx is None:
        return None
    primaries, transfer = struct.unpack_from(">HH", nclx, 4)
    return primaries, transfer


def primaries_xy(code: int) -> npt.NDArray[np.float64]:
    """(8,) x, y of red, green, blue and white of a code point; BT.709's where it is none that is known."""
    others = _cicp.chromaticities_of(code)
    known = {9: "bt2020", 12: "p3"}.get(code, "bt709")
    return table(f"chromaticities_{known}") if others is None else np.array(others)


def gain_map_items(still: Still) -> tuple[list[int], list[int]]:
    """Numbers of `tmap` items (ISO 21496-1), and of Apple's gain maps beside the primary picture."""
    items = still.container.items
    auxiliary = [n for n in still.container.linked(b"auxl", still.container.primary) if n in items]
    apple = [n for n in auxiliary if (items[n].get(b"auxC") or b"")[4:].startswith(_APPLE_GAIN_MAP)]
    return [n for n, item in items.items() if item.kind == b"tmap"], apple


def _colours(item: Item) -> list[bytes]:
    return [data for kind, data, _ in item.properties if kind == b"colr"]


def still(data: bytes, codec: bytes, name: str) -> Still:
    """The primary picture of a file that has to be coded in AV1 or HEVC; `name` is the format's, for messages.

    Nothing is decoded, but the sizes that coded pictures state are compared to those of the container.

    Raises
    ------
    InputError
        Cut off, damaged, or of another kind.
    """
    container = parse(data)
    item = container.items[container.primary]
    coded = list(_coded(container, container.primary, codec, name, 0))
    if not coded:
        raise damaged("no coded picture in it")
    for number in container.linked(b"auxl", container.primary):  # alpha is decoded, too
        if number in container.items and container.items[number].kind in (codec, *_DERIVED):
            list(_coded(container, number, codec, name, 0))
    return Still(container, item, _stated_size(item), coded[0])


def _stated_size(item: Item) -> tuple[int, int]:
    ispe = item.get(b"ispe") or b""
    if len(ispe) < 12:
        raise damaged("no size")
    width, height = struct.unpack_from(">II", ispe, 4)
    return height, width


def _coded(container: Container, number: int, codec: bytes, name: str, depth: int) -> Iterator[Coded]:
    """Headers of all coded pictures that one is made of."""
    item = container.items.get(number)
    if item is None or depth > 2:
        raise damaged("a part of it is missing")
    height, width = _stated_size(item)
    if item.kind == codec:
        headers = (
            av1_headers(item.data) if codec == AV1 else hevc_headers(item.data, item.get(b"hvcC") or b"")
        )
        for header in headers:
            if header.width > width + _MARGIN or header.height > height + _MARGIN:
                raise damaged("its size is not the header's")
            yield header
    elif item.kind in _DERIVED:
        if item.kind == b"grid" and _grid_size(item.data) != (height, width):
            raise damaged("its size is not the header's")
        parts = {
            p for r in container.references if r.kind == b"dimg" and r.source == number for p in r.targets
        }
        for part in sorted(parts):
            tile = container.items.get(part)
            if tile is not None and max(_stated_size(tile)) > 2 * max(height, width) + 1024:
                raise damaged("a tile is larger than the picture")
            yield from _coded(container, part, codec, name, depth + 1)
    else:
        kind = one_line(item.kind.decode("latin-1"))
        raise InputError(
            f"is coded in a way that is not supported ('{kind}'); export it again as a plain {name}"
        )


def _grid_size(data: bytes) -> tuple[int, int]:
    """Height, width that a grid's description states (23008-12, 6.6.2.3)."""
    form = ">II" if data[1:2] == b"\1" else ">HH"
    if len(data) < 4 + struct.calcsize(form):
        raise damaged("no grid")
    width, height = struct.unpack_from(form, data, 4)
    return height, width


def picture_of(
    still: Still,
    profile: bytes | _icc.Profile | None,
    codes: Codes,
    form: str,
    *,
    premultiplied: bool = False,
) -> SdrImage:
    """A picture of upright codes, with the metadata of its file; says so where a gain map is left behind."""
    if still.gain_map:
        logger.warning(
            "%s: holds a gain map (%s), which is not used: its SDR picture is", NAME.get(), still.gain_map
        )
    colour = 1 if codes.ndim == 2 or codes.shape[2] < 3 else 3
    return picture(
        codes,
        form=form,
        colour=colour,
        white=(1 << still.coded.bits) - 1,
        profile=profile,
        exif=still.exif,
        xmp=still.xmp,
        orientation=1,  # the file's own properties have said it (23008-12, 6.5.10)
        premultiplied=premultiplied,
    )
