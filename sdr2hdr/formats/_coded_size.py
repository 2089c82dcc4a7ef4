"""What coded pictures say of themselves: the sequence headers of AV1 and HEVC.

A container states a size, the coded picture in it another, and decoders allocate by the latter.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sdr2hdr.formats._source import damaged

_AV1_SEQUENCE, _HEVC_SPS = 1, 33


class Coded(NamedTuple):
    """Size in pixels, bits per sample, and code points of H.273 for primaries and transfer (2: unspecified)."""

    width: int
    height: int
    bits: int
    primaries: int = 2
    transfer: int = 2


class _Bits:
    """Numbers of so many bits, from the first on."""

    def __init__(self, data: bytes) -> None:
        self.value, self.left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        self.left -= count
        if self.left < 0:
            raise damaged("its sequence header is cut off")
        return self.value >> self.left & ((1 << count) - 1)

    def exp_golomb(self) -> int:
        """ue(v) of ITU-T H.265, 9.2, and uvlc() of AV1, 4.10.3."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 31:
                raise damaged("its sequence header makes no sense")
        return (1 << zeros) - 1 + self.take(zeros)


def av1_headers(data: bytes) -> Iterator[Coded]:
    """Every sequence header among the open bitstream units of an AV1 item (AV1 bitstream specification, 5.3)."""
    at = 0
    while at < len(data):
        kind, extended, sized = data[at] >> 3 & 15, data[at] >> 2 & 1, data[at] >> 1 & 1
        at += 1 + extended
        size = len(data) - at
        if sized:
            size = 0
            for shift in range(0, 56, 7):  # leb128, 4.10.5
                if at >= len(data):
                    raise damaged("ends within a coded picture")
                size |= (data[at] & 127) << shift
                at += 1
                if data[at - 1] < 128:
                    break
        if at + size > len(data):
            raise damaged("ends within a coded picture")
        if kind == _AV1_SEQUENCE:
            yield _av1_sequence(_Bits(data[at : min(at + size, at + 1024)]))
        at += size


def _av1_sequence(bits: _Bits) -> Coded:
    """sequence_header_obu (5.5.1)."""
    profile = bits.take(3)
    bits.take(1)
    reduced = bits.take(1)
    if reduced:
        bits.take(5)
    else:
        _av1_operating_points(bits)
    sizes = bits.take(4) + 1, bits.take(4) + 1
    width, height = bits.take(sizes[0]) + 1, bits.take(sizes[1]) + 1
    if not reduced and bits.take(1):  # frame_id_numbers_present_flag
        bits.take(7)
    bits.take(3)
    if not reduced:
        _av1_tools(bits)
    bits.take(3)
    high = bits.take(1)  # color_config, 5.5.2
    depth = 12 if profile == 2 and high and bits.take(1) else 10 if high else 8
    if profile != 1:
        bits.take(1)  # mono_chrome
    described = bits.take(1)
    primaries, transfer = (bits.take(8), bits.take(8)) if described else (2, 2)
    return Coded(width, height, depth, primaries, transfer)


def _av1_operating_points(bits: _Bits) -> None:
    delay_length, modelled = 0, 0
    if bits.take(1):  # timing_info_present_flag
        bits.take(64)
        if bits.take(1):
            bits.exp_golomb()
        modelled = bits.take(1)
        if modelled:
            delay_length = bits.take(5) + 1
            bits.take(42)
    delayed = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:  # seq_level_idx
            bits.take(1)
        if modelled and bits.take(1):
            bits.take(2 * delay_length + 1)
        if delayed and bits.take(1):
            bits.take(4)


def _av1_tools(bits: _Bits) -> None:
    bits.take(4)
    ordered = bits.take(1)  # enable_order_hint
    if ordered:
        bits.take(2)
    chosen = bits.take(1)  # seq_choose_screen_content_tools
    if (chosen or bits.take(1)) and not bits.take(1):
        bits.take(1)
    if ordered:
        bits.take(3)


def hevc_headers(data: bytes, configuration: bytes) -> Iterator[Coded]:
    """Every sequence parameter set of an HEVC item and of its `hvcC` property (ISO/IEC 14496-15, 8.3.2)."""
    if len(configuration) < 23:
        raise damaged("no decoder configuration")
    units, at = [], 23
    for _ in range(configuration[22]):
        count = int.from_bytes(configuration[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(configuration[at : at + 2], "big")
            at += 2 + size
            if at > len(configuration):
                raise damaged("its decoder configuration is cut off")
            units.append(configuration[at - size : at])
    length = (configuration[21] & 3) + 1
    at = 0
    while at + length <= len(data):
        size = int.from_bytes(data[at : at + length], "big")
        at += length + size
        if at > len(data):
            raise damaged("ends within a coded picture")
        units.append(data[at - size : min(at, at - size + 1024)])
    for unit in units:
        if unit and unit[0] >> 1 & 63 == _HEVC_SPS:
            yield _hevc_sequence(unit)


def _hevc_sequence(unit: bytes) -> Coded:
    """seq_parameter_set_rbsp (ITU-T H.265, 7.3.2.2), as far as the size and the depth."""
    bits = _Bits(unit[2:].replace(b"\0\0\3", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 96)
    present = [bits.take(2) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for flags in present:
        bits.take(88 * (flags >> 1) + 8 * (flags & 1))
    bits.exp_golomb()
    if bits.exp_golomb() == 3:
        bits.take(1)
    width, height = bits.exp_golomb(), bits.exp_golomb()
    if bits.take(1):
        for _ in range(4):
            bits.exp_golomb()
    return Coded(width, height, bits.exp_golomb() + 8)
