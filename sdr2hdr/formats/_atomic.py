"""A written file is complete or absent."""

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sdr2hdr.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be deleted
    fcntl = None  # type: ignore[assignment]

_CURES = {
    errno.EACCES: "no permission to write there; choose another folder or change its rights",
    errno.EPERM: "no permission to write there; choose another folder or change its rights",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOSPC: "the disk is full; free some space or choose another disk",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another disk",
    errno.EFBIG: "the file is too large for this file system; choose another disk",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.EISDIR: "this is a folder; name a file in it",
}
# What file systems without hard links (FAT, some network shares) answer to link().
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL}
_PART = re.compile(r".+\.\d+-[0-9a-f]{8}\.part")

_parts: set[Path] = set()


def discard_parts() -> None:
    """Remove what is half-written, by whatever thread: for a process that ends without waiting for it."""
    for part in tuple(_parts):
        with contextlib.suppress(OSError):
            os.unlink(part)


def sweep(folder: Path) -> None:
    """Remove the parts that a process has left in a folder when it was killed; nobody who still writes loses his."""
    try:
        with os.scandir(folder) as entries:
            left = [entry.path for entry in entries if _PART.fullmatch(entry.name)]
    except OSError:  # what is wrong with the folder is said when it is written to
        return
    for part in left:
        with contextlib.suppress(OSError), open(part, "rb") as file:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # its writer holds this as long as he lives
                os.unlink(part)
        if not fcntl:
            with contextlib.suppress(OSError):
                os.unlink(part)


def write_atomic(path: Path, data: bytes | memoryview, *, overwrite: bool) -> None:
    """Write `data` to `path` by way of a `.part` file beside it; permissions follow the umask.

    A symbolic link that is overwritten stays a link: what it points to is replaced. The data is not forced to the
    disk (no fsync): the promise holds for a program that dies, not for a power cut.

    Raises
    ------
    OutputError
        The file exists and `overwrite` is false (decided at the last moment, without a race), or it cannot be
        written. Nothing is left behind, after an interruption by the keyboard neither.
    """
    try:
        target = _target(path, overwrite)
        # The name's length does not depend on the target's, which may be at the file system's limit.
        part = target.with_name(f"{target.name[:24]}.{os.getpid()}-{secrets.token_hex(4)}.part")
        _parts.add(part)
        try:
            with _written(part, data):
                if overwrite:
                    os.replace(part, target)
                else:
                    _move_new(part, target)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)
            _parts.discard(part)
    except OutputError:
        raise
    except FileExistsError:
        raise _exists(path) from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise OutputError(f"{path}: cannot be written: {_cure(path, error)}") from error


@contextlib.contextmanager
def _written(part: Path, data: bytes | memoryview) -> Iterator[None]:
    """A new file that holds the data, locked against `sweep`; closed, for some disks tell only then that it failed."""
    file, lock = _locked(part)
    try:
        with file:
            file.write(data)
        yield
    finally:
        if lock >= 0:
            os.close(lock)


def _locked(part: Path) -> tuple[BinaryIO, int]:
    """A new file, and a descriptor that holds its lock beyond its being closed; -1 where there are no locks."""
    while True:
        file = open(part, "xb")  # noqa: SIM115 (the caller closes it)
        if not fcntl:
            return file, -1
        lock = os.dup(file.fileno())
        with contextlib.suppress(OSError):  # a file system without locks, where nothing can be swept either
            fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            return file, lock
        file.close()  # it was swept before it was locked
        os.close(lock)


def _target(path: Path, overwrite: bool) -> Path:
    """The file that will be created or replaced; refuses early what exists, is a folder or is a device."""
    if path.is_dir():
        raise OutputError(f"{path}: cannot be written: {_CURES[errno.EISDIR]}")
    if os.path.lexists(path) and not overwrite:
        raise _exists(path)
    if path.exists() and not path.is_file():  # /dev/stdout, a pipe: os.replace would delete it
        raise OutputError(f"{path}: cannot be written: not a regular file; use - to write to standard output")
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _move_new(part: Path, target: Path) -> None:
    """Give `part` its final name; FileExistsError if somebody has taken it, even a moment ago."""
    if os.name == "nt":
        os.rename(part, target)  # refuses to overwrite there
        return
    try:
        os.link(part, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with _alone_in(target.parent):
            if os.path.lexists(target):
                raise FileExistsError(target) from None
            os.replace(part, target)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """No other process of this program gives a file in this folder its name meanwhile; nothing stays behind of it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if fcntl:
            with contextlib.suppress(OSError):  # a file system without locks: a check just before has to do
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _exists(path: Path) -> OutputError:
    return OutputError(f"{path}: exists already; use --overwrite to replace it")


def _cure(path: Path, error: Exception) -> str:
    """What went wrong and what helps, in words."""
    number = error.errno if isinstance(error, OSError) else None
    folder = path.parent
    if number == errno.ENOENT and not folder.is_dir():
        return f"there is no folder {folder}; create it first"
    if number == errno.ENOTDIR:
        return f"{folder} is not a folder; choose another place"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return _CURES.get(number or 0, f"{reason}; check the path and the disk")
