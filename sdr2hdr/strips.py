"""A full-size picture is worked on in strips of rows, side by side in threads, so that memory stays small."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import cv2
import torch

PIXELS = 2**16  # of a strip: its arrays stay in a core's cache


def strips(height: int, width: int) -> list[slice]:
    """Rows of a picture, top to bottom, in slices of about `PIXELS` pixels."""
    step = max(1, PIXELS // width)
    return [slice(row, min(row + step, height)) for row in range(0, height, step)]


def for_each(work: Callable[[slice], None], height: int, width: int) -> None:
    """Call `work` for every strip, in as many threads as PyTorch has.

    `work` should spend its time in NumPy and OpenCV, which let other threads run, and write what it finds to places
    of its own; then the result does not depend on the number of threads.
    """
    remaining = iter(strips(height, width))
    lock = threading.Lock()

    def next_strip() -> slice | None:
        with lock:
            return next(remaining, None)

    def loop() -> None:
        while (rows := next_strip()) is not None:
            work(rows)

    threads = torch.get_num_threads()
    with _one_opencv_thread():
        if threads == 1 or height * width <= PIXELS:
            return loop()
        with ThreadPoolExecutor(threads) as pool:
            for future in [pool.submit(loop) for _ in range(threads)]:
                future.result()


_lock = threading.Lock()
_users, _before = 0, 0


@contextmanager
def _one_opencv_thread() -> Iterator[None]:
    """Threads within threads would only wait for each other. The setting is the process's; the last one restores it."""
    global _users, _before
    with _lock:
        _users += 1
        if _users == 1:
            _before = cv2.getNumThreads()
            cv2.setNumThreads(1)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                cv2.setNumThreads(_before)
