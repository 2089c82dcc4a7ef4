"""Where faults happen: small pictures, small nets, what an undisturbed run makes of them, and how results are judged.

Used by faults.py.
"""

import hashlib
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import OpenEXR
import tifffile
from PIL import Image

from sdr2hdr import checksums, formats

ROOT = Path(__file__).parents[1]
SUFFIXES = {"exr": ".exr", "tiff": ".tif"}
FORMATS = ("exr", "tiff", "exr,tiff")  # of --format; the last gives two files a picture, one of each look
KINDS = ("a.jpg", "b.png", "c.tif", "sub/d.webp", "sub/e.bmp", "f.jpg", "sub/deep/g.png", "h.png")
LARGE = "z.png"  # the last by name, and larger than all others together


def small_weights(folder: Path) -> Path:
    """The nets of the tests, with small random numbers in every layer, the same for both looks."""
    sys.path.insert(0, str(ROOT / "tests"))
    import conftest

    folder.mkdir()
    conftest._archives(folder, 0.01)
    for archive in sorted(folder.glob("scene-*.pt")):
        shutil.copy(archive, folder / archive.name.replace("scene", "display"))
    checksums.write(folder)
    return folder


def pictures(folder: Path, seed: int) -> None:
    """Noise of several formats and sizes, in sub-folders, too."""
    rng = np.random.default_rng(seed)
    for i, name in enumerate((*KINDS, LARGE)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        size = (300, 400) if name == LARGE else (40 + 4 * i, 64)
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)


class Room:
    """Sources, weights, and the results of an undisturbed run in every format that is asked for."""

    def __init__(self, folder: Path, seed: int, weights: Path | None = None) -> None:
        self.folder = folder
        self.photos = folder / "photos"
        self.weights = weights or small_weights(folder / "weights")
        self.expected: dict[str, dict[str, str]] = {}
        pictures(self.photos, seed)

    def undisturbed(self, name: str) -> None:
        """Make the results that all others are compared with."""
        target = self.folder / f"undisturbed-{name}"
        done = self.run(target, name)
        assert done.returncode == 0, done.stderr
        self.expected[name] = digests(target)
        assert len(self.expected[name]) == (len(KINDS) + 1) * len(name.split(",")), self.expected

    def start(
        self, target: Path, name: str, *words: str, limit: Callable[[], None] | None = None
    ) -> "subprocess.Popen[str]":
        """`sdr2hdr convert` in a process of its own; `limit` is called in it before the program."""
        command = [sys.executable, "-m", "sdr2hdr", "convert", str(self.photos), str(target), "-r"]
        return subprocess.Popen(
            [*command, "--format", name, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "OMP_NUM_THREADS": "1",
                "SDR2HDR_WEIGHTS": str(self.weights),
            },
            preexec_fn=limit,
        )

    def run(
        self, target: Path, name: str, *words: str, limit: Callable[[], None] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """`start`, and wait for the end."""
        process = self.start(target, name, *words, limit=limit)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def partial(self, target: Path, name: str) -> list[str]:
        """Outputs under their final names that are not whole, or not what the undisturbed run made."""
        found = []
        for path in outputs(target):
            key = str(path.relative_to(target))
            try:
                whole(path)
            except Exception as error:  # whatever a library says of a file that it cannot read
                found.append(f"{key}: partial ({error})")
                continue
            if sha256(path) != self.expected[name].get(key):
                found.append(f"{key}: differs from the undisturbed run")
        return found

    def completed(self, target: Path, name: str, *words: str) -> list[str]:
        """A second run; what it leaves undone, changed or lying about."""
        again = self.run(target, name, *words)
        found = (
            [] if again.returncode == 0 else [f"the second run ended with {again.returncode}: {again.stderr}"]
        )
        found += self.partial(target, name)
        if missing := sorted(self.expected[name].keys() - digests(target).keys()):
            found.append(f"missing after the second run: {', '.join(missing)}")
        return found + [f"left over: {path.name}" for path in parts(target)]


def parts(target: Path) -> list[Path]:
    """Files below a folder that are no results: half-written ones."""
    return sorted(p for p in target.rglob("*") if p.is_file() and p.suffix not in SUFFIXES.values())


def outputs(target: Path) -> list[Path]:
    """Results below a folder, as far as their names tell."""
    return sorted(p for p in target.rglob("*") if p.is_file() and p.suffix in SUFFIXES.values())


def digests(target: Path) -> dict[str, str]:
    """SHA-256 of the results, by their place."""
    return {str(path.relative_to(target)): sha256(path) for path in outputs(target)}


def sha256(path: Path) -> str:
    """Of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def whole(path: Path) -> None:
    """Open a result, decode every pixel, find its recipe; an exception if it is not all there."""
    if path.suffix == ".exr":
        with OpenEXR.File(str(path)) as file:
            pixels = file.channels()["RGB"].pixels
    else:
        pixels = tifffile.imread(path)
    if not pixels.size or not formats.recorded(path, "exr" if path.suffix == ".exr" else "tiff"):
        raise ValueError("no pixels or no recipe")


def one_line(process: "subprocess.CompletedProcess[str]") -> list[str]:
    """What is wrong with the way a run failed: it has a status and lines of its own, and no traceback."""
    found = []
    if process.returncode not in (1, 2, 3):
        found.append(f"ended with {process.returncode}: {process.stderr[-300:]}")
    lines = process.stderr.splitlines()
    if any(not line.startswith("sdr2hdr: ") for line in lines) or not lines:
        found.append(f"no plain lines on standard error: {process.stderr[-600:]}")
    if "a fault of sdr2hdr" in process.stderr:
        line = next(line for line in lines if "a fault of sdr2hdr" in line)
        found.append(f"an error that nobody has foreseen: {line[:160]} ... {line[-120:]}")
    return found


def limiting(what: int, size: int) -> Callable[[], None]:
    """For `Room.start`: a limit of the kernel's (RLIMIT_AS, RLIMIT_FSIZE) in bytes."""
    return lambda: resource.setrlimit(what, (size, size))


def unique(found: Sequence[str]) -> list[str]:
    """Without repetitions, in order."""
    return list(dict.fromkeys(found))
