"""sdr2hdr convert: pictures in, HDR files out."""

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdr2hdr.cli import _bars, _options
from sdr2hdr.cli._report import Telling, arrow, figures
from sdr2hdr.errors import OutputError, Sdr2HdrError, UsageError

if TYPE_CHECKING:
    from sdr2hdr.jobs.batch import Outcome
    from sdr2hdr.jobs.convert import Job
    from sdr2hdr.jobs.plan import Found
    from sdr2hdr.settings import Settings

PIPE = "-"


@click.command()
@click.argument("paths", metavar="SRC... DST", nargs=-1, required=True, type=click.Path())
@_options.batch
@_options.method
@_options.encoding
@_options.max_pixels
@click.option(
    "-y",
    "--overwrite",
    is_flag=True,
    help="Replace files that exist; in a batch, those that are not finished.",
)
@_options.verbosity
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: tuple[str, ...],
    folder: str | None,
    format_name: str | None,
    primaries: str,
    full_float: bool,
    strip: bool,
    max_pixels: int | None,
    overwrite: bool,
    verbose: int,
    quiet: bool,
    peak_nits: float | None,
    recursive: bool,
    extensions: tuple[str, ...],
    at_once: int | None,
    dry_run: bool,
    fail_fast: bool,
    as_json: bool,
    **method: Any,
) -> None:
    """Convert SDR pictures to HDR files.

    \b
    sdr2hdr convert photo.jpg photo.exr      a picture to a file
    sdr2hdr convert a.jpg b.png hdr/         pictures into a folder
    sdr2hdr convert -r photos/ hdr/          a tree, mirrored
    sdr2hdr convert - - < a.jpg > a.exr      a pipe

    SRC is a PNG, JPEG, TIFF, WebP or BMP file, or a folder of them. DST ends in .exr (linear light, 1.0 = 203 cd/m2,
    BT.2020) or .tif (16 bit, PQ), or is a folder. A dash reads standard input or writes standard output.

    Finished pictures are skipped, so that the same command goes on where it was broken off: a file is finished if the
    recipe in it has these options, these weights and this source.
    """
    _options.set_verbosity(verbose, quiet)
    sources, target = _ends(paths, folder)
    batch = folder is not None or len(sources) > 1 or os.path.isdir(sources[0])
    batch = batch or (target.endswith(os.sep) and sources[0] != PIPE)  # a folder that may have to be made
    _refuse_streams(sources, target, batch, as_json)

    from sdr2hdr import formats
    from sdr2hdr.jobs import convert
    from sdr2hdr.settings import Settings

    template = convert.Job(
        source=None,
        target=None,
        options=formats.EncodeOptions(half=not full_float, primaries=primaries, strip=strip),
        max_pixels=max_pixels or formats.MAX_PIXELS,
        overwrite=overwrite,
    )
    path, name = convert.resolve(_path(sources[0]), None if batch else _path(target), format_name)
    template = replace(template, format=name)
    peak = formats.encoder(name).PEAK_NITS if peak_nits is None else peak_nits
    settings = Settings(peak_nits=peak, **method)
    if batch:
        found, jobs, skipped = _plan(
            [Path(source) for source in sources], Path(target), template, recursive, extensions
        )
        telling = Telling(len(jobs), verbose, quiet, as_json)
        telling.passed_over(skipped, "no pictures by their names")
        telling.passed_over(found.unsearched, "folders (-r looks into them)")
        for error in found.failed:
            telling.fail(str(error), error.status)
        _many(jobs, settings, telling, at_once, fail_fast, dry_run)
    else:
        job = replace(template, source=_path(sources[0]), target=path)
        telling = Telling(1, verbose, quiet=True, as_json=as_json)
        _one(job, settings, telling, quiet, dry_run)
    context.exit(telling.status)


def _ends(paths: tuple[str, ...], folder: str | None) -> tuple[Sequence[str], str]:
    """Sources and target; the last of the paths is the target unless -t says it."""
    if folder is not None:
        return paths, folder
    if len(paths) < 2:
        raise click.UsageError("Missing argument 'DST'.", click.get_current_context())
    return paths[:-1], paths[-1]


def _refuse_streams(sources: Sequence[str], target: str, batch: bool, as_json: bool) -> None:
    if batch and (PIPE in sources or target == PIPE):
        raise UsageError(
            "several pictures and a dash; pipes take one picture at a time, name files and a folder"
        )
    if PIPE in sources and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("SRC is -, but standard input is a terminal; pipe a picture into it or name a file")
    if target == PIPE and as_json:
        raise UsageError("DST is -, and --json writes to standard output, too; name a file")
    if target == PIPE and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError("DST is -, but standard output is a terminal; redirect it or name a file")


