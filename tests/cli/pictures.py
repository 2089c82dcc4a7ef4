"""Pictures for the tests of the command line, what is typed, and what comes of it."""

from pathlib import Path

import numpy as np
from PIL import Image

from sdr2hdr import cli


def noise(path: Path, height: int = 40, width: int = 56) -> None:
    """A picture of this size, in the format of its suffix, another one for every name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(path.name.encode()))
    Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)


def run(words: str) -> int:
    """Status of `sdr2hdr convert` with these words."""
    return cli._run(["convert", *words.split()])


def written() -> list[str]:
    """Everything here that is not a source."""
    return sorted(str(path) for path in Path().rglob("*") if path.is_file() and path.parts[0] != "photos")
