"""Faults other than a kill: each is a function of a room, and gives counts and findings. Used by faults.py."""

import contextlib
import os
import resource
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from fault_room import LARGE, Room, limiting, one_line, outputs

Judged = tuple[Counter[str], list[str]]
NAME = "exr"
_LIBC = "cannot allocate memory for thread-local data"


class Disk:
    """A file system of its own, in memory; only root may mount one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def mount(self, size: int) -> bool:
        """Whether it could be mounted."""
        return self._mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs")

    def change(self, options: str) -> bool:
        """Whether its options (size, ro, rw) could be changed."""
        return self._mount("-o", f"remount,{options}")

    def _mount(self, *words: str) -> bool:
        command = ["mount", *words, str(self.folder)]
        return bool(shutil.which("mount")) and subprocess.run(command, capture_output=True).returncode == 0


@contextlib.contextmanager
def disk(room: Room, size: int) -> Iterator[Disk | None]:
    """A mounted disk, or None where that is not allowed."""
    made = Disk(room.folder / "disk")
    mounted = made.mount(size)
    try:
        yield made if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(made.folder)], check=True)
        made.folder.rmdir()


def failing(
    room: Room, target: Path, counts: Counter[str], what: str, **how: Callable[[], None]
) -> list[str]:
    """A run that has to fail in plain lines, and to leave only what is whole."""
    done = room.run(target, NAME, **how)
    counts[f"{what}: exit status {done.returncode}"] += 1
    return [f"{what}: {one}" for one in one_line(done) + room.partial(target, NAME)]


def completed(room: Room, target: Path, what: str) -> list[str]:
    """The second run."""
    return [f"{what}, second run: {one}" for one in room.completed(target, NAME)]


def full(room: Room) -> Judged:
    """No room for all results: a small disk that grows afterwards, and the kernel's limit of a file's size."""
    counts: Counter[str] = Counter()
    sizes = {path: path.stat().st_size for path in outputs(room.folder / f"undisturbed-{NAME}")}
    largest = max(sizes.values())
    found = []
    with disk(room, sum(sizes.values()) - largest // 2) as small:
        if small:
            target = small.folder / "hdr"
            found += failing(room, target, counts, "a full tmpfs")
            counts["results on the full disk"] += len(outputs(target))
            small.change("size=100m")
            found += completed(room, target, "a full tmpfs")
        else:
            counts["no mount allowed: the limit alone is tried"] += 1
    target = room.folder / "limited"
    limit = limiting(resource.RLIMIT_FSIZE, largest // 2)
    found += failing(room, target, counts, "RLIMIT_FSIZE", limit=limit)
    found += completed(room, target, "RLIMIT_FSIZE")
    return counts, found


def read_only(room: Room) -> Judged:
    """Targets that cannot be written to, for root neither."""
    counts: Counter[str] = Counter()
    found = []
    for where in (Path("/proc/hdr"), Path("/dev/full/hdr"), room.weights / "SHA256SUMS" / "hdr"):
        if where.parent.exists():
            found += failing(
                room,
                where,
                counts,
                f"{where.parent}/..." if where.is_relative_to("/dev") else where.parent.name,
            )
    with disk(room, 100_000_000) as made:
        if made:
            target = made.folder / "hdr"
            made.change("ro")
            found += failing(room, target, counts, "a disk that is mounted read-only")
            made.change("rw")
            process = room.start(target, NAME)
            while process.poll() is None and not outputs(target):
                time.sleep(0.002)
            while process.poll() is None and not made.change("ro"):  # busy while a file is open for writing
                pass
            _, err = process.communicate()
            counts[f"a disk that becomes read-only in between: exit status {process.returncode}"] += 1
            done = subprocess.CompletedProcess(process.args, process.returncode, "", err)
            found += [f"becomes read-only: {one}" for one in one_line(done) + room.partial(target, NAME)]
            made.change("rw")
            found += completed(room, target, "becomes read-only")
    target = room.folder / "immutable"
    target.mkdir()
    chattr = shutil.which("chattr")
    if chattr and subprocess.run([chattr, "+i", str(target)], capture_output=True).returncode == 0:
        try:
            found += failing(room, target, counts, "chattr +i")
        finally:
            subprocess.run([chattr, "-i", str(target)], check=True)
        found += completed(room, target, "chattr +i")
    return counts, found


def disappears(room: Room) -> Judged:
    """Sources that go while the batch runs, and a target folder that does."""
    counts: Counter[str] = Counter()
    found = []
    away = room.folder / "away"
    for what, moved in (("a source disappears", room.photos / LARGE), ("all sources disappear", room.photos)):
        target = room.folder / what.replace(" ", "-")
        process = room.start(target, NAME, "--jobs", "1")
        while (
            process.poll() is None and not target.is_dir()
        ):  # folders are made when the names have been read
            time.sleep(0.001)
        os.rename(moved, away)
        _, err = process.communicate()
        os.rename(away, moved)
        counts[f"{what}: exit status {process.returncode}"] += 1
        done = subprocess.CompletedProcess(process.args, process.returncode, "", err)
        found += [f"{what}: {one}" for one in one_line(done) + room.partial(target, NAME)]
        found += completed(room, target, what)
    target = room.folder / "gone"
    process = room.start(target, NAME)
    while process.poll() is None and not outputs(target):
        time.sleep(0.001)
    with contextlib.suppress(FileNotFoundError):
        os.rename(target, away)
    _, err = process.communicate()
    counts[f"the target folder disappears: exit status {process.returncode}"] += 1
    done = subprocess.CompletedProcess(process.args, process.returncode, "", err)
    found += [f"the target folder disappears: {one}" for one in one_line(done) + room.partial(target, NAME)]
    return counts, found + completed(room, target, "the target folder disappears")


def memory(room: Room, limits: tuple[int, ...] = (200, 400, 700, 800, 900, 1000, 1100, 1300)) -> Judged:
    """Address space (RLIMIT_AS, in MB) that is too little for the libraries, for the nets, for the pictures."""
    counts: Counter[str] = Counter()
    found = []
    target = room.folder / "memory"
    for limit in limits:
        done = room.run(target, NAME, limit=limiting(resource.RLIMIT_AS, limit * 1_000_000))
        counts[f"{limit} MB: exit status {done.returncode}, {len(outputs(target))} results so far"] += 1
        if _LIBC in done.stderr:  # glibc ends the process itself, and nobody is asked
            counts["ended by the C library"] += 1
        elif done.returncode:
            found += [f"{limit} MB: {one}" for one in one_line(done)]
        found += room.partial(target, NAME)
    return counts, found + completed(room, target, "too little memory")


KINDS: dict[str, Callable[[Room], Judged]] = {
    "full disk": full,
    "read-only": read_only,
    "disappears": disappears,
    "memory": memory,
}
