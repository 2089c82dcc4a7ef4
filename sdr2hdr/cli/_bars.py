"""Bars on a terminal, on stderr; nothing anywhere else."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sdr2hdr.jobs.job import Job
    from sdr2hdr.pipeline import Report
    from sdr2hdr.settings import Settings


def on_terminal() -> bool:
    """Whether a person sees stderr."""
    return sys.stderr is not None and sys.stderr.isatty()


def with_stages(job: "Job", settings: "Settings", hidden: bool) -> "Report":
    """Convert one picture, with a bar that names the stages, once it has taken a second."""
    from tqdm import tqdm

    from sdr2hdr.jobs.convert import STAGES, convert_file

    begun: list[str] = []
    with tqdm(
        desc=Path(job.source_name).name,
        total=len(STAGES),
        bar_format="{desc} |{bar:20}| {elapsed}{postfix}",
        disable=hidden or not on_terminal(),
        delay=1,
        miniters=0,
        leave=False,
    ) as bar:

        def show() -> None:
            if begun and begun[-1] in STAGES:
                bar.set_postfix_str(begun[-1], refresh=False)
                bar.update(STAGES.index(begun[-1]) - bar.n)

        with _ticking(show):
            return convert_file(job, settings, begun.append)


class Pictures:
    """A bar that counts pictures and says how long it will take; lines that are said meanwhile go above it."""

    def __init__(self, total: int, hidden: bool) -> None:
        self.shown = not hidden and on_terminal()
        if not self.shown:
            return
        from tqdm import tqdm
        from tqdm.contrib.logging import logging_redirect_tqdm

        self._open = ExitStack()
        self._bar = self._open.enter_context(
            tqdm(
                total=total,
                bar_format="{n_fmt}/{total_fmt} pictures |{bar:20}| {elapsed}, {remaining} left{postfix}",
                mininterval=0,  # pictures are slow enough
                miniters=1,
                leave=False,
            )
        )
        self._open.enter_context(logging_redirect_tqdm([logging.getLogger()]))

    def step(self, failed: int) -> None:
        """One more picture; `failed` of them so far."""
        if self.shown:
            if failed:
                self._bar.set_postfix_str(f"{failed} failed", refresh=False)
            self._bar.update()

    def say(self, line: str) -> None:
        """A line on stderr."""
        if self.shown:
            self._bar.write(line, file=sys.stderr)
        else:
            click.echo(line, err=True)

    def close(self) -> None:
        """Take the bar away; what is said after that is plain."""
        if self.shown:
            self.shown = False
            self._open.close()


@contextmanager
def _ticking(tick: Callable[[], object]) -> Iterator[None]:
    """Call `tick` now and then from a thread: the clock of a bar goes on while a stage takes its time."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(0.2):
            tick()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
