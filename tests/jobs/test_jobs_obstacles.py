"""What would stop a batch is found before it."""

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from sdr2hdr.errors import OutputError
from sdr2hdr.jobs import obstacles
from sdr2hdr.jobs.convert import Job

Usage = namedtuple("Usage", "total used free")


def jobs(folder: Path, *names: str) -> list[Job]:
    for name in names:
        (folder / name).write_bytes(bytes(1000))
    return [Job(folder / name, folder / "hdr" / "x" / name) for name in names]


def test_a_folder_that_may_not_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = jobs(tmp_path, "a.jpg")
    obstacles.refuse(batch)
    assert not (tmp_path / "hdr").exists()
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(OutputError, match=f"{tmp_path}: no permission to write there"):
        obstacles.refuse(batch)


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "hdr").touch()
    with pytest.raises(OutputError, match="hdr: is not a folder"):
        obstacles.refuse(jobs(tmp_path, "a.jpg"))


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = jobs(tmp_path, "a.jpg", "b.jpg", "c.png")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(9000, 0, free))
    free = 2000  # a PNG's result may be smaller than it is
    obstacles.refuse(batch)
    free = 1999
    with pytest.raises(OutputError, match="the disk is too full"):
        obstacles.refuse(batch)
    batch[0].target.parent.mkdir(parents=True)  # type: ignore[union-attr]
    batch[0].target.touch()  # type: ignore[union-attr]
    obstacles.refuse(batch)  # one of them is there already


def test_sources_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = jobs(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg")
    (tmp_path / "b.jpg").unlink()
    (tmp_path / "c.jpg").unlink()
    (tmp_path / "c.jpg").symlink_to("nowhere")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "d.jpg" and access(path, mode))
    assert [(job, str(error).partition(": ")[2]) for job, error in obstacles.unreadable(batch)] == [
        (batch[1], "no such file; check the path"),
        (batch[2], "is a link to nowhere; check what it points to"),
        (batch[3], "may not be read; check its permissions"),
    ]
