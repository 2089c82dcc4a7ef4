"""Pairs as files: NAME_sdr.png, NAME_hdr.exr (linear BT.2020, 1.0 = 203 cd/m2), and a line each in manifest.jsonl."""

import json
from pathlib import Path

import cv2
import numpy as np

from sdr2hdr.errors import InputError, OutputError
from sdr2hdr.formats import EncodeOptions, encoder
from sdr2hdr.formats._atomic import write_atomic
from sdr2hdr.image import PQ_PEAK_NITS, SDR_WHITE_NITS, HdrImage
from sdr2hdr.training.simulate import Pair

MANIFEST = "manifest.jsonl"


def files(folder: Path, name: str) -> tuple[Path, Path]:
    """SDR and HDR file of a pair."""
    return folder / f"{name}_sdr.png", folder / f"{name}_hdr.exr"


def refuse_existing(folder: Path, names: list[str]) -> None:
    """OutputError if a file of one of these pairs exists; before anything is computed."""
    for path in (path for name in names for path in files(folder, name)):
        if path.exists():
            raise OutputError(f"{path}: exists already; use --overwrite to replace it")


def write(folder: Path, pair: Pair, *, overwrite: bool) -> None:
    """Write both files, the reference last: where it is, the pair is whole.

    Raises
    ------
    OutputError
        A file exists and `overwrite` is false, or cannot be written.
    """
    done, png = cv2.imencode(".png", pair.shot.codes[..., ::-1])
    if not done:
        raise RuntimeError("OpenCV cannot encode PNG")
    light = np.clip(pair.shot.light, 0, PQ_PEAK_NITS / SDR_WHITE_NITS).transpose(2, 0, 1)
    recipe = {"command": "simulate", **{k: str(pair.record[k]) for k in ("look", "seed", "source", "view")}}
    exr = encoder("exr").encode(HdrImage(light, recipe=recipe), EncodeOptions())
    sdr, hdr = files(folder, pair.name)
    write_atomic(sdr, png.tobytes(), overwrite=overwrite)
    write_atomic(hdr, exr, overwrite=overwrite)


def note(folder: Path, records: list[dict[str, object]]) -> None:
    """Put these lines into the folder's manifest, for those of the same names; sorted by name.

    Raises
    ------
    InputError
        The folder's manifest is none of ours.
    OutputError
        It cannot be written.
    """
    path = folder / MANIFEST
    lines: dict[str, dict[str, object]] = {}
    if path.exists():
        try:
            lines = {row["name"]: row for row in map(json.loads, path.read_text("utf-8").splitlines())}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: is not a manifest of pairs ({error}); move it away") from error
    lines |= {str(record["name"]): record for record in records}
    text = "".join(json.dumps(lines[name], ensure_ascii=False) + "\n" for name in sorted(lines))
    write_atomic(path, text.encode("utf-8", "surrogateescape"), overwrite=True)
