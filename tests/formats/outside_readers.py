"""Readers of pictures that are not ours, run as programs; a test that asks one that is missing is skipped."""

import json
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def run(program: str, *arguments: str | Path) -> str:
    """What a program says, standard output and error together; it has to end with status 0."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        [path, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    said = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, said
    return said


def exiftool(path: Path) -> dict[str, Any]:
    """Tags by group and name ("PNG-cICP:ColorPrimaries"), numbers as numbers; no warning may be among them."""
    tags: dict[str, Any] = json.loads(run("exiftool", "-j", "-n", "-G1", path))[0]
    assert not [tag for tag in tags if tag.endswith((":Warning", ":Error"))], tags
    return tags


def ffmpeg(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """The ffmpeg that imageio-ffmpeg brings; Debian's is too old for HDR pictures."""
    if find_spec("imageio_ffmpeg") is None:
        pytest.skip("imageio-ffmpeg is not installed")
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=True)


def ffmpeg_rgb48(path: Path, size: tuple[int, int]) -> "np.ndarray[Any, np.dtype[np.uint16]]":
    """Code values (H, W, 3) as ffmpeg decodes them, 16 bits."""
    raw = ffmpeg("-i", path, "-f", "rawvideo", "-pix_fmt", "rgb48le", "-").stdout
    return np.frombuffer(raw, "<u2").reshape(*size, 3)
