"""sdr2hdr convert, as it is typed."""

import dataclasses
import io
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
import tifffile
from PIL import Image

from sdr2hdr import cli, mask, settings
from sdr2hdr.cli.convert import command
from sdr2hdr.errors import InputError
from sdr2hdr.formats import EncodeOptions
from sdr2hdr.jobs import convert
from sdr2hdr.pipeline import Report

BT2087 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


@pytest.fixture(autouse=True)
def _weights(weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDR2HDR_WEIGHTS", str(weights_folder))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A small photograph-like PNG with alpha: gradients, and a clipped corner."""
    y, x = np.mgrid[0:40, 0:56]
    rgb = np.stack([4 * x, 5 * y, 2 * (x + y)], -1).clip(0, 255)
    rgb[:10, 40:] = 255
    path = tmp_path / "in.png"
    Image.fromarray(np.dstack([rgb, 255 - 4 * y]).astype(np.uint8), "RGBA").save(path)
    return path


def direct(path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The plain mapping of a picture by the standards' formulas: BT.2020 light, 1.0 = SDR white, (H, W, 3)."""
    signal = np.asarray(Image.open(path).convert("RGB")) / 255
    linear = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    return linear @ BT2087.T


def run(*words: object) -> int:
    return cli._run([str(word) for word in ("convert", *words)])


def test_untrained_nets_give_the_direct_mapping(picture: Path, tmp_path: Path) -> None:
    """Where they may not invent: an untrained D-net fills clipped areas with nothing."""
    assert run(picture, tmp_path / "out.exr", "--no-invent") == 0
    file = OpenEXR.File(str(tmp_path / "out.exr"))
    header, channels = file.header(), file.channels()
    rgba = channels["RGBA"].pixels if "RGBA" in channels else np.dstack([channels[c].pixels for c in "RGBA"])
    alpha = np.asarray(Image.open(picture))[..., 3] / 255
    np.testing.assert_allclose(rgba[..., 3], alpha, atol=1e-3)
    np.testing.assert_allclose(rgba[..., :3], direct(picture) * alpha[..., None], atol=1e-3)
    assert header["whiteLuminance"] == 203
    np.testing.assert_allclose(
        header["chromaticities"], (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329)
    )


def test_pipes_carry_the_bytes_of_the_file(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name in ("exr", "tiff"):
        assert run(picture, tmp_path / f"out.{name}") == 0
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(picture.read_bytes())))
        assert run("-", "-", "--format", name) == 0
        out, err = capsysbinary.readouterr()
        assert out == (tmp_path / f"out.{name}").read_bytes()
        assert err == b""


def test_standard_output_that_takes_a_part_only(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Raw(io.BytesIO):
        def write(self, data: Any, /) -> int:
            return super().write(data[:1000])

    class Out(io.StringIO):
        buffer = Raw()

    monkeypatch.setattr(sys, "stdout", Out())
    assert run(picture, "-") == 0
    assert run(picture, tmp_path / "out.exr") == 0
    assert Out.buffer.getvalue() == (tmp_path / "out.exr").read_bytes()


def test_exif_and_alpha_reach_the_tiff(picture: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker of the test", 6
    photograph = tmp_path / "in.jpg"
    Image.open(picture).convert("RGB").save(photograph, exif=exif, quality=95)
    assert run(photograph, tmp_path / "photo.tif") == 0
    assert run(picture, tmp_path / "alpha.tif") == 0
    with tifffile.TiffFile(tmp_path / "photo.tif") as file:
        assert file.pages[0].tags["Make"].value == "Maker of the test"
        assert file.pages[0].shape == (56, 40, 3)  # turned, as orientation 6 says
    with tifffile.TiffFile(tmp_path / "alpha.tif") as file:
        alpha = file.asarray()[..., 3] / 65535
    np.testing.assert_allclose(alpha, np.asarray(Image.open(picture))[..., 3] / 255, atol=1e-4)


def test_a_folder_gets_the_name(picture: Path, tmp_path: Path) -> None:
    assert run(picture, tmp_path) == 0
    assert run(picture, tmp_path, "--format", "tiff") == 0
    assert {p.name for p in tmp_path.iterdir()} == {"in.png", "in.exr", "in.tif"}


def test_existing_files_are_not_touched_unless_told(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.exr"
    target.write_text("precious")
    assert run(picture, target) == 1
    assert target.read_text() == "precious"
    assert re.fullmatch(
        r"sdr2hdr: error: .*out\.exr: exists already; .*--overwrite.*\n", capsys.readouterr().err
    )
    assert run(picture, target, "-y") == 0
    assert target.read_bytes()[:4] == b"\x76\x2f\x31\x01"


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["in.png"], 2, "Missing argument"),
        (["in.png", "other.png", "out.exr"], 2, "several pictures need a folder"),
        ([".", "out.exr"], 2, "several pictures need a folder"),
        (["in.png", "out.gif"], 2, r"\.exr .*\.tif"),
        (["in.png", "out.exr", "--format", "tiff"], 2, "the name says exr, --format says tiff"),
        (["in.png", "-", "--format", "webp"], 2, r"cannot write 'webp'"),
        (["-", "."], 2, "has no name"),
        (["in.png", "out.exr", "--strength", "1.5"], 2, "strength"),
        (["in.png", "out.exr", "--peak", "100"], 2, r"peak 100 is out of range; take a number from 203"),
        (["in.png", "out.exr", "--threshold", "0.5"], 2, "threshold"),
        (["in.png", "out.exr", "--work-size", "nan"], 2, "work size"),
        (["in.png", "out.exr", "--precision", "fp16"], 2, "precision"),
        (["in.png", "out.exr", "--device", "cuda:99"], 2, "take one of auto, cpu"),
        (["in.png", "out.exr", "--nonsense"], 2, "No such option"),
        (["absent.png", "out.exr"], 1, r"absent\.png: no such file"),
        (["text.png", "out.exr"], 1, r"text\.png: is not a picture"),
        (["in.png", "out.exr", "--max-pixels", "2239"], 1, "56 x 40 pixels, more than the limit of 2239"),
        (["in.png", "nowhere/out.exr"], 1, "no folder nowhere"),
        (["in.png", "out.exr", "--weights", "nowhere"], 3, "no such folder of weights"),
        (["in.png", "out.exr", "--look", "display"], 3, "looks there: scene"),
    ],
)
def test_refusals_are_one_line_and_leave_nothing(
    words: list[str],
    status: int,
    message: str,
    picture: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(picture.parent)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(picture.read_bytes())))
    Path("text.png").write_text("this is a text, and it is longer than the magic bytes of any picture")
    before = sorted(Path().rglob("*"))
    assert run(*words) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(rf"sdr2hdr: error: .*{message}.*\n", err)
    assert sorted(Path().rglob("*")) == before


