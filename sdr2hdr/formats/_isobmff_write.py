"""The writing half of ISO base media files: boxes of a container whose numbers are small, offsets included."""

import struct

from sdr2hdr.errors import OutputError
from sdr2hdr.formats._isobmff import Container, Item, Property

_LIMIT = 2**32 - 1  # of an offset
_HANDLER = bytes(4) + b"pict" + bytes(13)  # predefined, kind, reserved, no name


def assemble(container: Container) -> bytes:
    """The file: `ftyp`, `meta`, and the items' data in the container's order.

    Raises
    ------
    OutputError
        It would be too large for offsets of 32 bits.
    """
    first, *others = container.brands
    head = _box(b"ftyp", first + bytes(4) + b"".join(others))
    size = len(_meta(container, 0))  # offsets take the same room, whatever they are
    start = len(head) + size + 8
    data = b"".join(item.data for item in container.items.values())
    if start + len(data) > _LIMIT:
        raise OutputError("the picture is too large for its format; write an .exr")
    return head + _meta(container, start) + _box(b"mdat", data)


def _box(kind: bytes, contents: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(contents), kind) + contents


def _full_box(kind: bytes, contents: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags) + contents)


def _meta(container: Container, start: int) -> bytes:
    """The `meta` box; `start` is where the items' data will begin."""
    items = container.items
    pool = list(dict.fromkeys((p.kind, p.data) for item in items.values() for p in item.properties))
    infos = b"".join(_info(number, item) for number, item in items.items())
    references = b"".join(
        _box(r.kind, struct.pack(f">HH{len(r.targets)}H", r.source, len(r.targets), *r.targets))
        for r in container.references
    )
    properties = _box(b"ipco", b"".join(_box(*one) for one in pool)) + _associations(items, pool)
    contents = (
        _full_box(b"hdlr", _HANDLER)
        + _full_box(b"pitm", struct.pack(">H", container.primary))
        + _locations(items, start)
        + _full_box(b"iinf", struct.pack(">H", len(items)) + infos)
        + (_full_box(b"iref", references) if references else b"")
        + _box(b"iprp", properties)
    )
    return _full_box(b"meta", contents)


def _info(number: int, item: Item) -> bytes:
    name = b"\0" + (item.content_type + b"\0" if item.kind == b"mime" else b"")
    contents = struct.pack(">HH4s", number, 0, item.kind) + name
    return _full_box(b"infe", contents, version=2, flags=int(item.hidden))


def _locations(items: dict[int, Item], start: int) -> bytes:
    """`iloc`: offsets and lengths of 4 bytes, one extent an item."""
    rows = [struct.pack(">HH", 0x4400, len(items))]
    for number, item in items.items():
        rows.append(struct.pack(">HHHII", number, 0, 1, start, len(item.data)))
        start += len(item.data)
    return _full_box(b"iloc", b"".join(rows))


def _associations(items: dict[int, Item], pool: list[tuple[bytes, bytes]]) -> bytes:
    """`ipma`, by increasing number as it has to be; indices of 7 bits, which is plenty for what encoders make."""
    rows = []
    for number in sorted(number for number, item in items.items() if item.properties):
        of_item = items[number].properties
        rows.append(struct.pack(">HB", number, len(of_item)))
        rows.append(bytes(_index(one, pool) for one in of_item))
    return _full_box(b"ipma", struct.pack(">I", len(rows) // 2) + b"".join(rows))


def _index(one: Property, pool: list[tuple[bytes, bytes]]) -> int:
    return pool.index((one.kind, one.data)) + 1 | (0x80 if one.essential else 0)
