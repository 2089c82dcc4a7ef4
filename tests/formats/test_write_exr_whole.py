"""EXR files that are cut off are found out, whole ones are not suspected."""

from pathlib import Path

import numpy as np
import pytest

from sdr2hdr.formats import EncodeOptions, exr
from sdr2hdr.formats._exr_whole import is_whole
from sdr2hdr.image import HdrImage


@pytest.mark.parametrize("size", [(1, 1), (15, 3), (16, 40), (17, 40), (200, 90)])
@pytest.mark.parametrize("half", [True, False])
def test_whole_and_cut_off(size: tuple[int, int], half: bool, tmp_path: Path) -> None:
    light = np.random.default_rng(0).random((3, *size)).astype(np.float32)
    data = exr.encode(HdrImage(light, recipe={"look": "scene"}), EncodeOptions(half))
    path = tmp_path / "a.exr"
    path.write_bytes(data)
    assert is_whole(path)
    assert exr.read_recipe(path)["look"] == "scene"
    for length in {*range(0, len(data), max(1, len(data) // 300)), len(data) - 1}:
        path.write_bytes(data[:length])
        assert not is_whole(path), length
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 255]))
    assert is_whole(path), "damage inside is not looked for"
    path.write_bytes(data + b"\0")
    assert not is_whole(path)
