"""Strips cover a picture once, in any number of threads, and failures come out."""

import itertools

import cv2
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr import strips


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(1, 200_000))
def test_strips_cover_every_row_once(height, width):
    rows = strips.strips(height, width)
    assert rows[0].start == 0
    assert rows[-1].stop == height
    assert all(a.stop == b.start for a, b in itertools.pairwise(rows))


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_every_strip_is_worked_on_once(two_threads):
    seen = []
    strips.for_each(seen.append, 1000, 1000)
    assert sorted(seen, key=lambda rows: rows.start) == strips.strips(1000, 1000)


def test_a_failure_comes_out_and_opencv_keeps_its_threads(two_threads):
    before = cv2.getNumThreads()

    def fail(rows):
        raise ValueError(str(rows))

    with pytest.raises(ValueError, match="slice"):
        strips.for_each(fail, 1000, 1000)
    assert cv2.getNumThreads() == before
