"""The pool: views that are simulated and decomposed once and kept on disk, because both cost more than the nets.

One memory-mapped file of 16-bit integers a field and aspect. What stands at an index depends on the seed and the index
alone; `state.json` says how far the pool is filled, so that filling resumes where it was broken off.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from sdr2hdr.camera import Shot
from sdr2hdr.color.transfer import pq_encode
from sdr2hdr.decompose import base_of, decompose
from sdr2hdr.errors import UsageError
from sdr2hdr.image import SDR_WHITE_NITS
from sdr2hdr.training.pictures import Picture
from sdr2hdr.training.shots import Sampling, Shots, size_of

ASPECTS = ((2, 3), (3, 2))
FIELDS = ("signal", "base", "pq", "pq_base")  # S, Sb, H and Hb (PQ, BT.2020), all (3, H, W) in [0, 1]
SCALE = 65535
BATCH = 4  # views that are drawn and decomposed at once: one index of the pool's files is one view


@dataclass(frozen=True)
class Pool:
    """A folder of decomposed views.

    views : how many there will be in each aspect
    long_side : pixels
    """

    folder: Path
    views: int
    long_side: int = 480
    seed: int = 0

    def size(self, aspect: int) -> tuple[int, int]:
        """Height and width of the views of an aspect."""
        return size_of(ASPECTS[aspect], self.long_side)

    def _settings(self) -> dict[str, int]:
        return {"views": self.views, "long_side": self.long_side, "seed": self.seed}

    def field(self, name: str, aspect: int, mode: str = "r") -> npt.NDArray[np.uint16]:
        """All views of a field, (views, 3, H, W) uint16, memory-mapped."""
        path = self.folder / f"{name}-{aspect}.u16"
        shape = (self.views, 3, *self.size(aspect))
        if not path.exists():
            mode = "w+"
        return np.memmap(path, np.uint16, mode, shape=shape)  # type: ignore[call-overload]

    def filled(self) -> dict[str, list[int]]:
        """Per aspect, for every view that is there 1 if its scale is only estimated (a camera's own picture), else 0.

        Raises
        ------
        UsageError
            The folder holds a pool of other settings.
        """
        path = self.folder / "state.json"
        if not path.exists():
            return {str(a): [] for a in range(len(ASPECTS))}
        state = json.loads(path.read_text())
        if state["pool"] != self._settings():
            raise UsageError(
                f"{self.folder}: a pool with {state['pool']}, not {self._settings()}; delete it or take another folder"
            )
        return dict(state["real"])

    def fill(self, pictures: list[Picture], sampling: Sampling = Sampling()) -> Iterator[int]:  # noqa: B008
        """Fill what is missing; yields the number of views that are there, after every batch."""
        self.folder.mkdir(parents=True, exist_ok=True)
        cv2.setNumThreads(1)
        real = self.filled()
        shots = Shots(pictures, BATCH, self.seed, sampling)
        fields = [{name: self.field(name, a, "r+") for name in FIELDS} for a in range(len(ASPECTS))]
        while min(len(r) for r in real.values()) < self.views:
            aspect = min(range(len(ASPECTS)), key=lambda a: len(real[str(a)]))
            done = real[str(aspect)]
            rng = np.random.default_rng([self.seed, aspect, len(done)])
            drawn = [shots.draw(self.size(aspect), rng) for _ in range(min(BATCH, self.views - len(done)))]
            for name, values in _decomposed(drawn).items():
                codes = (values.clamp(0, 1) * SCALE).round().to(torch.int32).numpy().astype(np.uint16)
                fields[aspect][name][len(done) : len(done) + len(drawn)] = codes
            done += [int(is_real) for _, is_real in drawn]
            part = self.folder / f"state.{os.getpid()}.part"
            part.write_text(json.dumps({"pool": self._settings(), "real": real}))
            part.replace(self.folder / "state.json")
            yield sum(len(r) for r in real.values())


def _decomposed(drawn: list[tuple[Shot, bool]]) -> dict[str, torch.Tensor]:
    signal = torch.from_numpy(np.stack([s.codes for s, _ in drawn])).permute(0, 3, 1, 2).float() / 255
    light = torch.from_numpy(np.stack([s.light for s, _ in drawn])).permute(0, 3, 1, 2)
    pq = pq_encode(light * SDR_WHITE_NITS).contiguous()
    signal = signal.contiguous()
    return {"signal": signal, "base": decompose(signal).base, "pq": pq, "pq_base": base_of(pq)}
