"""What would stop a batch, found before its first picture: packages, rights, and room on the disk."""

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from sdr2hdr import formats
from sdr2hdr.errors import InputError, OutputError
from sdr2hdr.jobs.job import Job

# A file of the second kind that is made from one of the first is always larger: it holds the same pixels in twice the
# bits, without their losses.
_LOSSY = {".jpg", ".jpeg", ".jpe", ".webp", ".heic", ".heif", ".avif"}
_LOSSLESS = {"exr", "png", "tiff"}


def refuse_missing(names: Iterable[str]) -> None:
    """Formats that cannot be written here.

    Raises
    ------
    OutputError
        A package is not installed.
    """
    for name in names:
        if words := formats.missing(name):
            raise OutputError(words)


def refuse(jobs: Sequence[Job]) -> None:
    """Whether the targets can be written, as far as can be told.

    Raises
    ------
    OutputError
        A folder cannot be written to or made, or the disk has less room than the sources themselves take.
    """
    needed: dict[int, int] = {}
    places: dict[int, Path] = {}
    folders: dict[Path, Path] = {}
    for job in jobs:
        for output in job.outputs:
            if output.target is None or job.source is None:
                continue
            parent = output.target.parent
            if parent not in folders:
                folders[parent] = _writable(parent)
            larger = job.source.suffix.lower() in _LOSSY and output.format in _LOSSLESS
            if larger and not os.path.lexists(output.target):
                disk = os.stat(folders[parent]).st_dev
                places.setdefault(disk, folders[parent])
                needed[disk] = needed.get(disk, 0) + _size(job.source)
    for disk, size in needed.items():
        free = shutil.disk_usage(places[disk]).free
        if free < size:
            raise OutputError(
                f"{places[disk]}: the disk is too full: {_megabytes(free)} free, and the results take more than the "
                f"{_megabytes(size)} of their sources; free some space or choose another disk"
            )


def unreadable(jobs: Iterable[Job]) -> list[tuple[Job, InputError]]:
    """Jobs whose source is not there or may not be read, each with its error."""
    found = []
    for job in jobs:
        if job.source is None or os.access(job.source, os.R_OK):
            continue
        why = "may not be read; check its permissions"
        if not os.path.lexists(job.source):
            why = "no such file; check the path"
        elif not os.path.exists(job.source):
            why = "is a link to nowhere; check what it points to"
        found.append((job, InputError(f"{job.source}: {why}")))
    return found


def _writable(folder: Path) -> Path:
    """The folder, or what is there of it already."""
    there = folder
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise OutputError(f"{there}: is not a folder; choose another place for {folder}")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(
            f"{there}: no permission to write there; choose another folder or change its rights"
        )
    return there


def _size(path: Path) -> int:
    try:
        return os.path.getsize(path)
    except OSError:  # it is gone, or its folder may not be searched: said when it is read
        return 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
