"""sdr2hdr inspect: every step of one conversion as a labelled picture, and the figures."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdr2hdr.cli import _options
from sdr2hdr.errors import OutputError, UsageError

if TYPE_CHECKING:
    from sdr2hdr.inspection.figures import Figures

PIPE = "-"
SIZE = 1600


@click.command()
@click.argument("source", metavar="IN", type=click.Path())
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of the pictures; made if it is not there.",
)
@click.option(
    "--size",
    type=click.IntRange(64, 16384),
    metavar="PIXELS",
    default=SIZE,
    show_default=True,
    help="Long side of a picture, at most. The sheet stays as it is.",
)
@_options.method
@_options.max_pixels
@click.option("-y", "--overwrite", is_flag=True, help="Replace pictures that exist.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="The figures as a JSON object on standard output, instead of words.",
)
@_options.verbosity
def command(
    source: str,
    folder: Path,
    size: int,
    max_pixels: int | None,
    overwrite: bool,
    as_json: bool,
    verbose: int,
    quiet: bool,
    **method: Any,
) -> None:
    """Show what the method does to one picture: labelled PNGs of every step, and a sheet with all of them.

    IN is an SDR picture, or a dash for standard input. The PNGs: base and detail layers, mask, what each net made, the
    tone curve, which light was measured and which invented, luminance in false colours, gamut, histogram, and the
    result at 0, -2 and -4 stops. Look and peak are those of an EXR unless you say otherwise.
    """
    _options.set_verbosity(verbose, quiet)
    if source == PIPE and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("IN is -, but standard input is a terminal; pipe a picture into it or name a file")

    from sdr2hdr.formats import MAX_PIXELS
    from sdr2hdr.inspection import sheet
    from sdr2hdr.inspection.figures import Figures
    from sdr2hdr.inspection.observed import observe
    from sdr2hdr.jobs import convert
    from sdr2hdr.settings import Settings

    settings = Settings(**{name: value for name, value in method.items() if value is not None})
    _refuse(folder, sheet.file_names(), overwrite)
    job = convert.Job(
        source=None if source == PIPE else Path(source), target=None, max_pixels=max_pixels or MAX_PIXELS
    )
    image, _ = convert.read(job)
    nets = convert.converter(settings)
    seen = observe(
        job.source_name, settings, image, lambda keep: convert.compute(job, nets, image, observe=keep)
    )
    figures = Figures(seen)
    written = _write(figures, folder, size, overwrite)
    if as_json:
        click.echo(json.dumps(figures.as_dict() | {"files": [str(path) for path in written]}))
    elif not quiet:
        for line in sheet.summary(figures.observed, figures):
            click.echo(line)
    if verbose:
        click.echo(f"{job.source_name} -> {folder}: {len(written)} pictures", err=True)


def _refuse(folder: Path, names: list[str], overwrite: bool) -> None:
    """Find out before the work what would fail after it."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; name a folder")
    for name in names:
        if os.path.lexists(folder / name) and not overwrite:
            raise OutputError(f"{folder / name}: exists already; use --overwrite to replace it")


def _write(figures: "Figures", folder: Path, size: int, overwrite: bool) -> list[Path]:
    """All pictures; each is complete or absent."""
    from sdr2hdr.formats._atomic import write_atomic
    from sdr2hdr.inspection import sheet

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
    written = []
    for name, data in sheet.files(figures, size):
        write_atomic(folder / name, data, overwrite=overwrite)
        written.append(folder / name)
    return written