def _path(word: str) -> Path | None:
    return None if word == PIPE else Path(word)


def _one(job: "Job", settings: "Settings", telling: Telling, quiet: bool, dry_run: bool) -> None:
    """A picture that was named alone: it has a bar of its stages, and no summary but in JSON."""
    from sdr2hdr.jobs import batch, finished

    try:
        if finished.finished_alone(job, settings):
            outcome = batch.Outcome(job, batch.SKIPPED)
            if not quiet:
                click.echo(f"sdr2hdr: {arrow(job)}: finished already; --overwrite makes it anew", err=True)
        elif dry_run:
            outcome = batch.Outcome(job, batch.PLANNED)
            _show_planned(outcome, telling)
        else:
            outcome = batch.Outcome(job, batch.DONE, report=_bars.with_stages(job, settings, hidden=quiet))
    except Sdr2HdrError as error:
        if telling.as_json:
            telling.counts[batch.FAILED] += 1
            telling.status = error.status
            telling.tell(batch.failure(job, error))
            telling.close()
        raise
    if telling.verbose and outcome.report:
        click.echo(figures(job, outcome.report), err=True)
    telling.verbose = 0
    telling.add(outcome)
    telling.close()


def _plan(
    paths: Sequence[Path], folder: Path, template: "Job", recursive: bool, extensions: tuple[str, ...]
) -> "tuple[Found, list[Job], list[Path]]":
    """Names into jobs; whatever stands against the whole of them is found here."""
    from sdr2hdr import formats
    from sdr2hdr.jobs import obstacles, plan

    if folder.suffix and not folder.exists() and folder.suffix.lower() in _suffixes(formats.writers()):
        raise UsageError(f"{folder}: is the name of a file, and several pictures need a folder; name one")
    wanted = [f".{word.strip().lstrip('.').lower()}" for words in extensions for word in words.split(",")]
    plan.refuse_nesting(paths, folder, recursive)
    found = plan.find(paths, recursive)
    suffix = formats.encoder(template.format).EXTENSIONS[0]
    planned = plan.plan(found.sources, folder, template, suffix, wanted or _suffixes(formats.readers()))
    plan.refuse_collisions(planned.collisions)
    if not planned.jobs and not found.failed and any(os.path.isdir(path) for path in paths):
        cure = "-r looks into its sub-folders" if found.unsearched else "name another folder, or --ext"
        raise UsageError(f"{paths[0]}: no pictures in it; {cure}")
    obstacles.refuse(planned.jobs)
    return found, planned.jobs, planned.skipped


def _suffixes(modules: dict[str, Any]) -> list[str]:
    return [suffix for module in modules.values() for suffix in module.EXTENSIONS]


def _many(
    jobs: "list[Job]",
    settings: "Settings",
    telling: Telling,
    at_once: int | None,
    fail_fast: bool,
    dry_run: bool,
) -> None:
    """The batch; `telling` holds what became of it."""
    from sdr2hdr.jobs import batch, obstacles

    unreadable = {id(job): error for job, error in obstacles.unreadable(jobs)}
    for job in jobs:
        if error := unreadable.get(id(job)):
            telling.add(batch.failure(job, error))
    left = [job for job in jobs if id(job) not in unreadable]
    if fail_fast and telling.failures:
        return telling.close("stopped at the first failure")
    if not dry_run:
        _make(dict.fromkeys(job.target.parent for job in left if job.target))
    ended = ""
    try:
        with closing(
            batch.preview(left, settings) if dry_run else batch.run(left, settings, at_once)
        ) as outcomes:
            for outcome in outcomes:
                _show_planned(outcome, telling)
                telling.add(outcome)
                if outcome.hopeless or (fail_fast and telling.failures):
                    ended = "stopped, nothing can be written there any more" if outcome.hopeless else ""
                    ended = ended or "stopped at the first failure"
                    break
    except BaseException as error:
        if not isinstance(error, Exception):  # a signal: the summary is said, and the process dies of it
            telling.close("interrupted, the same command goes on from here")
        raise
    telling.close(ended)


def _show_planned(outcome: "Outcome", telling: Telling) -> None:
    """A line of a dry run, which is what was asked for: data, on standard output."""
    if outcome.status == "planned" and not telling.as_json:
        click.echo(arrow(outcome.job))


def _make(folders: "Sequence[Path] | dict[Path, None]") -> None:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: this folder cannot be made ({error.strerror}); choose another place"
            ) from error
