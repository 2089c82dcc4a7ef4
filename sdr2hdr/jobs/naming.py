"""What files are called, as far as names alone can tell: formats by their names and suffixes, targets by both."""

import os
from pathlib import Path

from sdr2hdr import formats
from sdr2hdr.errors import UsageError
from sdr2hdr.jobs.job import DEFAULT_FORMAT, EYES

_EYE_SUFFIXES = {"preview": (".png",), "tonemap": (".jpg", ".jpeg", ".png")}


def resolve(source: Path | None, target: Path | None, format_name: str | None) -> tuple[Path | None, str]:
    """Where one picture goes and as what: target and name of the format.

    A target that is a folder gets the picture's name. The format is the one named, else that of the target's suffix,
    else EXR.

    Raises
    ------
    UsageError
        No such format; a target whose suffix says something else; a folder for a picture without a name.
    """
    named = _name(format_name) if format_name else None
    if target is not None and target.is_dir():
        if source is None:
            raise UsageError(
                f"{target}: is a folder, and a picture from standard input has no name; name a file in it"
            )
        suffix = formats.encoder(named or DEFAULT_FORMAT).EXTENSIONS[0]
        target = target / f"{source.stem}{suffix}"
    if target is None:
        return None, named or DEFAULT_FORMAT
    try:
        implied: str | None = _name(target.suffix)
    except UsageError:
        if not named:
            raise
        implied = None
    if named and implied and named != implied:
        raise UsageError(f"{target}: the name says {implied}, --format says {named}; change one of them")
    return target, named or implied or DEFAULT_FORMAT


def named(words: str | None) -> list[str]:
    """Names of the formats in a list with commas, by name or suffix; empty for nothing.

    Raises
    ------
    UsageError
        No such format, or one that is named twice.
    """
    found = [_name(word.strip()) for word in words.split(",")] if words is not None else []
    for name in found:
        if found.count(name) > 1:
            raise UsageError(f"--format {words}: {name} is named twice; name every format once")
    return found


def _name(name_or_suffix: str) -> str:
    module = formats.encoder(name_or_suffix)
    return next(name for name, writer in formats.writers().items() if writer is module)


def beside(kind: str, words: str, source: Path | None) -> Path:
    """Where a picture's preview or tone-mapped version goes (`kind`, see `EYES`): a file, or its name in a folder.

    Raises
    ------
    UsageError
        The suffix says something else; a folder for a picture without a name.
    """
    path = Path(words)
    if path.is_dir() or words.endswith(os.sep):
        if source is None:
            raise UsageError(
                f"--{kind} {words}: is a folder, and a picture from standard input has no name; name a file in it"
            )
        return path / f"{source.stem}{EYES[kind]}"
    if path.suffix.lower() not in _EYE_SUFFIXES[kind]:
        known = " or ".join(_EYE_SUFFIXES[kind])
        raise UsageError(f"--{kind} {words}: end its name in {known}, or name a folder that is there")
    return path


def folder_beside(kind: str, words: str) -> Path:
    """The folder of the previews or tone-mapped versions of several pictures.

    Raises
    ------
    UsageError
        It is the name of a file.
    """
    if is_file(kind, words):
        raise UsageError(
            f"--{kind} {words}: is the name of a file, and several pictures need a folder; name one"
        )
    return Path(words)


def is_file(kind: str, words: str) -> bool:
    """Whether these words name the file of one preview or tone-mapped version, and not a folder of them."""
    path = Path(words)
    return path.suffix.lower() in _EYE_SUFFIXES[kind] and not path.is_dir() and not words.endswith(os.sep)
