"""Where the time of a training goes, and what its losses were, between two rows of the log."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Meter:
    """Sums since the last row.

    On a GPU work is queued, so that a section's share there is that of the call which had to wait.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.terms: dict[str, float] = {}
        self.reset()

    def reset(self) -> None:
        """Begin the next row."""
        self.begun = time.monotonic()
        self.steps, self.pixels = 0, 0
        self.seconds.clear()
        self.terms.clear()

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """What runs inside counts as `name`."""
        begun = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - begun

    def add(self, terms: dict[str, float]) -> None:
        """One more step, with the terms of its loss."""
        self.steps += 1
        for name, value in terms.items():
            self.terms[name] = self.terms.get(name, 0.0) + value

    @property
    def speed(self) -> float:
        """Megapixels a second through the nets, time for figures left out."""
        trained = time.monotonic() - self.begun - self.seconds.get("figures", 0.0)
        return self.pixels / 1e6 / max(trained, 1e-9)

    def words(self) -> str:
        """For the bar."""
        mean = sum(self.terms.values()) / max(1, self.steps)
        return f"loss {mean:.4f}, {self.speed:.2f} Mpx/s" if self.steps else ""

    def row(self) -> dict[str, Any]:
        """For the log: mean terms, megapixels a second, and shares of the time."""
        total = max(time.monotonic() - self.begun, 1e-9)
        return {
            "loss": {name: round(value / max(1, self.steps), 6) for name, value in self.terms.items()},
            "megapixels_per_second": round(self.speed, 3),
            "shares": {name: round(value / total, 3) for name, value in self.seconds.items()},
        }
