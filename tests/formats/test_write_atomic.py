"""A file is complete or absent, whatever happens while it is written."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from sdr2hdr.errors import OutputError
from sdr2hdr.formats import _atomic
from sdr2hdr.formats._atomic import write_atomic

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def test_writes_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    write_atomic(path, b"one", overwrite=False)
    assert path.read_bytes() == b"one"
    write_atomic(path, memoryview(b"two"), overwrite=True)
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a.exr"]


def test_existing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"a\.exr: exists already; use --overwrite"):
        write_atomic(path, b"new", overwrite=False)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.exr"]


def test_existing_since_a_moment_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody creates the file after the first look."""
    path = tmp_path / "a.exr"
    first_look = _atomic._target

    def slow(path: Path, overwrite: bool) -> Path:
        target = first_look(path, overwrite)
        path.write_bytes(b"theirs")
        return target

    monkeypatch.setattr(_atomic, "_target", slow)
    with pytest.raises(OutputError, match="exists already"):
        write_atomic(path, b"ours", overwrite=False)
    assert path.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["a.exr"]


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_one_of_many_writers_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    if not links:
        monkeypatch.setattr(os, "link", _refusing(errno.EPERM))
    path, outcomes = tmp_path / "a.exr", list[object]()

    def write(number: int) -> None:
        try:
            write_atomic(path, bytes([number]) * 100_000, overwrite=False)
            outcomes.append(number)
        except OutputError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert len(outcomes) == 8
    assert len(winners) == 1
    assert path.read_bytes() == bytes(winners) * 100_000
    assert os.listdir(tmp_path) == ["a.exr"]


def _refusing(number: int) -> object:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EFBIG, "too large for this file system"),
        (errno.EIO, "check the path and the disk"),
    ],
)
@pytest.mark.parametrize("overwrite", [True, False])
def test_failure_at_the_last_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, cure: str, overwrite: bool
) -> None:
    path = tmp_path / "a.exr"
    monkeypatch.setattr(os, "replace", _refusing(number))
    monkeypatch.setattr(os, "link", _refusing(number))
    with pytest.raises(OutputError, match=cure) as caught:
        write_atomic(path, b"data", overwrite=overwrite)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_disk_that_is_full_while_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = open
    monkeypatch.setattr("builtins.open", lambda name, mode: real("/dev/full", "wb"))
    with pytest.raises(OutputError, match="the disk is full"):
        write_atomic(tmp_path / "a.exr", bytes(1 << 20), overwrite=False)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("step", ["link", "replace"])
def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "a.exr"
    monkeypatch.setattr(os, "link", _refusing(errno.EOPNOTSUPP))
    monkeypatch.setattr(os, step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, b"data", overwrite=False)
    assert os.listdir(tmp_path) == []


def test_folder_problems(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"there is no folder .*none; create it first"):
        write_atomic(tmp_path / "none" / "a.exr", b"", overwrite=False)
    with pytest.raises(OutputError, match="this is a folder"):
        write_atomic(tmp_path, b"", overwrite=True)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file is not a folder"):
        write_atomic(tmp_path / "file" / "a.exr", b"", overwrite=True)
    with pytest.raises(OutputError, match="name is too long"):
        write_atomic(tmp_path / ("n" * 300), b"", overwrite=True)
    with pytest.raises(OutputError, match="null"):
        write_atomic(tmp_path / "a\0b", b"", overwrite=True)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(AS_ROOT, reason="root may write anywhere")
def test_no_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(OutputError, match="no permission"):
            write_atomic(tmp_path / "a.exr", b"", overwrite=False)
    finally:
        tmp_path.chmod(0o755)


def test_longest_names(tmp_path: Path) -> None:
    for name in ("n" * 251 + ".exr", "é" * 125 + ".exr"):  # 255 and 254 bytes
        write_atomic(tmp_path / name, b"data", overwrite=False)
        assert (tmp_path / name).read_bytes() == b"data"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
@pytest.mark.parametrize("overwrite", [True, False])
def test_permissions_follow_the_umask(tmp_path: Path, mask: int, mode: int, overwrite: bool) -> None:
    path = tmp_path / "a.exr"
    before = os.umask(mask)
    try:
        write_atomic(path, b"data", overwrite=overwrite)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt", reason="POSIX links and pipes")
def test_links_and_devices(tmp_path: Path) -> None:
    real, link, pipe = tmp_path / "real.exr", tmp_path / "link.exr", tmp_path / "pipe"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write_atomic(link, b"new", overwrite=True)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    os.mkfifo(pipe)
    for device in (pipe, Path(os.devnull)):
        with pytest.raises(OutputError, match="use - to write to standard output"):
            write_atomic(device, b"data", overwrite=True)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    link.unlink()
    link.symlink_to(tmp_path / "nowhere.exr")
    with pytest.raises(OutputError, match="exists already"):
        write_atomic(link, b"data", overwrite=False)
    assert sorted(os.listdir(tmp_path)) == ["link.exr", "pipe", "real.exr"]
