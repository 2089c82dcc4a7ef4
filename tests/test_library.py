"""`import sdr2hdr` as others use it."""

import doctest
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import sdr2hdr
from sdr2hdr import cli, pipeline


@pytest.fixture(autouse=True)
def _weights(random_weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDR2HDR_WEIGHTS", str(random_weights_folder))


@pytest.fixture
def codes() -> np.ndarray:
    """(H, W, 3), uint8: gradients, and a clipped corner."""
    y, x = np.mgrid[0:40, 0:56]
    rgb = np.stack([4 * x, 5 * y, 2 * (x + y)], -1).clip(0, 255).astype(np.uint8)
    rgb[:10, 40:] = 255
    return rgb


def test_importing_it_is_light() -> None:
    code = (
        "import sys, sdr2hdr; dir(sdr2hdr); sdr2hdr.Sdr2HdrError;"
        "sys.exit(str({'torch', 'numpy', 'cv2', 'colour'} & set(sys.modules) or ''))"
    )
    root = Path(sdr2hdr.__file__).parents[1]
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False
    )
    assert result.stderr.strip() == ""


def test_every_public_name_is_there() -> None:
    for name in sdr2hdr.__all__:
        assert getattr(sdr2hdr, name)
        assert name in dir(sdr2hdr)
    assert sorted({name for names in sdr2hdr._PLACES.values() for name in names} | {"__version__"}) == sorted(
        sdr2hdr.__all__
    )
    assert sdr2hdr.Converter is pipeline.Converter
    with pytest.raises(AttributeError, match="has no attribute 'Convertor'"):
        sdr2hdr.Convertor  # noqa: B018


@pytest.mark.parametrize("module", [sdr2hdr, pipeline])
def test_examples_in_docstrings(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 2
    assert result.failed == 0


def test_arrays_files_and_the_command_line_agree(codes: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(codes).save(tmp_path / "a.png")
    convert = sdr2hdr.Converter()
    hdr = convert(tmp_path / "a.png")
    assert hdr.rgb.max() > 1.2, "the nets do something"
    for given in (
        str(tmp_path / "a.png"),
        codes,
        codes / 255,
        codes.astype(">u2") * 257,
        sdr2hdr.read(tmp_path / "a.png"),
    ):
        np.testing.assert_array_equal(convert(given).light, hdr.light)
    sdr2hdr.write(tmp_path / "a.exr", hdr)
    assert cli._run(["convert", str(tmp_path / "a.png"), str(tmp_path / "b.exr")]) == 0
    assert (tmp_path / "a.exr").read_bytes() == (tmp_path / "b.exr").read_bytes()
    with pytest.raises(sdr2hdr.OutputError, match="exists already"):
        sdr2hdr.write(tmp_path / "a.exr", hdr)


def test_what_was_no_file_has_no_source_in_its_recipe(codes: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(codes).save(tmp_path / "a.png")
    convert = sdr2hdr.Converter()
    assert "source" not in convert(codes).recipe
    assert len(convert(tmp_path / "a.png").recipe["source"]) == 64


def test_threads_may_share_a_converter() -> None:
    """With wide and narrow pictures, so that the nets for narrow ones are loaded while others compute."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, size, dtype=np.uint8) for size in [(300, 280, 3), (24, 200, 3)] * 6]
    settings = sdr2hdr.Settings(precision="bf16")
    one = sdr2hdr.Converter(settings)
    alone = [one(picture).light for picture in pictures]
    convert = sdr2hdr.Converter(settings)
    together: list[np.ndarray | None] = [None] * len(pictures)
    threads = torch.get_num_threads()

    def work(start: int) -> None:
        torch.set_num_threads(threads)
        for i in range(start, len(pictures), 3):
            together[i] = convert(pictures[i]).light

    workers = [threading.Thread(target=work, args=(start,)) for start in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for ours, expected in zip(together, alone, strict=True):
        assert ours is not None
        np.testing.assert_array_equal(ours, expected)
