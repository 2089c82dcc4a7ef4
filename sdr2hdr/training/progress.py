"""A line that says how far a long work is; tqdm's where there is tqdm."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Bar(Protocol):
    """What the work tells its bar."""

    def update(self, n: int = 1, /) -> object:
        """`n` more are done."""

    def set_postfix_str(self, s: str, refresh: bool, /) -> object:
        """Words behind the bar; `refresh`: draw it at once."""


class _Plain:
    """A line a minute, for machines without tqdm."""

    def __init__(self, title: str, total: int, done: int) -> None:
        self.title, self.total, self.done, self.words = title, total, done, ""
        self.begun = self.told = time.monotonic()
        self.first = done

    def update(self, n: int = 1, /) -> None:
        self.done += n
        now = time.monotonic()
        if now - self.told >= 60 or self.done == self.total:
            self.told = now
            left = (now - self.begun) / max(1, self.done - self.first) * (self.total - self.done)
            print(
                f"{self.title}: {self.done}/{self.total}, {left / 60:.1f} min left {self.words}",
                file=sys.stderr,
                flush=True,
            )

    def set_postfix_str(self, s: str, refresh: bool, /) -> None:
        self.words = s


@contextmanager
def bar(title: str, total: int, done: int = 0, shown: bool = True) -> Iterator[Bar]:
    """A bar on stderr from `done` to `total`, with the time left."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield _Plain(title, total, done)
        return
    with tqdm(desc=title, total=total, initial=done, mininterval=5, disable=not shown) as line:
        yield line
