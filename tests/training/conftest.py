"""A folder of small HDR pictures, and pairs to validate on."""

from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest

from sdr2hdr.camera import Camera, shoot

BT2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)


def write_exr(path: Path, light: np.ndarray) -> None:
    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION, "chromaticities": BT2020}
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


@pytest.fixture(scope="session")
def hdr_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hdr")
    for i in range(4):
        write_exr(folder / f"photo{i}.exr", scene(i, (96, 128)))
    write_exr(folder / "round.exr", scene(9, (64, 128)))
    return folder


@pytest.fixture(scope="session")
def validation_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validation")
    for i in range(2):
        shot = shoot(scene(20 + i, (64, 96)), np.random.default_rng(i), Camera(unclipped=0))
        cv2.imwrite(str(folder / f"p{i}_sdr.png"), shot.codes[..., ::-1])
        write_exr(folder / f"p{i}_hdr.exr", shot.light)
    return folder
