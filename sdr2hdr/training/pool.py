"""The pool: views that are simulated and decomposed once and kept on disk, because both cost more than the nets.

One memory-mapped file of integers a field and aspect, in chunks of four views. What a chunk holds depends on the seed,
its number and its generation alone; `state.json` says which slot of the files holds which chunk, so that filling
resumes where it was broken off, and a chunk is replaced by writing a spare slot and then naming it: who reads meanwhile
never sees half a view.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sdr2hdr.errors import UsageError
from sdr2hdr.training.shots import size_of

ASPECTS = ((2, 3), (3, 2))
# S, Sb, H and Hb (PQ, BT.2020), all (3, H, W) in [0, 1]; S is as exact as the 8-bit picture was
FIELDS: dict[str, type[np.uint8] | type[np.uint16]] = {
    "signal": np.uint8,
    "base": np.uint16,
    "pq": np.uint16,
    "pq_base": np.uint16,
}
CHUNK = 4  # views
SPARE = 2  # slots of an aspect beyond its chunks

Codes = npt.NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Chunk:
    """Where a chunk lies (`slot`), how often it has been replaced, and which of its views are a camera's own."""

    slot: int
    generation: int
    real: tuple[bool, ...]


@dataclass(frozen=True)
class State:
    """What a pool holds: chunks by aspect and number, and the free slots of each aspect, longest free first."""

    chunks: list[list[Chunk | None]]
    free: list[list[int]]


@dataclass(frozen=True)
class Pool:
    """A folder of decomposed views.

    views : how many there will be in each aspect, rounded up to chunks
    long_side : pixels
    """

    folder: Path
    views: int
    long_side: int = 480
    seed: int = 0
    look: str = "scene"

    @property
    def chunks(self) -> int:
        """Chunks in each aspect."""
        return -(-self.views // CHUNK)

    def size(self, aspect: int) -> tuple[int, int]:
        """Height and width of the views of an aspect."""
        return size_of(ASPECTS[aspect], self.long_side)

    def field(self, name: str, aspect: int, mode: str = "r") -> Codes:
        """All slots of a field, (slots, 4, 3, H, W), memory-mapped; mode "r+" makes the file if there is none.

        Raises
        ------
        UsageError
            To be read, but not there.
        """
        path = self.folder / f"{name}-{aspect}.{FIELDS[name].__name__}"
        shape = (self.chunks + SPARE, CHUNK, 3, *self.size(aspect))
        if not path.exists():
            if mode == "r":
                raise UsageError(f"{path}: the pool is not filled; run the stage 'pool' first")
            mode = "w+"
        return np.memmap(path, FIELDS[name], mode, shape=shape)  # type: ignore[call-overload]

    def state(self) -> State:
        """What is there.

        Raises
        ------
        UsageError
            The folder holds a pool of other settings, or of another version.
        """
        path, mine = self.folder / "state.json", self._settings()
        if not path.exists():
            slots = list(range(self.chunks + SPARE))
            return State([[None] * self.chunks for _ in ASPECTS], [list(slots) for _ in ASPECTS])
        state = json.loads(path.read_text())
        if state["pool"] != mine:
            raise UsageError(
                f"{self.folder}: a pool with {state['pool']}, not {mine}; delete it or take another folder"
            )
        rows = [[row and Chunk(row[0], row[1], tuple(row[2])) for row in rows] for rows in state["chunks"]]
        return State(rows, state["free"])

    def store(self, state: State, aspect: int, number: int, made: "Made", generation: int) -> None:
        """Put one chunk into the slot that has been free longest, then name it in the state, which is changed too."""
        slot, free, former = state.free[aspect][0], state.free[aspect], state.chunks[aspect][number]
        for name, codes in made.fields.items():
            self.field(name, aspect, "r+")[slot] = codes
        state.chunks[aspect][number] = Chunk(slot, generation, made.real)
        free.pop(0)
        if former:
            free.append(former.slot)
        rows = [[c and [c.slot, c.generation, c.real] for c in row] for row in state.chunks]
        part = self.folder / f"state.{os.getpid()}.part"
        part.write_text(json.dumps({"pool": self._settings(), "chunks": rows, "free": state.free}))
        part.replace(self.folder / "state.json")

    def _settings(self) -> dict[str, int | str]:
        return {
            "format": 2,
            "chunks": self.chunks,
            "long_side": self.long_side,
            "seed": self.seed,
            "look": self.look,
        }

    @contextlib.contextmanager
    def writing(self, wait: bool) -> Iterator[bool]:
        """The right to write: one process at a time has it. False if another has it and `wait` is false."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            yield _locked(file.fileno(), wait)


@dataclass(frozen=True)
class Made:
    """A chunk that is ready: its fields, (4, 3, H, W), and which views are a camera's own pictures."""

    fields: dict[str, Codes]
    real: tuple[bool, ...]


def _locked(descriptor: int, wait: bool) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: whoever starts two writers there has been told
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
