"""Headers of Radiance pictures (Ward, "Real Pixels", Graphics Gems II; Radiance's own file format notes)."""

import re
from dataclasses import dataclass
from pathlib import Path

from sdr2hdr.color.tables import table
from sdr2hdr.formats._source import damaged

MAGICS = (b"#?RADIANCE", b"#?RGBE")
PREFIX, WHITE = "sdr2hdr.", "sdr2hdr white_nits"  # of comments: the recipe; luminance of 1.0

_BYTES = "sdr2hdr bytes of pixels"
_MAX_HEADER = 1 << 16
_LINE = 120  # characters: OpenCV reads lines in pieces of 127, and takes an empty piece for the header's end
_SIZE = re.compile(rb"([+-])([XY]) +(\d{1,9}) +([+-])([XY]) +(\d{1,9})\s*")


@dataclass(frozen=True)
class Header:
    """What comes before the pixels.

    size : height, width as they are to be looked at
    axes : sign and letter of the slower and the faster axis in the file, "-Y", "+X" as a rule
    pixels : where they begin
    variables : values by name, as often as they come ("EXPOSURE" multiplies)
    comments : lines behind number signs
    """

    size: tuple[int, int]
    axes: tuple[str, str]
    pixels: int
    variables: dict[str, list[str]]
    comments: list[str]


def parse(data: bytes) -> Header:
    """Read the header.

    Raises
    ------
    InputError
        Cut off or damaged.
    """
    lines: list[str] = []
    at = 0
    while True:
        end = data.find(b"\n", at, at + _MAX_HEADER)
        if end < 0 or end > _MAX_HEADER:
            raise damaged("no end of its header")
        line, at = data[at:end].rstrip(b"\r").decode("utf-8", "replace"), end + 1
        if not line and lines:
            break
        lines.append(line)
    end = data.find(b"\n", at, at + 80)
    found = _SIZE.fullmatch(data, at, end + 1) if end >= 0 else None
    if found is None or found[2] == found[5]:
        raise damaged("no size in its header")
    sides = {found[2]: int(found[3]), found[5]: int(found[6])}
    variables: dict[str, list[str]] = {}
    for line in lines[1:]:
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            variables.setdefault(name.strip(), []).append(value.strip())
    return Header(
        size=(sides[b"Y"], sides[b"X"]),
        axes=((found[1] + found[2]).decode(), (found[4] + found[5]).decode()),
        pixels=end + 1,
        variables=variables,
        comments=[line[1:].removeprefix(" ") for line in lines[1:] if line.startswith("#")],
    )


def build(pixels: bytes, size: tuple[int, int], comments: list[str], software: str) -> bytes:
    """A file in BT.709 primaries of pixels from top left, line by line. Long comments go on with a plus sign."""
    primaries = " ".join(f"{value:.4f}" for value in table("chromaticities_bt709"))
    lines = ["#?RADIANCE"]
    for comment in [f"{_BYTES}={len(pixels)}", *comments]:
        pieces = [comment[i : i + _LINE // 4] for i in range(0, len(comment), _LINE // 4)]
        if len(comment.encode()) <= _LINE:
            pieces = [comment]
        lines += [f"{'#+' if i else '# '}{piece}" for i, piece in enumerate(pieces)]
    lines += [f"SOFTWARE={software}", f"PRIMARIES={primaries}", "FORMAT=32-bit_rle_rgbe", ""]
    return "\n".join([*lines, f"-Y {size[0]} +X {size[1]}", ""]).encode() + pixels


def recipe_of(path: Path) -> dict[str, str]:
    """The recipe in a whole file that `build` made.

    Raises
    ------
    OSError
        It cannot be read.
    """
    with path.open("rb") as stream:
        data = stream.read(_MAX_HEADER)
        size = stream.seek(0, 2)
    try:
        header = parse(data) if data.startswith(MAGICS) else None
    except ValueError:
        return {}
    if header is None or comment(header, _BYTES) != str(size - header.pixels):
        return {}
    return recipe(header)


def recipe(header: Header) -> dict[str, str]:
    """The recipe in a header; empty if it is not ours."""
    pairs = [line.partition("=") for line in _joined(header) if line.startswith(PREFIX)]
    return {name.removeprefix(PREFIX): value for name, _, value in pairs}


def comment(header: Header, name: str) -> str | None:
    """Value of a comment "name=value"; None if there is none."""
    pairs = [line.partition("=") for line in _joined(header)]
    return next((value for found, _, value in pairs if found == name), None)


def _joined(header: Header) -> list[str]:
    lines: list[str] = []
    for line in header.comments:
        if line.startswith("+") and lines:
            lines[-1] += line[1:]
        else:
            lines.append(line)
    return lines
