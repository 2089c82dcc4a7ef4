"""A codestream's header written anew, with another colour encoding.

Frames do not depend on what the header says of colour (ISO/IEC 18181-1, annex E: only whether they are XYB), and begin
at a whole byte, so they stay as they are. Of XYB, which is absolute, decoders make what the header says.
"""

from sdr2hdr.formats._jxl_bits import Bits, Part, enum_parts, half_parts, packed
from sdr2hdr.formats._jxl_header import GREY, Header, parse, skip_transform
from sdr2hdr.formats._jxl_icc import profile_at

BT2100 = 9  # ISO/IEC 18181-1, E.2: BT.2020's primaries
PQ = 16
_D65, _RELATIVE = 1, 1
_DEPTHS = {8: 0, 10: 1, 12: 2}


def as_pq(codestream: bytes, bits: int, target_nits: float) -> bytes:
    """The same frames with a header that says PQ, BT.2020, so many bits, and how bright the picture gets.

    Parameters
    ----------
    bits
        Per channel of colour; of a lossy picture, what it is to be decoded to.
    target_nits
        Intensity target in cd/m2, as far as 16-bit floating point holds it.
    """
    return relabelled(codestream, bits, PQ, target_nits)


def relabelled(codestream: bytes, bits: int, transfer: int, target_nits: float | None = None) -> bytes:
    """The same frames with a header that says another transfer, of BT.2020 or grey, in place of encoding or profile."""
    header = parse(codestream)
    size_end, depth_begin, extra_begin, extra_end, end = header.spans
    rest = Bits(codestream, end)
    skip_transform(rest, header.lossy)
    transform_end = rest.at
    if header.colour.icc:
        profile_at(rest)
    # Not all as it is by default; upright, no size to be shown at, no preview, no animation.
    first = [(0, 1), (1, 1), (0, 6)]
    if depth_begin - size_end > 2:
        first = _copied(codestream, size_end, depth_begin)
    # Whether 16 bits are enough for the decoder, which extra channels there are.
    middle = [(1, 1), (0, 2)]
    if extra_end > size_end:
        middle = _copied(codestream, extra_begin - 1, extra_end)
    parts = [
        *_copied(codestream, 0, size_end),
        *first,
        *([(0, 1), (_DEPTHS[bits], 2)] if bits in _DEPTHS else [(0, 1), (3, 2), (bits - 1, 6)]),
        *middle,
        (int(header.lossy), 1),
        *_colour(header, transfer),
        *_tone_mapping(header.target_nits if target_nits is None else target_nits),
        (0, 2),  # no extensions
        *_copied(codestream, end, transform_end),
    ]
    return packed(parts) + codestream[(rest.at + 7) // 8 :]


def _copied(codestream: bytes, begin: int, end: int) -> list[Part]:
    bits = Bits(codestream, begin)
    return [(bits.number(1), 1) for _ in range(begin, end)]


def _colour(header: Header, transfer: int) -> list[Part]:
    """ColourEncoding (E.2): not the default, no ICC, space, white point, primaries, no gamma, transfer, intent."""
    names = (GREY, _D65) if header.colour.space == GREY else (0, _D65, BT2100)
    return [
        (0, 2),
        *(part for value in names for part in enum_parts(value)),
        (0, 1),
        *enum_parts(transfer),
        *enum_parts(_RELATIVE),
    ]


def _tone_mapping(target_nits: float) -> list[Part]:
    """ToneMapping (E.3): not the default, brightest and darkest light, nothing about linear parts."""
    return [(0, 1), *half_parts(target_nits), *half_parts(0), (0, 1), *half_parts(0)]
