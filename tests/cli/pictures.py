"""Pictures for the tests of the command line."""

from pathlib import Path

import numpy as np
from PIL import Image


def noise(path: Path, height: int = 40, width: int = 56) -> None:
    """A picture of this size, in the format of its suffix, another one for every name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(path.name.encode()))
    Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
