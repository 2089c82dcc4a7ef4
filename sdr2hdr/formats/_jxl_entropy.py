"""JPEG XL's entropy coding, as far as headers need it (ISO/IEC 18181-1, annex C)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sdr2hdr.formats._jxl_bits import Bits
from sdr2hdr.formats._jxl_codes import AnsCode, Code, PrefixCode, read_ans, read_prefix
from sdr2hdr.formats._source import damaged

_WINDOW = 1 << 20
_MAX_CODES = 256


@dataclass(frozen=True)
class Hybrid:
    """How a token and further bits make a number (C.3.3)."""

    split: int
    high: int
    low: int

    def number(self, token: int, bits: Bits) -> int:
        """The number that a token begins."""
        if token < 1 << self.split:
            return token
        inside = self.high + self.low
        more = self.split - inside + ((token - (1 << self.split)) >> inside)
        if more > 30:
            raise damaged("a number in its header")
        top = (1 << self.high) | (token >> self.low & ((1 << self.high) - 1))
        return ((top << more | bits.number(more)) << self.low) | (token & ((1 << self.low) - 1))


class Stream:
    """Numbers, each in a context; begins by reading its codes. Some may be copies of earlier ones, with `copying`."""

    def __init__(self, bits: Bits, contexts: int, copying: bool = True) -> None:
        self.bits = bits
        self.copies: tuple[int, int] | None = None  # least token and length of a copy
        self.window: list[int] = []
        self.left = self.source = 0
        if bits.flag():
            if not copying:
                raise damaged("a code in its header")
            least = bits.choice((224, 0), (512, 0), (4096, 0), (8, 15))
            self.copies = least, bits.choice((3, 0), (4, 0), (5, 2), (9, 8))
            self.lengths = _hybrid(bits, 8)
            contexts += 1
        self.clusters = _clusters(bits, contexts) if contexts > 1 else [0]
        count = max(self.clusters) + 1
        prefix = bits.flag()
        size = 15 if prefix else 5 + bits.number(2)
        self.hybrids = [_hybrid(bits, size) for _ in range(count)]
        self.codes: Sequence[Code] = _prefix_codes(bits, count) if prefix else _ans_codes(bits, count, size)
        self.state = 0 if prefix else bits.number(32)

    def number(self, context: int) -> int:
        """The next one."""
        if self.left == 0:
            cluster = self.clusters[context]
            token = self._token(cluster)
            if self.copies is None or token < self.copies[0]:
                value = self.hybrids[cluster].number(token, self.bits)
                self._keep(value)
                return value
            self.left = self.copies[1] + self.lengths.number(token - self.copies[0], self.bits)
            last = self.clusters[-1]
            distance = 1 + self.hybrids[last].number(self._token(last), self.bits)
            self.source = len(self.window) - min(distance, len(self.window), _WINDOW)
        if self.source >= len(self.window):
            raise damaged("a copy of nothing in its header")
        value = self.window[self.source]
        self.source += 1
        self.left -= 1
        self._keep(value)
        return value

    def end(self) -> None:
        """Nothing follows: a sum that has to come out right."""
        if isinstance(self.codes[0], AnsCode) and self.state != 0x130000:
            raise damaged("checksum in its header")

    def _keep(self, value: int) -> None:
        if self.copies is not None:
            self.window.append(value)

    def _token(self, cluster: int) -> int:
        code = self.codes[cluster]
        if isinstance(code, PrefixCode):
            return code.token(self.bits)
        token, self.state = code.token(self.state)
        if self.state < 1 << 16:
            self.state = self.state << 16 | self.bits.number(16)
        return token


def _hybrid(bits: Bits, size: int) -> Hybrid:
    split = bits.number(size.bit_length())
    high = low = 0
    if split != size:
        high = bits.number(split.bit_length())
        low = bits.number(max(0, split - high).bit_length())
    if high + low > split:
        raise damaged("a code in its header")
    return Hybrid(split, high, low)


def _clusters(bits: Bits, contexts: int) -> list[int]:
    """Which code each context has (C.2.2)."""
    if bits.flag():
        width = bits.number(2)
        clusters = [bits.number(width) for _ in range(contexts)]
    else:
        moved = bits.flag()
        stream = Stream(bits, 1, copying=contexts > 2)
        clusters = [stream.number(0) for _ in range(contexts)]
        stream.end()
        if max(clusters) >= _MAX_CODES:
            raise damaged("a code in its header")
        if moved:
            clusters = _moved_to_front(clusters)
    return clusters


def _moved_to_front(places: list[int]) -> list[int]:
    order, out = list(range(_MAX_CODES)), []
    for place in places:
        value = order.pop(place)
        order.insert(0, value)
        out.append(value)
    return out


def _prefix_codes(bits: Bits, count: int) -> list[PrefixCode]:
    sizes = []
    for _ in range(count):
        size = 1
        if bits.flag():
            width = bits.number(4)
            size = 1 + (1 << width) + bits.number(width)
        sizes.append(size)
    return [read_prefix(bits, size) for size in sizes]


def _ans_codes(bits: Bits, count: int, size: int) -> list[AnsCode]:
    return [read_ans(bits, size) for _ in range(count)]
