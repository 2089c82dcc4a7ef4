"""A codestream's header written anew: what imagecodecs labels as linear sRGB becomes PQ with BT.2020's primaries.

Frames do not depend on what the header says of colour (ISO/IEC 18181-1, annex E: only whether they are XYB), and begin
at a whole byte, so they stay as they are.
"""

from sdr2hdr.formats._jxl_bits import Bits, Part, enum_parts, half_parts, packed
from sdr2hdr.formats._jxl_header import parse

_D65, _BT2100, _PQ, _RELATIVE = 1, 9, 16, 1  # ISO/IEC 18181-1, E.2: BT.2100's primaries are BT.2020's
_DEPTHS = {8: 0, 10: 1, 12: 2}


def as_pq(codestream: bytes, bits: int, target_nits: float) -> bytes:
    """The same frames with a header that says PQ, BT.2020, so many bits, and how bright the picture gets.

    Parameters
    ----------
    codestream
        As libjxl writes it: no ICC profile, no extensions, the usual transformation from XYB.
    bits
        Per channel of colour; of a lossy picture, what it is to be decoded to.
    target_nits
        Intensity target in cd/m2, as far as 16-bit floating point holds it.
    """
    header = parse(codestream)
    size_end, extra_begin, extra_end, end = header.spans
    rest = Bits(codestream, end)
    usual, padding = rest.flag(), rest.number(-rest.at % 8)
    if header.colour.icc or not usual or padding:
        raise ValueError("not a codestream whose header can be written anew")
    parts = [
        *_copied(codestream, 0, size_end),
        (0, 1),  # not all as it is by default
        (1, 1),  # orientation, sizes, tone mapping follow
        (0, 3),
        (0, 3),  # upright; no size to be shown at, no preview, no animation
        (0, 1),
        *([(_DEPTHS[bits], 2)] if bits in _DEPTHS else [(3, 2), (bits - 1, 6)]),
        *_copied(codestream, extra_begin - 1, extra_end),
        (int(header.lossy), 1),
        *_colour(),
        *_tone_mapping(target_nits),
        (0, 2),  # no extensions
        (1, 1),  # the usual transformation from XYB
    ]
    return packed(parts) + codestream[rest.at // 8 :]


def _copied(codestream: bytes, begin: int, end: int) -> list[Part]:
    bits = Bits(codestream, begin)
    return [(bits.number(1), 1) for _ in range(begin, end)]


def _colour() -> list[Part]:
    """ColourEncoding (E.2): not the default, no ICC, RGB, white point, primaries, no gamma, transfer, intent."""
    names = [part for value in (0, _D65, _BT2100) for part in enum_parts(value)]
    return [(0, 1), (0, 1), *names, (0, 1), *enum_parts(_PQ), *enum_parts(_RELATIVE)]


def _tone_mapping(target_nits: float) -> list[Part]:
    """ToneMapping (E.3): not the default, brightest and darkest light, nothing about linear parts."""
    return [(0, 1), *half_parts(target_nits), *half_parts(0), (0, 1), *half_parts(0)]
