"""Many pictures: what becomes of each, how many are in memory, how it ends."""

import errno
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sdr2hdr.errors import OutputError, WeightsError
from sdr2hdr.image import HdrImage, SdrImage
from sdr2hdr.jobs import batch, convert
from sdr2hdr.jobs.convert import Job
from sdr2hdr.pipeline import Converter, Report
from sdr2hdr.settings import Settings


@pytest.fixture
def settings(random_weights_folder: Path) -> Settings:
    """Of the tests' weights."""
    return Settings(weights=random_weights_folder, precision="fp32")


@pytest.fixture
def two_threads() -> Iterator[None]:
    """PyTorch with two threads, so that two pictures are computed side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def jobs(folder: Path, count: int) -> list[Job]:
    """Small pictures, all different."""
    rng = np.random.default_rng(0)
    for i in range(count):
        Image.fromarray(rng.integers(0, 256, (20 + i, 30, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return [Job(folder / f"{i}.png", folder / f"{i}.exr") for i in range(count)]


@pytest.mark.parametrize("at_once", [None, 1, 3])
def test_the_same_bytes_as_one_by_one(
    at_once: int | None, settings: Settings, tmp_path: Path, two_threads: None
) -> None:
    todo = jobs(tmp_path, 6)
    outcomes = list(batch.run(todo, settings, at_once))
    assert {outcome.job for outcome in outcomes} == set(todo)
    assert {outcome.status for outcome in outcomes} == {"done"}
    assert torch.get_num_threads() == 2, "PyTorch's threads are put back"
    torch.set_num_threads(2 if at_once == 1 else 1)
    for job, outcome in zip(todo, sorted(outcomes, key=lambda outcome: todo.index(outcome.job)), strict=True):
        alone = replace(job, target=tmp_path / "alone.exr", overwrite=True)
        report = convert.convert_file(alone, settings)
        assert job.target
        assert job.target.read_bytes() == (tmp_path / "alone.exr").read_bytes()
        assert outcome.report
        assert outcome.report.max_cll == report.max_cll
        assert list(outcome.report.seconds) == [stage for stage in report.seconds if stage != "load"]
    torch.set_num_threads(2)


def test_what_is_finished_is_skipped_and_not_touched(settings: Settings, tmp_path: Path) -> None:
    todo = jobs(tmp_path, 4)
    assert len(list(batch.run(todo[:3], settings))) == 3

    def facts() -> list[tuple[int, ...]]:  # not the time of access, which reading the recipe may change
        found = [job.target.stat() for job in todo[:3] if job.target]
        return [(f.st_ino, f.st_size, f.st_mtime_ns, f.st_ctime_ns) for f in found]

    before = facts()
    outcomes = {outcome.job: outcome.status for outcome in batch.run(todo, settings)}
    assert outcomes == {**dict.fromkeys(todo[:3], "skipped"), todo[3]: "done"}
    assert before == facts()
    assert [outcome.status for outcome in batch.preview(todo, settings)] == ["skipped"] * 4


def test_a_preview_loads_no_nets_for_what_is_new(tmp_path: Path) -> None:
    missing = Settings(weights=tmp_path / "nowhere")
    assert [outcome.status for outcome in batch.preview(jobs(tmp_path, 2), missing)] == ["planned"] * 2


def test_other_options_need_to_be_told_to_replace(settings: Settings, tmp_path: Path) -> None:
    todo = jobs(tmp_path, 2)
    list(batch.run(todo, settings))
    before = [job.target.read_bytes() for job in todo if job.target]
    other = replace(settings, peak_nits=300.0)
    outcomes = list(batch.run(todo, other))
    assert [(outcome.status, outcome.code) for outcome in outcomes] == [("failed", 1)] * 2
    assert all("made with peak 10000 instead of 300; use --overwrite" in o.message for o in outcomes)
    assert [job.target.read_bytes() for job in todo if job.target] == before
    told = [replace(job, overwrite=True) for job in todo]
    assert [outcome.status for outcome in batch.run(told, other)] == ["done"] * 2
    assert [outcome.status for outcome in batch.run(told, other)] == ["skipped"] * 2


def test_bad_pictures_do_not_stop_the_others(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    todo = jobs(tmp_path, 5)
    (tmp_path / "0.png").write_bytes(b"")
    (tmp_path / "1.png").unlink()
    real = Converter.convert

    def convert_two_badly(self: Converter, image: SdrImage, **rest: Any) -> tuple[HdrImage, Report]:
        if image.size[0] == 22:
            raise MemoryError
        if image.size[0] == 23:
            raise ZeroDivisionError("a fault\nof ours")
        return real(self, image, **rest)

    monkeypatch.setattr(Converter, "convert", convert_two_badly)
    outcomes = {outcome.job: outcome for outcome in batch.run(todo, settings)}
    messages = [outcomes[job].message for job in todo]
    assert "0.png: is empty" in messages[0]
    assert "1.png: no such file" in messages[1]
    assert "2.png: 30 x 22 pixels do not fit into memory" in messages[2]
    assert "3.png: ZeroDivisionError: a fault of ours; a fault of sdr2hdr" in messages[3]
    assert outcomes[todo[4]].status == "done"
    assert [outcome.code for outcome in outcomes.values() if outcome.status == "failed"] == [1] * 4
    assert sorted(path.name for path in tmp_path.glob("*.*r*")) == ["4.exr"]


def test_weights_that_cannot_be_used_end_it_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such folder"):
        list(batch.run(jobs(tmp_path, 3), Settings(weights=tmp_path / "nowhere")))
    assert list(tmp_path.glob("*.exr")) == []


def test_a_full_disk_is_hopeless(tmp_path: Path) -> None:
    full = OutputError("a.exr: the disk is full")
    full.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    job = Job(tmp_path / "a.png", tmp_path / "a.exr")
    assert batch.failure(job, full).hopeless
    assert not batch.failure(job, OutputError("a.exr: exists already")).hopeless


def test_a_closed_batch_writes_no_more(settings: Settings, tmp_path: Path) -> None:
    todo = jobs(tmp_path, 30)
    with closing(batch.run(todo, settings)) as outcomes:
        next(outcomes)
    written = sorted(tmp_path.glob("*.exr"))
    assert 1 <= len(written) < 10
    assert not list(tmp_path.glob("*.part"))
    threads = [thread.name for thread in threading.enumerate() if "guarded" in thread.name]
    assert threads == []
    time.sleep(0.2)
    assert sorted(tmp_path.glob("*.exr")) == written


class Counting:
    """Stands for reading, converting and writing, and counts pictures between the first and the last of them."""

    def __init__(self, slow: str) -> None:
        self.slow, self.inside, self.most, self.lock = slow, 0, 0, threading.Lock()
        self.device = torch.device("cpu")

    def _pause(self, step: str) -> None:
        time.sleep(0.02 if step == self.slow else 0)

    def read(self, job: Job) -> tuple[SdrImage, float]:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self._pause("read")
        return SdrImage(np.zeros((3, 1, 1), np.float32)), 0.0

    def compute(self, job: Job, nets: object, image: SdrImage) -> tuple[HdrImage, Report]:
        self._pause("compute")
        return HdrImage(image.signal), Report(0, 0.9, 1000, 200, 50, {})

    def write(self, job: Job, hdr: HdrImage) -> float:
        self._pause("write")
        with self.lock:
            self.inside -= 1
        return 0.0


@pytest.mark.parametrize("slow", ["read", "compute", "write"])
@pytest.mark.parametrize("at_once", [1, 4])
def test_pictures_in_memory_are_bounded(
    slow: str, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(slow)
    for name in ("read", "compute", "write"):
        monkeypatch.setattr(batch, name, getattr(counting, name))
    monkeypatch.setattr(batch, "converter", lambda settings: counting)
    todo = [Job(tmp_path / f"{i}.png", tmp_path / f"{i}.exr") for i in range(40)]
    assert len(list(batch.run(todo, Settings(), at_once))) == 40
    assert counting.most <= at_once + 2
    if slow != "read":
        assert counting.most == at_once + 2, "reading goes ahead"
