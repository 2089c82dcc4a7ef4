"""Several pictures in one JPEG file (CIPA DC-007, Multi-Picture Format): the index in an APP2 segment."""

import struct

from sdr2hdr.formats import _ifd

MARK = b"MPF\0"
SIZE = 86  # bytes of what `index` makes

_VERSION, _COUNT, _ENTRIES = 0xB000, 0xB001, 0xB002
_UNDEFINED = 7
_ENTRY = 16  # bytes
_PRIMARY = 0x030000  # type of an entry: the picture to be shown first (5.2.3.3.1)
_MAX_PICTURES = 32


def index(at: int, first: int, second: int) -> bytes:
    """The segment's contents for two pictures, one right behind the other.

    Parameters
    ----------
    at : where in the file the contents will stand
    first, second : bytes of the pictures
    """
    head = MARK + struct.pack(">2sHIH", b"MM", 42, 8, 3)
    head += struct.pack(">HHI4s", _VERSION, _UNDEFINED, 4, b"0100")
    head += struct.pack(">HHII", _COUNT, _ifd.LONG, 1, 2)
    head += struct.pack(">HHIII", _ENTRIES, _UNDEFINED, 2 * _ENTRY, len(head) + 12 + 4 - len(MARK), 0)
    distance = first - (at + len(MARK))  # offsets count from the header of the index
    return (
        head
        + struct.pack(">IIIHH", _PRIMARY, first, 0, 0, 0)
        + struct.pack(">IIIHH", 0, second, distance, 0, 0)
    )


def pictures(contents: bytes, at: int) -> list[tuple[int, int]]:
    """Begin and size in the file of every picture but the first; empty where the index is damaged.

    `at` is where in the file the segment's contents stand.
    """
    block = contents[len(MARK) :]
    try:
        order, offset = _ifd.header(block)
        entries = {entry.code: entry for entry in _ifd.entries(block, order, offset)}
        table = entries[_ENTRIES]
        found = []
        for i in range(1, min(table.size // _ENTRY, _MAX_PICTURES)):
            size, distance = struct.unpack_from(order + "II", block, table.at + i * _ENTRY + 4)
            found.append((at + len(MARK) + distance, size))
        return found
    except (ValueError, KeyError, struct.error):
        return []
