"""Filling the pool, on all cores or on a GPU, and refreshing it in the background."""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from sdr2hdr.camera import Shot
from sdr2hdr.color.transfer import pq_encode
from sdr2hdr.decompose import base_of, decompose
from sdr2hdr.image import SDR_WHITE_NITS
from sdr2hdr.training.pictures import Picture
from sdr2hdr.training.pool import ASPECTS, CHUNK, FIELDS, Codes, Made, Pool
from sdr2hdr.training.shots import Sampling, Shots

Job = tuple[int, int, int]  # aspect, number, generation
Drawn = list[tuple[Shot, bool]]


def draw(pool: Pool, shots: Shots, job: Job) -> Drawn:
    """The views of a chunk, not yet decomposed."""
    aspect, number, generation = job
    rng = np.random.default_rng([pool.seed, aspect, number, generation])
    return [shots.draw(pool.size(aspect), rng) for _ in range(CHUNK)]


def made(drawn: Drawn, device: torch.device) -> Made:
    """Decompose the views of a chunk."""
    codes = np.stack([shot.codes for shot, _ in drawn]).transpose(0, 3, 1, 2)
    signal = torch.from_numpy(np.ascontiguousarray(codes)).to(device).float() / 255
    light = torch.from_numpy(np.stack([shot.light for shot, _ in drawn])).to(device).permute(0, 3, 1, 2)
    pq = pq_encode(light * SDR_WHITE_NITS).contiguous()
    layers = {"signal": signal, "base": decompose(signal).base, "pq": pq, "pq_base": base_of(pq)}
    fields: dict[str, Codes] = {}
    for name, values in layers.items():
        largest = np.iinfo(FIELDS[name]).max
        whole = (values.clamp(0, 1) * largest).round().to(torch.int32).cpu().numpy()
        fields[name] = whole.astype(FIELDS[name])
    return Made(fields, tuple(real for _, real in drawn))


class _Jobs(Dataset[Made | Drawn]):
    """Chunks to be made; `decomposed`: by the process that draws them."""

    def __init__(self, pool: Pool, shots: Shots, jobs: Sequence[Job], decomposed: bool) -> None:
        cv2.setNumThreads(1)  # OpenCV's pool does not survive the fork into a worker
        self.pool, self.shots, self.jobs, self.decomposed = pool, shots, jobs, decomposed

    def __len__(self) -> int:
        return len(self.jobs)

    def __getitem__(self, index: int) -> Made | Drawn:
        drawn = draw(self.pool, self.shots, self.jobs[index])
        return made(drawn, torch.device("cpu")) if self.decomposed else drawn


def fill(
    pool: Pool,
    pictures: list[Picture],
    sampling: Sampling,
    device: torch.device = torch.device("cpu"),  # noqa: B008
    workers: int = 0,
) -> Iterator[int]:
    """Make the chunks that are missing; yields the number of views that are there, after every chunk.

    device : where the views are decomposed; workers : processes, 0: this one
    """
    with pool.writing(wait=True):
        state = pool.state()
        missing = [
            (a, n, 0) for n in range(pool.chunks) for a in range(len(ASPECTS)) if not state.chunks[a][n]
        ]
        decomposed = device.type == "cpu"
        jobs = _Jobs(pool, Shots(pictures, CHUNK, pool.seed, sampling), missing, decomposed)
        loader = DataLoader(jobs, batch_size=None, num_workers=workers)
        there = sum(chunk is not None for row in state.chunks for chunk in row)
        for (aspect, number, generation), done in zip(missing, loader, strict=True):
            chunk = done if isinstance(done, Made) else made(done, device)
            pool.store(state, aspect, number, chunk, generation)
            there += 1
            yield there * CHUNK


def refresh(pool: Pool, shots: Shots, chunks: int) -> None:
    """Replace the oldest chunks, so many of them, by their next generation."""
    state = pool.state()
    for _ in range(chunks):
        found = [(c.generation, n, a) for a, row in enumerate(state.chunks) for n, c in enumerate(row) if c]
        generation, number, aspect = min(found)
        drawn = draw(pool, shots, (aspect, number, generation + 1))
        pool.store(state, aspect, number, made(drawn, torch.device("cpu")), generation + 1)


def _refresh_for_ever(pool: Pool, shots: Shots, seconds: float, parent: int) -> None:
    torch.set_num_threads(1)
    os.nice(5)
    with pool.writing(wait=False) as mine:
        while mine and os.getppid() == parent:
            begun = time.monotonic()
            refresh(pool, shots, 1)
            time.sleep(max(0.0, seconds - (time.monotonic() - begun)))


def refresher(
    pool: Pool, pictures: list[Picture], sampling: Sampling, per_minute: float
) -> multiprocessing.Process | None:
    """Start a process that replaces so many views a minute until it is terminated; None if there are to be none.

    Two trainings may read one pool: the second one's process finds it taken and ends.
    """
    if per_minute <= 0:
        return None
    cv2.setNumThreads(1)
    shots = Shots(pictures, CHUNK, pool.seed, sampling)
    arguments = (pool, shots, 60 * CHUNK / per_minute, os.getpid())
    process = multiprocessing.Process(target=_refresh_for_ever, args=arguments, daemon=True)
    process.start()
    return process
