"""A JPEG file's segments (ITU-T T.81, annex B), without decoding anything."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from sdr2hdr.errors import InputError
from sdr2hdr.formats._source import damaged

XMP_MARK = (
    b"http://ns.adobe.com/xap/1.0/\0"  # ISO 16684-3, 1.1.3; a packet's extension has another and is left out
)

_SOI, _EOI, _SOS, _DNL, _APP1, _APP2, _APP14 = 0xD8, 0xD9, 0xDA, 0xDC, 0xE1, 0xE2, 0xEE
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # SOF0 .. SOF15 without DHT, JPG, DAC
_DECODED = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive; Huffman-coded
_AFTER_SCAN = re.compile(
    rb"\xff[^\x00\xff\xd0-\xd7]"
)  # a marker that is neither a stuffed byte nor a restart
_NOTHING = 255
_MAX_SCANS = 100  # of a progressive file; more are an attempt to keep the decoder busy


@dataclass
class Segments:
    """What the markers say.

    frame : marker of the frame, 0xC0 (baseline) .. 0xC2 (progressive)
    components : their names
    adobe : whether there is an Adobe marker, which says that CMYK is stored inverted
    scans : number of scans
    begin, end : where the entropy-coded data of the last scan lies
    after : where the file goes on behind the end marker
    missing : lowest bit sent so far of a component's 64 coefficients, `_NOTHING` if none
    """

    height: int = 0
    width: int = 0
    precision: int = 0
    frame: int = 0
    components: bytes = b""
    adobe: bool = False
    exif: bytes | None = None
    xmp: bytes | None = None
    icc: dict[int, bytes] = field(default_factory=dict)
    scans: int = 0
    begin: int = 0
    end: int = 0
    after: int = 0
    missing: dict[int, list[int]] = field(default_factory=dict)

    @property
    def profile(self) -> bytes | None:
        """The ICC profile from its pieces (ICC.1:2022, B.4); what is missing makes it a broken one."""
        return b"".join(self.icc[number] for number in sorted(self.icc)) if self.icc else None


def header(data: bytes) -> Segments:
    """Everything up to the first scan.

    Raises
    ------
    InputError
        Cut off, no JPEG, or of a kind that is not decoded (12 bits, lossless, hierarchical).
    """
    found = Segments()
    at = _walk(data, 2, found)
    if not found.frame:
        raise damaged("no frame before the first scan")
    if found.precision != 8:
        raise InputError(
            f"is a JPEG of {found.precision} bits, which is not supported; save it as a 16-bit TIFF"
        )
    if found.frame not in _DECODED:
        raise InputError("is a lossless, hierarchical or arithmetic-coded JPEG; save it as a TIFF")
    if len(found.components) not in (1, 3, 4):
        raise InputError(f"has {len(found.components)} channels; save it in RGB or grey")
    found.missing = {name: [_NOTHING] * 64 for name in found.components}
    found.end = at
    return found


def whole(data: bytes) -> Segments:
    """Everything up to the end marker of the first picture in the file (phones append more).

    Raises
    ------
    InputError
        As `header`, and where the end marker is missing.
    """
    found = header(data)
    at = found.end
    while True:
        found.scans += 1
        if found.scans > _MAX_SCANS:
            raise damaged(f"more than {_MAX_SCANS} scans")
        found.begin = _scan(data, at, found)
        marker = _AFTER_SCAN.search(data, found.begin)
        if marker is None:
            raise damaged("no end marker")
        found.end = marker.start()
        at = _walk(data, found.end, found)
        if at < 0:
            break
    found.after = data.index(b"\xff\xd9", found.end) + 2
    while found.end > found.begin and data[found.end - 1] == 0xFF:  # fill bytes before the marker
        found.end -= 1
    if any(bits[0] or any(0 < bit < _NOTHING for bit in bits) for bits in found.missing.values()):
        raise damaged("without its last scans")
    return found


def parts(data: bytes, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Marker, begin and end of the contents of a picture's segments before its first scan; until something is amiss."""
    at = begin + 2
    while at + 4 <= end and data[at] == 0xFF and data[at + 1] != _SOS:
        if data[at + 1] == 0xFF:  # fill byte
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2 or at + 2 + length > end:
            return
        yield data[at + 1], at + 4, at + 2 + length
        at += 2 + length


def _scan(data: bytes, at: int, found: Segments) -> int:
    """Note what the scan at `at` sends; where its entropy-coded data begins."""
    count = data[at + 4] if at + 4 < len(data) else 0
    head = data[at + 5 : at + 8 + 2 * count]
    if len(head) < 2 * count + 3:
        raise damaged("ends within a scan's header")
    first, last, bits = head[2 * count :]
    for name in head[: 2 * count : 2]:
        coefficients = found.missing.get(name, [])
        coefficients[first : last + 1] = [bits & 15] * len(coefficients[first : last + 1])
    return at + 8 + 2 * count


def _walk(data: bytes, at: int, found: Segments) -> int:
    """Read segments from `at` on; where the next scan begins, or -1 at the end of the picture."""
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            raise damaged(f"no marker at byte {at}")
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == _SOS:
            return at
        if marker == _EOI and found.scans:
            return -1
        if at + 4 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        segment = data[at + 4 : at + 2 + length]
        if length < 2 or len(segment) != length - 2 or marker == _SOI:
            break
        _note(marker, segment, found)
        at += 2 + length
    raise damaged("ends within its header" if not found.scans else "ends between its scans")


def _note(marker: int, segment: bytes, found: Segments) -> None:
    if marker in _FRAMES and len(segment) >= 6 and not found.frame:
        found.frame = marker
        found.precision, found.height, found.width = struct.unpack_from(">BHH", segment)
        found.components = segment[6::3][: segment[5]]
    elif marker == _APP1 and segment.startswith(b"Exif\0\0") and found.exif is None:
        found.exif = segment
    elif marker == _APP1 and segment.startswith(XMP_MARK) and found.xmp is None:
        found.xmp = segment[len(XMP_MARK) :]
    elif marker == _APP2 and segment.startswith(b"ICC_PROFILE\0") and len(segment) > 14:
        found.icc[segment[12]] = segment[14:]
    elif marker == _APP14 and segment.startswith(b"Adobe"):
        found.adobe = True
