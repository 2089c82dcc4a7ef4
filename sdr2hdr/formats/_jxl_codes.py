"""The two kinds of codes of JPEG XL's entropy coding: ANS (ISO/IEC 18181-1, C.2) and prefix codes (RFC 7932, 3)."""

from dataclasses import dataclass

from sdr2hdr.formats._jxl_bits import Bits
from sdr2hdr.formats._source import damaged

_SUM = 4096  # of a distribution
# Code of a logarithm's length, by its next seven bits (C.2.5): bits used, value.
_LOGS = {
    **{(0b000, 3): 10, (0b010, 3): 7, (0b100, 3): 6, (0b101, 3): 8, (0b110, 3): 9},
    **{(0b0011, 4): 3, (0b0111, 4): 5, (0b1001, 4): 4, (0b1011, 4): 1, (0b1111, 4): 2},
    **{(0b10001, 5): 0, (0b100001, 6): 11, (0b0000001, 7): 12, (0b1000001, 7): 13},
}
_REPEAT = 13
_LENGTH_ORDER = (1, 2, 3, 4, 0, 5, 17, 6, 16, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_LENGTH_CODE = {(0b00, 2): 0, (0b10, 2): 3, (0b01, 2): 4, (0b011, 3): 2, (0b0111, 4): 1, (0b1111, 4): 5}


@dataclass(frozen=True)
class PrefixCode:
    """Tokens by their bits (the first one lowest) and how many these are."""

    tokens: dict[tuple[int, int], int]

    def token(self, bits: Bits) -> int:
        """The next one."""
        return _by_bits(bits, self.tokens)


@dataclass(frozen=True)
class AnsCode:
    """A distribution, and of each bucket: cut-off, token beyond it, offset there."""

    distribution: list[int]
    width: int
    buckets: list[tuple[int, int, int]]

    def token(self, state: int) -> tuple[int, int]:
        """Token and new state, not yet filled up."""
        index, place = divmod(state & (_SUM - 1), self.width)
        cut, beyond, offset = self.buckets[index]
        token, place = (beyond, place + offset) if place >= cut else (index, place)
        if token >= len(self.distribution):
            raise damaged("a code in its header")
        return token, self.distribution[token] * (state >> 12) + place


Code = PrefixCode | AnsCode


def read_ans(bits: Bits, size: int) -> AnsCode:
    """A code of at most 2^size tokens."""
    distribution = _distribution(bits)
    while distribution and distribution[-1] == 0:
        distribution.pop()
    if not 0 < len(distribution) <= 1 << size or sum(distribution) != _SUM or min(distribution) < 0:
        raise damaged("a code in its header")
    width = _SUM >> size
    if _SUM in distribution:
        only = distribution.index(_SUM)
        return AnsCode(distribution, width, [(0, only, width * i) for i in range(1 << size)])
    cuts = distribution + [0] * ((1 << size) - len(distribution))
    beyond, offsets = list(range(1 << size)), [0] * (1 << size)
    over = [i for i, cut in enumerate(cuts) if cut > width]
    under = [i for i, cut in enumerate(cuts) if cut < width]
    while over:
        rich, poor = over[-1], under.pop()
        cuts[rich] -= width - cuts[poor]
        beyond[poor], offsets[poor] = rich, cuts[rich]
        if cuts[rich] <= width:
            over.pop()
            if cuts[rich] < width:
                under.append(rich)
    full = [(0, i, 0) if cut == width else (cut, beyond[i], offsets[i] - cut) for i, cut in enumerate(cuts)]
    return AnsCode(distribution, width, full)


def read_prefix(bits: Bits, size: int) -> PrefixCode:
    """A code of so many tokens (RFC 7932, 3.4 and 3.5)."""
    if size == 1:
        return PrefixCode({(0, 0): 0})
    skipped = bits.number(2)
    if skipped == 1:
        width = (size - 1).bit_length()
        count = 1 + bits.number(2)
        tokens = [bits.number(width) for _ in range(count)]
        lengths = {1: [0], 2: [1, 1], 3: [1, 2, 2], 4: [2, 2, 2, 2]}[count]
        if count == 4 and bits.flag():
            lengths = [1, 2, 3, 3]
        if max(tokens) >= size or len(set(tokens)) < count:
            raise damaged("a code in its header")
        return _canonical(sorted(zip(lengths, tokens, strict=True)))
    return _canonical(sorted((n, token) for token, n in enumerate(_lengths(bits, size, skipped)) if n))


def _lengths(bits: Bits, size: int, skipped: int) -> list[int]:
    """Lengths of the tokens' codes, themselves coded."""
    coded = [0] * 18
    room = 32
    for place in _LENGTH_ORDER[skipped:]:
        coded[place] = _by_bits(bits, _LENGTH_CODE)
        room -= 32 >> coded[place] if coded[place] else 0
        if room <= 0:
            break
    used = sorted((n, place) for place, n in enumerate(coded) if n)
    if len(used) == 1:
        used = [(0, used[0][1])]
    code = _canonical(used)
    lengths: list[int] = []
    room, last, repeated = 1 << 15, 8, (0, 0)
    while len(lengths) < size and room > 0:
        symbol = code.token(bits)
        if symbol < 16:
            lengths.append(symbol)
            last = symbol or last
            repeated = (0, 0)
            room -= 1 << 15 >> symbol if symbol else 0
            continue
        before = repeated[1] if repeated[0] == symbol else 0
        width = symbol - 14
        total = ((before - 2) << width if before else 0) + 3 + bits.number(width)
        repeated = (symbol, total)
        value = last if symbol == 16 else 0
        lengths += [value] * (total - before)
        room -= (total - before) * (1 << 15 >> value) if value else 0
    if len(lengths) > size or room != 0:
        raise damaged("a code in its header")
    return lengths


def _canonical(lengths: list[tuple[int, int]]) -> PrefixCode:
    """Codes of sorted lengths and tokens."""
    tokens, code, before = {}, 0, 0
    for length, token in lengths:
        code <<= length - before
        before = length
        tokens[int(f"{code:0{length}b}"[::-1], 2) if length else 0, length] = token
        code += 1
    return PrefixCode(tokens)


def _by_bits(bits: Bits, tokens: dict[tuple[int, int], int]) -> int:
    """The token whose code comes next."""
    code = 0
    for length in range(16):
        if (code, length) in tokens:
            return tokens[code, length]
        code |= bits.number(1) << length
    raise damaged("a code in its header")


def _distribution(bits: Bits) -> list[int]:
    """How likely each token is (C.2.5)."""
    if bits.flag():
        two, first = bits.flag(), _short(bits)
        if not two:
            return [0] * first + [_SUM]
        second, share = _short(bits), bits.number(12)
        out = [0] * (max(first, second) + 1)
        out[first], out[second] = share, _SUM - share
        return out
    if bits.flag():
        size = 1 + _short(bits)
        return [_SUM // size + (i < _SUM % size) for i in range(size)]
    return _shaped(bits)


def _shaped(bits: Bits) -> list[int]:
    """From logarithms and some bits below each; the largest is what is left."""
    width = 0
    while width < 3 and bits.flag():
        width += 1
    shift = (1 << width | bits.number(width)) - 1
    size = _short(bits) + 3
    logs, same = [0] * size, [0] * size
    at, largest, top = 0, 0, -1
    while at < size:
        logs[at] = _by_bits(bits, _LOGS)
        if logs[at] == _REPEAT:
            same[at] = _short(bits) + 5
            at += same[at] - 2
        elif logs[at] > top:
            largest, top = at, logs[at]
        at += 1
    out, left = [0] * size, 0
    for i in range(size):
        if same[i]:
            left = same[i] - 1
            previous = out[i - 1] if i else 0
        if left > 0:
            out[i], left = previous, left - 1
        elif i != largest and logs[i]:
            log = logs[i] - 1
            below = max(0, min(log, shift - ((12 - log) >> 1)))
            out[i] = (1 << log) + (bits.number(below) << (log - below))
    out[largest] = _SUM - sum(out)
    return out


def _short(bits: Bits) -> int:
    """0 .. 255."""
    if not bits.flag():
        return 0
    width = bits.number(3)
    return (1 << width) + bits.number(width)
