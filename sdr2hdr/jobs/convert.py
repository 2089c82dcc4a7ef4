"""One picture from file to file: read, convert, write."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, TypeVar

from sdr2hdr import formats
from sdr2hdr.errors import InputError, OutputError, Sdr2HdrError, UsageError
from sdr2hdr.formats._atomic import sweep, write_atomic
from sdr2hdr.image import PQ_PEAK_NITS, HdrImage, SdrImage
from sdr2hdr.jobs.job import Job as Job
from sdr2hdr.jobs.job import Output, methods
from sdr2hdr.jobs.naming import resolve as resolve
from sdr2hdr.jobs.peaks import below
from sdr2hdr.settings import Settings

if TYPE_CHECKING:  # it imports PyTorch, which is to happen while the picture is read
    from sdr2hdr.pipeline import Converter, Observe, Report

STAGES = ("read", "decompose", "base", "detail", "refine", "full size", "write")  # as they come
T = TypeVar("T")
LEAST_ADDRESS_SPACE = 900_000_000  # bytes; with less, PyTorch aborts the process while it is loaded


def convert_file(job: Job, settings: Settings, progress: Callable[[str], None] | None = None) -> "Report":
    """Convert one picture to all its files. The nets are loaded once per process and settings.

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
        The file that it is about has not been written then, nor those after it; those before it are whole.
    """
    tell = progress or (lambda stage: None)
    for output in job.outputs:
        if output.target:
            _check_target(output.target, job.overwrite)
            sweep(output.target.parent)
    begun = time.perf_counter()
    tell("read")
    reading = _in_background(lambda: read(job))
    work = methods(job.outputs, settings)
    nets = {method: converter(method) for method in work}
    image, read_seconds = reading.result()
    seconds = {"read": read_seconds, "load": time.perf_counter() - begun - read_seconds}
    reports: dict[Output, Report] = {}
    for method, outputs in work.items():
        hdr, report = compute(job, nets[method], image, progress)
        add(seconds, report.seconds)
        tell("write")
        for output, lower, found in renderings(job, outputs, settings, hdr, report):
            add(seconds, {"write": write(job.only([output]), lower)})
            reports[output] = found
    return replace(reports[job.outputs[0]], seconds=seconds)


def add(seconds: dict[str, float], more: dict[str, float]) -> None:
    """Sum up seconds by stage."""
    for stage, taken in more.items():
        seconds[stage] = seconds.get(stage, 0.0) + taken


def renderings(
    job: Job, outputs: Sequence[Output], settings: Settings, hdr: HdrImage, report: "Report"
) -> "Iterator[tuple[Output, HdrImage, Report]]":
    """What is to be written to every file, from the light that they share, which is used up.

    Parameters
    ----------
    outputs : those of one of `methods`
    hdr, report : what was computed for it, at the highest peak

    Raises
    ------
    InputError
        Too little memory for this picture.
    """
    by_peak: dict[Settings, list[Output]] = {}
    for output in outputs:
        by_peak.setdefault(output.settings(settings), []).append(output)
    for left, (wanted, same) in zip(range(len(by_peak))[::-1], by_peak.items(), strict=True):
        with _enough_memory(job, hdr.size):
            lower, found = below(hdr, report, wanted, in_place=not left)
        yield from ((output, lower, found) for output in same)


def converter(settings: Settings) -> "Converter":
    """The nets of these settings; loaded once per process, whatever the peak.

    Raises
    ------
    WeightsError, UsageError
        As `Converter` does.
    Sdr2HdrError
        The process may not have the address space that PyTorch takes.
    """
    _check_address_space()
    nets = _loaded(replace(settings, peak_nits=PQ_PEAK_NITS))
    return nets.with_peak(settings.peak_nits)


def _check_address_space() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESS_SPACE:
        raise Sdr2HdrError(
            f"too little memory: the limit of {limit / 1e6:.0f} MB (ulimit -v) is below the "
            f"{LEAST_ADDRESS_SPACE / 1e6:.0f} that PyTorch takes; raise it"
        )


@lru_cache(maxsize=2)  # looks
def _loaded(settings: Settings) -> "Converter":
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
    job: Job,
    nets: "Converter",
    image: SdrImage,
    progress: Callable[[str], None] | None = None,
    observe: "Observe | None" = None,
) -> "tuple[HdrImage, Report]":
    """The second third: the method; for the last two arguments see `Converter.convert`.

    Raises
    ------
    InputError
        Too little memory for this picture.
    WeightsError
        The nets give numbers that are not finite.
    """
    with _enough_memory(job, image.size):
        return nets.convert(image, observe=observe, progress=progress)


def write(job: Job, hdr: HdrImage) -> float:
    """The last third: encode and write a job's only file; the seconds that it took.

    Raises
    ------
    InputError
        Too little memory for this picture.
    OutputError
        It cannot be written; nothing has been, then.
    """
    begun = time.perf_counter()
    with _enough_memory(job, hdr.size):
        data = formats.encode(job.outputs[0].encoder, hdr, job.options)
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
