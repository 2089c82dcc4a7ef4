"""What people and programs are told of a batch: lines on stderr, JSON lines on stdout."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdr2hdr.cli._bars import Pictures

if TYPE_CHECKING:
    from sdr2hdr.jobs.job import Job, Output
    from sdr2hdr.jobs.outcome import Outcome, Result
    from sdr2hdr.pipeline import Report

_NAMED = 8  # files that a line about several names at most
_WORDS = {
    "planned": "to be done",
    "done": "done",
    "skipped": "skipped (finished already)",
    "failed": "failed",
}


@dataclass
class Telling:
    """One batch.

    total : pictures of it
    verbose, quiet, as_json : as the options
    """

    total: int
    verbose: int = 0
    quiet: bool = False
    as_json: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    status: int = 0

    def __post_init__(self) -> None:
        """Begin to count time."""
        self._begun = time.perf_counter()
        self._bar = Pictures(self.total, hidden=self.quiet)
        self._passed = 0

    def passed_over(self, paths: Sequence[Path], what: str) -> None:
        """Say in one line that these are left alone."""
        self._passed += len(paths)
        if paths and not self.quiet:
            names = ", ".join(printable(path) for path in paths[:_NAMED])
            more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
            self._bar.say(f"sdr2hdr: passed over, {what}: {names}{more}")

    def add(self, outcome: "Outcome") -> None:
        """Say what became of a picture, as far as it is to be said now."""
        self.counts[outcome.status] += 1
        if outcome.status == "failed":
            for message in outcome.failures:
                self.fail(message, outcome.code)
        elif self.verbose and outcome.report:
            self._bar.say(figures(outcome))
        elif self.verbose and outcome.status == "skipped":
            self._bar.say(f"{arrow(outcome.job)}: finished already")
        self.tell(outcome)
        self._bar.step(len(self.failures))

    def tell(self, outcome: "Outcome") -> None:
        """A picture's JSON line."""
        if self.as_json:
            click.echo(json.dumps(as_object(outcome)))

    def fail(self, message: str, code: int) -> None:
        """Say what failed, now and at the end again."""
        self.failures.append(message)
        self.status = max(self.status, code)
        self._bar.say(f"sdr2hdr: error: {message}")

    def close(self, ended: str = "") -> None:
        """The end: the failures again, and the summary; `ended` says why it came early."""
        self._bar.close()
        seconds = time.perf_counter() - self._begun
        left = self.total - sum(self.counts.values())
        if not self.quiet:
            for message in self.failures if self.total > 1 else ():
                click.echo(f"sdr2hdr: failed: {message}", err=True)
            words = [f"{self.counts[key]} {word}" for key, word in _WORDS.items() if self.counts[key]]
            words += [f"{left} not done"] if left else []
            click.echo(
                f"sdr2hdr: {f'{ended}; ' if ended else ''}{self.total} picture{'s' * (self.total != 1)} "
                f"in {seconds:.1f} s: {', '.join(words) or 'nothing done'}",
                err=True,
            )
        if self.as_json:
            counts = {key: self.counts[key] for key in ("done", "skipped", "failed")}
            summary = {**counts, "not_done": left, "passed_over": self._passed, "seconds": round(seconds, 3)}
            click.echo(json.dumps({"summary": {**summary, "ended": ended, "exit_status": self.status}}))


def as_object(outcome: "Outcome") -> dict[str, Any]:
    """One picture as the JSON lines have it."""
    job, report = outcome.job, outcome.report
    told: dict[str, Any] = {
        "source": str(job.source) if job.source else "-",
        "target": str(job.target) if job.target else "-",
        "status": outcome.status,
        "seconds": round(sum(report.seconds.values()), 3) if report else 0.0,
        "message": outcome.message,
        "outputs": [_output(result) for result in outcome.results],
    }
    if report:
        told |= {
            "clipped_share": round(report.clipped_share, 6),
            "threshold": round(report.tau, 4),
            **_levels(report),
            "stages": {stage: round(seconds, 3) for stage, seconds in report.seconds.items()},
        }
    return told


def _output(result: "Result") -> dict[str, Any]:
    output = result.output
    told: dict[str, Any] = {
        "target": str(output.target) if output.target else "-",
        "format": output.format,
        "status": result.status,
        "message": result.message,
    }
    return told | (_levels(result.report) if result.report else {})


def _levels(report: "Report") -> dict[str, float]:
    return {
        "peak_nits": report.peak_nits,
        "max_cll": round(report.max_cll, 2),
        "max_fall": round(report.max_fall, 2),
    }


def figures(outcome: "Outcome") -> str:
    """One line: what was found in a picture and how long it took."""
    report = outcome.report
    assert report
    stages = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in report.seconds.items())
    written = [result.output for result in outcome.results if result.report]
    return (
        f"{arrow(outcome.job, written)}: {100 * report.clipped_share:.2f} % clipped, "
        f"threshold {report.tau:.3f}, peak {report.peak_nits:.0f}, MaxCLL {report.max_cll:.0f}, "
        f"MaxFALL {report.max_fall:.0f} cd/m2; {sum(report.seconds.values()):.1f} s: {stages}"
    )


def arrow(job: "Job", outputs: "Sequence[Output] | None" = None) -> str:
    """From where to where; outputs: not all of the job's."""
    targets = [printable(output.target or "standard output") for output in outputs or job.outputs]
    return f"{printable(job.source_name)} -> {', '.join(targets)}"


def printable(name: str | Path) -> str:
    """A name on one line, whatever is in it."""
    return "".join(c if c.isprintable() else "?" for c in str(name))