def test_altered_weights_are_refused_before_anything_is_written(
    picture: Path, weights_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    for file in weights_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with (folder / "scene-detail.pt").open("ab") as file:
        file.write(b"!")
    assert run(picture, tmp_path / "out.exr", "--weights", folder) == 3
    assert re.fullmatch(
        r"sdr2hdr: error: .*scene-detail\.pt: truncated or altered.*\n", capsys.readouterr().err
    )
    assert not (tmp_path / "out.exr").exists()


@pytest.mark.parametrize(("stream", "words"), [("stdin", ["-", "out.exr"]), ("stdout", ["in.png", "-"])])
def test_terminals_neither_give_nor_take_pictures(
    stream: str, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: True, raising=False)
    assert run(*words) == 2
    assert "is a terminal" in capsys.readouterr().err


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_too_little_memory_is_one_line(
    error: Exception,
    picture: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("sdr2hdr.pipeline.Converter.convert", fail)
    assert run(picture, tmp_path / "out.exr") == 1
    assert re.fullmatch(
        r"sdr2hdr: error: .*in\.png: 56 x 40 pixels do not fit into memory.*\n", capsys.readouterr().err
    )


def captured(monkeypatch: pytest.MonkeyPatch, *words: object) -> tuple[convert.Job, settings.Settings]:
    """Job and settings that a command line stands for."""
    taken: list[Any] = []

    def take(job: convert.Job, method: settings.Settings, progress: object) -> None:
        taken.extend((job, method))
        raise InputError("taken")

    monkeypatch.setattr(convert, "convert_file", take)
    assert run(*words) == 1
    return taken[0], taken[1]


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("", {}),
        ("--look display", {"look": "display"}),
        ("--strength 0.25", {"strength": 0.25}),
        ("--no-invent", {"invent": False}),
        ("--peak 600", {"peak_nits": 600.0}),
        ("--white 100", {"white_nits": 100.0}),
        ("--threshold 0.8", {"threshold": 0.8}),
        ("--work-size 0", {"work_size": 0.0}),
        ("--device cpu", {"device": "cpu"}),
        ("--precision bf16", {"precision": "bf16"}),
        ("--weights here", {"weights": Path("here")}),
    ],
)
def test_every_option_reaches_the_settings(
    words: str, changed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, method = captured(monkeypatch, "a.jpg", tmp_path / "a.exr", *words.split())
    assert method == dataclasses.replace(settings.Settings(), **changed)


def test_every_setting_has_its_option() -> None:
    names = {parameter.name for parameter in command.params}
    assert {field.name for field in dataclasses.fields(settings.Settings)} <= names


def test_options_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--float", "--primaries", "acescg", "--max-pixels", "77", "-y"]
    job, _ = captured(monkeypatch, "a.jpg", tmp_path / "a.exr", *words)
    assert job == convert.Job(
        Path("a.jpg"), tmp_path / "a.exr", "exr", EncodeOptions(half=False, primaries="acescg"), 77, True
    )


def test_the_peak_by_default_is_the_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert captured(monkeypatch, "a.jpg", tmp_path / "a.exr")[1].peak_nits == 10000
    assert captured(monkeypatch, "a.jpg", tmp_path / "a.tif")[1].peak_nits == 1000


def test_help_says_the_limits_that_hold() -> None:
    options = {parameter.name: parameter for parameter in command.params}
    threshold: Any = options["threshold"].type
    assert (threshold.min, threshold.max) == mask.THRESHOLD_RANGE
    assert f"{convert.Job.__dataclass_fields__['max_pixels'].default}" in str(
        getattr(options["max_pixels"], "help", "")
    )


def test_verbose_says_what_was_found(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(picture, tmp_path / "out.exr", "-v", "--no-invent") == 0
    err = capsys.readouterr().err
    line = re.fullmatch(
        r".*in\.png -> .*out\.exr: (\S+) % clipped, threshold (\S+), peak 10000, MaxCLL (\d+), MaxFALL (\d+) cd/m2; "
        r"\S+ s: read \S+, load \S+, .*decompose .*write \S+\n",
        err,
    )
    assert line
    clipped = np.asarray(Image.open(picture).convert("RGB")).max(-1) >= 0.95 * 255
    assert float(line[1]) == pytest.approx(100 * clipped.mean(), abs=0.02)
    assert float(line[2]) == pytest.approx(mask.threshold(clipped.mean()), abs=6e-4)
    light = 203 * direct(picture).max(-1)
    assert float(line[3]) == pytest.approx(light.max(), abs=1.5)
    assert float(line[4]) == pytest.approx(light.mean(), abs=1)


def slow(job: convert.Job, method: settings.Settings, tell: Any) -> Report:
    for stage, seconds in (("read", 0.5), ("decompose", 1.0), ("base", 0.5)):
        tell(stage)
        time.sleep(seconds)
    return Report(0, 0.9, 1000, 200, 50, {"read": 0.6})


def test_a_bar_with_stages_on_a_terminal_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(convert, "convert_file", slow)
    for quiet, terminal, shown in (([], False, False), (["-q"], True, False), ([], True, True)):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal, raising=False)
        assert run("photo.jpg", tmp_path / "out.exr", *quiet) == 0
        err = capsys.readouterr().err
        assert ("photo.jpg" in err and "base" in err) is shown
        assert "read" not in err  # not within the first second
