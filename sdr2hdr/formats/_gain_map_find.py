"""Gain maps behind the first picture of a JPEG file: ISO 21496-1, Ultra HDR (Adobe's XMP), Apple's."""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sdr2hdr.formats import _exif, _ifd, _mpf, _xmp
from sdr2hdr.formats._gain_map import ISO_MARK, GainMap, apple_headroom, from_iso, from_xmp, properties
from sdr2hdr.formats._jpeg_segments import XMP_MARK, Segments, parts

_APP1, _APP2 = 0xE1, 0xE2
_SOI = b"\xff\xd8\xff"
_APPLE_KIND = "urn:com:apple:photo:2020:aux:hdrgainmap"
_APPLE_NOTE = b"Apple iOS\0"
_MAKER_NOTE, _HDR_HEADROOM, _HDR_GAIN = 0x927C, 33, 48
_SRATIONAL = 10


@dataclass(frozen=True)
class Found:
    """A gain map in a file.

    kinds : in words, what says how to apply it, in the order in which readers believe it
    data : the map's own JPEG, as far as the file goes
    gain_map : its numbers; None of Apple's, and where they are damaged
    apple_headroom : log2 of Apple's headroom, which has a formula of its own; None where the file does not say it
    amiss : what is wrong with it, in words
    """

    kinds: tuple[str, ...]
    data: bytes
    gain_map: GainMap | None = None
    apple_headroom: float | None = None
    amiss: str = ""


def find(data: bytes, base: Segments) -> Found | None:
    """The gain map of a file whose first picture has these segments; None if there is none."""
    for begin, end in _candidates(data, base):
        iso = packet = b""
        for marker, start, stop in parts(data, begin, end):
            if marker == _APP2 and data.startswith(ISO_MARK, start):
                iso = iso or data[start:stop]
            elif marker == _APP1 and data.startswith(XMP_MARK, start):
                packet = packet or data[start + len(XMP_MARK) : stop]
        if found := _found(data[begin:end], iso, packet, base.exif):
            return found
    return None


def _candidates(data: bytes, base: Segments) -> Iterator[tuple[int, int]]:
    """Begin and end of what may be further pictures: those in the index, then whatever follows the first."""
    at = next(
        (start for marker, start, _ in parts(data, 0, base.after) if _is_index(data, marker, start)), None
    )
    seen = set()
    if at is not None:
        length = int.from_bytes(data[at - 2 : at], "big") - 2
        for begin, size in _mpf.pictures(data[at : at + length], at):
            if base.after <= begin < len(data) and data.startswith(_SOI, begin):
                seen.add(begin)
                yield begin, min(begin + size, len(data))
    begin = data.find(_SOI, base.after)
    if begin >= 0 and begin not in seen:
        yield begin, len(data)


def _is_index(data: bytes, marker: int, start: int) -> bool:
    return marker == _APP2 and data.startswith(_mpf.MARK, start)


def _found(data: bytes, iso: bytes, packet: bytes, exif: bytes | None) -> Found | None:
    kinds, amiss, gain_map = [], "", None
    for kind, block, read in (("ISO 21496-1", iso, from_iso), ("Ultra HDR", packet, from_xmp)):
        if not block or (read is from_xmp and _xmp.HDRGM.encode() not in block):
            continue
        kinds.append(kind)
        try:
            gain_map = gain_map or read(block)
        except (ValueError, TypeError) as error:
            amiss = amiss or f"its numbers are damaged: {error}"
    if kinds:
        return Found(tuple(kinds), data, gain_map, amiss="" if gain_map else amiss)
    try:
        own = properties(packet, _xmp.APPLE_GAIN_MAP)
    except ValueError:
        return None
    if "HDRGainMapVersion" not in own and _APPLE_KIND.encode() not in packet:
        return None
    return Found(("Apple",), data, apple_headroom=apple_stops(own, exif))


def apple_stops(own: dict[str, list[str]], exif: bytes | None) -> float | None:
    """Headroom as the map's own packet says it (version 2), or as the maker note does, in stops."""
    try:
        ratio = float(own.get("HDRGainMapHeadroom", [""])[0])
        if 1 <= ratio <= 64:
            return math.log2(ratio)
    except ValueError:
        pass
    note = _maker_note(exif)
    if _HDR_HEADROOM in note and _HDR_GAIN in note:
        return apple_headroom(note[_HDR_HEADROOM], note[_HDR_GAIN])
    return None


def _maker_note(exif: bytes | None) -> dict[int, float]:
    """The fractions in Apple's maker note, by tag: a directory whose offsets count from the note's first byte."""
    block = _exif.plain(exif)
    if block is None:
        return {}
    try:
        order, first = _ifd.header(block)
        main = {entry.code: entry for entry in _ifd.entries(block, order, first)}
        below = _ifd.entries(block, order, _ifd.number(block, order, main[_ifd.EXIF]))
        entry = next(entry for entry in below if entry.code == _MAKER_NOTE)
        note = block[entry.at : entry.at + entry.size]
        if not note.startswith(_APPLE_NOTE):
            return {}
        order = {b"MM": ">", b"II": "<"}[note[12:14]]
        found = {}
        for entry in _ifd.entries(note, order, 14):
            if entry.kind == _SRATIONAL and entry.count == 1:
                top, bottom = struct.unpack_from(order + "ii", note, entry.at)
                found[entry.code] = top / bottom if bottom else 0.0
        return found
    except (ValueError, KeyError, StopIteration, struct.error):
        return {}
