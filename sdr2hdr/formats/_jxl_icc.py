"""The ICC profile in a JPEG XL codestream (ISO/IEC 18181-1, E.4): predicted bytes, entropy-coded."""

import struct

from sdr2hdr.formats._jxl_bits import Bits
from sdr2hdr.formats._jxl_entropy import Stream
from sdr2hdr.formats._source import damaged

MAX_PROFILE = 1 << 20  # bytes; larger ones belong to printers

_CONTEXTS = 41
_HEADER = 128
_TAGS = b"cprt wtpt bkpt rXYZ gXYZ bXYZ kXYZ rTRC gTRC bTRC kTRC chad desc chrm dmnd dmdd lumi".split()
_OF_20_BYTES = {b"rXYZ", b"gXYZ", b"bXYZ", b"kXYZ", b"wtpt", b"bkpt", b"lumi"}
_TYPES = (b"XYZ ", b"desc", b"text", b"mluc", b"para", b"curv", b"sf32", b"gbd ")
_INSERT, _SHUFFLE2, _SHUFFLE4, _PREDICT, _XYZ, _TYPE = 1, 2, 3, 4, 10, 16
_OWN, _TRC, _COLORANTS, _FIRST_TAG = 1, 2, 3, 4


def profile_at(bits: Bits) -> bytes:
    """The profile, where it begins; `bits` is behind it then.

    Raises
    ------
    InputError
        Cut off, damaged, or too large.
    """
    size = bits.long()
    if size > MAX_PROFILE:
        raise damaged("an ICC profile that is too large")
    stream = Stream(bits, _CONTEXTS)
    coded, before, last = bytearray(), 0, 0
    for i in range(size):
        value = stream.number(_context(i, last, before))
        if value > 255:
            raise damaged("its ICC profile")
        before, last = last, value
        coded.append(value)
    stream.end()
    try:
        return _Predictor(bytes(coded)).profile()
    except (IndexError, struct.error) as error:
        raise damaged("its ICC profile") from error


def _context(place: int, last: int, before: int) -> int:
    return 0 if place <= _HEADER else 1 + _KIND[last] + 8 * _KIND_BEFORE[before]


def _kind(byte: int) -> int:
    if chr(byte).isascii() and chr(byte).isalpha():
        return 0
    if chr(byte) in "0123456789.,":
        return 1
    if byte < 16:
        return min(2 + byte, 4)
    return 6 if byte == 255 else 5 if byte > 240 else 7


def _kind_before(byte: int) -> int:
    kind = _kind(byte)
    return kind if kind < 2 else 2 if byte < 16 else 3 if byte > 240 else 4


_KIND, _KIND_BEFORE = [_kind(byte) for byte in range(256)], [_kind_before(byte) for byte in range(256)]


