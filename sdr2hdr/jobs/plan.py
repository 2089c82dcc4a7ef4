"""Which pictures go where: decided from names alone, before anything is read.

`find` looks into folders; `plan` is pure: names in, jobs and what stands against them out.
"""

import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sdr2hdr.errors import InputError, UsageError
from sdr2hdr.jobs.job import Job, Output

# What systems and cameras leave beside pictures. Names that begin with a dot are hidden, and `._a.jpg` (macOS) even
# ends like a picture.
_JUNK_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
_JUNK_FOLDERS = {"__macosx", "@eadir", "$recycle.bin", "system volume information"}


@dataclass(frozen=True)
class Source:
    """A picture to be: its path, its place below the target folder, and whether the user named it himself."""

    path: Path
    place: Path
    named: bool = False


@dataclass(frozen=True)
class Further:
    """A file that every picture gets besides its first: what it is, the folder of all of them, their suffix.

    file : the file itself, where there is one picture and it was named for it
    """

    output: Output
    folder: Path
    suffix: str
    file: Path | None = None

    def target(self, place: Path) -> Path:
        """Where it goes for the picture with this place below the target folder."""
        return self.file or self.folder / place.with_suffix(self.suffix)


@dataclass
class Found:
    """What `find` met: files; sub-folders that were not searched; what could not be read, with the reason."""

    sources: list[Source] = field(default_factory=list)
    unsearched: list[Path] = field(default_factory=list)
    failed: list[InputError] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """What `plan` decided.

    jobs : in the order of their sources
    skipped : files that are no pictures by their names
    collisions : targets that more than one source would get, or that are a source themselves, with those sources
    """

    jobs: list[Job]
    skipped: list[Path]
    collisions: dict[Path, list[Path]]


def is_junk(name: str) -> bool:
    """Whether a file or folder of this name is never meant: hidden, or left by a system."""
    return name.startswith(".") or name.lower() in _JUNK_FILES | _JUNK_FOLDERS


def find(paths: Sequence[Path], recursive: bool) -> Found:
    """All files of the folders among `paths`, sorted, and the other paths as they are.

    Links to folders are not followed: they may lead back.

    Raises
    ------
    InputError
        A folder that was named cannot be read.
    """
    found = Found()
    for path in paths:
        if os.path.isdir(path):  # not path.is_dir, which raises where a parent may not be searched
            found.sources += (Source(file, file.relative_to(path)) for file in _files(path, recursive, found))
        else:
            found.sources.append(Source(path, Path(path.name), named=True))
    return found


def _files(folder: Path, recursive: bool, found: Found) -> Iterator[Path]:
    def failed(error: OSError) -> None:
        where = Path(error.filename)
        wrong = InputError(f"{where}: this folder cannot be read ({error.strerror}); check its permissions")
        if where == folder:
            raise wrong from error
        found.failed.append(wrong)

    for root, folders, files in os.walk(folder, onerror=failed):
        inside = sorted(name for name in folders if not is_junk(name))
        folders[:] = inside if recursive else []
        if not recursive:
            found.unsearched += (Path(root, name) for name in inside)
        yield from (Path(root, name) for name in sorted(files))


def plan(
    sources: Iterable[Source],
    folder: Path,
    template: Job,
    suffix: str,
    extensions: Sequence[str],
    further: Sequence[Further] = (),
) -> Plan:
    """Where every picture goes. Pure: no file is looked at.

    Parameters
    ----------
    sources : what `find` gave
    folder : of the targets, which mirror the sources' places
    template : a job; its source and target are replaced
    suffix : of the targets, with the dot
    extensions : of pictures, lower case, with the dot; a file that was named itself may have any
    further : files besides, below folders of their own
    """
    jobs: list[Job] = []
    skipped: list[Path] = []
    wanting: dict[str, tuple[Path, list[Path]]] = {}  # by target
    reading: dict[tuple[str, str], Path] = {}  # by source and target
    for source in sources:
        name = source.path.name
        if is_junk(name) or not (source.named or source.path.suffix.lower() in extensions):
            skipped.append(source.path)
            continue
        target = folder / source.place.with_suffix(suffix)
        more = [replace(one.output, target=one.target(source.place)) for one in further]
        targets = [target, *(output.target for output in more if output.target)]
        keys = _key(source.path), _key(target)
        if keys in reading:
            continue  # named twice
        reading[keys] = source.path
        for path in targets:
            wanting.setdefault(_key(path), (path, []))[1].append(source.path)
        jobs.append(replace(template, source=source.path, target=target, more=tuple(more)))
    read = {key for key, _ in reading}
    collisions = {target: wants for key, (target, wants) in wanting.items() if len(wants) > 1 or key in read}
    return Plan(jobs, skipped, collisions)


def _key(path: Path) -> str:
    """Equal for two names of one file; on macOS and Windows case does not count, on macOS composition neither."""
    text = os.path.normcase(os.path.abspath(path))
    return unicodedata.normalize("NFC", text).casefold() if sys.platform == "darwin" else text


def refuse_collisions(collisions: dict[Path, list[Path]]) -> None:
    """Nothing is converted if a result would take the place of another, or of a source.

    Raises
    ------
    UsageError
        There are collisions; the first is named.
    """
    if not collisions:
        return
    target, sources = next(iter(collisions.items()))
    more = f" (and {len(collisions) - 1} more)" if len(collisions) > 1 else ""
    if len(sources) == 1:
        raise UsageError(
            f"{sources[0]}: would become {target}, which is itself to be converted{more}; choose another folder"
        )
    first, second = sources[:2]
    if first == second:
        raise UsageError(
            f"{first}: two of its files would both become {target}{more}; write one of them, or into another folder"
        )
    raise UsageError(
        f"{first} and {second} would both become {target}{more}; "
        "rename one, or convert them into folders of their own"
    )


def refuse_nesting(paths: Sequence[Path], folder: Path, recursive: bool) -> None:
    """A target folder that is searched for sources would feed the next run with this one's results.

    Raises
    ------
    UsageError
        `folder` is one of the folders among `paths`, or, if sub-folders are searched, lies in one.
    """
    where = folder.resolve()
    for path in paths:
        if not os.path.isdir(path):
            continue
        outer = path.resolve()
        if where == outer or (recursive and outer in where.parents):
            raise UsageError(
                f"{folder}: is {'the folder' if where == outer else 'inside the folder'} that is searched for "
                "pictures; choose a folder outside"
            )
