"""From what was typed to jobs: sources, targets, formats, looks and peaks; nothing is read or written."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdr2hdr.errors import UsageError

if TYPE_CHECKING:
    from sdr2hdr.jobs.job import Job, Output
    from sdr2hdr.jobs.plan import Found
    from sdr2hdr.settings import Settings

PIPE = "-"


@dataclass(frozen=True)
class Wanted:
    """What is to become of the pictures, as it was typed.

    sources, target : DST or -o, a dash is a pipe
    batch : whether the target is a folder, and files in it are named by the program
    formats, look, peak_nits : None: not said
    eyes : files or folders of `sdr2hdr.jobs.job.EYES`, those that were asked for
    """

    sources: Sequence[str]
    target: str
    batch: bool
    formats: str | None
    look: str | None
    peak_nits: float | None
    eyes: dict[str, str]


def ends(
    paths: tuple[str, ...], folder: str | None, format_name: str | None
) -> tuple[Sequence[str], str, bool]:
    """Sources, target, and whether this is a batch; the last of the paths is the target unless -o says it."""
    if folder is None and len(paths) < 2:
        raise click.UsageError("Missing argument 'DST'.", click.get_current_context())
    sources, target = (paths, folder) if folder is not None else (paths[:-1], paths[-1])
    several = len(sources) > 1 or os.path.isdir(sources[0]) or "," in (format_name or "")
    if target == PIPE or sources[0] == PIPE:
        return sources, target, several
    if folder is not None and not several:
        from sdr2hdr import formats

        suffix = Path(target).suffix.lower()
        several = os.path.isdir(target) or suffix not in suffixes(formats.writers())
    # with a slash at its end it is a folder that may have to be made
    return sources, target, several or target.endswith(os.sep)


def refuse_streams(wanted: Wanted, as_json: bool) -> None:
    """Pipes that cannot be.

    Raises
    ------
    UsageError
        Several pictures or files for one pipe; a terminal at its end; two sorts of data in one.
    """
    source, target = PIPE in wanted.sources, wanted.target == PIPE
    if wanted.batch and (source or target):
        several = len(wanted.sources) > 1 or os.path.isdir(wanted.sources[0])
        what = "several pictures" if several else "several formats"
        raise UsageError(f"{what} and a dash; pipes take one at a time, name files and a folder")
    if source and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("SRC is -, but standard input is a terminal; pipe a picture into it or name a file")
    if target and as_json:
        raise UsageError("DST is -, and --json writes to standard output, too; name a file")
    if target and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError("DST is -, but standard output is a terminal; redirect it or name a file")


def single(wanted: Wanted, template: "Job", method: dict[str, Any]) -> "tuple[Job, Settings]":
    """The job of one picture that was named alone, and the settings."""
    from sdr2hdr.jobs import naming

    source = path(wanted.sources[0])
    target, name = naming.resolve(source, path(wanted.target), wanted.formats)
    template, settings = _by_format(wanted, template, [name], method)
    eyes = [
        replace(_eye(kind), target=naming.beside(kind, words, source)) for kind, words in wanted.eyes.items()
    ]
    job = replace(template, source=source, target=target, more=tuple(eyes))
    _refuse_same(job)
    return job, settings


def many(
    wanted: Wanted, template: "Job", method: dict[str, Any], recursive: bool, extensions: tuple[str, ...]
) -> "tuple[Found, list[Job], list[Path], Settings]":
    """Jobs of a batch, what was passed over, and the settings; what stands against the whole of them is found here."""
    from sdr2hdr import formats
    from sdr2hdr.jobs import naming, obstacles, plan
    from sdr2hdr.jobs.job import DEFAULT_FORMAT, EYES

    names = naming.named(wanted.formats) or [DEFAULT_FORMAT]
    template, settings = _by_format(wanted, template, names, method)
    paths, folder = [Path(source) for source in wanted.sources], Path(wanted.target)
    if folder.suffix and not folder.exists() and folder.suffix.lower() in suffixes(formats.writers()):
        what = "several formats" if len(names) > 1 else "several pictures"
        raise UsageError(f"{folder}: is the name of a file, and {what} need a folder; name one")
    first, *others = [formats.encoder(name).EXTENSIONS[0] for name in names]
    further = [
        plan.Further(output, folder, suffix) for output, suffix in zip(template.more, others, strict=True)
    ]
    alone = len(paths) == 1 and not os.path.isdir(paths[0])
    for kind, words in wanted.eyes.items():
        if alone and naming.is_file(kind, words):
            file = Path(words)
            further.append(plan.Further(_eye(kind), file.parent, file.suffix, file))
        else:
            further.append(plan.Further(_eye(kind), naming.folder_beside(kind, words), EYES[kind]))
    for place in dict.fromkeys([folder, *(one.folder for one in further)]):
        plan.refuse_nesting(paths, place, recursive)
    taken = [f".{word.strip().lstrip('.').lower()}" for words in extensions for word in words.split(",")]
    found = plan.find(paths, recursive)
    planned = plan.plan(found.sources, folder, template, first, taken or suffixes(formats.readers()), further)
    plan.refuse_collisions(planned.collisions)
    if not planned.jobs and not found.failed and any(os.path.isdir(one) for one in paths):
        cure = "-r looks into its sub-folders" if found.unsearched else "name another folder, or --ext"
        raise UsageError(f"{paths[0]}: no pictures in it; {cure}")
    obstacles.refuse(planned.jobs)
    return found, planned.jobs, planned.skipped, settings


def _by_format(
    wanted: Wanted, template: "Job", names: list[str], method: dict[str, Any]
) -> "tuple[Job, Settings]":
    """The settings of the first format, and the template with what the others want instead."""
    from sdr2hdr.jobs import looks, obstacles
    from sdr2hdr.jobs.job import Output
    from sdr2hdr.settings import Settings

    obstacles.refuse_missing(names)
    own = [
        Output(
            None,
            name,
            wanted.look or looks.look(name, method["weights"]),
            looks.peak_nits(name) if wanted.peak_nits is None else wanted.peak_nits,
        )
        for name in names
    ]
    settings, *_ = [output.settings(Settings(**method)) for output in own]
    return replace(template, format=names[0], more=tuple(own[1:])), settings


def _eye(kind: str) -> "Output":
    """A preview or a tone-mapped version: of the first format's light."""
    from sdr2hdr.jobs.job import Output

    return Output(None, kind)


def _refuse_same(job: "Job") -> None:
    targets = [os.path.abspath(output.target) for output in job.outputs if output.target]
    if job.source and os.path.abspath(job.source) in targets:
        raise UsageError(f"{job.source}: would be replaced by its own result; choose another name or folder")
    for target in targets:
        if targets.count(target) > 1:
            raise UsageError(
                f"{job.source_name}: two of its files would both become {target}; name them apart"
            )


def path(word: str) -> Path | None:
    """A path; None for a pipe."""
    return None if word == PIPE else Path(word)


def suffixes(modules: dict[str, Any]) -> list[str]:
    """Of all these formats."""
    return [suffix for module in modules.values() for suffix in module.EXTENSIONS]
