"""Whether a picture is finished: told by the recipe in its file, never by the file's being there.

Files are complete or absent, and one that was cut off later (a copy that was broken off) counts as none. The recipe
holds all that the result depends on: version, options, hashes of the weights, and the SHA-256 of the source's bytes.
The source's time is not in it: a copy is the same picture, and equal calls are to give equal bytes.
"""

import os
from typing import TYPE_CHECKING

from sdr2hdr import formats
from sdr2hdr.errors import InputError, OutputError
from sdr2hdr.jobs.convert import Job, converter
from sdr2hdr.settings import Settings

if TYPE_CHECKING:  # it imports PyTorch
    from sdr2hdr.pipeline import Converter


def finished(job: Job, nets: "Converter") -> bool:
    """Whether the job's target is what the job would write; False if there is none, or if it may be replaced.

    Raises
    ------
    OutputError
        The target is something else, and may not be replaced.
    InputError
        The source cannot be read.
    """
    if job.source is None or job.target is None or not os.path.lexists(job.target):
        return False
    why = _different(job, nets)
    if why and not job.overwrite:
        raise OutputError(f"{job.target}: exists already, {why}; use --overwrite to replace it")
    return not why


def finished_alone(job: Job, settings: Settings) -> bool:
    """`finished` for the only picture of a call: nothing is loaded unless there is something to compare.

    With `overwrite` a picture that was named alone is always made anew.

    Raises
    ------
    OutputError, InputError, WeightsError, UsageError
        As `finished` and `converter` do.
    """
    if job.overwrite or job.source is None or job.target is None:
        return False
    return bool(formats.recorded(job.target, job.format)) and finished(job, converter(settings))


def _different(job: Job, nets: "Converter") -> str:
    """What is different in the target, in words; empty if it is finished."""
    assert job.source is not None
    assert job.target is not None
    recorded = formats.recorded(job.target, job.format)
    if not recorded:
        return "which is no complete file of sdr2hdr"
    wanted = formats.recipe(job.format, nets.recipe(), job.options)
    for key in sorted(wanted | recorded):
        if key != "source" and wanted.get(key) != recorded.get(key):
            return f"made with {key} {recorded.get(key, 'unset')} instead of {wanted.get(key, 'unset')}"
    try:
        digest = formats.digest(job.source)
    except OSError as error:
        raise InputError(
            f"{job.source}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error
    return (
        ""
        if recorded.get("source") == digest
        else "made from another picture, or from this one before it changed"
    )
