"""Pictures, nets and settings of a few pixels, for the tests of the training."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import OpenEXR

from sdr2hdr.training.shots import Sampling

SMALL = Sampling(long_side=64)
BT2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)


def write_exr(path: Path, light: np.ndarray, chromaticities: Sequence[float] | None = BT2020) -> None:
    header: dict[str, object] = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    if chromaticities is not None:
        header["chromaticities"] = tuple(float(v) for v in chromaticities)
    with OpenEXR.File(header, {"RGB": np.ascontiguousarray(light.astype(np.float16))}) as file:
        file.write(str(path))


def scene(seed: int, size: tuple[int, int]) -> np.ndarray:
    """Smooth light with a few lamps, linear, (H, W, 3)."""
    rng = np.random.default_rng(seed)
    light = cv2.resize(np.exp(rng.normal(-1, 0.7, (6, 8, 3))).astype(np.float32), size[::-1])
    for _ in range(5):
        y, x, r = int(rng.integers(size[0])), int(rng.integers(size[1])), int(rng.integers(2, 9))
        cv2.circle(light, (x, y), r, tuple(float(v) for v in rng.uniform(5, 40) * rng.uniform(0.6, 1, 3)), -1)
    return light


SMALL_NETS = {
    "base": {"coarse_widths": (8, 12), "fine_widths": (8, 12)},
    "detail": {"width": 6, "depth": 3, "context_width": 6, "patches": 16},
    "refine": {"widths": (8, 12)},
}
