"""Many pictures, as they are typed."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from pictures import run, written

from sdr2hdr.jobs import obstacles

pytestmark = pytest.mark.usefixtures("beside_photos")


def stderr(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_a_folder_is_mirrored(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-r photos/ hdr/") == 0
    assert written() == ["hdr/a.exr", "hdr/b.exr", "hdr/c.exr", "hdr/sub/d.exr"]
    passed, summary = stderr(capsys).splitlines()
    assert passed == (
        "sdr2hdr: passed over, no pictures by their names: "
        "photos/.DS_Store, photos/._a.jpg, photos/Thumbs.db, photos/notes.txt"
    )
    assert re.fullmatch(r"sdr2hdr: 4 pictures in \S+ s: 4 done", summary)


def test_without_r_a_word_about_sub_folders(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("photos hdr") == 0
    assert written() == ["hdr/a.exr", "hdr/b.exr", "hdr/c.exr"]
    assert "passed over, folders (-r looks into them): photos/sub\n" in stderr(capsys)


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("photos hdr --ext jpg", ["hdr/a.exr"]),
        ("photos hdr -r --ext .PNG,tif", ["hdr/b.exr", "hdr/c.exr"]),
        ("photos hdr --ext png --ext jpg --format tiff", ["hdr/a.tif", "hdr/b.tif"]),
        ("photos/a.jpg photos/b.png hdr/", ["hdr/a.exr", "hdr/b.exr"]),
        (
            "photos/a.jpg photos/b.png photos/sub/d.jpg -t new/hdr",
            ["new/hdr/a.exr", "new/hdr/b.exr", "new/hdr/d.exr"],
        ),
        ("photos/a.jpg hdr/", ["hdr/a.exr"]),
        ("photos/sub photos/b.png hdr", ["hdr/b.exr", "hdr/d.exr"]),
    ],
)
def test_where_pictures_go(words: str, files: list[str]) -> None:
    assert run(words) == 0
    assert written() == files


def test_finished_pictures_are_skipped_and_changed_options_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("photos hdr -q") == 0
    assert stderr(capsys) == ""
    Path("hdr/b.exr").unlink()
    assert run("photos hdr") == 0
    assert "3 pictures in" in (err := stderr(capsys))
    assert err.endswith("1 done, 2 skipped (finished already)\n")
    assert run("photos hdr --peak 1000") == 1
    lines = stderr(capsys).splitlines()[2:]
    assert lines[0] == (
        "sdr2hdr: error: hdr/a.exr: exists already, made with peak 10000 instead of 1000; "
        "use --overwrite to replace it"
    )
    assert lines[3:6] == [line.replace("error", "failed") for line in lines[:3]]
    assert lines[6].endswith("3 failed")
    assert run("photos hdr --peak 1000 -y") == 0
    assert stderr(capsys).endswith("3 done\n")


def test_one_picture_that_is_finished(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("photos/a.jpg a.exr") == 0
    before = os.stat("a.exr")
    assert run("photos/a.jpg a.exr") == 0
    assert stderr(capsys) == "sdr2hdr: photos/a.jpg -> a.exr: finished already; --overwrite makes it anew\n"
    after = os.stat("a.exr")  # but for the time of access: it is read to see that it is finished
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_size,
    )
    assert run("photos/b.png a.exr") == 1
    assert "a.exr: exists already, made from another picture" in stderr(capsys)
    assert run("photos/a.jpg a.exr -y") == 0
    assert os.stat("a.exr").st_ino != before.st_ino


def test_bad_pictures_are_named_again_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    Path("photos/a2.jpg").write_bytes(Path("photos/a.jpg").read_bytes()[:300])
    Path("photos/b2.jpg").symlink_to("nowhere")
    assert run("photos hdr") == 1
    assert written() == ["hdr/a.exr", "hdr/b.exr", "hdr/c.exr"]
    lines = stderr(capsys).splitlines()
    errors = {line.removeprefix("sdr2hdr: error: ") for line in lines if "error: " in line}
    assert errors == {line.removeprefix("sdr2hdr: failed: ") for line in lines[-3:-1]}
    assert {error.partition(": ")[0] for error in errors} == {"photos/a2.jpg", "photos/b2.jpg"}
    assert lines[-1].endswith("3 done, 2 failed")


def test_fail_fast(capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(30):
        shutil.copy("photos/a.jpg", f"photos/x{i}.jpg")
    Path("photos/a0.jpg").write_bytes(b"\xff\xd8\xff")
    assert run("photos hdr --fail-fast --jobs 1") == 1
    assert re.search(
        r"stopped at the first failure; 34 pictures in .* 1 failed, \d+ not done\n$", stderr(capsys)
    )
    assert len(written()) < 30
    assert run("photos/absent.jpg photos/a.jpg -t hdr2 --fail-fast") == 1
    assert not Path("hdr2").exists(), "found before the first picture"


def test_a_full_disk_ends_the_batch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: object, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    for i in range(20):
        shutil.copy("photos/a.jpg", f"photos/x{i}.jpg")
    monkeypatch.setattr(os, "link", full)
    assert run("photos hdr --jobs 1") == 1
    err = stderr(capsys)
    assert "the disk is full; free some space" in err
    assert re.search(
        r"stopped, nothing can be written there any more; 23 pictures in .* 1 failed, 22 not done\n$", err
    )
    assert written() == []


def test_dry_run_says_all_and_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("photos/b.png hdr/ -q") == 0
    before = written()
    assert run("-r photos hdr --dry-run") == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "photos/a.jpg -> hdr/a.exr",
        "photos/c.tif -> hdr/c.exr",
        "photos/sub/d.jpg -> hdr/sub/d.exr",
    ]
    assert err.endswith("3 to be done, 1 skipped (finished already)\n")
    assert run("photos/a.jpg a.tif --dry-run") == 0
    assert capsys.readouterr().out == "photos/a.jpg -> a.tif\n"
    assert written() == before


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Path("photos/bad.jpg").write_bytes(b"")
    assert run("photos/b.png hdr/ -q") == 0
    assert run("photos hdr --json") == 1
    out, err = capsys.readouterr()
    assert err.endswith("2 done, 1 skipped (finished already), 1 failed\n")
    objects: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    summary = objects.pop()["summary"]
    assert summary.pop("seconds") > 0
    assert summary == {
        "done": 2,
        "skipped": 1,
        "failed": 1,
        "not_done": 0,
        "passed_over": 5,
        "ended": "",
        "exit_status": 1,
    }
    by_source = {told["source"]: told for told in objects}
    assert {source: told["status"] for source, told in by_source.items()} == {
        "photos/a.jpg": "done",
        "photos/b.png": "skipped",
        "photos/bad.jpg": "failed",
        "photos/c.tif": "done",
    }
    assert "bad.jpg: is empty" in by_source["photos/bad.jpg"]["message"]
    done = by_source["photos/a.jpg"]
    assert done["target"] == "hdr/a.exr"
    assert done["seconds"] == pytest.approx(sum(done["stages"].values()), abs=0.01)
    assert 0 < done["max_fall"] < done["max_cll"] <= done["peak_nits"] == 10000


def test_json_of_one_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("photos/a.jpg a.exr --json") == 0
    told, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert (told["status"], summary["summary"]["done"]) == ("done", 1)
    assert run("photos/b.png a.exr --json") == 1
    out, err = capsys.readouterr()
    told, summary = map(json.loads, out.splitlines())
    assert (told["status"], summary["summary"]["failed"], summary["summary"]["exit_status"]) == (
        "failed",
        1,
        1,
    )
    assert err == f"sdr2hdr: error: {told['message']}\n"


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (
            "photos/a.jpg photos/sub/a.png hdr/",
            2,
            r"photos/a\.jpg and photos/sub/a\.png would both become hdr/a\.exr",
        ),
        ("photos photos --ext tif --format tiff", 2, "choose a folder outside"),
        ("-r photos photos/hdr", 2, "inside the folder that is searched"),
        ("photos/c.tif photos/a.jpg photos --format tiff", 2, r"c\.tif: would become photos/c\.tif"),
        ("photos/sub/deep hdr", 2, "no pictures in it; -r looks"),
        ("photos hdr --ext gif", 2, "no pictures in it"),
        ("photos/a.jpg - hdr", 2, "several pictures and a dash"),
        ("photos -", 2, "several pictures and a dash"),
        ("photos/a.jpg - --json", 2, "--json writes to standard output"),
        ("photos hdr --jobs 0", 2, "jobs"),
        ("photos hdr.exr", 2, "is the name of a file"),
        ("photos photos/a.jpg/hdr", 1, r"photos/a\.jpg: is not a folder"),
        ("photos hdr --weights nowhere", 3, "no such folder of weights"),
    ],
)
def test_refusals_come_before_the_first_picture(
    words: str, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy("photos/b.png", "photos/sub/a.png")
    Path("photos/sub/deep/deeper").mkdir(parents=True)
    assert run(words) == status
    last = stderr(capsys).splitlines()[-1]
    assert re.fullmatch(rf"sdr2hdr: error: .*{message}.*", last)
    assert written() == []


def test_a_disk_without_room_is_found_before_the_first_picture(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = shutil.disk_usage(".")._replace(free=100)
    monkeypatch.setattr(obstacles.shutil, "disk_usage", lambda path: usage)
    assert run("photos hdr") == 1
    assert "the disk is too full" in stderr(capsys)
    assert not Path("hdr").exists()
