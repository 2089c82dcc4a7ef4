"""sdr2hdr simulate: pairs of an SDR picture and its HDR reference, from anyone's HDR pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sdr2hdr.cli import _options
from sdr2hdr.errors import OutputError, Sdr2HdrError, UsageError

if TYPE_CHECKING:
    from sdr2hdr.training.sheet import Sheet
    from sdr2hdr.training.simulate import Simulation


@click.command()
@click.argument("sources", metavar="HDR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder that the pairs are written to; made if it is not there.",
)
@click.option(
    "--look",
    type=click.Choice(["scene", "display"]),
    default="scene",
    show_default=True,
    help="scene: what a camera makes of the light; display: the SDR version of an HDR grade.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything that is drawn."
)
@click.option(
    "--views", type=click.IntRange(1), default=1, show_default=True, help="Pairs made of each picture."
)
@click.option(
    "--size",
    "long_side",
    type=click.IntRange(32),
    metavar="PIXELS",
    default=960,
    show_default=True,
    help="Long side of a pair, at most; a small picture gives smaller ones.",
)
@click.option(
    "--projection",
    type=click.Choice(["auto", "photo", "equirect"]),
    default="auto",
    show_default=True,
    help="What the pictures are; auto: twice as wide as high is a panorama (equirect).",
)
@click.option(
    "--referred",
    type=click.Choice(["auto", "scene", "display"]),
    default="auto",
    show_default=True,
    help="Display look: scene light is graded first, display light is taken as it is, 1.0 = SDR white. "
    "auto: display where an EXR has whiteLuminance.",
)
@click.option(
    "--sheet",
    metavar="FILE.png",
    type=click.Path(path_type=Path),
    help="Contact sheet to look at: every pair, its reference at 0, -2 and -4 stops.",
)
@click.option("-r", "--recursive", is_flag=True, help="Look into the sub-folders of folders.")
@click.option("-y", "--overwrite", is_flag=True, help="Replace pairs and the sheet if they exist.")
@_options.verbosity
@click.pass_context
def command(
    context: click.Context,
    sources: tuple[Path, ...],
    folder: Path,
    look: str,
    seed: int,
    views: int,
    long_side: int,
    projection: str,
    referred: str,
    sheet: Path | None,
    recursive: bool,
    overwrite: bool,
    verbose: int,
    quiet: bool,
) -> None:
    """Make training pairs out of HDR pictures with the trainer's virtual cameras.

    HDR is an .exr or .hdr file, or a folder of them. Every pair is NAME_sdr.png (8 bit, sRGB) and NAME_hdr.exr (linear
    BT.2020, 1.0 = 203 cd/m2); manifest.jsonl says what was drawn for it. The same seed and file name give the same
    pair, whatever else is made. A picture that fails is reported, and the others are made.
    """
    _options.set_verbosity(verbose, quiet)
    if sheet is not None:
        _check(sheet, overwrite)

    from sdr2hdr.formats._atomic import write_atomic  # before OpenCV, which it keeps quiet
    from sdr2hdr.training import simulate
    from sdr2hdr.training.sheet import Sheet

    pictures = simulate.find(list(sources), recursive)
    if not pictures:
        raise UsageError(
            f"{sources[0]}: no HDR pictures ({', '.join(simulate.SUFFIXES)}) in it; name another folder"
        )
    simulation = simulate.Simulation(look, seed, views, long_side, projection, referred)
    rows, failed = Sheet(), 0
    for path in pictures:
        try:
            _one(path, folder, simulation, rows if sheet else None, overwrite, verbose)
        except Sdr2HdrError as error:
            failed += 1
            click.echo(f"sdr2hdr: error: {' '.join(str(error).split())}", err=True)
    if sheet is not None and rows.rows:
        write_atomic(sheet, rows.png(), overwrite=overwrite)
    if failed:
        context.exit(1)


def _one(
    path: Path, folder: Path, simulation: "Simulation", rows: "Sheet | None", overwrite: bool, verbose: int
) -> None:
    """The pairs of one picture, and their lines of the manifest as soon as they are there."""
    from sdr2hdr.training import pairs, simulate

    if not overwrite:
        pairs.refuse_existing(folder, simulate.names(path, simulation))
    for pair in simulate.simulate(path, simulation):
        _make(folder)
        pairs.write(folder, pair, overwrite=overwrite)
        pairs.note(folder, [pair.record])
        if rows is not None:
            rows.add(pair)
        if verbose:
            height, width = pair.shot.codes.shape[:2]
            click.echo(
                f"{path} -> {folder / pair.name}: {width} x {height}, gain {pair.shot.gain:.4g}", err=True
            )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error


def _check(sheet: Path, overwrite: bool) -> None:
    """Refuse a sheet that could not be written, before the work and not after it."""
    if sheet.suffix.lower() != ".png":
        raise UsageError(f"--sheet {sheet}: the contact sheet is a PNG file; name it .png")
    if sheet.exists() and not overwrite:
        raise OutputError(f"{sheet}: exists already; use --overwrite to replace it")
    if not sheet.parent.is_dir():
        raise OutputError(f"{sheet}: there is no folder {sheet.parent}; create it first")
