"""A picture's rows, some at a time, as every encoder wants them."""

from collections.abc import Iterator

import numpy as np

from sdr2hdr.errors import OutputError
from sdr2hdr.image import FloatArray, HdrImage

_PIXELS = 2**16  # of a strip: its arrays stay in a core's cache


def strips(image: HdrImage) -> Iterator[tuple[slice, FloatArray, FloatArray | None]]:
    """From the top: the rows, their light (3, h, W), contiguous, and their alpha (h, W) or None; finite.

    Raises
    ------
    OutputError
        Light or alpha is NaN or infinite.
    """
    height, width = image.size
    step = max(1, _PIXELS // width)
    for row in range(0, height, step):
        rows = slice(row, min(row + step, height))
        light = np.ascontiguousarray(image.light[:, rows])
        alpha = None if image.alpha is None else image.alpha[rows]
        if not np.isfinite(light).all() or not (alpha is None or np.isfinite(alpha).all()):
            raise OutputError(
                "the result holds NaN or infinite light and is not written; convert it again with --precision fp32"
            )
        yield rows, light, alpha
