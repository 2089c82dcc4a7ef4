"""Threads for many small tensor operations: tasks run side by side, each of them with one torch thread."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

Run = Callable[[Sequence[Callable[[], None]]], None]

_starting = threading.Lock()


def in_order(tasks: Sequence[Callable[[], None]]) -> None:
    """Run tasks in this thread."""
    for task in tasks:
        task()


@contextmanager
def runner(threads: int) -> Iterator[Run]:
    """A function that runs tasks, at most `threads` at a time, and returns when all of them are done.

    Denormal numbers count as 0 in the tasks: the entries of the fronts decay below 1e-38, and the solver would take
    twice as long. The caller's thread has its own setting again afterwards, and torch its number of threads.
    """
    if threads < 2:
        with _flushed_denormals():
            yield in_order
        return
    with ThreadPoolExecutor(threads, initializer=_start) as pool:

        def side_by_side(tasks: Sequence[Callable[[], None]]) -> None:
            for future in [pool.submit(task) for task in tasks]:
                future.result()

        yield side_by_side


def _start() -> None:
    """Set up a worker. `set_num_threads` also sets what threads to come start with: that is put back."""
    with _starting:
        default = torch.get_num_threads()
        torch.set_num_threads(1)
        other = threading.Thread(target=torch.set_num_threads, args=(default,))
        other.start()
        other.join()
    torch.set_flush_denormal(True)


@contextmanager
def _flushed_denormals() -> Iterator[None]:
    smallest = torch.tensor(torch.finfo(torch.float32).tiny)
    before = float(smallest * 0.5) == 0.0  # torch has no function to ask
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
