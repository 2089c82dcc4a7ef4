"""Too little memory is said to be that, whoever finds it out."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdr2hdr import formats
from sdr2hdr.errors import InputError, Sdr2HdrError
from sdr2hdr.jobs import batch, convert
from sdr2hdr.jobs.convert import Job
from sdr2hdr.settings import Settings


def job(folder: Path) -> Job:
    Image.fromarray(np.full((8, 8, 3), 200, np.uint8)).save(folder / "a.png")
    return Job(folder / "a.png", folder / "a.exr")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 800 bytes"),
        RuntimeError("Traceback of TorchScript\nRuntimeError: could not create a primitive"),  # oneDNN
    ],
)
def test_whoever_runs_out_of_it(error: Exception, tmp_path: Path) -> None:
    cure = r"a\.png: 9 x 8 pixels do not fit into memory; shrink it"
    with pytest.raises(InputError, match=cure), convert._enough_memory(job(tmp_path), (8, 9)):
        raise error


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="of another kind"), convert._enough_memory(job(tmp_path), (8, 9)):
        raise RuntimeError("of another kind")


@pytest.mark.parametrize("started", [0, 1, 2])
def test_no_thread_can_be_started(
    started: int, tmp_path: Path, random_weights_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [None] * started
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        start(thread)

    todo = job(tmp_path)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(Sdr2HdrError, match=r"^too little memory to begin \(can't start new thread\); close"):
        list(batch.run([todo], Settings(weights=random_weights_folder)))
    assert not (tmp_path / "a.exr").exists() or started


def test_a_codec_that_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(data: bytes) -> None:
        raise ImportError("could not import name 'png_decode' from 'imagecodecs'")

    source = job(tmp_path).source
    assert source
    monkeypatch.setattr(formats.readers()["png"], "decode", refuse)
    with pytest.raises(
        InputError, match=r"a\.png: cannot be decoded, a library cannot be loaded \(could not"
    ):
        formats.read(source)


def test_a_limit_that_pytorch_cannot_start_with(tmp_path: Path, random_weights_folder: Path) -> None:
    """In a process of its own, which the C++ runtime would end if PyTorch were loaded."""
    resource = pytest.importorskip("resource")
    if sys.platform != "linux":
        pytest.skip("elsewhere this limit is not kept")
    source = job(tmp_path).source
    words = ["convert", str(source), str(tmp_path / "a.exr"), "--weights", str(random_weights_folder)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "sdr2hdr", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(batch.__file__).parents[2])},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (800_000_000, 800_000_000)),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "sdr2hdr: error: too little memory: the limit of 800 MB (ulimit -v) is below the 900 that PyTorch takes; "
        "raise it\n"
    )
    assert not (tmp_path / "a.exr").exists()
