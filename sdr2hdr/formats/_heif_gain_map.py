"""Gain maps beside the pictures of AVIF and HEIC files: ISO 21496-1 (`tmap` items) and Apple's (auxiliary pictures)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sdr2hdr.color.primaries import between
from sdr2hdr.color.tables import table
from sdr2hdr.errors import InputError
from sdr2hdr.formats import _xmp
from sdr2hdr.formats._convert import Codes
from sdr2hdr.formats._gain_map import ISO_MARK, GainMap, from_iso, properties
from sdr2hdr.formats._gain_map_find import apple_stops
from sdr2hdr.formats._gain_map_light import applied, applied_apple
from sdr2hdr.formats._heif import Still, code_points_of, gain_map_items, primaries_xy
from sdr2hdr.formats._isobmff import Container
from sdr2hdr.formats._isobmff_write import assemble
from sdr2hdr.formats._jpeg_colour import Colour, colour_in, rgb
from sdr2hdr.image import FloatArray

Decode = Callable[[bytes], tuple[Codes, int]]
"""A file -> codes of its primary picture, upright, full range; and bits per channel."""

_MAX_ID, _MAX_PROPERTIES = 65535, 127  # of what `assemble` writes


@dataclass(frozen=True)
class _Map:
    """number : of the map's item; numbers : of ISO 21496-1, None of Apple's; alternate : what the map may act in."""

    number: int
    numbers: GainMap | None = None
    alternate: Colour | None = None


def brightened(still: Still, codes: Codes, decode: Decode) -> tuple[FloatArray, float]:
    """Light of a picture with its gain map applied in full, and the map's headroom in stops.

    Codes of more than 8 bits are rounded to 8 for it.

    Parameters
    ----------
    codes : (H, W, 3) of the picture, upright

    Returns
    -------
    (3, H, W) float32, linear, BT.2020 primaries, 1.0 = SDR white; headroom

    Raises
    ------
    InputError
        It cannot be applied; words that go on after "its gain map".
    """
    found = _found(still)
    base = _colour(still)
    map_codes, bits = decode(_alone(still.container, found.number))
    if map_codes.shape[0] * map_codes.shape[1] > codes.shape[0] * codes.shape[1]:
        raise InputError("is larger than its picture")
    eight = _to_8_bits(codes, still.coded.bits)
    eight_map = _to_8_bits(rgb(map_codes if map_codes.ndim == 2 else map_codes[..., :3]), bits)
    if found.numbers is not None:
        light = applied(eight, base, eight_map, found.numbers, found.alternate)
        return light, found.numbers.headroom
    stops = _apple_stops(still, found.number)
    return applied_apple(eight, base, eight_map, stops), stops


def _found(still: Still) -> _Map:
    iso, apple = gain_map_items(still)
    container = still.container
    if not iso:
        return _Map(apple[0])
    item = container.items[iso[0]]
    parts = next((r.targets for r in container.references if r.kind == b"dimg" and r.source == iso[0]), ())
    if len(parts) != 2 or parts[0] != container.primary or parts[1] not in container.items:
        raise InputError("belongs to another picture")
    try:
        numbers = from_iso(ISO_MARK + item.data[1:])
    except ValueError as error:
        raise InputError(f"cannot be used ({error})") from error
    if numbers.base_headroom >= numbers.headroom:
        raise InputError("makes the picture darker, not brighter (its base is the HDR picture)")
    primaries, _ = code_points_of(item) or (2, 2)
    matrix = between(primaries_xy(primaries), table("chromaticities_bt709"))
    return _Map(parts[1], numbers, Colour(np.zeros((3, 256), np.float32), matrix))


def _colour(still: Still) -> Colour:
    profile = still.profile
    if isinstance(profile, bytes):
        colour = colour_in(profile, grey=False)
        if colour is None:
            raise InputError("acts on colours that a table describes")
        return colour
    signal = np.arange(256) / 255
    curves = np.stack([curve(signal) for curve in profile.curves]).astype(np.float32)
    return Colour(curves, np.asarray(profile.matrix), profile.description)


def _alone(container: Container, number: int) -> bytes:
    """A file of one item, and of those that it is made of."""
    parts = {p for r in container.references if r.kind == b"dimg" and r.source == number for p in r.targets}
    items = {n: item for n, item in container.items.items() if n == number or n in parts}
    known = {(p.kind, p.data) for item in items.values() for p in item.properties}
    if max(items) > _MAX_ID or len(known) > _MAX_PROPERTIES:
        raise InputError("lies in too large a file")
    items[number] = replace(items[number], hidden=False)  # now it is the primary one
    references = [r for r in container.references if r.kind == b"dimg" and r.source == number]
    return assemble(Container(container.brands, number, items, references))


def _to_8_bits(codes: Codes, bits: int) -> Codes:
    if bits == 8:
        return codes
    return np.rint(codes * np.float32(255 / ((1 << bits) - 1))).astype(np.uint8)


def _apple_stops(still: Still, number: int) -> float:
    """Headroom by the map's own XMP, or by the maker note."""
    items = still.container.items
    packets = [items[n].data for n in still.container.linked(b"cdsc", number) if n in items]
    own: dict[str, list[str]] = {}
    for packet in packets:
        try:
            own = own or properties(packet, _xmp.APPLE_GAIN_MAP)
        except ValueError:
            continue
    stops = apple_stops(own, still.exif)
    if stops is None:
        raise InputError("says nowhere how bright it is (Apple's maker note is missing)")
    return stops
