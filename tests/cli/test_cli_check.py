"""sdr2hdr check, in real processes."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdr2hdr import formats
from sdr2hdr.image import HdrImage

Bash = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    light = np.random.default_rng(2).random((3, 30, 40), np.float32)
    light[:, :5] = 4.926108  # 1000 cd/m2
    for name in ("a.exr", "b.tiff", "c'\nd.exr"):
        formats.write(tmp_path / name, HdrImage(light, recipe={"look": "scene", "weights-base": "ab12"}))
    formats.write(tmp_path / "dim.exr", HdrImage(light * 0.1))
    Image.new("RGB", (20, 10), (200, 90, 90)).save(tmp_path / "sdr.png")
    (tmp_path / "cut.exr").write_bytes((tmp_path / "a.exr").read_bytes()[:-99])
    (tmp_path / "folder").mkdir()
    return tmp_path


def test_statuses(files: Path, bash: Bash) -> None:
    status, out, err = bash(
        "sdr2hdr check -q a.exr b.tiff; echo $?; sdr2hdr check -q a.exr sdr.png; echo $?;"
        "sdr2hdr check -q sdr.png cut.exr a.exr missing folder; echo $?; sdr2hdr check; echo $?"
    )
    assert status == 0
    lines = out.splitlines()
    assert lines[2:6:3] == ["0", "1"]
    assert [line.split(" (")[0] for line in lines if "(" in line] == [
        "a.exr: HDR",
        "b.tiff: HDR",
        "a.exr: HDR",
        "sdr.png: not HDR",
        "sdr.png: not HDR",
        "a.exr: HDR",
    ]
    assert lines[8:] == ["2", "2"]
    complaints = err.splitlines()
    assert [line.split(": ")[:3] for line in complaints[:3]] == [
        ["sdr2hdr", "error", name] for name in ("cut.exr", "missing", "folder")
    ]
    assert "Missing argument 'FILE...'" in complaints[3]
    assert len(complaints) == 4


def test_blocks_for_people(files: Path, bash: Bash) -> None:
    status, out, err = bash("sdr2hdr check a.exr dim.exr $'c\\'\\nd.exr' sdr.png | cat")
    assert (status, err) == (1, "")
    blocks = out.rstrip("\n").split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == [
        "a.exr: HDR",
        "dim.exr: not HDR",
        "c'?d.exr: HDR",
        "sdr.png: not HDR",
    ]
    for block in blocks:
        rows = block.splitlines()[1:]
        assert all(row.startswith("  ") and row[2] != " " and row[13] != "" for row in rows)
        assert all(len(row) <= 120 and row == row.rstrip() and row.isprintable() for row in rows)
    first = {row[2:13].strip(): row[13:] for row in blocks[0].splitlines()[1:]}
    assert first["format"] == "OpenEXR, 40 x 30, 16-bit floating point a channel"
    assert first["transfer"] == "linear"
    assert first["primaries"] == "BT.2020"
    assert first["white"] == "1.0 = 203 cd/m2"
    assert first["said by"] == "chromaticities"
    assert first["MaxCLL"] == "not stated, measured 1000 cd/m2"
    assert first["percentile"].split() == ["1", "%", "50", "%", "99", "%", "99.9", "%", "100", "%"]
    assert first["cd/m2"].split()[-1] == "1000"
    assert first["stops"].split()[4] == "+2.3"
    assert first["bright"].startswith("16.67 % of the pixels above 203 cd/m2")
    assert "look scene" in first["made by"]
    assert "ab12" not in first["made by"]
    assert "  but        room for HDR, but next to nothing in it is brighter" in blocks[1]


def test_json(files: Path, bash: Bash) -> None:
    status, out, _ = bash("sdr2hdr check --json a.exr sdr.png nothing - < b.tiff")
    assert status == 2
    exr, png, missing, tiff, last = map(json.loads, out.splitlines())
    assert last == {"summary": {"hdr": 2, "not_hdr": 1, "unreadable": 1, "exit_status": 2}}
    assert missing == {"file": "nothing", "error": "nothing: no such file; check the path"}
    assert (exr["file"], png["file"], tiff["file"]) == ("a.exr", "sdr.png", "-")
    assert (exr["hdr"], png["hdr"], tiff["hdr"]) == (True, False, True)
    page = (Path(__file__).parents[2] / "docs" / "check.md").read_text("utf-8").partition("| key |")[2]
    keys = {*exr, *exr["stated"], *exr["measured"], *exr["measured"]["percentiles"][0]}
    assert keys <= set(re.findall(r"`(\w+)`", page))
    for found in (exr, png, tiff):
        assert set(found) == {
            *(
                "file",
                "hdr",
                "reasons",
                "notes",
                "format",
                "height",
                "width",
                "bits",
                "floating",
                "transfer",
                "gamma",
            ),
            *("primaries", "chromaticities", "white_nits", "said_by", "headroom_stops", "stated", "measured"),
            *("clipped", "recipe"),
        }
        assert set(found["stated"]) == {"max_cll", "max_fall", "peak_nits"}
        assert set(found["measured"]) == {
            *("max_cll", "max_fall", "percentiles", "above_203", "above_1000", "outside_bt709", "outside_p3"),
        }
        assert [p["percent"] for p in found["measured"]["percentiles"]] == [1, 50, 99, 99.9, 100]
    assert exr["measured"]["max_cll"] == pytest.approx(1000, rel=1e-3)
    assert exr["measured"]["percentiles"][-1]["stops"] == pytest.approx(2.3, abs=0.01)
    assert tiff["said_by"] == ["ICC profile"]
    assert exr["recipe"]["weights-base"] == "ab12"
    assert (png["height"], png["width"], png["bits"]) == (10, 20, 8)


def test_the_limit_and_a_closed_pipe(files: Path, bash: Bash) -> None:
    status, _, err = bash("sdr2hdr check --max-pixels 1199 a.exr")
    assert status == 2
    assert "40 x 30 pixels, more than the limit of 1199" in err
    status, out, err = bash("sdr2hdr check a.exr b.tiff | head -1")
    assert (out, err) == ("a.exr: HDR\n", "")
