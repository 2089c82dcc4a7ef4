"""HDR pictures to train on: a folder with .hdr, .exr or PQ-coded .jp2 files, and, if there is one, its manifest."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from sdr2hdr.camera import Codes
from sdr2hdr.color.primaries import between
from sdr2hdr.color.tables import table
from sdr2hdr.color.transfer import pq_decode
from sdr2hdr.errors import InputError
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray

SUFFIXES = (".exr", ".hdr", ".jp2")


@dataclass(frozen=True)
class Picture:
    """One HDR picture.

    light : (H, W, 3) float16, linear BT.2020, any scale (float16 keeps 384 pictures in 1.2 GB)
    projection : "photo", "equirect" (2:1 panorama) or "cube" (six faces +x -x +y -y +z -z side by side)
    sdr : the camera's or the author's own pictures of it, (H, W, 3) uint8
    graded : an HDR author's or a phone's grade, 1.0 = SDR white; else the light of a scene
    """

    name: str
    light: np.ndarray[tuple[int, ...], np.dtype[np.float16]]
    projection: str
    sdr: tuple[Codes, ...] = ()
    graded: bool = False


def load_light(path: Path) -> FloatArray:
    """Linear BT.2020 light of one file, (H, W, 3) float32, its own scale.

    .exr : chromaticities of the header, BT.709 where it has none; .hdr : BT.709; .jp2 : 16-bit PQ, BT.2020, 1.0 =
    203 cd/m2

    Raises
    ------
    InputError
        The file cannot be read.
    """
    if path.suffix.lower() == ".jp2":
        codes = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        if codes is None or codes.dtype != np.uint16:
            raise InputError(f"{path}: not a 16-bit JPEG 2000 picture; give .exr or .hdr")
        curve = pq_decode(torch.linspace(0, 1, 65536)).numpy() / np.float32(SDR_WHITE_NITS)
        return np.ascontiguousarray(cv2.LUT(codes, curve)[..., ::-1])
    if path.suffix.lower() == ".hdr":
        bgr = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if bgr is None:
            raise InputError(f"{path}: not a Radiance picture")
        return cv2.transform(
            np.ascontiguousarray(bgr[..., ::-1]), table("bt709_to_bt2020").astype(np.float32)
        )
    return _load_exr(path)


def _load_exr(path: Path) -> FloatArray:
    try:
        import OpenEXR
    except ImportError:
        raise InputError(
            f"{path}: reading EXR needs the package OpenEXR; install it, or give .hdr or .jp2"
        ) from None
    try:
        with OpenEXR.File(str(path)) as file:
            channels, primaries = file.channels(), file.header().get("chromaticities")  # leaving empties both
            key = next((k for k in ("RGB", "RGBA") if k in channels), None)
            rgb = channels[key].pixels[..., :3] if key else np.stack([channels[c].pixels for c in "RGB"], -1)
        rgb = np.ascontiguousarray(rgb, dtype=np.float32)
        stated = table("chromaticities_bt709") if primaries is None else np.array(primaries, np.float64)
        to_2020 = between(stated, table("chromaticities_bt2020"))
    except (RuntimeError, KeyError, OSError, np.linalg.LinAlgError) as error:
        raise InputError(f"{path}: not an EXR picture with R, G and B ({error})") from error
    return (
        rgb if np.allclose(to_2020, np.eye(3), atol=1e-3) else cv2.transform(rgb, to_2020.astype(np.float32))
    )


def _load(folder: Path, row: dict[str, str], long_side: int) -> Picture:
    path = folder / row["file"]
    light = load_light(path)
    if row["projection"] == "photo" and max(light.shape[:2]) > long_side:
        scale = long_side / max(light.shape[:2])
        light = cv2.resize(light, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    light = np.clip(np.nan_to_num(light, nan=0, posinf=6e4), 0, 6e4)
    sdr = []
    for key in ("sdr", "sdr2"):
        if row.get(key):
            codes = cv2.imread(str(folder / row[key]), cv2.IMREAD_COLOR)
            if codes is None:
                raise InputError(
                    f"{folder / row[key]}: unreadable; mend or delete it and its line of the manifest"
                )
            if codes.shape[:2] != light.shape[:2]:
                codes = cv2.resize(codes, light.shape[1::-1], interpolation=cv2.INTER_AREA)
            sdr.append(np.ascontiguousarray(codes[..., ::-1]))
    graded = str(row.get("set", "scene")).endswith("display")
    return Picture(row["name"], light.astype(np.float16), row["projection"], tuple(sdr), graded)


def load_pictures(folder: Path, look: str = "scene", long_side: int = 1024) -> list[Picture]:
    """The pictures below `folder` that serve a look, sorted by name; for the display look scenes do as well as grades.

    With `manifest.jsonl` (one object a line: name, file, projection, set ending in "scene" or "display", sdr, sdr2) its
    lines count; without it every picture file does, as a scene: twice as wide as high is a panorama, everything else a
    photograph.

    Raises
    ------
    InputError
        The folder holds no picture, or one of them is unreadable.
    """
    manifest = folder / "manifest.jsonl"
    if manifest.exists():
        rows = [json.loads(line) for line in manifest.read_text().splitlines() if line.strip()]
        if look == "scene":
            rows = [r for r in rows if str(r.get("set", look)).endswith(look)]
        for row in rows:  # an unpacked folder holds .exr where the manifest says .jp2
            if not (folder / row["file"]).exists():
                row["file"] = str(Path(row["file"]).with_suffix(".exr"))
    else:
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
        rows = [{"name": p.stem, "file": str(p.relative_to(folder)), "projection": ""} for p in files]
    if not rows:
        raise InputError(f"{folder}: no HDR pictures ({', '.join(SUFFIXES)}) in it")
    with ThreadPoolExecutor(2) as pool:
        pictures = list(
            pool.map(lambda row: _load(folder, row, long_side), sorted(rows, key=lambda r: r["name"]))
        )
    return [p if p.projection else _guess(p) for p in pictures]


def _guess(picture: Picture) -> Picture:
    height, width = picture.light.shape[:2]
    projection = "equirect" if width == 2 * height else "cube" if width == 6 * height else "photo"
    return replace(picture, projection=projection)


def held_out(pictures: list[Picture], every: int = 20) -> tuple[list[Picture], list[Picture]]:
    """Split into (train, development): every 20th picture by name is held out, whole scenes at a time."""

    def scene(p: Picture) -> str:
        return p.name.rsplit("_", 1)[0] if p.projection == "photo" else p.name

    scenes = sorted({scene(p) for p in pictures})
    kept = set(scenes[::every])
    return [p for p in pictures if scene(p) not in kept], [p for p in pictures if scene(p) in kept]
