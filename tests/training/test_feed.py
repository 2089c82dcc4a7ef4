"""Batches by number, whoever makes them."""

import itertools

import pytest
import torch

from sdr2hdr.training.feed import Maps, feed


class Numbers:
    def batch(self, number: int) -> Maps:
        return {"number": torch.tensor(number)}


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize(("first", "stride"), [(0, 1), (5, 2)])
def test_the_order_does_not_depend_on_the_processes(workers: int, first: int, stride: int) -> None:
    seen = [int(maps["number"]) for maps in itertools.islice(feed(Numbers(), first, stride, workers), 8)]
    assert seen == list(range(first, first + 8 * stride, stride))
