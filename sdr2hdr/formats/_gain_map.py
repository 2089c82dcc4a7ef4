"""What a gain map's numbers mean: ISO 21496-1, and Adobe's gain map specification 1.0, which phones write as XMP.

With a base of light S and a map of G in [0, 1], the brighter picture is

    H = (S + base_offset) 2^(low + (high - low) G^(1 / gamma)) - alternate_offset,

in one channel after the other, in the base's primaries or in those of the brighter picture.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from sdr2hdr.formats import _xmp

Three = tuple[float, float, float]

ISO_MARK = b"urn:iso:std:iso:ts:21496:-1\0"
ISO_VERSION = ISO_MARK + bytes(4)  # what the base's segment says: least version, version
OFFSET = 1 / 64  # what both specifications suggest

_MULTICHANNEL, _BASE_PRIMARIES = 0x80, 0x40
_UNITS = 1 << 20  # denominator of the fractions that are written
_SANE = 64.0  # stops, and any other of the numbers


@dataclass(frozen=True)
class GainMap:
    """The numbers; of each that is a triple one a channel.

    low, high : log2 of the gain at the map's 0 and 1
    gamma : above 0
    base_offset, alternate_offset : added to light before it is divided
    base_headroom, headroom : log2 of the brightest light over SDR white that a screen has to show for the base to be
        right, and for the map to be applied in full
    base_primaries : whether it is applied in the base's primaries, not in the brighter picture's
    """

    low: Three
    high: Three
    headroom: float
    gamma: Three = (1.0, 1.0, 1.0)
    base_offset: Three = (OFFSET, OFFSET, OFFSET)
    alternate_offset: Three = (OFFSET, OFFSET, OFFSET)
    base_headroom: float = 0.0
    base_primaries: bool = True

    def __post_init__(self) -> None:
        """Refuse what no picture can be made with (ValueError)."""
        triples = (self.low, self.high, self.gamma, self.base_offset, self.alternate_offset)
        numbers = [number for triple in triples for number in triple] + [self.base_headroom, self.headroom]
        if not all(abs(number) <= _SANE for number in numbers) or min(self.gamma) <= 0:  # catches NaN
            raise ValueError("numbers out of range")


def to_iso(gain_map: GainMap) -> bytes:
    """The metadata's binary form (ISO 21496-1, annex C.2), with its mark, for an APP2 segment of the map."""
    channels = list(_channels(gain_map))
    if channels[0] == channels[1] == channels[2]:
        channels = channels[:1]
    flags = (_MULTICHANNEL if len(channels) > 1 else 0) | (_BASE_PRIMARIES if gain_map.base_primaries else 0)
    values = [gain_map.base_headroom, gain_map.headroom, *(v for channel in channels for v in channel)]
    return (
        ISO_VERSION + bytes([flags]) + b"".join(struct.pack(">iI", round(v * _UNITS), _UNITS) for v in values)
    )


