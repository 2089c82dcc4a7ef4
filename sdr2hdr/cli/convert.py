"""sdr2hdr convert: a picture in, an HDR file out."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdr2hdr.cli import _options
from sdr2hdr.errors import UsageError

if TYPE_CHECKING:
    from sdr2hdr.jobs.convert import Job
    from sdr2hdr.pipeline import Report

PIPE = "-"


@click.command()
@click.argument("sources", metavar="SRC", nargs=-1, required=True)
@click.argument("target", metavar="DST")
@_options.method
@_options.encoding
@_options.max_pixels
@click.option("-y", "--overwrite", is_flag=True, help="Replace DST if it exists.")
@_options.verbosity
def command(
    sources: tuple[str, ...],
    target: str,
    format_name: str | None,
    primaries: str,
    full_float: bool,
    max_pixels: int | None,
    overwrite: bool,
    verbose: int,
    quiet: bool,
    peak_nits: float | None,
    **method: Any,
) -> None:
    """Convert the SDR picture SRC to the HDR file DST.

    SRC is a PNG, JPEG, TIFF, WebP or BMP file. DST ends in .exr (linear light, 1.0 = 203 cd/m2, BT.2020) or .tif (16
    bit, PQ), or is a folder. A dash reads standard input or writes standard output.
    """
    _options.set_verbosity(verbose, quiet)
    source = _only(sources)
    if source == PIPE and sys.stdin.isatty():
        raise UsageError("SRC is -, but standard input is a terminal; pipe a picture into it or name a file")
    if target == PIPE and sys.stdout.isatty():
        raise UsageError("DST is -, but standard output is a terminal; redirect it or name a file")

    from sdr2hdr import formats
    from sdr2hdr.jobs import convert
    from sdr2hdr.settings import Settings

    path, name = convert.resolve(_path(source), _path(target), format_name)
    peak = formats.encoder(name).PEAK_NITS if peak_nits is None else peak_nits
    job = convert.Job(
        source=_path(source),
        target=path,
        format=name,
        options=formats.EncodeOptions(half=not full_float, primaries=primaries),
        max_pixels=max_pixels or formats.MAX_PIXELS,
        overwrite=overwrite,
    )
    report = _with_bar(job, Settings(peak_nits=peak, **method), hidden=quiet)
    if verbose:
        click.echo(_summary(job, report), err=True)


def _only(sources: tuple[str, ...]) -> str:
    """The one picture; several are refused, and so are folders, before anything is imported."""
    if len(sources) > 1:
        raise UsageError(f"{len(sources)} pictures given; this version converts one at a time")
    if Path(sources[0]).is_dir():
        raise UsageError(f"{sources[0]}: is a folder; this version converts one picture at a time")
    return sources[0]


def _path(word: str) -> Path | None:
    return None if word == PIPE else Path(word)


def _with_bar(job: "Job", settings: Any, hidden: bool) -> "Report":
    """Convert, with a bar on a terminal that names the stages, once it has taken a second."""
    from tqdm import tqdm

    from sdr2hdr.jobs.convert import STAGES, convert_file

    begun: list[str] = []
    with tqdm(
        desc=Path(job.source_name).name,
        total=len(STAGES),
        bar_format="{desc} |{bar:20}| {elapsed}{postfix}",
        disable=hidden or not sys.stderr.isatty(),
        delay=1,
        miniters=0,
        leave=False,
    ) as bar:

        def show() -> None:
            if begun and begun[-1] in STAGES:
                bar.set_postfix_str(begun[-1], refresh=False)
                bar.update(STAGES.index(begun[-1]) - bar.n)

        with _ticking(show):
            return convert_file(job, settings, begun.append)


@contextmanager
def _ticking(tick: Callable[[], object]) -> Iterator[None]:
    """Call `tick` now and then from a thread: the clock of a bar goes on while a stage takes its time."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(0.2):
            tick()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _summary(job: "Job", report: "Report") -> str:
    """One line: what was found and how long it took."""
    stages = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in report.seconds.items())
    return (
        f"{job.source_name} -> {job.target or 'standard output'}: {report.clipped_share:.2%} clipped, "
        f"threshold {report.tau:.3f}, peak {report.peak_nits:.0f}, MaxCLL {report.max_cll:.0f}, "
        f"MaxFALL {report.max_fall:.0f} cd/m2; {sum(report.seconds.values()):.1f} s: {stages}"
    )
