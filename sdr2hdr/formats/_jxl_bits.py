"""Numbers as JPEG XL's headers hold them, bit by bit (ISO/IEC 18181-1, annex B)."""

import struct
from collections.abc import Sequence

from sdr2hdr.formats._source import damaged

Part = tuple[int, int]  # value, bits

_ENUM = ((0, 0), (1, 0), (2, 4), (18, 6))
_LARGE_COORDINATE = ((0, 19), (524288, 19), (1048576, 20), (2097152, 21))


class Bits:
    """Reads a byte string from the lowest bit of its first byte on; `at` is the next bit.

    Raises InputError where the data ends.
    """

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def number(self, bits: int) -> int:
        """Of so many bits, at most 32 (B.2.1)."""
        first, last = self.at >> 3, (self.at + bits + 7) >> 3
        if last > len(self.data):
            raise damaged("ends within its header")
        value = int.from_bytes(self.data[first:last], "little") >> (self.at & 7) & ((1 << bits) - 1)
        self.at += bits
        return value

    def flag(self) -> bool:
        """One bit."""
        return bool(self.number(1))

    def choice(self, *choices: Part) -> int:
        """U32 (B.2.2): two bits choose a base and the number of further bits that are added to it."""
        base, bits = choices[self.number(2)]
        return base + self.number(bits)

    def enum(self) -> int:
        """B.2.5."""
        return self.choice(*_ENUM)

    def coordinate(self) -> float:
        """x or y of a chromaticity (E.2): millionths, sign in the lowest bit."""
        packed = self.choice(*_LARGE_COORDINATE)
        return (-((packed + 1) >> 1) if packed & 1 else packed >> 1) / 1e6

    def half(self) -> float:
        """F16 (B.2.6)."""
        return float(struct.unpack("<e", self.number(16).to_bytes(2, "little"))[0])

    def long(self) -> int:
        """U64 (B.2.3)."""
        how = self.number(2)
        if how < 3:
            return self.number((0, 4, 8)[how]) + (0, 1, 17)[how]
        value, shift = self.number(12), 12
        while self.flag():
            bits = min(8, 64 - shift)
            value |= self.number(bits) << shift
            shift += bits
            if shift >= 64:
                break
        return value


def packed(parts: Sequence[Part]) -> bytes:
    """Bytes of numbers one after the other, filled up with zeros."""
    total, at = 0, 0
    for value, bits in parts:
        total |= value << at
        at += bits
    return total.to_bytes((at + 7) // 8, "little")


def enum_parts(value: int) -> list[Part]:
    """An enum's number."""
    if value < 2:
        return [(value, 2)]
    return [(2, 2), (value - 2, 4)] if value < 18 else [(3, 2), (value - 18, 6)]


def half_parts(value: float) -> list[Part]:
    """F16."""
    return [(int.from_bytes(struct.pack("<e", value), "little"), 16)]
