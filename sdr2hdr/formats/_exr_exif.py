"""What EXIF says about the camera, as the standard attributes of OpenEXR.

Names and units: OpenEXR, «Standard Optional Attributes». An EXR has no place for an EXIF block as such, so what has
no attribute there (maker notes, flash, metering) is left out.
"""

import logging
import math
import re
import struct
from collections.abc import Callable

from sdr2hdr.formats import _ifd
from sdr2hdr.formats._ifd import EXIF, GPS, Value

_LOG = logging.getLogger(__name__)

_MAIN = 0
Attribute = str | float


def camera_attributes(exif: bytes | None) -> dict[str, Attribute]:
    """Attributes by name; a value that is missing or damaged is left out, never an error."""
    if exif is None:
        return {}
    try:
        tags = _read(exif)
    except (struct.error, ValueError) as error:
        _LOG.warning("the EXIF block is damaged (%s) and is left out", error)
        return {}
    found: dict[str, Attribute] = {}
    for name, (directory, code, convert) in _ATTRIBUTES.items():
        try:
            attribute = convert(tags[directory, code])
            if (
                isinstance(attribute, float)
                and name in _SIGNS
                and tags.get(_SIGNS[name][0]) in _SIGNS[name][1]
            ):
                attribute = -attribute
        except (KeyError, ValueError, TypeError, IndexError):
            continue
        if attribute != "":
            found[name] = attribute
    return found


def _read(exif: bytes) -> dict[tuple[int, int], Value]:
    """All values by directory (0 for the first) and code."""
    order, offset = _ifd.header(exif)
    tags: dict[tuple[int, int], Value] = {}
    waiting = [(_MAIN, offset)]
    while waiting:
        directory, offset = waiting.pop()
        for entry in _ifd.entries(exif, order, offset):
            if directory == _MAIN and entry.code in (EXIF, GPS):
                waiting.append((entry.code, _ifd.number(exif, order, entry)))
                continue
            try:
                tags[directory, entry.code] = _ifd.value(exif, order, entry)
            except ZeroDivisionError:
                continue  # unknown
    return tags


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value.strip()


def _first(value: Value) -> float:
    if isinstance(value, str | bytes):
        raise TypeError
    return float(value[0])


def _positive(value: Value) -> float:
    number = _first(value)
    if not number > 0:
        raise ValueError(number)
    return number


def _date(value: Value) -> str:
    """EXIF's form is EXR's: YYYY:MM:DD hh:mm:ss."""
    if re.fullmatch(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d", text := _text(value)) is None:
        raise ValueError(text)
    return text


def _utc_offset(value: Value) -> float:
    """«+02:00» -> -7200: the seconds that make UTC of the local time."""
    match = re.fullmatch(r"([+-])(\d\d):(\d\d)", _text(value))
    if match is None:
        raise ValueError(value)
    return math.copysign(int(match[2]) * 3600 + int(match[3]) * 60, -1 if match[1] == "+" else 1)


def _degrees(value: Value) -> float:
    """Degrees, minutes, seconds -> degrees."""
    if isinstance(value, str | bytes):
        raise TypeError
    degrees, minutes, seconds = value
    return float(degrees + minutes / 60 + seconds / 3600)


_ATTRIBUTES: dict[str, tuple[int, int, Callable[[Value], Attribute]]] = {
    "cameraMake": (_MAIN, 271, _text),
    "cameraModel": (_MAIN, 272, _text),
    "owner": (_MAIN, 33432, _text),
    "capDate": (EXIF, 36867, _date),
    "utcOffset": (EXIF, 36881, _utc_offset),
    "expTime": (EXIF, 33434, _positive),  # s
    "aperture": (EXIF, 33437, _positive),  # f-number
    "isoSpeed": (EXIF, 34855, _positive),
    "focus": (EXIF, 37382, _positive),  # m
    "nominalFocalLength": (EXIF, 37386, _positive),  # mm
    "cameraSerialNumber": (EXIF, 42033, _text),
    "lensMake": (EXIF, 42035, _text),
    "lensModel": (EXIF, 42036, _text),
    "lensSerialNumber": (EXIF, 42037, _text),
    "latitude": (GPS, 2, _degrees),
    "longitude": (GPS, 4, _degrees),
    "altitude": (GPS, 6, _first),  # m
}
# Where a sign is kept, and what it is for south, west and below the sea (Exif 3.0, 4.6.7).
_SIGNS: dict[str, tuple[tuple[int, int], tuple[Value, ...]]] = {
    "latitude": ((GPS, 1), ("S",)),
    "longitude": ((GPS, 3), ("W",)),
    "altitude": ((GPS, 5), ((1,),)),
}