def from_iso(contents: bytes) -> GainMap:
    """What `to_iso` and others write; `contents` of the segment, with the mark.

    Raises
    ------
    ValueError
        Cut off, of a later version, or nonsense.
    """
    at = len(ISO_MARK)
    try:
        (least, _, flags) = struct.unpack_from(">HHB", contents, at)
        if least:
            raise ValueError(f"version {least}")
        count = 3 if flags & _MULTICHANNEL else 1
        signs = "II" + "iiIii" * count  # numerators; denominators have none
        numbers = struct.unpack_from(">" + "".join(sign + "I" for sign in signs), contents, at + 5)
        values = [a / b for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
    except (struct.error, ZeroDivisionError) as error:
        raise ValueError("cut off, or a fraction over zero") from error
    channels = [values[2 + 5 * i : 7 + 5 * i] for i in range(count)] * (3 // count)
    low, high, gamma, base, alternate = ((a, b, c) for a, b, c in zip(*channels, strict=True))
    primaries = bool(flags & _BASE_PRIMARIES)
    return GainMap(low, high, values[1], gamma, base, alternate, values[0], primaries)


def to_xmp(gain_map: GainMap) -> str:
    """An `rdf:Description` for the map's packet; of one channel, which old readers ask for.

    All three channels have to have the same numbers.
    """
    low, high, gamma, base, alternate = next(_channels(gain_map))
    named = {
        "GainMapMin": low,
        "GainMapMax": high,
        "Gamma": gamma,
        "OffsetSDR": base,
        "OffsetHDR": alternate,
        "HDRCapacityMin": gain_map.base_headroom,
        "HDRCapacityMax": gain_map.headroom,
    }
    words = "".join(f' hdrgm:{name}="{value:.9g}"' for name, value in named.items())
    return (
        f'<rdf:Description rdf:about="" xmlns:hdrgm="{_xmp.HDRGM}" hdrgm:Version="1.0"{words}'
        ' hdrgm:BaseRenditionIsHDR="False"/>'
    )


def from_xmp(packet: bytes) -> GainMap:
    """What `to_xmp` and others write.

    Raises
    ------
    ValueError
        No such packet, without what has to be there, or nonsense.
    """
    found = properties(packet, _xmp.HDRGM)
    if found.get("Version") != ["1.0"]:
        raise ValueError("no version 1.0")

    def three(name: str, default: float | None) -> Three:
        values = [float(word) for word in found.get(name, [] if default is None else [str(default)])]
        if len(values) not in (1, 3):
            raise ValueError(f"{len(values)} values of {name}")
        return (values[0], values[-2] if len(values) == 3 else values[0], values[-1])

    low, high = three("GainMapMin", 0), three("GainMapMax", None)
    bounds = three("HDRCapacityMin", 0)[0], three("HDRCapacityMax", None)[0]
    if found.get("BaseRenditionIsHDR") == ["True"]:
        bounds = bounds[::-1]
    others = three("Gamma", 1), three("OffsetSDR", OFFSET), three("OffsetHDR", OFFSET)
    return GainMap(low, high, bounds[1], *others, bounds[0])


def properties(packet: bytes, space: str) -> dict[str, list[str]]:
    """Simple properties and arrays of one namespace in an XMP packet.

    Raises
    ------
    ValueError
        It is no XML, or has a document type, which XMP has not.
    """
    if b"<!DOCTYPE" in packet or len(packet) > _xmp.MAX_PACKET:
        raise ValueError("no XMP")
    try:
        root = ElementTree.fromstring(packet.strip(b"\0 \t\r\n"))
    except (ElementTree.ParseError, LookupError) as error:
        raise ValueError(str(error)) from error
    mark, item = f"{{{space}}}", f"{{{_xmp.RDF}}}li"
    found: dict[str, list[str]] = {}
    for element in root.iter():
        for name, value in element.attrib.items():
            if name.startswith(mark):
                found[name.removeprefix(mark)] = [value.strip()]
        if element.tag.startswith(mark):
            items = [(li.text or "").strip() for li in element.iter(item)]
            found[element.tag.removeprefix(mark)] = items or [(element.text or "").strip()]
    return found


def apple_headroom(headroom: float, gain: float) -> float:
    """Stops that Apple's maker note means: its tags 33 and 48 (Apple, «Applying Apple HDR effect to your photos»)."""
    if headroom < 1:
        stops = 1.8 - 20 * gain if gain <= 0.01 else 1.601 - 0.101 * gain
    else:
        stops = 3 - 70 * gain if gain <= 0.01 else 2.303 - 0.303 * gain
    return max(stops, 0.0) if math.isfinite(stops) else 0.0


def _channels(gain_map: GainMap) -> Iterator[tuple[float, ...]]:
    return zip(
        gain_map.low,
        gain_map.high,
        gain_map.gamma,
        gain_map.base_offset,
        gain_map.alternate_offset,
        strict=True,
    )
