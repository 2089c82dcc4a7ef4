"""Files in and out: the only folder that knows extensions, magic bytes and code values.

Every public module is one format. Its side for reading, if it has one:

    sniff(head: bytes) -> bool                   is this mine? `head` is the file's first `HEAD` bytes
    dimensions(data: bytes) -> tuple[int, int]   height, width from the header alone
    decode(data: bytes) -> SdrImage

its side for writing, if it has one:

    encode(image: HdrImage, options: EncodeOptions) -> bytes
    words(options: EncodeOptions) -> dict        what the options add to the recipe
    read_recipe(path: Path) -> dict              the recipe in a file that `encode` made; empty for any other,
                                                 and for one that is cut off
    SUMMARY: str                                 what is written, in one phrase
    PEAK_NITS: float                             brightest light of the result, unless the user says so

to be examined, SDR or HDR (`sniff` and `dimensions` go with it):

    examine(data: bytes) -> Examined

and for all `EXTENSIONS: tuple[str, ...]`, lower case, with the dot. A file that is read is recognised by its
magic bytes, never by its name.
"""

import hashlib
import os
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy.typing as npt

from sdr2hdr import registry
from sdr2hdr.errors import InputError, UsageError
from sdr2hdr.formats._array import from_array
from sdr2hdr.formats._atomic import write_atomic
from sdr2hdr.formats._options import EncodeOptions
from sdr2hdr.formats._recipe import full
from sdr2hdr.formats._source import NAME, one_line
from sdr2hdr.image import HdrImage, SdrImage

os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # before cv2 is imported: its C++ side would write to stderr

__all__ = [
    "HEAD",
    "EncodeOptions",
    "digest",
    "encoder",
    "from_array",
    "picture",
    "read",
    "readers",
    "recipe",
    "recorded",
    "write",
    "writers",
]

HEAD = 64  # bytes that are enough to recognise a format
MAX_PIXELS = 200_000_000

