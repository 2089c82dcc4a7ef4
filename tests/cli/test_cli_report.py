"""sdr2hdr report: pages and their list, refusals, statuses."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from pictures import noise

import sdr2hdr
from sdr2hdr import cli
from sdr2hdr.image import HdrImage


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, random_weights_folder: Path) -> Path:
    """A folder with pictures, where the command runs."""
    for name in ("photo.jpg", "photos/a.jpg", "photos/b.png", "photos/sub/c.jpg"):
        noise(tmp_path / name)
    (tmp_path / "hdr").mkdir()
    light = np.linspace(0, 9, 3 * 40 * 56, dtype=np.float32).reshape(3, 40, 56)
    sdr2hdr.write(tmp_path / "hdr" / "a.exr", HdrImage(light))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SDR2HDR_WEIGHTS", str(random_weights_folder))
    return tmp_path


def files(folder: Path) -> set[str]:
    """All files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_picture_is_converted_for_its_page(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(place)
    assert cli._run(["report", "photo.jpg", "-o", "page.html", "-v", "--strength", "0.5"]) == 0
    assert files(place) - before == {"page.html"}
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("photo.jpg -> page.html: ")
    page = (place / "page.html").read_text("utf-8")
    assert "converted for this page" in page
    assert '<tr><th scope="row">strength</th><td>0.5</td></tr>' in page
    assert '<tr><th scope="row">peak</th><td>1000</td></tr>' in page


def test_white_is_where_it_was_put(place: Path) -> None:
    assert cli._run(["report", "photo.jpg", "-o", "page.html", "--white", "400", "--strength", "0"]) == 0
    page = (place / "page.html").read_text("utf-8")
    assert '"white":400' in page
    brightest = re.search(r"<td>(\d+) cd/m², ([−+]0\.\d) stops", page)
    assert brightest
    assert 350 < int(brightest[1]) <= 400, "direct mapping: nothing is above white"
    stops = float(brightest[2].replace("−", "-"))
    assert stops == pytest.approx(math.log2(int(brightest[1]) / 400), abs=0.06)


def test_an_hdr_file_is_shown_as_it_is(place: Path) -> None:
    assert cli._run(["report", "photos/a.jpg", "hdr/a.exr", "-o", "page.html"]) == 0
    page = (place / "page.html").read_text("utf-8")
    assert "a.exr: OpenEXR" in page
    assert "1827 cd/m²" in page


def test_folders_give_pages_and_a_list(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli._run(["report", "-r", "photos", "hdr", "-o", "out/pages"]) == 0
    out = place / "out" / "pages"
    assert files(out) == {"index.html", "a.jpg.html", "b.png.html", "sub/c.jpg.html"}
    listing = (out / "index.html").read_text("utf-8")
    assert [f'href="{name}"' in listing for name in ("a.jpg.html", "b.png.html", "sub/c.jpg.html")] == [
        True
    ] * 3
    assert 'href="../index.html"' in (out / "sub" / "c.jpg.html").read_text("utf-8")
    assert "a.exr: OpenEXR" in (out / "a.jpg.html").read_text("utf-8")
    assert "converted for this page" in (out / "b.png.html").read_text("utf-8")
    assert capsys.readouterr().err.count("error") == 0


def test_a_list_may_have_any_name(place: Path) -> None:
    assert cli._run(["report", "photo.jpg", "photos/b.png", "-o", "all.html"]) == 0
    assert {"all.html", "all_files/photo.jpg.html", "all_files/b.png.html"} <= files(place)
    assert 'href="all_files/photo.jpg.html"' in (place / "all.html").read_text("utf-8")
    assert 'href="../all.html"' in (place / "all_files" / "b.png.html").read_text("utf-8")


def test_one_that_fails_does_not_stop_the_others(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "photos" / "bad<b>.jpg").write_bytes((place / "photo.jpg").read_bytes()[:200])
    assert cli._run(["report", "photos", "-o", "out"]) == 1
    assert files(place / "out") == {"index.html", "a.jpg.html", "b.png.html"}
    assert "bad&lt;b&gt;.jpg: is damaged" in (place / "out" / "index.html").read_text("utf-8")
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert line.startswith("sdr2hdr: error: photos/bad<b>.jpg: is damaged")


def test_nothing_is_replaced_unasked(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "page.html").write_text("mine")
    assert cli._run(["report", "photo.jpg", "-o", "page.html"]) == 1
    assert (place / "page.html").read_text() == "mine"
    assert "page.html: exists already; use --overwrite" in capsys.readouterr().err
    assert cli._run(["report", "photo.jpg", "-o", "page.html", "-y"]) == 0
    assert (place / "page.html").read_text("utf-8").startswith("<!doctype html>")
    (place / "out").mkdir()
    (place / "out" / "index.html").write_text("mine")
    assert cli._run(["report", "photos", "-o", "out"]) == 1
    assert files(place / "out") == {"index.html"}


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["missing.jpg", "-o", "p.html"], 1, "missing.jpg: "),
        (["photo.jpg", "hdr/missing.exr", "-o", "p.html"], 1, "hdr/missing.exr: "),
        (["hdr/a.exr", "-o", "p.html"], 2, "is HDR, and belongs to no picture"),
        (["photo.jpg", "-o", "p.pdf"], 2, "name it .html"),
        (["photo.jpg", "-o", "nowhere/p.html"], 1, "there is no folder nowhere"),
        (["photo.jpg"], 2, "Missing option '-o'"),
        (["hdr", "-o", "out"], 2, "no SDR pictures in it"),
        (["photo.jpg", "-o", "p.html", "--look", "nonsense"], 3, "nonsense"),
    ],
)
def test_refusals_are_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    before = files(place)
    assert cli._run(["report", *arguments]) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("sdr2hdr: error: ")
    assert words in line
    assert files(place) == before


def test_a_small_page_can_be_asked_for(place: Path) -> None:
    noise(place / "large.png", 300, 400)
    assert cli._run(["report", "large.png", "-o", "page.html", "--size", "100"]) == 0
    page = (place / "page.html").read_text("utf-8")
    assert 'width="100" height="75"' in page
    assert "at 100\u00a0×\u00a075, by area means" in page
