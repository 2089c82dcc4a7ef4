"""`sdr2hdr inspect` as a process: what is written, what is said, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pictures import noise
from PIL import Image

from sdr2hdr import cli
from sdr2hdr.inspection.sheet import file_names

Bash = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, random_weights_folder: Path) -> Path:
    """A small picture, in the folder that commands run in."""
    noise(tmp_path / "photo.png", 48, 72)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SDR2HDR_WEIGHTS", str(random_weights_folder))
    return tmp_path / "photo.png"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_all_pictures_and_the_figures(picture: Path, tmp_path: Path, bash: Bash) -> None:
    """A whole run with JSON; a second one is refused and changes nothing; with -y it gives the same bytes."""
    status, out, err = bash("sdr2hdr inspect photo.png -o out/new --json --size 300 -v")
    assert (status, err) == (0, "photo.png -> out/new: 16 pictures\n")
    told = json.loads(out)
    first = contents(tmp_path / "out" / "new")
    assert list(first) == sorted(file_names()), "nothing else, and no parts"
    assert [Path(name).name for name in told["files"]] == file_names()
    assert (told["source"], told["width"], told["height"]) == ("photo.png", 72, 48)
    assert sum(told["origin"].values()) == pytest.approx(1, abs=2e-6)
    assert {"clipped_share", "threshold", "max_cll", "max_fall", "luminance_nits", "tone_curve"} <= set(told)
    for name, data in first.items():
        with Image.open(tmp_path / "out" / "new" / name) as image:
            image.load()
            assert image.mode == "RGB"
            assert data.startswith(b"\x89PNG")
            if name != "sheet.png":
                assert image.width < 800

    status, out, err = bash("sdr2hdr inspect photo.png -o out/new")
    assert (status, out) == (1, "")
    assert err == "sdr2hdr: error: out/new/01-sdr.png: exists already; use --overwrite to replace it\n"
    assert contents(tmp_path / "out" / "new") == first

    status, out, err = bash("sdr2hdr inspect - -o out/new --size 300 -y < photo.png")
    assert (status, err) == (0, "")
    assert out.splitlines()[0].startswith("72 x 48, scene look")
    assert "Pixels: measured " in out
    again = contents(tmp_path / "out" / "new")
    assert {name: data for name, data in again.items() if name != "sheet.png"} == {
        name: data for name, data in first.items() if name != "sheet.png"
    }


def test_options_of_the_method(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--strength", "0.5", "--no-invent", "--peak", "400", "--white", "100", "--threshold", "0.8"]
    words += ["--work-size", "0.002", "--precision", "fp32", "--look", "scene", "--size", "200", "--json"]
    assert cli._run(["inspect", "photo.png", "-o", "out", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["white_nits"], told["peak_nits"], told["threshold"]) == (100, 400, 0.8)
    assert told["max_cll"] <= 400.01
    recipe = told["recipe"]
    assert (recipe["strength"], recipe["invent"], recipe["work-size"]) == ("0.5", "no", "0.002")
    assert set(contents(tmp_path / "out")) == set(file_names()) - {"06-d-net.png"}


def test_quiet(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli._run(["inspect", "photo.png", "-o", "out", "--size", "100", "-q"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["photo.png"], 2, "Missing option '-o'"),
        (["none.png", "-o", "out"], 1, "none.png: no such file"),
        (["junk.png", "-o", "out"], 1, "junk.png: is not a picture"),
        (["photo.png", "-o", "junk.png"], 1, "junk.png: is a file; name a folder"),
        (["photo.png", "-o", "junk.png/below"], 1, "choose another folder"),
        (["photo.png", "-o", "old"], 1, "sheet.png: exists already"),
        (["photo.png", "-o", "out", "--look", "nice"], 3, "nice"),
        (["photo.png", "-o", "out", "--size", "7"], 2, "--size"),
        (["photo.png", "-o", "out", "--max-pixels", "100"], 1, "more than the limit"),
    ],
)
def test_what_is_refused(
    words: list[str],
    status: int,
    message: str,
    picture: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "junk.png").write_bytes(b"junk")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "sheet.png").write_bytes(b"mine")
    assert cli._run(["inspect", *words]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "old" / "sheet.png").read_bytes() == b"mine"


def test_nothing_half_written(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the midst leaves whole pictures only."""
    from sdr2hdr.inspection import sheet

    def fail(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(sheet, "sheet", fail)
    assert cli._run(["inspect", "photo.png", "-o", "out", "--size", "100", "-q"]) == 1
    left = contents(tmp_path / "out")
    assert set(left) == set(file_names()) - {"sheet.png"}
    for name in left:
        with Image.open(tmp_path / "out" / name) as image:
            assert np.asarray(image).size
