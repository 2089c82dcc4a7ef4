"""Whether a picture is finished: told by the recipe in its file, never by the file's being there.

Files are complete or absent, and one that was cut off later (a copy that was broken off) counts as none. The recipe
holds all that the result depends on: version, options, hashes of the weights, and the SHA-256 of the source's bytes.
The source's time is not in it: a copy is the same picture, and equal calls are to give equal bytes.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sdr2hdr import formats
from sdr2hdr.errors import InputError, OutputError
from sdr2hdr.jobs.convert import converter
from sdr2hdr.jobs.job import Job, Output
from sdr2hdr.settings import Settings

if TYPE_CHECKING:  # it imports PyTorch
    from sdr2hdr.pipeline import Converter


Digest = Callable[[Path], str]


def finished(job: Job, nets: "Converter", digest: Digest = formats.digest) -> bool:
    """Whether the job's first file is what the job would write; False if it is not there, or if it may be replaced.

    Parameters
    ----------
    digest : of the source; a cached one for a job of several files

    Raises
    ------
    OutputError
        The file is something else, and may not be replaced.
    InputError
        The source cannot be read.
    """
    if job.source is None or job.target is None or not os.path.lexists(job.target):
        return False
    why = _different(job, nets, digest)
    if why and not job.overwrite:
        raise OutputError(f"{job.target}: exists already, {why}; use --overwrite to replace it")
    return not why


def finished_alone(job: Job, settings: Settings) -> bool:
    """Whether nothing is left to be done for the only picture of a call; see `left_alone`."""
    return not left_alone(job, settings)


def left_alone(job: Job, settings: Settings) -> list[Output]:
    """Files of a call's only picture that are not finished. Nothing is loaded unless there is something to compare.

    With `overwrite` a picture that was named alone is always made anew.

    Raises
    ------
    OutputError, InputError, WeightsError, UsageError
        As `finished` and `converter` do.
    """
    if job.overwrite or job.source is None:
        return list(job.outputs)
    left = []
    for output in job.outputs:
        ours = output.target is not None and formats.recorded(output.target, output.encoder)
        if not ours or not finished(job.only([output]), converter(output.settings(settings))):
            left.append(output)
    return left


def _different(job: Job, nets: "Converter", digest: Digest) -> str:
    """What is different in the target, in words; empty if it is finished."""
    assert job.source is not None
    assert job.target is not None
    encoder = job.outputs[0].encoder
    recorded = formats.recorded(job.target, encoder)
    if not recorded:
        return "which is no complete file of sdr2hdr"
    wanted = formats.recipe(encoder, nets.recipe(), job.options)
    for key in sorted(wanted | recorded):
        if key != "source" and wanted.get(key) != recorded.get(key):
            return f"made with {key} {recorded.get(key, 'unset')} instead of {wanted.get(key, 'unset')}"
    try:
        current = digest(job.source)
    except OSError as error:
        raise InputError(
            f"{job.source}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error
    return (
        ""
        if recorded.get("source") == current
        else "made from another picture, or from this one before it changed"
    )
