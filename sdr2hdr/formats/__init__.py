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
    LOOK: str                                    look of the result, unless the user says so; if absent, "display"
    missing() -> str                             what has to be installed first, in one line, or nothing; if absent,
                                                 nothing

to be examined, SDR or HDR (`sniff` and `dimensions` go with it):

    examine(data: bytes) -> Examined

and for all `EXTENSIONS: tuple[str, ...]`, lower case, with the dot. A file that is read is recognised by its
magic bytes, never by its name.
"""

import hashlib
import os
import sys
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy.typing as npt

from sdr2hdr import registry
from sdr2hdr.errors import UsageError
from sdr2hdr.formats._array import from_array
from sdr2hdr.formats._atomic import write_atomic
from sdr2hdr.formats._examined import Examined
from sdr2hdr.formats._loading import HEAD, decoded, load, named
from sdr2hdr.formats._options import EncodeOptions
from sdr2hdr.formats._recipe import full
from sdr2hdr.formats._sdr_examined import examined_sdr
from sdr2hdr.image import HdrImage, SdrImage

os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # before cv2 is imported: its C++ side would write to stderr

__all__ = [
    "HEAD",
    "EncodeOptions",
    "Examined",
    "digest",
    "encode",
    "encoder",
    "examine",
    "from_array",
    "missing",
    "picture",
    "read",
    "readers",
    "recipe",
    "recorded",
    "write",
    "writers",
]

MAX_PIXELS = 200_000_000
_STRIPPED = {"metadata": "stripped"}  # word of the recipe


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


def encoder(name_or_suffix: str | Any) -> Any:
    """The format that writes files of this name ("exr") or suffix (".tif"), upper or lower case.

    Anything else than words is taken for a writer already: it has `encode`, `words` and `read_recipe`.

    Raises
    ------
    UsageError
        No format is written under this name.
    """
    if not isinstance(name_or_suffix, str):
        return name_or_suffix
    wanted = name_or_suffix.lower()
    for name, module in writers().items():
        if wanted == name or "." + wanted.removeprefix(".") in module.EXTENSIONS:
            return module
    known = " ".join(suffix for module in writers().values() for suffix in module.EXTENSIONS)
    raise UsageError(f"cannot write '{name_or_suffix}' files; name the output one of: {known}")


def missing(name_or_suffix: str) -> str:
    """What has to be installed before files of this format can be read or written, in one line; nothing: all is there.

    Raises
    ------
    UsageError
        No format is written under this name.
    """
    module = encoder(name_or_suffix)
    words: str = module.missing() if hasattr(module, "missing") else ""
    return words


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

    def work() -> SdrImage:
        module, data = load(source, readers().values(), ", ".join(readers()))
        image = decoded(module, data, max_pixels, module.decode)
        return replace(image, digest=hashlib.sha256(data).hexdigest())

    return named(source, name, work)


def examine(
    source: str | Path | BinaryIO, *, max_pixels: int = MAX_PIXELS, name: str | None = None
) -> Examined:
    """Read any picture, SDR or HDR, for what it is; parameters and errors as for `read`.

    A format that is only read as SDR is what its reader makes of it.
    """

    def work() -> Examined:
        able = _able("examine")
        modules = {**able, **readers()}  # the first is asked first
        module, data = load(source, modules.values(), ", ".join(sorted(modules)))
        look = module.examine if hasattr(module, "examine") else partial(examined_sdr, module)
        return decoded(module, data, max_pixels, look)

    return named(source, name, work)


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


def encode(name_or_suffix: str | Any, image: HdrImage, options: EncodeOptions) -> bytes:
    """A file of one picture, in the format of this name or suffix (see `encoder`); with `strip`, without EXIF and XMP.

    Raises
    ------
    UsageError
        No format is written under this name.
    OutputError
        The light is not finite, or the format cannot hold the picture.
    """
    if options.strip:
        image = replace(image, exif=None, xmp=None, recipe=image.recipe | _STRIPPED)
    data: bytes = encoder(name_or_suffix).encode(image, options)
    return data


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
    write_atomic(path, encode(path.suffix, image, options or EncodeOptions()), overwrite=overwrite)


def recipe(name: str | Any, words: dict[str, str], options: EncodeOptions) -> dict[str, str]:
    """The recipe as a file of this format will hold it, from `HdrImage.recipe` and the writer's options."""
    return full(words | encoder(name).words(options) | (_STRIPPED if options.strip else {}))


def recorded(path: Path, name: str | Any) -> dict[str, str]:
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
