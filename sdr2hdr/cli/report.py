"""sdr2hdr report: SDR and HDR of a picture on an HTML page that needs nothing else."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdr2hdr.cli import _options
from sdr2hdr.cli._bars import Pictures
from sdr2hdr.cli._report import printable
from sdr2hdr.errors import OutputError, Sdr2HdrError, UsageError

if TYPE_CHECKING:
    from sdr2hdr.pipeline import Converter
    from sdr2hdr.report.pairs import Pair, Pairs

SIZE = 1600
SUFFIXES = (".html", ".htm")


@click.command()
@click.argument("paths", metavar="IN [HDR]...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="PAGE",
    required=True,
    type=click.Path(),
    help="The page, NAME.html; or a folder for several, with an index.html; made if it is not there.",
)
@click.option(
    "--size",
    type=click.IntRange(64, 8192),
    metavar="PIXELS",
    default=SIZE,
    show_default=True,
    help="Long side of the picture in the page, at most; a page stays below 6 MB.",
)
@click.option("-r", "--recursive", is_flag=True, help="Look into the sub-folders of folders, too.")
@_options.method
@_options.max_pixels
@click.option("-y", "--overwrite", is_flag=True, help="Replace pages that exist.")
@_options.verbosity
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: tuple[Path, ...],
    output: str,
    size: int,
    recursive: bool,
    max_pixels: int | None,
    overwrite: bool,
    verbose: int,
    quiet: bool,
    **method: Any,
) -> None:
    """Show SDR and HDR of pictures on HTML pages: sliders, false colours, levels of every pixel.

    \b
    sdr2hdr report photo.jpg -o page.html              converted for the page
    sdr2hdr report photo.jpg photo.exr -o page.html    with an HDR file that is there
    sdr2hdr report photos/ hdr/ -o pages/              folders, paired by name

    IN is an SDR picture, HDR any HDR file of it, of any origin. A page needs no network and no HDR screen; on one it
    also shows the real thing. Look and peak are those of a display format unless you say otherwise.
    """
    _options.set_verbosity(verbose, quiet)
    one_page = len([path for path in paths if os.path.isdir(path)]) == 0 and _is_page(output)

    from sdr2hdr.report import pairs

    found = pairs.find(paths, recursive, one_page)
    single = one_page and len(found.pairs) == 1
    index, pages = _places(output, found, single)
    _refuse([*pages, *([index] if index else [])], overwrite)
    nets = _nets(method) if any(pair.hdr is None for pair in found.pairs) else None
    work = _Work(nets, size, max_pixels, overwrite)
    if index is None:
        work.make(found.pairs[0], pages[0], None)
        if verbose:
            click.echo(work.said, err=True)
        return
    context.exit(_many(work, found, pages, index, verbose, quiet))


class _Work:
    """What every page needs."""

    def __init__(self, nets: "Converter | None", size: int, max_pixels: int | None, overwrite: bool) -> None:
        from sdr2hdr.formats import MAX_PIXELS

        self.nets, self.size, self.overwrite = nets, size, overwrite
        self.max_pixels = max_pixels or MAX_PIXELS
        self.said = ""

    def make(self, pair: "Pair", page: Path, index: Path | None) -> Any:
        """Write one page; its entry for the list, if there is one."""
        from sdr2hdr.formats._atomic import write_atomic
        from sdr2hdr.report import index as listing
        from sdr2hdr.report import page as paper
        from sdr2hdr.report import subject

        if pair.hdr is not None:
            shown = subject.compared(pair.sdr, pair.hdr, self.size, self.max_pixels)
        else:
            assert self.nets is not None
            shown = subject.converted(pair.sdr, self.nets, self.size, self.max_pixels)
        data = paper.page(shown, listing.address(index, page.parent) if index else "")
        write_atomic(page, data, overwrite=self.overwrite)
        self.said = f"{printable(pair.sdr)} -> {printable(page)}: {len(data) / 1e6:.1f} MB"
        return listing.entry(shown, page, index) if index else None


def _many(work: _Work, found: "Pairs", pages: list[Path], index: Path, verbose: int, quiet: bool) -> int:
    """Pages and their list; a picture that fails is told, and the others are done. The exit status."""
    from sdr2hdr.formats._atomic import write_atomic
    from sdr2hdr.report import index as listing

    bar = Pictures(len(pages), hidden=quiet)
    failures = [str(error) for error in found.failed]
    status = max((error.status for error in found.failed), default=0)
    entries = []
    for words, passed in (
        ("no SDR pictures", found.passed),
        ("folders (-r looks into them)", found.unsearched),
    ):
        if passed and verbose:
            bar.say(f"sdr2hdr: passed over, {words}: {', '.join(map(printable, passed))}")
    for message in failures:
        bar.say(f"sdr2hdr: error: {message}")
    for pair, page in zip(found.pairs, pages, strict=True):
        try:
            _make(page.parent)
            entries.append(work.make(pair, page, index))
            if verbose:
                bar.say(work.said)
        except Sdr2HdrError as error:
            failures.append(printable(str(error)))
            status = max(status, error.status)
            bar.say(f"sdr2hdr: error: {failures[-1]}")
        bar.step(len(failures))
    bar.close()
    if entries:
        write_atomic(index, listing.index(entries, failures), overwrite=work.overwrite)
    return status


def _nets(method: dict[str, Any]) -> "Converter":
    from sdr2hdr.jobs import convert, looks
    from sdr2hdr.settings import Settings

    own = {"look": looks.look("uhdr", method["weights"]), "peak_nits": looks.peak_nits("uhdr")}
    return convert.converter(Settings(**{**own, **{k: v for k, v in method.items() if v is not None}}))


def _is_page(output: str) -> bool:
    return Path(output).suffix.lower() in SUFFIXES and not os.path.isdir(output)


def _places(output: str, found: "Pairs", single: bool) -> tuple[Path | None, list[Path]]:
    """Where the list goes, if there is one, and where the pages go."""
    target = Path(output)
    if single:
        return None, [target]
    if _is_page(output):
        folder = target.with_name(f"{target.stem}_files")
        return target, [folder / pair.place for pair in found.pairs]
    if target.suffix and not output.endswith(os.sep) and not target.is_dir():
        raise UsageError(f"{output}: a report is an HTML page; name it .html, or name a folder")
    return target / "index.html", [target / pair.place for pair in found.pairs]


def _refuse(targets: list[Path], overwrite: bool) -> None:
    """Find out before the work what would fail after it."""
    for target in targets:
        if os.path.lexists(target) and not overwrite:
            raise OutputError(f"{target}: exists already; use --overwrite to replace it")
    if len(targets) == 1 and not targets[0].parent.is_dir():
        raise OutputError(f"{targets[0]}: there is no folder {targets[0].parent}; create it first")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
