"""An OpenEXR file's first header, read without the library: it says on standard error what is wrong with a file."""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdr2hdr.formats._source import damaged

MAGIC = b"\x76\x2f\x31\x01"
TYPES: dict[int, np.dtype[Any]] = {
    0: np.dtype("<u4"),
    1: np.dtype("<f2"),
    2: np.dtype("<f4"),
}  # of a channel's samples

_VERSION = 2
_DEEP = 0x800
_MAX_ATTRIBUTES = 10_000


@dataclass(frozen=True)
class Channel:
    """One channel: the type of its samples, and how many pixels a sample stands for, across and down."""

    dtype: np.dtype[Any]
    across: int = 1
    down: int = 1


@dataclass(frozen=True)
class Header:
    """Of the first part.

    window : x and y of the first and the last pixel
    channels : by name
    attributes : (type, data) of all attributes, by name
    deep : several samples a pixel
    """

    window: tuple[int, int, int, int]
    channels: dict[str, Channel]
    attributes: dict[str, tuple[str, bytes]]
    deep: bool

    @property
    def size(self) -> tuple[int, int]:
        """Height, width in pixels."""
        left, top, right, bottom = self.window
        return bottom - top + 1, right - left + 1

    def floats(self, name: str, count: int) -> tuple[float, ...] | None:
        """An attribute of `count` single-precision numbers; None if there is none."""
        data = self.attributes.get(name, ("", b""))[1]
        return struct.unpack(f"<{count}f", data) if len(data) == 4 * count else None

    def text(self, name: str) -> str:
        """A string attribute; empty if there is none."""
        kind, data = self.attributes.get(name, ("", b""))
        return data.decode("utf-8", "replace") if kind == "string" else ""


def first_header(data: bytes) -> Header:
    """The first header (OpenEXR file layout, "Header").

    Raises
    ------
    InputError
        Cut off or damaged.
    """
    if len(data) < 8 or not data.startswith(MAGIC) or data[4] != _VERSION:
        raise damaged("no header of version 2")
    (flags,) = struct.unpack_from("<I", data, 4)
    attributes: dict[str, tuple[str, bytes]] = {}
    at = 8
    while len(attributes) < _MAX_ATTRIBUTES:
        name, at = _word(data, at)
        if not name:
            break
        kind, at = _word(data, at)
        size = int.from_bytes(data[at : at + 4], "little", signed=True)
        at += 4
        if size < 0 or at + size > len(data):
            raise damaged("ends within its header")
        attributes[name] = (kind, data[at : at + size])
        at += size
    window = attributes.get("dataWindow", ("", b""))[1]
    if len(window) != 16:
        raise damaged("no data window")
    kind, listed = attributes.get("channels", ("", b""))
    if kind != "chlist":
        raise damaged("no channels")
    return Header(struct.unpack("<4i", window), _channels(listed), attributes, bool(flags & _DEEP))


def _channels(data: bytes) -> dict[str, Channel]:
    channels: dict[str, Channel] = {}
    at = 0
    while at < len(data) and len(channels) < _MAX_ATTRIBUTES:
        name, at = _word(data, at)
        if not name:
            break
        if at + 16 > len(data):
            raise damaged("ends within its channels")
        kind, across, down = struct.unpack_from("<i4xii", data, at)
        if kind not in TYPES or across < 1 or down < 1:
            raise damaged("a channel of an unknown kind")
        channels[name] = Channel(TYPES[kind], across, down)
        at += 16
    return channels


def _word(data: bytes, at: int) -> tuple[str, int]:
    """A word up to its null byte, and where it goes on."""
    end = data.find(b"\0", at, at + 256)
    if end < 0:
        raise damaged("ends within its header")
    return data[at:end].decode("utf-8", "replace"), end + 1
