"""Which SDR picture and which HDR file go on one page: told by their order, their names, and what the files are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sdr2hdr import formats
from sdr2hdr.errors import InputError, UsageError
from sdr2hdr.jobs import plan

# Never HDR, and never SDR; what may be either is read.
SDR_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".dib")
HDR_SUFFIXES = (".exr", ".hdr", ".pic", ".rgbe")


@dataclass(frozen=True)
class Pair:
    """What goes on one page.

    hdr : None: the picture is converted
    place : of the page below the folder of all pages
    """

    sdr: Path
    hdr: Path | None
    place: Path


@dataclass(frozen=True)
class Pairs:
    """What `find` found; `passed` were no pictures, or HDR without a picture; `failed` could not be read."""

    pairs: list[Pair]
    passed: list[Path]
    unsearched: list[Path]
    failed: list[InputError]


def find(paths: Sequence[Path], recursive: bool, one_page: bool = False) -> Pairs:
    """Sort files and folders into pairs.

    A file that is named belongs to the picture before it if it is HDR. Files of folders belong together if they have
    the same place and name in theirs, whatever their suffixes. A JPEG with a gain map is an SDR picture, too: it is
    the HDR file of another only if it has the same name, or if the two are all that there is for one page.

    Raises
    ------
    InputError
        A folder that was named cannot be read.
    UsageError
        An HDR file that was named belongs to no picture; two pictures would get the same page; there are none.
    """
    found = plan.find(paths, recursive)
    pairs: list[Pair] = []
    passed: list[Path] = []
    waiting: list[plan.Source] = []
    known = {suffix for module in formats.readers().values() for suffix in module.EXTENSIONS} | {
        *HDR_SUFFIXES
    }
    for source in found.sources:
        if not source.named and (plan.is_junk(source.path.name) or source.path.suffix.lower() not in known):
            passed.append(source.path)
        elif is_hdr(source.path) or (one_page and _last_of_two(found, source) and not _is_plain(source.path)):
            if not source.named:
                waiting.append(source)
            elif not pairs or pairs[-1].hdr:
                raise UsageError(
                    f"{source.path}: is HDR, and belongs to no picture; name its SDR picture before it"
                )
            else:
                pairs[-1] = replace(pairs[-1], hdr=source.path)
        else:
            _add(pairs, source)
    for source in waiting:
        at = next((i for i, pair in enumerate(pairs) if _same(pair, source) and not pair.hdr), None)
        if at is None:
            passed.append(source.path)
        else:
            pairs[at] = replace(pairs[at], hdr=source.path)
    if not pairs and not found.failed:
        cure = "-r looks into its sub-folders" if found.unsearched else "name another folder"
        raise UsageError(f"{paths[0]}: no SDR pictures in it; {cure}")
    return Pairs(pairs, passed, found.unsearched, found.failed)


def is_hdr(path: Path) -> bool:
    """Whether a file can only be HDR. One that cannot be read is taken for SDR, and fails as that."""
    suffix = path.suffix.lower()
    if suffix in HDR_SUFFIXES:
        return True
    if suffix in SDR_SUFFIXES or not path.is_file():
        return False
    try:
        formats.read(path)
    except InputError:
        try:
            formats.examine(path)
        except InputError:
            return False
        return True
    return False


def _last_of_two(found: plan.Found, source: plan.Source) -> bool:
    return len(found.sources) == 2 and source is found.sources[1]


def _add(pairs: list[Pair], source: plan.Source) -> None:
    place = source.place.with_name(source.place.name + ".html")
    other = next((i for i, pair in enumerate(pairs) if pair.place == place), None)
    if other is None:
        pairs.append(Pair(source.path, None, place))
    elif pairs[other].hdr is None and _has_gain_map(source.path):
        pairs[other] = replace(pairs[other], hdr=source.path)
    elif pairs[other].sdr.resolve() != source.path.resolve():
        raise UsageError(
            f"{pairs[other].sdr} and {source.path} would get the same page; rename one, or report them apart"
        )


def _same(pair: Pair, source: plan.Source) -> bool:
    return pair.place.with_suffix("").with_suffix("") == source.place.with_suffix("")


def _is_plain(path: Path) -> bool:
    """Whether a file is SDR and nothing else; one that cannot be read is not."""
    try:
        said = formats.examine(path).signalling
    except InputError:
        return False
    return said.headroom is None and said.transfer in ("srgb", "gamma")


def _has_gain_map(path: Path) -> bool:
    try:
        return formats.examine(path).signalling.headroom is not None
    except InputError:
        return False
