"""Numbered batches from processes beside the training: what a batch holds depends on the seed and its number alone.

So a run that goes on at step k sees what it would have seen without the break, whatever the number of processes.
"""

import itertools
from collections.abc import Iterator
from typing import Protocol

import cv2
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

Maps = dict[str, torch.Tensor]
AHEAD = 6  # batches that every process prepares in advance


class Source(Protocol):
    """What can make any batch of an endless stream."""

    def batch(self, number: int) -> Maps:
        """The batch of this number."""


class _Stream(IterableDataset[Maps]):
    def __init__(self, source: Source, first: int, stride: int) -> None:
        super().__init__()
        cv2.setNumThreads(1)  # OpenCV's pool does not survive the fork into a worker
        self.source, self.first, self.stride = source, first, stride

    def __iter__(self) -> Iterator[Maps]:
        info = get_worker_info()
        at, workers = (info.id, info.num_workers) if info else (0, 1)
        for number in itertools.count(self.first + at * self.stride, workers * self.stride):
            yield self.source.batch(number)


def feed(source: Source, first: int, stride: int, workers: int, pinned: bool = False) -> Iterator[Maps]:
    """Batches number first, first + stride ..., for ever; `workers` processes make them, 0: this one."""
    ahead = AHEAD if workers else None
    loader = DataLoader(
        _Stream(source, first, stride),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=ahead,
        pin_memory=pinned,
    )
    return iter(loader)