_FOREIGN = (  # (offset, magic, what it is): refused with a word of its own
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture, which is already HDR"),
    (0, b"#?RADIANCE", "a Radiance picture, which is already HDR"),
    (0, b"#?RGBE", "a Radiance picture, which is already HDR"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftypcrx", "a camera raw file"),
    (4, b"ftyp", "a HEIF picture or a film"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"FUJIFILM", "a camera raw file"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"%PDF", "a PDF document"),
)


@cache
def _entries() -> dict[str, ModuleType]:
    package = sys.modules[__name__]
    return {name: registry.get(package, name) for name in registry.names(package)}


def _able(what: str) -> dict[str, ModuleType]:
    return {name: module for name, module in _entries().items() if hasattr(module, what)}


def readers() -> dict[str, ModuleType]:
    """Formats that can be read, by name."""
    return _able("decode")


def writers() -> dict[str, ModuleType]:
    """Formats that can be written, by name."""
    return _able("encode")


def encoder(name_or_suffix: str) -> ModuleType:
    """The format that writes files of this name ("exr") or suffix (".tif"), upper or lower case.

    Raises
    ------
    UsageError
        No format is written under this name.
    """
    wanted = name_or_suffix.lower()
    for name, module in writers().items():
        if wanted == name or "." + wanted.removeprefix(".") in module.EXTENSIONS:
            return module
    known = " ".join(suffix for module in writers().values() for suffix in module.EXTENSIONS)
    raise UsageError(f"cannot write '{name_or_suffix}' files; name the output one of: {known}")


def read(source: str | Path | BinaryIO, *, max_pixels: int = MAX_PIXELS, name: str | None = None) -> SdrImage:
    """Read one SDR picture.

    Parameters
    ----------
    source
        A path, or a stream open for reading bytes (standard input).
    max_pixels
        Larger pictures are refused by their header, before anything is decoded.
    name
        What messages call the picture; the path if it is not given.

    Raises
    ------
    InputError
        Missing, unreadable, unknown, too large, truncated, damaged, or already HDR. One line that begins with the name.
    """
    if name is None:
        name = str(source) if isinstance(source, str | Path) else str(getattr(source, "name", "<stream>"))
    name = one_line(name)
    token = NAME.set(name)
    try:
        module, data = _load(source)
        return replace(_decode(module, data, max_pixels), digest=hashlib.sha256(data).hexdigest())
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    finally:
        NAME.reset(token)


def picture(given: SdrImage | npt.NDArray[Any] | str | Path) -> SdrImage:
    """A picture, however it is given: as one, as the name of a file, or as an array (see `from_array`).

    Raises
    ------
    InputError
        As for `read`; or the array is no picture.
    """
    if isinstance(given, SdrImage):
        return given
    return read(given) if isinstance(given, str | Path) else from_array(given)


def write(
    path: str | Path, image: HdrImage, options: EncodeOptions | None = None, *, overwrite: bool = False
) -> None:
    """Write one HDR picture, in the format of the path's suffix; complete or not at all.

    Raises
    ------
    UsageError
        No format is written under this suffix.
    OutputError
        The file exists and `overwrite` is false, or it cannot be written, or the light is not finite.
    """
    path = Path(path)
    write_atomic(path, encoder(path.suffix).encode(image, options or EncodeOptions()), overwrite=overwrite)


def recipe(name: str, words: dict[str, str], options: EncodeOptions) -> dict[str, str]:
    """The recipe as a file of this format will hold it, from `HdrImage.recipe` and the writer's options."""
    return full(words | encoder(name).words(options))


def recorded(path: Path, name: str) -> dict[str, str]:
    """The recipe that a written file of this format holds; empty if it has none, or is none."""
    found: dict[str, str] = encoder(name).read_recipe(path)
    return found


def digest(path: Path) -> str:
    """`SdrImage.digest` of a file, without decoding it.

    Raises
    ------
    OSError
        It cannot be read.
    """
    sha256 = hashlib.sha256()
    with path.open("rb") as stream:  # hashlib.file_digest came with Python 3.11
        while block := stream.read(1 << 20):
            sha256.update(block)
    return sha256.hexdigest()


def _load(source: str | Path | BinaryIO) -> tuple[ModuleType, bytes]:
    """The format, by the first bytes, and all bytes; the rest of a file that is not a picture is not read."""
    try:
        if isinstance(source, str | Path):
            with Path(source).open("rb") as stream:
                return _load(stream)
        head = source.read(HEAD)
        while 0 < len(head) < HEAD and (more := source.read(HEAD - len(head))):  # a pipe may give less
            head += more
        module = _recognise(head)
        return module, head + source.read()
    except FileNotFoundError as error:
        raise InputError("no such file; check the path") from error
    except IsADirectoryError as error:
        raise InputError("is a folder; name the pictures in it") from error
    except PermissionError as error:
        raise InputError("may not be read; check its permissions") from error
    except MemoryError as error:
        raise InputError("does not fit into memory; shrink it") from error
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror or error}); check the path and the disk"
        ) from error
    except InputError:
        raise
    except ValueError as error:  # a null byte in the path, a closed stream
        raise InputError(f"cannot be read ({error}); check the path") from error


def _decode(module: ModuleType, data: bytes, max_pixels: int) -> SdrImage:
    height, width = module.dimensions(data)
    if height < 1 or width < 1:
        raise InputError("has no pixels; export it again")
    if height * width > max_pixels:
        raise InputError(
            f"has {width} x {height} pixels, more than the limit of {max_pixels}; shrink it or raise the limit"
        )
    try:
        image: SdrImage = module.decode(data)
    except MemoryError as error:
        raise InputError(f"has {width} x {height} pixels, which do not fit into memory; shrink it") from error
    except ImportError as error:  # codecs are loaded when they are needed, and that takes memory, too
        raise InputError(
            f"cannot be decoded, a library cannot be loaded ({one_line(error)}); free memory or install sdr2hdr again"
        ) from error
    return image


def _recognise(head: bytes) -> ModuleType:
    if not head:
        raise InputError("is empty; copy or export it again")
    for module in readers().values():
        if module.sniff(head):
            return module
    known = ", ".join(readers())
    for offset, magic, what in _FOREIGN:
        if head.startswith(magic, offset):
            cure = "only SDR pictures are converted" if "HDR" in what else f"export it as one of {known}"
            raise InputError(f"is {what}; {cure}")
    raise InputError(f"is not a picture of a known kind; export it as one of {known}")
