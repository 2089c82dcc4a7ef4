"""A shell with the program in it, and pictures beside it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pictures import noise

import sdr2hdr

Shell = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """photos/: four pictures, one of them in a sub-folder, and junk."""
    for name in ("a.jpg", "b.png", "c.tif", "sub/d.jpg"):
        noise(tmp_path / "photos" / name)
    for name in (".DS_Store", "Thumbs.db", "._a.jpg", "notes.txt"):
        (tmp_path / "photos" / name).write_text("no picture")
    return tmp_path / "photos"


@pytest.fixture
def shell_environment(
    tmp_path_factory: pytest.TempPathFactory, random_weights_folder: Path
) -> dict[str, str]:
    """The variables of a shell that finds `sdr2hdr`, as this checkout has it, with the tests' weights."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "sdr2hdr"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sdr2hdr "$@"\n')
    program.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(sdr2hdr.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        "SDR2HDR_WEIGHTS": str(random_weights_folder),
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture
def shell(tmp_path: Path, shell_environment: dict[str, str]) -> Shell:
    """Starts bash with a script, in a temporary folder and a session of its own; signals as a terminal has them."""
    if not shutil.which("bash"):
        pytest.skip("needs bash")

    def start(script: str, **rest: Any) -> "subprocess.Popen[str]":
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=tmp_path,
            env=shell_environment,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **(streams | rest),
        )

    return start


@pytest.fixture
def bash(shell: Shell) -> Callable[[str], tuple[int, str, str]]:
    """Runs a script to its end: status, standard output, standard error."""

    def run(script: str) -> tuple[int, str, str]:
        with shell(script) as process:
            out, err = process.communicate(timeout=240)
        return process.returncode, out, err

    return run


@pytest.fixture
def beside_photos(photos: Path, random_weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder holds `photos`, and conversions have the small weights."""
    monkeypatch.setenv("SDR2HDR_WEIGHTS", str(random_weights_folder))
    monkeypatch.chdir(photos.parent)
