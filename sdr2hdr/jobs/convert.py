"""One picture from file to file: read, convert, write."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, TypeVar

from sdr2hdr import formats
from sdr2hdr.errors import InputError, OutputError, UsageError
from sdr2hdr.formats._atomic import write_atomic
from sdr2hdr.image import HdrImage, SdrImage
from sdr2hdr.settings import Settings

if TYPE_CHECKING:  # it imports PyTorch, which is to happen while the picture is read
    from sdr2hdr.pipeline import Converter, Report

DEFAULT_FORMAT = "exr"
STAGES = ("read", "decompose", "base", "detail", "refine", "full size", "write")  # as they come
T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """What to read and what to write; can be sent to another process.

    source : path, or None for standard input
    target : path, or None for standard output
    format : name of the format to write
    options : of the writer
    max_pixels : larger pictures are refused
    overwrite : replace a target that exists
    """

    source: Path | None
    target: Path | None
    format: str = DEFAULT_FORMAT
    options: formats.EncodeOptions = field(default_factory=formats.EncodeOptions)
    max_pixels: int = formats.MAX_PIXELS
    overwrite: bool = False

    @property
    def source_name(self) -> str:
        """What messages call the picture."""
        return str(self.source) if self.source else "standard input"


def resolve(source: Path | None, target: Path | None, format_name: str | None) -> tuple[Path | None, str]:
    """Where one picture goes and as what: target and name of the format.

    A target that is a folder gets the picture's name. The format is the one named, else that of the target's suffix,
    else EXR.

    Raises
    ------
    UsageError
        No such format; a target whose suffix says something else; a folder for a picture without a name.
    """
    named = _name(format_name) if format_name else None
    if target is not None and target.is_dir():
        if source is None:
            raise UsageError(
                f"{target}: is a folder, and a picture from standard input has no name; name a file in it"
            )
        suffix = formats.encoder(named or DEFAULT_FORMAT).EXTENSIONS[0]
        target = target / f"{source.stem}{suffix}"
    if target is None:
        return None, named or DEFAULT_FORMAT
    try:
        implied: str | None = _name(target.suffix)
    except UsageError:
        if not named:
            raise
        implied = None
    if named and implied and named != implied:
        raise UsageError(f"{target}: the name says {implied}, --format says {named}; change one of them")
    return target, named or implied or DEFAULT_FORMAT


def _name(name_or_suffix: str) -> str:
    module = formats.encoder(name_or_suffix)
    return next(name for name, writer in formats.writers().items() if writer is module)


def convert_file(job: Job, settings: Settings, progress: Callable[[str], None] | None = None) -> "Report":
    """Convert one picture. The nets are loaded once per process and settings.

    Parameters
    ----------
    progress : called with the name of each stage as it begins

    Returns
    -------
    Report
        What the method found, with the seconds of every stage.

    Raises
    ------
    InputError, OutputError, UsageError, WeightsError
        Nothing has been written then.
    """
    tell = progress or (lambda stage: None)
    if job.target:
        _check_target(job.target, job.overwrite)
    begun = time.perf_counter()
    tell("read")
    reading = _in_background(lambda: read(job))
    loaded_nets = converter(settings)
    image, read_seconds = reading.result()
    loaded = time.perf_counter()
    hdr, report = compute(job, loaded_nets, image, progress)
    tell("write")
    write_seconds = write(job, hdr)
    seconds = {
        "read": read_seconds,
        "load": loaded - begun - read_seconds,
        **report.seconds,
        "write": write_seconds,
    }
    return replace(report, seconds=seconds)


@lru_cache(maxsize=1)
def converter(settings: Settings) -> "Converter":
    """The nets of these settings, loaded once per process.

    Raises
    ------
    WeightsError, UsageError
        As `Converter` does.
    """
    from sdr2hdr import device
    from sdr2hdr.pipeline import Converter

    device.tune_allocator()
    return Converter(settings)


def read(job: Job) -> tuple[SdrImage, float]:
    """The first third of a job: the picture, and the seconds that it took.

    Raises
    ------
    InputError
        As `formats.read` does.
    """
    begun = time.perf_counter()
    source = job.source if job.source is not None else binary(sys.stdin, "input")
    image = formats.read(source, max_pixels=job.max_pixels, name=job.source_name)
    return image, time.perf_counter() - begun


def compute(
    job: Job, nets: "Converter", image: SdrImage, progress: Callable[[str], None] | None = None
) -> "tuple[HdrImage, Report]":
    """The second third: the method.

    Raises
    ------
    InputError
        Too little memory for this picture.
    WeightsError
        The nets give numbers that are not finite.
    """
    with _enough_memory(job, image.size):
        return nets.convert(image, progress=progress)


def write(job: Job, hdr: HdrImage) -> float:
    """The last third: encode and write; the seconds that it took.

    Raises
    ------
    InputError
        Too little memory for this picture.
    OutputError
        It cannot be written; nothing has been, then.
    """
    begun = time.perf_counter()
    with _enough_memory(job, hdr.size):
        data = formats.encoder(job.format).encode(hdr, job.options)
    if job.target:
        write_atomic(job.target, data, overwrite=job.overwrite)
    else:
        _to_stdout(data)
    return time.perf_counter() - begun


@contextmanager
def _enough_memory(job: Job, size: tuple[int, int]) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        words = str(error)  # oneDNN says no more than that
        if (
            isinstance(error, RuntimeError)
            and "memory" not in words
            and "could not create a primitive" not in words
        ):
            raise
        height, width = size
        raise InputError(
            f"{job.source_name}: {width} x {height} pixels do not fit into memory; shrink it or lower --work-size"
        ) from error


def _in_background(work: Callable[[], T]) -> "Future[T]":
    """Run in a thread that does not keep the process alive, should standard input never end."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _check_target(target: Path, overwrite: bool) -> None:
    """Find out before the work what would fail after it."""
    if os.path.lexists(target) and not overwrite:
        raise OutputError(f"{target}: exists already; use --overwrite to replace it")
    if not target.parent.is_dir():
        raise OutputError(f"{target}: there is no folder {target.parent}; create it first")
    if not os.access(target.parent, os.W_OK):
        raise OutputError(
            f"{target}: no permission to write there; choose another folder or change its rights"
        )


def binary(stream: TextIO | None, name: str) -> BinaryIO:
    """The bytes below standard input or output.

    Raises
    ------
    UsageError
        The caller has closed it.
    """
    if stream is None:
        raise UsageError(f"standard {name} is closed; name a file")
    return stream.buffer


def _to_stdout(data: bytes) -> None:
    rest, out = memoryview(data), binary(sys.stdout, "output")
    try:
        while rest:  # with PYTHONUNBUFFERED set this is a raw stream, which may take a part only
            rest = rest[out.write(rest) :]
        out.flush()
    except BrokenPipeError:
        raise  # whoever read has enough
    except OSError as error:
        raise OutputError(f"standard output: cannot be written: {error.strerror}") from error
