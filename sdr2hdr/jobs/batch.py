"""Many pictures with one set of nets: reading, computing and writing overlap, and memory stays bounded.

A thread reads ahead; `at_once` threads compute, each with its share of PyTorch's threads; as many write. On a CPU two
pictures side by side are faster than one after the other with all threads: they do not wait for each other at every
layer, as the threads of one picture do, and the one fills the gaps that the other leaves. `Belt.room` bounds the
pictures in memory, whatever the number of jobs.
"""

import errno
import functools
import logging
import os
import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sdr2hdr.errors import OutputError, Sdr2HdrError
from sdr2hdr.formats._atomic import sweep
from sdr2hdr.formats._source import one_line
from sdr2hdr.jobs.convert import Job, compute, converter, read, write
from sdr2hdr.jobs.finished import finished
from sdr2hdr.settings import Settings

if TYPE_CHECKING:
    from sdr2hdr.image import HdrImage, SdrImage
    from sdr2hdr.pipeline import Converter, Report

AT_ONCE = 2  # more gave nothing on CPUs, and each takes the memory of a picture
DONE, SKIPPED, FAILED, PLANNED = "done", "skipped", "failed", "planned"
# After these every further picture would fail, too, for hours.
_HOPELESS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one picture.

    status : "done"; "skipped": it was finished already; "failed"; "planned": by `preview`
    message : why it failed, in one line; empty otherwise
    report : what was found in it, with the seconds of every stage; None unless done
    code : exit status that the failure stands for, 0 otherwise
    hopeless : no further picture could be written
    """

    job: Job
    status: str
    message: str = ""
    report: "Report | None" = None
    code: int = 0
    hopeless: bool = False


def run(
    jobs: Sequence[Job], settings: Settings, at_once: int | None = None
) -> Generator[Outcome, None, None]:
    """Convert pictures; yields what became of each as it is done, not in their order.

    A picture that fails is an outcome, and the others are converted. Closing the generator ends the batch: no further
    picture is written from then on, and none is half-written.

    Parameters
    ----------
    at_once : pictures that are computed side by side; two more may be in memory, read or to be written. None: 2 on a
        CPU with two threads or more, else 1

    Raises
    ------
    WeightsError, UsageError
        The nets cannot be loaded; before the first outcome.
    Sdr2HdrError
        There is not even memory for the threads.
    """
    for folder in {job.target.parent for job in jobs if job.target}:
        sweep(folder)
    belt = _Belt(jobs, at_once)
    patient = True
    try:
        belt.start(settings)
        ended = 0
        while ended < belt.width:
            outcome = belt.outcomes.get()
            if isinstance(outcome, BaseException):
                raise outcome
            if outcome is None:
                ended += 1
            else:
                yield outcome
    except GeneratorExit:
        raise
    except BaseException:  # a signal: whoever waits at the keyboard waits for no picture
        patient = False
        raise
    finally:
        belt.stop(patient)


def preview(jobs: Sequence[Job], settings: Settings) -> Generator[Outcome, None, None]:
    """What `run` would do, in the order of the jobs; nets are loaded only where a target is there to compare with.

    Raises
    ------
    WeightsError, UsageError
        As for `run`.
    """
    for job in jobs:
        outcome = Outcome(job, PLANNED)
        if job.target is not None and os.path.lexists(job.target):
            nets = converter(settings)
            try:
                if finished(job, nets):
                    outcome = Outcome(job, SKIPPED)
            except Sdr2HdrError as error:
                outcome = failure(job, error)
        yield outcome


def failure(job: Job, error: Exception) -> Outcome:
    """The outcome of an error. One that nobody has foreseen is told as what it is, and the batch goes on."""
    cause = error.__cause__
    hopeless = isinstance(error, OutputError) and isinstance(cause, OSError) and cause.errno in _HOPELESS
    if isinstance(error, Sdr2HdrError):
        return Outcome(job, FAILED, one_line(error), code=error.status, hopeless=hopeless)
    log.debug("%s", job.source_name, exc_info=error)
    what = f"{type(error).__name__}: {error}".replace("\n", " ")
    return Outcome(
        job, FAILED, one_line(f"{job.source_name}: {what}; a fault of sdr2hdr, please report it"), code=1
    )


class _Belt:
    """The threads and what goes between them. The queues have no bound of their own: `room` has.

    The reader ends by a None for every computing thread, each of these by one for a writer, each writer by one for
    `run`; so what is still under way always comes before the end.
    """

    def __init__(self, jobs: Sequence[Job], at_once: int | None) -> None:
        self.jobs = jobs
        self.at_once = at_once
        self.width = 1  # threads that compute, and that write; known when the nets are loaded
        self.room = threading.Semaphore((at_once or AT_ONCE) + 2)
        self.stopped = threading.Event()
        self.nets: Future[Converter] = Future()
        self.read: queue.SimpleQueue[tuple[Job, SdrImage, float] | None] = queue.SimpleQueue()
        self.computed: queue.SimpleQueue[tuple[Job, HdrImage, Report] | None] = queue.SimpleQueue()
        self.outcomes: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()
        self.threads: list[threading.Thread] = []
        self.writing: list[threading.Lock] = []
        self.before = 0  # PyTorch's threads, to be put back

    def start(self, settings: Settings) -> None:
        """Load the nets while the first pictures are read, then compute."""
        self._thread(self._reader)
        try:
            nets = converter(settings)
        except BaseException as error:
            self.nets.set_exception(error)
            raise

        import torch

        self.before = torch.get_num_threads()
        self.width = self.at_once or (min(AT_ONCE, self.before) if nets.device.type == "cpu" else 1)
        self.writing = [threading.Lock() for _ in range(self.width)]
        self.nets.set_result(nets)
        for lock in self.writing:
            self._thread(self._computer)
            self._thread(functools.partial(self._writer, lock))

    def stop(self, patient: bool) -> None:
        """No picture is written after this; if patient, wait for the threads, too."""
        self.stopped.set()
        self.room.release()
        for lock in self.writing:
            with lock:  # the picture that is being written is finished
                pass
        if patient:
            for thread in self.threads:
                thread.join()
        if self.before:
            import torch

            torch.set_num_threads(self.before)

    def _reader(self) -> None:
        for job in self.jobs:
            self.room.acquire()
            if self.stopped.is_set():
                break
            with self._failing(job):
                if (
                    job.target is not None
                    and os.path.lexists(job.target)
                    and finished(job, self.nets.result())
                ):
                    self._out(Outcome(job, SKIPPED))
                else:
                    self.read.put((job, *read(job)))
        self.nets.exception()  # wait for the width
        for _ in range(self.width):
            self.read.put(None)

    def _computer(self) -> None:
        import torch

        torch.set_num_threads(max(1, self.before // self.width))  # of this thread
        nets = self.nets.result()
        while (item := self.read.get()) is not None:
            job, image, seconds = item
            del item
            if not self.stopped.is_set():
                with self._failing(job):
                    hdr, report = compute(job, nets, image)
                    report = replace(report, seconds={"read": seconds, **report.seconds})
                    self.computed.put((job, hdr, report))
                    del hdr
            del image  # not to be held while waiting for the next
        self.computed.put(None)

    def _writer(self, lock: threading.Lock) -> None:
        while (item := self.computed.get()) is not None:
            job, hdr, report = item
            del item
            with lock:
                if not self.stopped.is_set():
                    with self._failing(job):
                        seconds = write(job, hdr)
                        self._out(
                            Outcome(
                                job,
                                DONE,
                                report=replace(report, seconds={**report.seconds, "write": seconds}),
                            )
                        )
            del hdr
        self.outcomes.put(None)

    @contextmanager
    def _failing(self, job: Job) -> Iterator[None]:
        """An error of this job is its outcome."""
        try:
            yield
        except Exception as error:
            self._out(failure(job, error))

    def _out(self, outcome: Outcome) -> None:
        self.outcomes.put(outcome)
        self.room.release()

    def _thread(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # a fault in this file: the caller is not to wait forever
                self.outcomes.put(error)

        thread = threading.Thread(target=guarded, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise Sdr2HdrError(f"too little memory to begin ({error}); close other programs") from error
        self.threads.append(thread)
