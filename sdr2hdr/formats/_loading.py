"""From a path or a stream to a file's bytes and the module that reads them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, TypeVar

from sdr2hdr.errors import InputError
from sdr2hdr.formats._source import NAME, one_line

HEAD = 64  # bytes that are enough to recognise a format

_FOREIGN = (  # (offset, magic, what it is): refused with a word of its own
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture, which is already HDR"),
    (0, b"#?RADIANCE", "a Radiance picture, which is already HDR"),
    (0, b"#?RGBE", "a Radiance picture, which is already HDR"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"II\xbc", "a JPEG XR picture"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftypcrx", "a camera raw file"),
    (4, b"ftyp", "a HEIF picture or a film"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"FUJIFILM", "a camera raw file"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"%PDF", "a PDF document"),
)

Source = str | Path | BinaryIO
Result = TypeVar("Result")


def named(source: Source, name: str | None, work: Callable[[], Result]) -> Result:
    """What `work` gives; its errors begin with the picture's name, which warnings find in `NAME`.

    Raises
    ------
    InputError
        One line that begins with the name; by default that is the path.
    """
    if name is None:
        name = str(source) if isinstance(source, str | Path) else str(getattr(source, "name", "<stream>"))
    name = one_line(name)
    token = NAME.set(name)
    try:
        return work()
    except InputError as error:
        raise InputError(f"{name}: {one_line(error)}") from error  # a file's own words may be in it
    finally:
        NAME.reset(token)


def load(source: Source, modules: Iterable[ModuleType], known: str) -> tuple[ModuleType, bytes]:
    """The first of the modules that knows the file by its first bytes, and all bytes.

    The rest of a file that is not a picture is not read; `known` are the formats that an error names.

    Raises
    ------
    InputError
        Missing, unreadable, empty or unknown.
    """
    try:
        if isinstance(source, str | Path):
            with Path(source).open("rb") as stream:
                return load(stream, modules, known)
        head = source.read(HEAD)
        while 0 < len(head) < HEAD and (more := source.read(HEAD - len(head))):  # a pipe may give less
            head += more
        module = _recognise(head, modules, known)
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


def decoded(module: ModuleType, data: bytes, max_pixels: int, decode: Callable[[bytes], Result]) -> Result:
    """What `decode` makes of the data, if their header states a size within the limit.

    Raises
    ------
    InputError
        No pixels, too many, or what `decode` finds amiss.
    """
    height, width = module.dimensions(data)
    if height < 1 or width < 1:
        raise InputError("has no pixels; export it again")
    if height * width > max_pixels:
        raise InputError(
            f"has {width} x {height} pixels, more than the limit of {max_pixels}; shrink it or raise the limit"
        )
    try:
        return decode(data)
    except MemoryError as error:
        raise InputError(f"has {width} x {height} pixels, which do not fit into memory; shrink it") from error
    except ImportError as error:  # codecs are loaded when they are needed, and that takes memory, too
        raise InputError(
            f"cannot be decoded, a library cannot be loaded ({one_line(error)}); free memory or install sdr2hdr again"
        ) from error


def _recognise(head: bytes, modules: Iterable[ModuleType], known: str) -> ModuleType:
    if not head:
        raise InputError("is empty; copy or export it again")
    for module in modules:
        if module.sniff(head):
            return module
    for offset, magic, what in _FOREIGN:
        if head.startswith(magic, offset):
            cure = "only SDR pictures are converted" if "HDR" in what else f"export it as one of {known}"
            raise InputError(f"is {what}; {cure}")
    raise InputError(f"is not a picture of a known kind; export it as one of {known}")
