"""Which files go on one page."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sdr2hdr
from sdr2hdr.errors import UsageError
from sdr2hdr.image import HdrImage
from sdr2hdr.report.pairs import find


def sdr(path: Path) -> Path:
    """A picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 30, 3), np.uint8)).save(path)
    return path


def hdr(path: Path) -> Path:
    """Light from 0 to 8 times SDR white."""
    path.parent.mkdir(parents=True, exist_ok=True)
    light = np.linspace(0, 8, 3 * 20 * 30, dtype=np.float32).reshape(3, 20, 30)
    sdr2hdr.write(path, HdrImage(light), overwrite=True)
    return path


def names(paths: list[Path], root: Path, **rest: bool) -> list[tuple[str, str | None, str]]:
    """Pairs, as words."""
    found = find(paths, rest.pop("recursive", False), **rest)
    return [
        (
            pair.sdr.relative_to(root).as_posix(),
            pair.hdr.relative_to(root).as_posix() if pair.hdr else None,
            pair.place.as_posix(),
        )
        for pair in found.pairs
    ]


def test_hdr_belongs_to_the_picture_before_it(tmp_path: Path) -> None:
    a, b, c = (sdr(tmp_path / name) for name in ("a.jpg", "b.png", "c.jpg"))
    one, two = hdr(tmp_path / "one.exr"), hdr(tmp_path / "two.png")
    assert names([a, one, b, c, two], tmp_path) == [
        ("a.jpg", "one.exr", "a.jpg.html"),
        ("b.png", None, "b.png.html"),
        ("c.jpg", "two.png", "c.jpg.html"),
    ]


@pytest.mark.parametrize("order", ["hdr first", "two hdr"])
def test_hdr_without_a_picture_is_refused(tmp_path: Path, order: str) -> None:
    picture, light = sdr(tmp_path / "a.jpg"), hdr(tmp_path / "a.exr")
    paths = [light, picture] if order == "hdr first" else [picture, light, hdr(tmp_path / "b.exr")]
    with pytest.raises(UsageError, match="belongs to no picture"):
        find(paths, False)


def test_two_phone_photographs_are_two_pictures(tmp_path: Path) -> None:
    phone = [hdr(tmp_path / name) for name in ("x.jpg", "y.jpg")]
    assert names(phone, tmp_path) == [("x.jpg", None, "x.jpg.html"), ("y.jpg", None, "y.jpg.html")]
    assert names(phone, tmp_path, one_page=True) == [("x.jpg", "y.jpg", "x.jpg.html")]
    plain = [sdr(tmp_path / "plain" / name) for name in ("x.jpg", "y.png")]
    assert [pair.hdr for pair in find(plain, False, one_page=True).pairs] == [None, None]


def test_a_gain_map_jpeg_of_the_same_name_is_the_hdr_version(tmp_path: Path) -> None:
    before, after = sdr(tmp_path / "in" / "x.jpg"), hdr(tmp_path / "out" / "x.jpg")
    assert names([before, after], tmp_path) == [("in/x.jpg", "out/x.jpg", "x.jpg.html")]
    other = sdr(tmp_path / "other" / "x.jpg")
    with pytest.raises(UsageError, match="same page"):
        find([before, other], False)
    assert len(find([before, before], False).pairs) == 1


def test_folders_are_paired_by_place_and_name(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.png", "sub/c.jpg"):
        sdr(tmp_path / "photos" / name)
    for name in ("a.exr", "sub/c.png", "nobody.exr"):
        hdr(tmp_path / "hdr" / name)
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    folders = [tmp_path / "photos", tmp_path / "hdr"]
    assert names(folders, tmp_path, recursive=True) == [
        ("photos/a.jpg", "hdr/a.exr", "a.jpg.html"),
        ("photos/b.png", None, "b.png.html"),
        ("photos/sub/c.jpg", "hdr/sub/c.png", "sub/c.jpg.html"),
    ]
    found = find(folders, recursive=True)
    assert sorted(path.name for path in found.passed) == ["nobody.exr", "notes.txt"]
    assert [path.name for path in find(folders, recursive=False).unsearched] == ["sub", "sub"]


def test_two_files_of_a_stem_get_two_pages(tmp_path: Path) -> None:
    sdr(tmp_path / "in" / "a.jpg"), sdr(tmp_path / "in" / "a.png")
    hdr(tmp_path / "in" / "a.exr")
    assert names([tmp_path / "in"], tmp_path) == [
        ("in/a.jpg", "in/a.exr", "a.jpg.html"),
        ("in/a.png", None, "a.png.html"),
    ]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no SDR pictures"):
        find([tmp_path], False)
