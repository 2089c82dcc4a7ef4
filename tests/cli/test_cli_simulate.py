"""`sdr2hdr simulate` as a process: what is written, what is refused, and what is said."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import sdr2hdr
from sdr2hdr import cli


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(sdr2hdr.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "sdr2hdr", "simulate", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, check=False)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "hdr"
    folder.mkdir()
    for i, name in enumerate(("a.hdr", "b.hdr")):
        light = np.exp(np.random.default_rng(i).normal(0, 1.5, (8, 10, 3))).astype(np.float32)
        cv2.imwrite(str(folder / name), cv2.resize(light, (120, 96)))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_folder_with_a_sheet_then_again(sources: Path, tmp_path: Path) -> None:
    """Whole run; the same again is refused and changes nothing; with -y it gives the same bytes, in any order."""
    done = run("hdr", "-o", "out/new", "--size", 64, "--sheet", "sheet.png", "-v", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("\n") == 2
    first = contents(tmp_path / "out" / "new")
    assert list(first) == ["a_hdr.exr", "a_sdr.png", "b_hdr.exr", "b_sdr.png", "manifest.jsonl"]
    assert [json.loads(row)["name"] for row in first["manifest.jsonl"].splitlines()] == ["a", "b"]
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")

    refused = run("hdr", "-o", "out/new", "--size", 64, cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"sdr2hdr: error: out/new/{n}_sdr.png: exists already; use --overwrite to replace it" for n in "ab"
    ]
    assert contents(tmp_path / "out" / "new") == first

    again = run("hdr/b.hdr", "hdr/a.hdr", "-o", "out/new", "--size", 64, "-y", "-q", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert contents(tmp_path / "out" / "new") == first


def test_the_batch_goes_on_after_bad_files(sources: Path, tmp_path: Path) -> None:
    (sources / "aa.exr").write_bytes(b"junk")
    options = ("--look", "display", "--views", 2, "--size", 64)
    done = run("none.hdr", "hdr", "-o", "out", *options, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.split(":")[2].strip() for line in lines] == ["none.hdr", "hdr/aa.exr"]
    pictures = {f"{n}-{i}_{what}" for n in "ab" for i in (1, 2) for what in ("sdr.png", "hdr.exr")}
    assert set(contents(tmp_path / "out")) == pictures | {"manifest.jsonl"}


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["hdr"], 2, "Missing option '-o'"),
        (["empty", "-o", "out"], 2, "empty: no HDR pictures"),
        (["hdr", "-o", "out", "--sheet", "sheet.jpg"], 2, "name it .png"),
        (["hdr", "-o", "out", "--sheet", "nowhere/sheet.png"], 1, "create it first"),
        (["hdr", "-o", "out", "--sheet", "old.png"], 1, "old.png: exists already"),
        (["hdr/a.hdr", "hdr/a.exr", "-o", "out"], 2, "pairs of one name"),
        (["hdr/a.hdr", "-o", "hdr/b.hdr"], 1, "choose another folder"),
    ],
)
def test_what_is_refused(
    words: list[str],
    status: int,
    message: str,
    sources: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "old.png").write_bytes(b"mine")
    monkeypatch.chdir(tmp_path)
    assert cli._run(["simulate", *words]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "old.png").read_bytes() == b"mine"
