"""sdr2hdr convert: pictures in, HDR files out."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdr2hdr.cli import _bars, _options, _planning
from sdr2hdr.cli._report import Telling, arrow, figures
from sdr2hdr.errors import OutputError, Sdr2HdrError

if TYPE_CHECKING:
    from sdr2hdr.jobs.job import Job
    from sdr2hdr.jobs.outcome import Outcome
    from sdr2hdr.settings import Settings


@click.command()
@click.argument("paths", metavar="SRC... DST", nargs=-1, required=True, type=click.Path())
@_options.batch
@_options.method
@_options.encoding
@_options.eyes
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
    bits: str | None,
    strip: bool,
    max_pixels: int | None,
    overwrite: bool,
    verbose: int,
    quiet: bool,
    look: str | None,
    peak_nits: float | None,
    preview: str | None,
    tonemap: str | None,
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
    sdr2hdr convert photo.jpg -o hdr/ --format exr,png     several formats
    sdr2hdr convert - - < a.jpg > a.exr      a pipe

    SRC is an SDR picture or a folder of them; DST is a file, whose suffix says the format, or a folder. A dash reads
    standard input or writes standard output. `sdr2hdr info` lists the formats.

    Finished files are skipped, so that the same command goes on where it was broken off: a file is finished if the
    recipe in it has these options, these weights and this source.
    """
    _options.set_verbosity(verbose, quiet)
    sources, target, batch = _planning.ends(paths, folder, format_name)
    eyes = {kind: words for kind, words in (("preview", preview), ("tonemap", tonemap)) if words}
    wanted = _planning.Wanted(sources, target, batch, format_name, look, peak_nits, eyes)
    _planning.refuse_streams(wanted, as_json)

    from sdr2hdr import formats
    from sdr2hdr.jobs.job import Job

    template = Job(
        source=None,
        target=None,
        options=formats.EncodeOptions(
            half=not full_float, primaries=primaries, strip=strip, bits=int(bits) if bits else None
        ),
        max_pixels=max_pixels or formats.MAX_PIXELS,
        overwrite=overwrite,
    )
    if batch:
        found, jobs, skipped, settings = _planning.many(wanted, template, method, recursive, extensions)
        telling = Telling(len(jobs), verbose, quiet, as_json)
        telling.passed_over(skipped, "no pictures by their names")
        telling.passed_over(found.unsearched, "folders (-r looks into them)")
        for error in found.failed:
            telling.fail(str(error), error.status)
        _many(jobs, settings, telling, at_once, fail_fast, dry_run)
    else:
        job, settings = _planning.single(wanted, template, method)
        telling = Telling(1, verbose, quiet=True, as_json=as_json)
        _one(job, settings, telling, quiet, dry_run)
    context.exit(telling.status)


def _one(job: "Job", settings: "Settings", telling: Telling, quiet: bool, dry_run: bool) -> None:
    """A picture that was named alone: it has a bar of its stages, and no summary but in JSON."""
    from sdr2hdr.jobs import finished, outcome
    from sdr2hdr.jobs.job import EYES

    try:
        left = finished.left_alone(job, settings)
        seen = [outcome.Result(output, outcome.SKIPPED) for output in job.outputs if output not in left]
        if not left and not quiet:
            click.echo(f"sdr2hdr: {arrow(job)}: finished already; --overwrite makes it anew", err=True)
        if left and dry_run:
            seen += [outcome.Result(output, outcome.PLANNED) for output in left]
        elif left:
            _make(output.target.parent for output in left if output.format in EYES and output.target)
            report = _bars.with_stages(job.only(left), settings, hidden=quiet)
            seen += [outcome.Result(output, outcome.DONE, report=report) for output in left]
        told = outcome.together(job, sorted(seen, key=lambda result: job.outputs.index(result.output)))
        _show_planned(told, telling)
    except Sdr2HdrError as error:
        if telling.as_json:
            telling.counts[outcome.FAILED] += 1
            telling.status = error.status
            telling.tell(outcome.failure(job, error))
            telling.close()
        raise
    if telling.verbose and told.report:
        click.echo(figures(told), err=True)
    telling.verbose = 0
    telling.add(told)
    telling.close()


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
        _make(output.target.parent for job in left for output in job.outputs if output.target)
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
    """Lines of a dry run, which are what was asked for: data, on standard output."""
    for result in outcome.results:
        if result.status == "planned" and not telling.as_json:
            click.echo(arrow(outcome.job, [result.output]))


def _make(folders: Iterable[Path]) -> None:
    for folder in dict.fromkeys(folders):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: this folder cannot be made ({error.strerror}); choose another place"
            ) from error
