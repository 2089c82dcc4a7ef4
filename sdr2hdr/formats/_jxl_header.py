"""The header of a JPEG XL codestream: size, depth, colour (ISO/IEC 18181-1, annexes D and E)."""

from dataclasses import dataclass

from sdr2hdr.errors import InputError
from sdr2hdr.formats._examined import Chromaticities
from sdr2hdr.formats._jxl_bits import Bits
from sdr2hdr.formats._source import damaged

SIGNATURE = b"\xff\x0a"
DEFAULT_TARGET_NITS = 255.0
RGB, GREY, XYB, UNKNOWN = range(4)  # colour spaces
CUSTOM = 2  # white point or primaries
SRGB, GAMMA = 13, -1  # transfers; the others are H.273's numbers, too

_MAX_EXTRA = 16  # channels beside colour: each costs as much memory as the picture
_SIZES = ((1, 9), (1, 13), (1, 18), (1, 30))
_RATIOS = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_WHITES = {1: (0.3127, 0.3290), 10: (1 / 3, 1 / 3), 11: (0.314, 0.351)}  # D65, E, DCI
_PRIMARIES: dict[int, tuple[float, ...]] = {
    1: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_OPSIN, _WEIGHTS = 16, (15, 55, 210)  # numbers of XYB's matrix and bias, of up-sampling by 2, 4 and 8
_ALPHA, _SPOT, _BLACK, _CFA = 0, 2, 4, 5  # kinds of extra channels


@dataclass(frozen=True)
class Colour:
    """What the code values mean.

    space : `RGB`, `GREY`, `XYB` or `UNKNOWN`
    icc : whether an ICC profile says the rest
    white, primaries : numbers of the standard's tables, 1 (D65, BT.709) where nothing says another
    chromaticities : x and y of red, green, blue and white
    transfer : H.273's number, or `GAMMA`
    gamma : exponent of the decoding, for `GAMMA`
    """

    space: int = RGB
    icc: bool = False
    white: int = 1
    primaries: int = 1
    chromaticities: Chromaticities = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
    transfer: int = SRGB
    gamma: float = 1.0


@dataclass(frozen=True)
class Header:
    """What comes before the frames.

    height, width : as stored
    orientation : 1..8, as in EXIF
    bits, floating : of a channel of colour
    alpha : index of the channel among the extra ones, or None; associated : whether colours are multiplied by it
    lossy : coded in XYB, so that the decoder makes code values of what `colour` says
    target_nits : luminance of the brightest light (of 1.0, where colours are relative)
    spans : where the size ends, the depth begins, the extra channels begin and end, and the metadata end, in bits
    """

    height: int
    width: int
    orientation: int = 1
    bits: int = 8
    floating: bool = False
    extra: int = 0
    alpha: int | None = None
    associated: bool = False
    lossy: bool = True
    colour: Colour = Colour()
    target_nits: float = DEFAULT_TARGET_NITS
    spans: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)


def parse(codestream: bytes) -> Header:
    """Read the header.

    Raises
    ------
    InputError
        Cut off, damaged, or with more extra channels than a picture has.
    """
    if not codestream.startswith(SIGNATURE):
        raise damaged("no header")
    bits = Bits(codestream, 16)
    height, width = _size(bits)
    size_end = bits.at
    if bits.flag():  # all as it is by default
        return Header(height, width, spans=(size_end, size_end, size_end, size_end, bits.at))
    orientation, more = 1, bits.flag()
    if more:
        orientation = 1 + bits.number(3)
        if bits.flag():
            _size(bits)  # size that it is to be shown at
        if bits.flag():
            _preview(bits)
        if bits.flag():
            _animation(bits)
    depth_begin = bits.at
    depth, floating = _depth(bits)
    bits.flag()  # whether 16 bits are enough for the decoder
    extra_begin = bits.at
    count = bits.choice((0, 0), (1, 0), (2, 4), (1, 12))
    if count > _MAX_EXTRA:
        raise InputError(f"has {count} extra channels; export it again in RGB")
    kinds = [_extra_channel(bits) for _ in range(count)]
    if any(kind == _BLACK for kind, _ in kinds):
        raise InputError("is in CMYK, which is not supported in JPEG XL; save it in RGB")
    extra_end = bits.at
    alpha = next((i for i, (kind, _) in enumerate(kinds) if kind == _ALPHA), None)
    lossy = bits.flag()
    colour = _colour(bits)
    target = _tone_mapping(bits) if more else DEFAULT_TARGET_NITS
    _extensions(bits)
    return Header(
        height=height,
        width=width,
        orientation=orientation,
        bits=depth,
        floating=floating,
        extra=count,
        alpha=alpha,
        associated=alpha is not None and kinds[alpha][1],
        lossy=lossy,
        colour=colour,
        target_nits=target,
        spans=(size_end, depth_begin, extra_begin, extra_end, bits.at),
    )


