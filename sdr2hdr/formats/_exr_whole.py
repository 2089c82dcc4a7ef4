"""Whether an EXR is all there: a copy that was broken off, or a power cut, leaves the header and not the pixels."""

import struct
from pathlib import Path

_HEADER = 1 << 20  # bytes, at most; those of `exr.encode` have some thousand
_START = 8  # magic and version


def is_whole(path: Path) -> bool:
    """Whether the table of offsets is filled, and the last chunk ends where the file does (OpenEXR File Layout).

    Parameters
    ----------
    path : a file of scan lines in one part, as `exr.encode` writes it

    Raises
    ------
    OSError
        It cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(_HEADER)
        table = _end_of_header(head)
        if table is None or len(head) < table + 8:
            return False
        (first,) = struct.unpack_from("<Q", head, table)  # the chunks follow the table at once
        if not table < first <= len(head) or (first - table) % 8:
            return False
        offsets = struct.unpack_from(f"<{(first - table) // 8}Q", head, table)
        if not all(first <= offset <= size - 8 for offset in offsets):
            return False
        stream.seek(max(offsets) + 4)  # after the chunk's row
        (length,) = struct.unpack("<i", stream.read(4))
    return bool(max(offsets) + 8 + length == size)


def _end_of_header(head: bytes) -> int | None:
    """Where the attributes end: each is name, 0, type, 0, length, value; an empty name is the end."""
    at = _START
    while at < len(head) and head[at]:
        name = head.find(b"\0", at)
        kind = head.find(b"\0", name + 1)
        if name < 0 or kind < 0 or len(head) < kind + 5:
            return None
        at = kind + 5 + struct.unpack_from("<I", head, kind + 1)[0]
    return at + 1 if at < len(head) else None
