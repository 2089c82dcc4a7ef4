"""What became of a picture, and of every file of it."""

import errno
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sdr2hdr.errors import OutputError, Sdr2HdrError
from sdr2hdr.formats._source import one_line
from sdr2hdr.jobs.job import Job, Output

if TYPE_CHECKING:  # it imports PyTorch
    from sdr2hdr.pipeline import Report

DONE, SKIPPED, FAILED, PLANNED = "done", "skipped", "failed", "planned"
# After these every further picture would fail, too, for hours.
_HOPELESS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """What became of one file.

    status, message, code, hopeless : as in `Outcome`
    report : what was found; None unless done
    """

    output: Output
    status: str
    message: str = ""
    report: "Report | None" = None
    code: int = 0
    hopeless: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one picture.

    status : "failed": a file of it failed; "done": one was written, the others, if any, were finished already;
        "skipped": all were; "planned": by `batch.preview`
    message : why it failed, in one line; empty otherwise
    report : what was found in it, of the first file that was written, with the seconds of every stage for all of
        them; None if none was
    code : exit status that the failure stands for, 0 otherwise
    hopeless : no further picture could be written
    results : of every file, in their order
    """

    job: Job
    status: str
    message: str = ""
    report: "Report | None" = None
    code: int = 0
    hopeless: bool = False
    results: tuple[Result, ...] = ()

    @property
    def failures(self) -> list[str]:
        """Why files failed, each reason once."""
        said = [result.message for result in self.results if result.status == FAILED]
        return list(dict.fromkeys(said or [self.message] * (self.status == FAILED)))


def together(job: Job, results: Sequence[Result], seconds: dict[str, float] | None = None) -> Outcome:
    """The outcome of a picture from those of its files; `seconds` by stage of all that was done for it."""
    found = {result.status for result in results}
    status = next(status for status in (FAILED, DONE, PLANNED, SKIPPED) if status in found)
    message = next((result.message for result in results if result.status == FAILED), "")
    report = next((result.report for result in results if result.report), None)
    if report and seconds is not None:
        report = replace(report, seconds=seconds)
    code = max(result.code for result in results)
    hopeless = any(result.hopeless for result in results)
    return Outcome(job, status, message, report, code, hopeless, tuple(results))


def failed(job: Job, output: Output, error: Exception) -> Result:
    """The result of an error. One that nobody has foreseen is told as what it is, and the batch goes on."""
    cause = error.__cause__
    hopeless = isinstance(error, OutputError) and isinstance(cause, OSError) and cause.errno in _HOPELESS
    if isinstance(error, Sdr2HdrError):
        return Result(output, FAILED, one_line(error), code=error.status, hopeless=hopeless)
    log.debug("%s", job.source_name, exc_info=error)
    what = f"{type(error).__name__}: {error}".replace("\n", " ")
    message = one_line(f"{job.source_name}: {what}; a fault of sdr2hdr, please report it")
    return Result(output, FAILED, message, code=1)


def failure(job: Job, error: Exception) -> Outcome:
    """The outcome of an error that no file of the picture survives."""
    return together(job, [failed(job, output, error) for output in job.outputs])
