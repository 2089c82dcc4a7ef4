"""Several formats, previews and tone-mapped pictures, as they are typed."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from pictures import run, written
from PIL import Image

from sdr2hdr import formats

pytestmark = pytest.mark.usefixtures("beside_photos")


@pytest.mark.parametrize("spelling", ["-o", "-t", "--output", "--target-directory"])
def test_several_formats_of_a_picture(spelling: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"photos/a.jpg {spelling} out --format exr,tif -v") == 0
    assert written() == ["out/a.exr", "out/a.tif"]
    out, err = capsys.readouterr()
    assert out == ""
    assert re.match(r"photos/a\.jpg -> out/a\.exr, out/a\.tif: \S+ % clipped, .* peak 10000, ", err)
    assert formats.recorded(Path("out/a.exr"), "exr")["peak"] == "10000"
    assert formats.recorded(Path("out/a.tif"), "tiff")["peak"] == "1000"
    Path("out/a.tif").unlink()
    assert run(f"photos/a.jpg {spelling} out --format exr,tif --dry-run") == 0
    assert capsys.readouterr().out == "photos/a.jpg -> out/a.tif\n"


def test_one_peak_for_all_if_it_is_said() -> None:
    assert run("photos/a.jpg out --format exr,tiff --peak 400") == 0
    peaks = [
        formats.recorded(Path(f"out/a.{end}"), name)["peak"]
        for end, name in (("exr", "exr"), ("tif", "tiff"))
    ]
    assert peaks == ["400", "400"]


def test_a_file_is_a_file_after_o_too() -> None:
    assert run("photos/a.jpg -o a.exr") == 0
    assert run("photos/b.png -o b.tif") == 0
    assert written() == ["a.exr", "b.tif"]


def test_one_picture_may_name_its_preview_whatever_it_becomes() -> None:
    assert run("photos/a.jpg -o out --format exr,tif --preview p.png --tonemap sdr/t.jpg") == 0
    assert run("photos/b.png into/ --preview q.png") == 0
    assert written() == ["into/b.exr", "out/a.exr", "out/a.tif", "p.png", "q.png", "sdr/t.jpg"]


@pytest.mark.parametrize(
    "words", ["photos/a.jpg a.heic", "photos out --format exr,heic", "photos/a.jpg -o x.hif"]
)
def test_a_missing_package_is_found_before_the_first_picture(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert run(words) == 1
    assert capsys.readouterr().err == (
        "sdr2hdr: error: HEIC needs the package pillow-heif, which is not installed; run: "
        "pip install 'sdr2hdr[heic]'\n"
    )
    assert written() == []


def test_json_has_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("photos/b.png -o hdr --format tiff -q") == 0
    capsys.readouterr()
    assert run("photos/b.png -o hdr --format exr,tiff --preview hdr/eyes --json") == 0
    told, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (told["target"], told["status"], told["peak_nits"]) == ("hdr/b.exr", "done", 10000)
    assert [(each["target"], each["format"], each["status"]) for each in told["outputs"]] == [
        ("hdr/b.exr", "exr", "done"),
        ("hdr/b.tif", "tiff", "skipped"),
        ("hdr/eyes/b.preview.png", "preview", "done"),
    ]
    assert told["outputs"][0]["max_cll"] == told["max_cll"]
    assert summary["summary"]["done"] == 1, "pictures are counted"


def test_eyes_of_one_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("photos/a.jpg a.exr --preview p.png --tonemap t.png") == 0
    assert written() == ["a.exr", "p.png", "t.png"]
    with Image.open("t.png") as picture:
        assert (picture.size, picture.mode) == ((56, 40), "RGB")
    Path("p.png").unlink()
    inode = os.stat("a.exr").st_ino
    assert run("photos/a.jpg a.exr --preview p.png --tonemap t.png") == 0
    assert written() == ["a.exr", "p.png", "t.png"]
    assert os.stat("a.exr").st_ino == inode, "what is finished is left alone"
    assert run("photos/a.jpg a.exr --preview p.png") == 0
    assert "a.exr, p.png: finished already" in capsys.readouterr().err


def test_eyes_of_a_tree() -> None:
    assert run("-r photos hdr --preview look --tonemap sdr --ext jpg") == 0
    assert written() == [
        "hdr/a.exr",
        "hdr/sub/d.exr",
        "look/a.preview.png",
        "look/sub/d.preview.png",
        "sdr/a.sdr.jpg",
        "sdr/sub/d.sdr.jpg",
    ]
    assert run("photos/b.png b.exr --preview made/ --tonemap sdr/") == 0
    assert {"made/b.preview.png", "sdr/b.sdr.jpg"} <= set(written())


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("photos/a.jpg out --format exr,exr", 2, "exr is named twice"),
        ("photos/a.jpg out --format exr,gif", 2, "cannot write 'gif'"),
        ("photos/a.jpg out.exr --format exr,tiff", 2, "several formats need a folder"),
        ("photos/a.jpg - --format exr,tiff", 2, "several formats and a dash"),
        ("photos/c.tif photos/c.tif -y", 2, "replaced by its own result"),
        ("photos/a.jpg a.exr --preview a.jpg", 2, r"--preview a\.jpg: end its name in \.png"),
        ("photos/a.jpg a.tif --tonemap a.tif", 2, "--tonemap"),
        ("photos/a.jpg a.exr --preview x.png --tonemap x.png", 2, "would both become"),
        ("photos out --preview x.png", 2, "several pictures need a folder"),
        ("photos out --preview photos", 2, "choose a folder outside"),
    ],
)
def test_refusals(words: str, status: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(rf"sdr2hdr: error: .*{message}.*\n", err)
    assert written() == []
