"""Pairs for anyone: HDR pictures -> what a camera or a grader would have made of them, and the references.

The trainer's own views and virtual cameras. What a pair is depends on the seed, the picture's file name and the view's
number alone.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sdr2hdr import camera, grade
from sdr2hdr.camera import Camera, Shot
from sdr2hdr.errors import InputError, UsageError
from sdr2hdr.formats.exr import MAGIC
from sdr2hdr.grade import Grade
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray
from sdr2hdr.training import views
from sdr2hdr.training.pictures import Picture, load_light
from sdr2hdr.training.shots import ASPECTS, size_of

SUFFIXES = (".exr", ".hdr")
LARGEST = 6e4  # light above it, and infinity, becomes this (half's range)
LEAST = 1e-5  # a view without any light brighter than this is drawn again
TRIES = 16
SMALLEST = 32  # pixels of a view's long side


@dataclass(frozen=True)
class Simulation:
    """What is made.

    look : "scene" or "display"
    seed : of everything drawn
    views : pairs of each picture
    long_side : pixels of a pair, at most; never finer than the picture's own (a panorama's: twice that) allows
    projection : "photo", "equirect", or "auto": twice as wide as high is a panorama
    referred : what the light of the pictures is, for the display look: "scene" (no scale; it is graded first),
        "display" (1.0, or the EXR's whiteLuminance, is SDR white), or "auto": display where the EXR says its
        whiteLuminance
    """

    look: str = "scene"
    seed: int = 0
    views: int = 1
    long_side: int = 960
    projection: str = "auto"
    referred: str = "auto"
    camera: Camera = field(default_factory=Camera)
    grade: Grade = field(default_factory=Grade)


@dataclass(frozen=True)
class Pair:
    """One pair: its name, its pictures, and its line of the manifest."""

    name: str
    shot: Shot
    record: dict[str, object]


def find(sources: list[Path], recursive: bool = False) -> list[Path]:
    """The pictures that are named, and those in the folders that are named, sorted by name within a folder.

    Raises
    ------
    UsageError
        Two pictures would become pairs of one name.
    """
    found: list[Path] = []
    for source in sources:
        if source.is_dir():
            inside = source.rglob("*") if recursive else source.iterdir()
            found += sorted(p for p in inside if p.suffix.lower() in SUFFIXES and p.is_file())
        else:
            found.append(source)
    by_name: dict[str, Path] = {}
    for path in found:
        other = by_name.setdefault(path.stem, path)
        if other != path:
            raise UsageError(
                f"{other} and {path} would become pairs of one name; rename one, or run them apart"
            )
    return list(by_name.values())


def names(path: Path, simulation: Simulation) -> list[str]:
    """Names of a picture's pairs: NAME, or NAME-1, NAME-2 ... where there are several."""
    if simulation.views == 1:
        return [path.stem]
    return [f"{path.stem}-{i + 1}" for i in range(simulation.views)]


def generator(path: Path, simulation: Simulation, number: int) -> np.random.Generator:
    """The generator of a picture's view, from the seed, the file's name and the number."""
    digest = hashlib.sha256(path.name.encode("utf-8", "surrogateescape")).digest()
    return np.random.default_rng([simulation.seed, int.from_bytes(digest[:8], "big"), number])


def load(path: Path, simulation: Simulation) -> tuple[Picture, bool]:
    """A picture, and whether its light is display-referred, 1.0 = SDR white.

    Raises
    ------
    InputError
        It is missing, of another kind or unreadable, or it has no light.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the path")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: is neither .exr nor .hdr; convert it to one of them")
    try:
        with _silence():
            light, white = load_light(path), _white_luminance(path)
    except InputError as error:
        raise InputError(f"{error}; export it again, or leave it out") from error
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
    ) as error:  # what OpenEXR says of a file that is cut off
        raise InputError(f"{path}: is damaged or cut off ({error}); copy or export it again") from error
    referred = simulation.referred
    if referred == "auto":
        referred = "display" if white is not None else "scene"
    if referred == "display" and white is not None:
        light = light * np.float32(white / SDR_WHITE_NITS)
    light = np.clip(np.nan_to_num(light, nan=0, posinf=LARGEST, neginf=0), 0, LARGEST)
    if float(light.max()) <= LEAST:
        raise InputError(f"{path}: has no light in it; export it again")
    projection = simulation.projection
    if projection == "auto":
        projection = "equirect" if light.shape[1] == 2 * light.shape[0] else "photo"
    if projection == "equirect":
        light = _no_finer_than_needed(light, simulation.long_side)
    return Picture(path.stem, light.astype(np.float16), projection), referred == "display"


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing on stdout and stderr: OpenEXR reports a damaged file on both by itself, besides raising an error.

    It does so from Python and from C++, so both the streams and the descriptors below them are turned away.
    """
    sys.stdout.flush()
    saved = [(number, os.dup(number)) for number in (1, 2)]
    try:
        with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            for number, _ in saved:
                os.dup2(nowhere.fileno(), number)
            yield
    finally:
        for number, copy in saved:
            os.dup2(copy, number)
            os.close(copy)


def _white_luminance(path: Path) -> float | None:
    """The attribute whiteLuminance of an EXR, cd/m2; None where there is none."""
    import OpenEXR

    with path.open("rb") as stream:
        if stream.read(4) != MAGIC:
            return None
    white = OpenEXR.File(str(path), header_only=True).header().get("whiteLuminance")
    return float(white) if white and np.isfinite(white) and white > 0 else None


def _no_finer_than_needed(light: FloatArray, long_side: int) -> FloatArray:
    """A panorama, shrunk to what the narrowest view can show: a wide one would skip pixels, and lose lamps."""
    around = round(long_side * 360 / views.FIELD[0] / views.FINEST)
    if light.shape[1] <= around:
        return light
    return views.shrink(light, (round(light.shape[0] * around / light.shape[1]), around))


def draw_view(picture: Picture, rng: np.random.Generator, long_side: int) -> FloatArray:
    """A random view, (H, W, 3) float32 linear BT.2020, no larger than the picture's own pixels allow."""
    aspect = ASPECTS[int(rng.integers(len(ASPECTS)))]
    if picture.projection == "photo":
        rows, columns = views.crop_window(picture.light.shape, aspect, rng)
        own = max(rows.stop - rows.start, columns.stop - columns.start)
        size = size_of(aspect, max(SMALLEST, min(long_side, own)))
        light = views.shrink(picture.light[rows, columns].astype(np.float32), size)
        return np.ascontiguousarray(light[:, ::-1]) if rng.random() < 0.5 else light
    # of the middle field of view, so that it still varies for a small panorama
    own = int(picture.light.shape[1] * views.FINEST * sum(views.FIELD) / 2 / 360)
    size = size_of(aspect, max(SMALLEST, min(long_side, own * max(aspect) // aspect[1])))
    return views.view(picture, size, rng)


def simulate(path: Path, simulation: Simulation) -> Iterator[Pair]:
    """All pairs of one picture.

    Raises
    ------
    InputError
        The picture cannot be read, or has no light.
    """
    picture, on_display = load(path, simulation)
    for number, name in enumerate(names(path, simulation)):
        rng = generator(path, simulation, number)
        for _ in range(TRIES):
            light = draw_view(picture, rng, simulation.long_side)
            if float(light.max()) > LEAST:
                break
        shot = _shoot(light, on_display, rng, simulation)
        record = {
            "name": name,
            "file": f"{name}_hdr.exr",
            "sdr": f"{name}_sdr.png",
            "projection": "photo",
            "set": f"simulated/{simulation.look}",
            "source": path.name,
            "view": number,
            "look": simulation.look,
            "referred": "display" if on_display else "scene",
            "seed": simulation.seed,
            "gain": shot.gain,
            "drawn": shot.drawn,
        }
        yield Pair(name, shot, record)


def _shoot(light: FloatArray, on_display: bool, rng: np.random.Generator, simulation: Simulation) -> Shot:
    if simulation.look == "scene":
        return camera.shoot(light, rng, simulation.camera)
    if on_display:
        return grade.shoot(light, rng, simulation.grade)
    return grade.shoot_scene(light, rng, simulation.grade)