def skip_transform(bits: Bits, lossy: bool) -> None:
    """What follows the metadata: matrices and weights, if they are not the usual ones (18181-1, E.1 and L.2)."""
    if bits.flag():
        return
    if lossy and not bits.flag():
        bits.at += 16 * _OPSIN
    bits.at += sum(
        16 * count for count, used in zip(_WEIGHTS, [bits.flag() for _ in range(3)], strict=True) if used
    )


def _size(bits: Bits) -> tuple[int, int]:
    """SizeHeader (D.2): height, width."""
    small = bits.flag()
    height = 8 * (1 + bits.number(5)) if small else bits.choice(*_SIZES)
    times, over = _RATIOS[bits.number(3)]
    if times:
        return height, height * times // over
    return height, 8 * (1 + bits.number(5)) if small else bits.choice(*_SIZES)


def _preview(bits: Bits) -> None:
    sizes = ((16, 0), (32, 0), (1, 5), (33, 9)) if bits.flag() else ((1, 6), (65, 8), (321, 10), (1345, 12))
    bits.choice(*sizes)
    if bits.number(3) == 0:
        bits.choice(*sizes)


def _animation(bits: Bits) -> None:
    bits.choice((100, 0), (1000, 0), (1, 10), (1, 30))
    bits.choice((1, 0), (1001, 0), (1, 8), (1, 10))
    bits.choice((0, 0), (0, 3), (0, 16), (0, 32))
    bits.flag()


def _depth(bits: Bits) -> tuple[int, bool]:
    """Bits per sample, and whether it is floating point."""
    if not bits.flag():
        return bits.choice((8, 0), (10, 0), (12, 0), (1, 6)), False
    depth = bits.choice((32, 0), (16, 0), (24, 0), (1, 6))
    bits.number(4)  # of the exponent
    return depth, True


def _extra_channel(bits: Bits) -> tuple[int, bool]:
    """Kind, and whether alpha is associated."""
    if bits.flag():
        return _ALPHA, False
    kind = bits.enum()
    _depth(bits)
    bits.choice((0, 0), (3, 0), (4, 0), (1, 3))  # scale
    for _ in range(bits.choice((0, 0), (0, 4), (16, 5), (48, 10))):
        bits.number(8)  # of its name
    associated = kind == _ALPHA and bits.flag()
    if kind == _SPOT:
        for _ in range(4):
            bits.half()
    if kind == _CFA:
        bits.choice((1, 0), (0, 2), (3, 4), (19, 8))
    return kind, associated


def _colour(bits: Bits) -> Colour:
    """ColourEncoding (E.2)."""
    if bits.flag():
        return Colour()
    icc, space = bits.flag(), bits.enum()
    if icc or space == XYB:
        return Colour(space, icc)
    white = bits.enum()
    white_xy = (bits.coordinate(), bits.coordinate()) if white == CUSTOM else _WHITES.get(white)
    primaries, xy = 1, _PRIMARIES.get(1)
    if space != GREY:
        primaries = bits.enum()
        xy = tuple(bits.coordinate() for _ in range(6)) if primaries == CUSTOM else _PRIMARIES.get(primaries)
    gamma, transfer = 1.0, GAMMA
    if bits.flag():
        gamma = 1e7 / max(1, bits.number(24))
    else:
        transfer = bits.enum()
    bits.enum()  # intent
    if white_xy is None or xy is None:
        raise damaged("unknown colours")
    red_x, red_y, green_x, green_y, blue_x, blue_y = xy
    chromaticities = (red_x, red_y, green_x, green_y, blue_x, blue_y, *white_xy)
    return Colour(space, False, white, primaries, chromaticities, transfer, gamma)


def _tone_mapping(bits: Bits) -> float:
    if bits.flag():
        return DEFAULT_TARGET_NITS
    target = bits.half()
    bits.half()  # darkest light
    bits.flag()
    bits.half()
    return target


def _extensions(bits: Bits) -> None:
    which = bits.long()
    lengths = [bits.long() for i in range(64) if which >> i & 1]
    bits.at += sum(lengths)