class _Bytes:
    """A byte string that is read from its begin."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        """So many bytes."""
        if count > len(self.data) - self.at:
            raise damaged("its ICC profile")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self) -> int:
        """One."""
        return self.take(1)[0]

    def number(self) -> int:
        """Seven bits a byte, lowest first."""
        value = 0
        for shift in range(0, 63, 7):
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise damaged("its ICC profile")

    def left(self) -> bool:
        """Whether there are any more."""
        return self.at < len(self.data)


class _Predictor:
    """Makes a profile of commands and of bytes that are differences to what is expected."""

    def __init__(self, coded: bytes) -> None:
        whole = _Bytes(coded)
        self.size = whole.number()
        if self.size > MAX_PROFILE:
            raise damaged("an ICC profile that is too large")
        self.commands = _Bytes(whole.take(whole.number()))
        self.data = _Bytes(coded[whole.at :])
        self.out = bytearray()

    def profile(self) -> bytes:
        """All of it."""
        self._head()
        if self.size > _HEADER:
            self._tags()
            while self.commands.left():
                self._content()
        if len(self.out) != self.size:
            raise damaged("its ICC profile")
        return bytes(self.out)

    def _head(self) -> None:
        expected = bytearray(_HEADER)
        struct.pack_into(">I", expected, 0, self.size)
        expected[8] = 4
        expected[12:24] = b"mntrRGB XYZ "
        expected[36:40] = b"acsp"
        expected[68:80] = bytes([0, 0, 246, 214, 0, 1, 0, 0, 0, 0, 211, 45])
        for i in range(min(_HEADER, self.size)):
            if i == 8:
                expected[80:84] = self.out[4:8]
            elif i == 41:
                expected[41:44] = {b"A": b"PPL", b"M": b"SFT"}.get(bytes(self.out[40:41]), expected[41:44])
            elif i == 42:
                expected[42:44] = {b"SG": b"I ", b"SU": b"NW"}.get(bytes(self.out[40:42]), expected[42:44])
            self.out.append((self.data.byte() + expected[i]) & 255)

    def _tags(self) -> None:
        count = self.commands.number() - 1
        if count < 0:
            return
        self.out += struct.pack(">I", count & 0xFFFFFFFF)
        start, size = _HEADER + 12 * count, 0
        while self.commands.left():
            command = self.commands.byte()
            kind = command & 63
            if kind == 0:
                return
            names = {
                _OWN: [],
                _TRC: [b"rTRC", b"gTRC", b"bTRC"],
                _COLORANTS: [b"rXYZ", b"gXYZ", b"bXYZ"],
            }.get(kind)
            if names is None:
                names = [_TAGS[kind - _FIRST_TAG]]
            names = names or [self.data.take(4)]
            start = self.commands.number() if command & 64 else start + size
            size = 20 if names[0] in _OF_20_BYTES else size
            size = self.commands.number() if command & 128 else size
            for i, name in enumerate(names):
                at = start + i * size * (kind == _COLORANTS)
                self.out += name + struct.pack(">II", at & 0xFFFFFFFF, size & 0xFFFFFFFF)
            self._check()

    def _content(self) -> None:
        command = self.commands.byte()
        if command == _INSERT:
            self.out += self.data.take(self.commands.number())
        elif command in (_SHUFFLE2, _SHUFFLE4):
            self.out += _unshuffled(self.data.take(self.commands.number()), 2 if command == _SHUFFLE2 else 4)
        elif command == _PREDICT:
            self._predicted()
        elif command == _XYZ:
            self.out += b"XYZ \0\0\0\0" + self.data.take(12)
        elif _TYPE <= command < _TYPE + len(_TYPES):
            self.out += _TYPES[command - _TYPE] + bytes(4)
        else:
            raise damaged("its ICC profile")
        self._check()

    def _predicted(self) -> None:
        """Numbers of one, two or four bytes, as differences to what polynomials of the ones before expect."""
        flags = self.commands.byte()
        width, order = (flags & 3) + 1, flags >> 2 & 3
        stride = self.commands.number() if flags & 16 else width
        count = self.commands.number()
        if width == 3 or order == 3 or stride < width or stride * 4 >= len(self.out):
            raise damaged("its ICC profile")
        shuffled = self.data.take(count)
        differences = _unshuffled(shuffled, width) if width > 1 else shuffled
        for i in range(0, count, width):
            places = (len(self.out) - k * stride for k in (1, 2, 3))
            one, two, three = (int.from_bytes(self.out[at : at + width], "big") for at in places)
            expected = (one, 2 * one - two, 3 * one - 3 * two + three)[order]
            for j, difference in enumerate(differences[i : i + width]):
                self.out.append((difference + (expected >> 8 * (width - 1 - j))) & 255)

    def _check(self) -> None:
        if len(self.out) > self.size:
            raise damaged("its ICC profile")


def _unshuffled(data: bytes, width: int) -> bytes:
    """All first bytes, then all second ones, ... -> in order."""
    height = -(-len(data) // width)
    return bytes(data[j] for i in range(height) for j in range(i, len(data), height))
