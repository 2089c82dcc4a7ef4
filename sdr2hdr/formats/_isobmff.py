"""Still pictures in ISO base media files (ISO/IEC 14496-12, 23008-12): taking AVIF and HEIC apart.

A file is a list of boxes; its `meta` box lists items (coded pictures, EXIF, XMP), what is said of each (properties),
and how they hang together (references). Whatever a file claims of sizes and counts is checked against its bytes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sdr2hdr.formats._source import damaged

_MAX_ENTRIES = 1 << 16  # items, extents, properties or references of a file


class Property(NamedTuple):
    """One property of an item: its box's type and contents; an essential one has to be known to show the item."""

    kind: bytes
    data: bytes
    essential: bool = False


class Reference(NamedTuple):
    """From one item to others; `kind` says why: "dimg" (is made of), "auxl" (is auxiliary to), "cdsc" (describes)."""

    kind: bytes
    source: int
    targets: tuple[int, ...]


@dataclass
class Item:
    """One item.

    kind : "av01", "hvc1", "grid", "Exif", "mime", ...
    content_type : of "mime" items
    properties : in the file's order, which is that of transformations, too
    data : its bytes
    hidden : not meant to be shown by itself
    """

    kind: bytes
    content_type: bytes = b""
    properties: list[Property] = field(default_factory=list)
    data: bytes = b""
    hidden: bool = False

    def get(self, kind: bytes) -> bytes | None:
        """Contents of the first property of a kind."""
        return next((data for name, data, _ in self.properties if name == kind), None)


@dataclass
class Container:
    """A file of pictures. brands : the major one first."""

    brands: tuple[bytes, ...]
    primary: int
    items: dict[int, Item]
    references: list[Reference] = field(default_factory=list)

    def linked(self, kind: bytes, target: int) -> list[int]:
        """Items that refer to one."""
        return [r.source for r in self.references if r.kind == kind and target in r.targets]


def brands(head: bytes) -> tuple[bytes, ...]:
    """Brands of a file's `ftyp` box, the major one first, as far as they lie in `head`; empty for any other file."""
    if len(head) < 16 or head[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(head[:4], "big"), len(head)) // 4 * 4
    return (head[8:12], *(head[at : at + 4] for at in range(16, end, 4)))


def parse(data: bytes) -> Container:
    """Take a file apart.

    Raises
    ------
    InputError
        Cut off, damaged, or without a picture.
    """
    try:
        return _parse(data)
    except (struct.error, IndexError) as error:
        raise damaged("its boxes make no sense") from error


def _parse(data: bytes) -> Container:
    meta = next((contents for kind, contents in _boxes(data) if kind == b"meta"), None)
    if meta is None:
        raise damaged("no 'meta' box")
    boxes = dict(_boxes(meta[4:]))  # every box is there once
    if b"pitm" not in boxes or b"iinf" not in boxes or b"iloc" not in boxes:
        raise damaged("no picture in it")
    items = dict(_infos(boxes[b"iinf"]))
    left = 2 * len(data)  # a file may use some bytes twice, but not all of them a thousand times
    for number, parts in _locations(boxes[b"iloc"]):
        if number in items:
            source = [(boxes.get(b"idat", b"") if method else data, at, size) for method, at, size in parts]
            left -= sum(size or len(where) for where, _, size in source)
            if left < 0:
                raise damaged("items overlap")
            items[number].data = b"".join(_slice(*part) for part in source)
    for number, found in _properties(boxes.get(b"iprp", b"")):
        if number in items:
            items[number].properties.extend(found)
    primary = _Reader(boxes[b"pitm"]).versioned_id()
    if primary not in items:
        raise damaged("no picture in it")
    return Container(brands(data), primary, items, list(_references(boxes.get(b"iref", b""))))


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and contents of every box, in order."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = len(data) if size == 0 else at + size
        if not start <= end <= len(data):
            raise damaged(f"ends within its '{kind.decode('latin-1')}' box")
        yield kind, data[start:end]
        at = end
    if at < len(data):
        raise damaged("ends within a box")


