"""Many pictures with one set of nets: reading, computing and writing overlap, and memory stays bounded.

A thread reads ahead; `at_once` threads compute, each with its share of PyTorch's threads; as many write. On a CPU two
pictures side by side are faster than one after the other with all threads: they do not wait for each other at every
layer, as the threads of one picture do, and the one fills the gaps that the other leaves. `Belt.room` bounds the
pictures in memory, whatever the number of jobs.
"""

import functools
import os
import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sdr2hdr import formats
from sdr2hdr.errors import Sdr2HdrError
from sdr2hdr.formats._atomic import sweep
from sdr2hdr.jobs.convert import add, compute, converter, read, renderings, write
from sdr2hdr.jobs.finished import Digest, finished
from sdr2hdr.jobs.job import Job, Output, methods
from sdr2hdr.jobs.outcome import DONE, FAILED, PLANNED, SKIPPED, Outcome, Result, failed, failure, together
from sdr2hdr.settings import Settings

if TYPE_CHECKING:
    from sdr2hdr.image import HdrImage, SdrImage
    from sdr2hdr.pipeline import Converter, Report

__all__ = ["DONE", "FAILED", "PLANNED", "SKIPPED", "Outcome", "failure", "preview", "run"]

AT_ONCE = 2  # more gave nothing on CPUs, and each takes the memory of a picture


def run(
    jobs: Sequence[Job], settings: Settings, at_once: int | None = None
) -> Generator[Outcome, None, None]:
    """Convert pictures; yields what became of each as it is done, not in their order.

    Files of a picture that are finished already are left as they are; one that fails does not stop the others. Files
    that want another look or peak than the settings say share what computation they can. A picture that fails is an
    outcome, and the others are converted. Closing the generator ends the batch: no further picture is written from
    then on, and none is half-written.

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
    for folder in {output.target.parent for job in jobs for output in job.outputs if output.target}:
        sweep(folder)
    belt = _Belt(jobs, settings, at_once)
    patient = True
    try:
        belt.start()
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
        digest = functools.cache(formats.digest)
        results = []
        for output in job.outputs:
            result = Result(output, PLANNED)
            if output.target is not None and os.path.lexists(output.target):
                nets = converter(output.settings(settings))
                result = _found(job, output, nets, digest) or result
            results.append(result)
        yield together(job, results)


def _found(job: Job, output: Output, nets: "Converter", digest: Digest) -> Result | None:
    """The result of a file that is there already; None if it is to be written all the same."""
    try:
        return Result(output, SKIPPED) if finished(job.only([output]), nets, digest) else None
    except Sdr2HdrError as error:
        return failed(job, output, error)


@dataclass
class _Work:
    """One picture under way.

    results : of its files, as far as they are known
    seconds : by stage, of all that was done
    lights : what was computed, each for some of the files
    """

    job: Job
    results: dict[Output, Result] = field(default_factory=dict)
    seconds: "dict[str, float]" = field(default_factory=dict)
    image: "SdrImage | None" = None
    lights: "list[tuple[list[Output], HdrImage, Report]]" = field(default_factory=list)

    @property
    def left(self) -> list[Output]:
        return [output for output in self.job.outputs if output not in self.results]

    def fail(self, error: Exception) -> None:
        """All that is left of it."""
        for output in self.left:
            self.results[output] = failed(self.job, output, error)

    def outcome(self) -> Outcome:
        return together(self.job, [self.results[output] for output in self.job.outputs], self.seconds)


class _Belt:
    """The threads and what goes between them. The queues have no bound of their own: `room` has.

    The reader ends by a None for every computing thread, each of these by one for a writer, each writer by one for
    `run`; so what is still under way always comes before the end.
    """

    def __init__(self, jobs: Sequence[Job], settings: Settings, at_once: int | None) -> None:
        self.jobs = jobs
        self.settings = settings
        self.at_once = at_once
        self.width = 1  # threads that compute, and that write; known when the nets are loaded
        self.room = threading.Semaphore((at_once or AT_ONCE) + 2)
        self.stopped = threading.Event()
        self.nets: Future[dict[Settings, Converter]] = Future()  # by what the files want
        self.read: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self.computed: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self.outcomes: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()
        self.threads: list[threading.Thread] = []
        self.writing: list[threading.Lock] = []
        self.before = 0  # PyTorch's threads, to be put back

    def start(self) -> None:
        """Load the nets while the first pictures are read, then compute."""
        self._thread(self._reader)
        try:
            outputs = {replace(output, target=None) for job in self.jobs for output in job.outputs}
            wanted = {output.settings(self.settings) for output in outputs} | {
                *methods(outputs, self.settings)
            }
            nets = {settings: converter(settings) for settings in wanted}
        except BaseException as error:
            self.nets.set_exception(error)
            raise

        import torch

        self.before = torch.get_num_threads()
        on_cpu = all(converter.device.type == "cpu" for converter in nets.values())
        self.width = self.at_once or (min(AT_ONCE, self.before) if on_cpu else 1)
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
            with lock:  # the file that is being written is finished
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
            work = _Work(job)
            with self._failing(work):
                self._look(work)
                if work.left:
                    work.image, work.seconds["read"] = read(job)
                    self.read.put(work)
                else:
                    self._out(work)
        self.nets.exception()  # wait for the width
        for _ in range(self.width):
            self.read.put(None)

    def _look(self, work: _Work) -> None:
        """What is there already."""
        digest = functools.cache(formats.digest)
        for output in work.job.outputs:
            if output.target is not None and os.path.lexists(output.target):
                nets = self.nets.result()[output.settings(self.settings)]
                if result := _found(work.job, output, nets, digest):
                    work.results[output] = result

    def _computer(self) -> None:
        import torch

        torch.set_num_threads(max(1, self.before // self.width))  # of this thread
        nets = self.nets.result()
        while (work := self.read.get()) is not None:
            if not self.stopped.is_set():
                with self._failing(work):
                    assert work.image is not None
                    for method, outputs in methods(work.left, self.settings).items():
                        hdr, report = compute(work.job, nets[method], work.image)
                        add(work.seconds, report.seconds)
                        work.lights.append((outputs, hdr, report))
                        del hdr
                    work.image = None  # not to be held any longer
                    self.computed.put(work)
            del work  # not while waiting for the next
        self.computed.put(None)

    def _writer(self, lock: threading.Lock) -> None:
        while (work := self.computed.get()) is not None:
            with self._failing(work):
                while work.lights and not self.stopped.is_set():
                    outputs, hdr, report = work.lights.pop(0)
                    for output, lower, found in renderings(work.job, outputs, self.settings, hdr, report):
                        with lock:
                            if self.stopped.is_set():
                                break
                            self._write(work, output, lower, found)
                        del lower
                    del hdr
                if not work.left:
                    self._out(work)
            del work
        self.outcomes.put(None)

    def _write(self, work: _Work, output: Output, hdr: "HdrImage", report: "Report") -> None:
        """One file; the others are written though it fails."""
        try:
            seconds = {"write": write(work.job.only([output]), hdr)}
        except Exception as error:
            work.results[output] = failed(work.job, output, error)
        else:
            add(work.seconds, seconds)
            work.results[output] = Result(output, DONE, report=report)

    @contextmanager
    def _failing(self, work: _Work) -> Iterator[None]:
        """An error of this picture is its outcome."""
        try:
            yield
        except Exception as error:
            work.fail(error)
            self._out(work)

    def _out(self, work: _Work) -> None:
        self.outcomes.put(work.outcome())
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
