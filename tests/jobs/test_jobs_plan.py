"""Names into jobs, without a picture."""

import os
import sys
from pathlib import Path

import pytest

from sdr2hdr.errors import InputError, UsageError
from sdr2hdr.jobs import plan
from sdr2hdr.jobs.convert import Job
from sdr2hdr.jobs.plan import Source

EXTENSIONS = [".jpg", ".png", ".tif"]


def planned(*names: str, suffix: str = ".exr", folder: str = "hdr", named: bool = False) -> plan.Plan:
    sources = [Source(Path("photos", name), Path(name), named) for name in names]
    return plan.plan(sources, Path(folder), Job(None, None, max_pixels=7), suffix, EXTENSIONS)


def test_the_tree_is_mirrored_and_the_template_kept() -> None:
    result = planned("a.jpg", "x/y/b.c.PNG")
    assert result.jobs == [
        Job(Path("photos/a.jpg"), Path("hdr/a.exr"), max_pixels=7),
        Job(Path("photos/x/y/b.c.PNG"), Path("hdr/x/y/b.c.exr"), max_pixels=7),
    ]
    assert (result.skipped, result.collisions) == ([], {})


@pytest.mark.parametrize(
    "name",
    ["._a.jpg", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden.png", "notes.txt", "a.exr", "noname"],
)
def test_what_is_no_picture_is_passed_over(name: str) -> None:
    assert planned("a.jpg", name).skipped == [Path("photos", name)]


def test_what_the_user_names_is_taken_unless_it_is_junk() -> None:
    result = planned("scan", "a.data", "._a.jpg", "Thumbs.db", named=True)
    assert [job.target for job in result.jobs] == [Path("hdr/scan.exr"), Path("hdr/a.exr")]
    assert result.skipped == [Path("photos/._a.jpg"), Path("photos/Thumbs.db")]


def test_collisions() -> None:
    result = planned("a.png", "x/a.png", "b.jpg", "a.jpg")
    assert result.collisions == {Path("hdr/a.exr"): [Path("photos/a.png"), Path("photos/a.jpg")]}
    with pytest.raises(UsageError, match=r"photos/a\.png and photos/a\.jpg would both become hdr/a\.exr"):
        plan.refuse_collisions(result.collisions)
    plan.refuse_collisions(planned("a.png", "x/a.png").collisions)


def test_a_result_takes_no_sources_place() -> None:
    result = planned("a.tif", "b.jpg", suffix=".tif", folder="photos")
    assert result.collisions == {Path("photos/a.tif"): [Path("photos/a.tif")]}
    with pytest.raises(
        UsageError, match=r"a\.tif: would become photos/a\.tif, which is itself to be converted;"
    ):
        plan.refuse_collisions(result.collisions)


def test_a_picture_that_is_named_twice_is_one() -> None:
    sources = [Source(Path(name), Path("a.jpg"), True) for name in ("a.jpg", os.path.abspath("a.jpg"))]
    result = plan.plan(sources, Path("hdr"), Job(None, None), ".exr", EXTENSIONS)
    assert len(result.jobs) == 1
    assert result.collisions == {}


def test_case_counts_where_file_systems_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("a.jpg", "A.png", "e\u0301.jpg", "\u00e9.png")
    monkeypatch.setattr(sys, "platform", "linux")
    assert planned(*names).collisions == {}
    monkeypatch.setattr(sys, "platform", "darwin")
    assert len(planned(*names).collisions) == 2


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """photos/ with b.jpg a.jpg, x/c.jpg, x/y/d.jpg, folders that are junk, and a link that leads back."""
    for name in ("b.jpg", "a.jpg", "x/c.jpg", "x/y/d.jpg", ".git/e.jpg", "__MACOSX/f.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "photos" / "x" / "back").symlink_to(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folders_are_searched_in_order(tree: Path) -> None:
    found = plan.find([Path("photos"), Path("photos/x/c.jpg")], recursive=True)
    assert [str(source.place) for source in found.sources] == [
        "a.jpg",
        "b.jpg",
        "x/c.jpg",
        "x/y/d.jpg",
        "c.jpg",
    ]
    assert [source.named for source in found.sources] == [False] * 4 + [True]
    assert found.unsearched == []


def test_sub_folders_only_if_told(tree: Path) -> None:
    found = plan.find([Path("photos")], recursive=False)
    assert [str(source.path) for source in found.sources] == ["photos/a.jpg", "photos/b.jpg"]
    assert found.unsearched == [Path("photos/x")]


def test_folders_that_cannot_be_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name in refused:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    refused = {"y"}
    found = plan.find([Path("photos")], recursive=True)
    assert len(found.sources) == 3
    assert [str(error) for error in found.failed] == [
        "photos/x/y: this folder cannot be read (Permission denied); check its permissions"
    ]
    refused = {"photos"}
    with pytest.raises(InputError, match="photos: this folder cannot be read"):
        plan.find([Path("photos")], recursive=True)


@pytest.mark.parametrize(
    ("folder", "recursive", "refused"),
    [
        ("photos", False, True),
        ("photos/../photos", False, True),
        ("photos/x/back", False, True),
        ("photos/hdr", True, True),
        ("photos/hdr", False, False),
        ("hdr", True, False),
        (".", True, False),
        ("photos-hdr", True, False),
    ],
)
def test_the_target_inside_the_source(folder: str, recursive: bool, refused: bool, tree: Path) -> None:
    if refused:
        with pytest.raises(UsageError, match="choose a folder outside"):
            plan.refuse_nesting([Path("photos")], Path(folder), recursive)
    else:
        plan.refuse_nesting([Path("photos")], Path(folder), recursive)


def test_ten_thousand_names_take_no_time_to_speak_of() -> None:
    names = [f"{i % 100}/{i}.jpg" for i in range(10_000)]
    assert len(planned(*names).jobs) == 10_000