def _slice(data: bytes, at: int, size: int) -> bytes:
    """Bytes of an extent; all that follow, where its size is 0."""
    if at > len(data) or at + size > len(data):
        raise damaged("an item lies outside the file")
    return data[at : at + size] if size else data[at:]


class _Reader:
    """A full box (14496-12, 4.2): version, flags, and big-endian numbers."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 4
        self.version, self.flags = data[0], int.from_bytes(data[1:4], "big")

    def number(self, size: int) -> int:
        """Of so many bytes; 0 of none."""
        if self.at + size > len(self.data):
            raise damaged("a box is too short")
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "big")

    def count(self, size: int) -> int:
        """Of entries that follow."""
        count = self.number(size)
        if count > min(_MAX_ENTRIES, len(self.data)):
            raise damaged(f"{count} entries in a box")
        return count

    def versioned_id(self, first_of_32: int = 1) -> int:
        """An item's number, of 16 or, from a version on, of 32 bits."""
        return self.number(4 if self.version >= first_of_32 else 2)


def _infos(box: bytes) -> Iterator[tuple[int, Item]]:
    """Numbers and kinds of items: `iinf` (14496-12, 8.11.6)."""
    reader = _Reader(box)
    reader.count(4 if reader.version else 2)
    for kind, contents in _boxes(box[reader.at :]):
        if kind != b"infe" or contents[0] < 2:
            continue
        entry = _Reader(contents)
        number = entry.versioned_id(3)
        entry.number(2)  # protection
        name = contents[entry.at : entry.at + 4]
        texts = contents[entry.at + 4 :].split(b"\0")
        content_type = texts[1] if name == b"mime" and len(texts) > 1 else b""
        yield number, Item(name, content_type, hidden=bool(entry.flags & 1))


def _locations(box: bytes) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    """Numbers of items, and (construction method, offset, length) of their parts: `iloc` (14496-12, 8.11.3)."""
    reader = _Reader(box)
    sizes = reader.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    left = _MAX_ENTRIES
    for _ in range(reader.count(4 if reader.version == 2 else 2)):
        number = reader.versioned_id(2)
        method = reader.number(2) & 15 if reader.version else 0
        reference = reader.number(2)
        if method > 1 or reference:
            raise damaged("an item lies in another file or item")
        base = reader.number(base_size)
        parts = []
        count = reader.count(2)
        left -= count
        if left < 0:
            raise damaged("too many extents")
        for _ in range(count):
            reader.number(index_size if reader.version else 0)
            parts.append((method, base + reader.number(offset_size), reader.number(length_size)))
        yield number, parts


def _properties(box: bytes) -> Iterator[tuple[int, list[Property]]]:
    """Numbers of items and their properties: `ipco` and `ipma` (23008-12, 9.3)."""
    inner = list(_boxes(box))
    known = [one for kind, contents in inner if kind == b"ipco" for one in _boxes(contents)]
    for kind, contents in inner:
        if kind != b"ipma":
            continue
        reader = _Reader(contents)
        size = 2 if reader.flags & 1 else 1
        essential = 1 << (8 * size - 1)
        for _ in range(reader.count(4)):
            number, found = reader.versioned_id(), []
            for _ in range(reader.count(1)):
                value = reader.number(size)
                index = value & (essential - 1)
                if index > len(known):
                    raise damaged("an item's property is missing")
                if index:
                    found.append(Property(*known[index - 1], bool(value & essential)))
            yield number, found


def _references(box: bytes) -> Iterator[Reference]:
    """`iref` (14496-12, 8.11.12)."""
    if not box:
        return
    size = 4 if box[0] else 2
    for kind, contents in _boxes(box[4:]):
        reader = _Reader(contents)
        reader.at = 0
        source = reader.number(size)
        yield Reference(kind, source, tuple(reader.number(size) for _ in range(reader.count(2))))
