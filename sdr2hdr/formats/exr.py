"""OpenEXR: linear light as compositors take it."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sdr2hdr.color.tables import table
from sdr2hdr.errors import UsageError
from sdr2hdr.formats._examined import Examined
from sdr2hdr.formats._exr_examined import examined
from sdr2hdr.formats._exr_exif import camera_attributes
from sdr2hdr.formats._exr_header import MAGIC as MAGIC
from sdr2hdr.formats._exr_header import first_header
from sdr2hdr.formats._exr_whole import is_whole
from sdr2hdr.formats._options import EncodeOptions
from sdr2hdr.formats._recipe import SOFTWARE, full, to_xmp
from sdr2hdr.formats._strips import strips
from sdr2hdr.image import FloatArray, HdrImage

EXTENSIONS = (".exr",)
SUMMARY = "linear light, half (or float), ZIP; chromaticities and whiteLuminance say what it means"
PEAK_NITS = 10000.0  # by default: all the light there is
LOOK = "scene"  # by default: for compositing

PRIMARIES = {"2020": "bt2020", "709": "bt709", "p3": "p3", "acescg": "acescg"}  # option: name in color.tables
PREFIX = "sdr2hdr."  # of the recipe's attributes

_NAMES = {"2020": "BT.2020", "709": "BT.709", "p3": "P3 (D65)", "acescg": "ACEScg (AP1)"}
_HALF_MAX = 65504.0
_MAX_THREADS = 8


def sniff(head: bytes) -> bool:
    """Whether a file begins with OpenEXR's magic number."""
    return head.startswith(MAGIC)


def dimensions(data: bytes) -> tuple[int, int]:
    """Height, width of the first part's data window."""
    return first_header(data).size


def examine(data: bytes) -> Examined:
    """See `_exr_examined.examined`."""
    with _threads():
        return examined(data, PREFIX)


def encode(image: HdrImage, options: EncodeOptions) -> bytes:
    """EXR file of the picture: R, G, B in the chosen primaries, 1.0 = `white_nits` (attribute whiteLuminance).

    Colours outside a gamut that is smaller than BT.2020 have negative values, which are kept. Alpha becomes the
    channel A, and the colours are multiplied by it, as OpenEXR has it («associated», premultiplied); the attribute
    `comments` says so. Half clips to +-65504. The recipe is in attributes `sdr2hdr.*`, what EXIF says of the camera
    in OpenEXR's standard attributes. Nothing depends on the clock or on threads: equal pictures give equal bytes.

    Raises
    ------
    OutputError
        Light or alpha is NaN or infinite.
    UsageError
        Unknown primaries.
    """
    import OpenEXR

    if options.primaries not in PRIMARIES:
        raise UsageError(f"unknown primaries '{options.primaries}'; choose one of: {' '.join(PRIMARIES)}")
    header = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        "chromaticities": tuple(table(f"chromaticities_{PRIMARIES[options.primaries]}").tolist()),
        "whiteLuminance": float(image.white_nits),
        "software": SOFTWARE,
        "comments": _comments(image, options.primaries),
        **camera_attributes(image.exif),
        **_xmp(image),
        **{PREFIX + key: word for key, word in full(image.recipe | words(options)).items()},
    }
    planes = _planes(image, options)
    buffer = io.BytesIO()
    with _threads():
        OpenEXR.File(header, planes).write(buffer)
    return buffer.getvalue()


def words(options: EncodeOptions) -> dict[str, str]:
    """What the options add to the recipe."""
    return {"primaries": options.primaries, "channels": "half" if options.half else "float"}


def read_recipe(path: Path) -> dict[str, str]:
    """The recipe in an EXR that `encode` made; empty for any other file, one that is cut off, and none.

    Pixels are not read.
    """
    import OpenEXR

    try:
        with path.open("rb") as stream:
            if stream.read(4) != MAGIC:  # OpenEXR would complain on stderr
                return {}
        if not is_whole(path):
            return {}
        header = OpenEXR.File(str(path), header_only=True).header()
    except (OSError, RuntimeError, ValueError):
        return {}
    return {key.removeprefix(PREFIX): word for key, word in header.items() if key.startswith(PREFIX)}


def _xmp(image: HdrImage) -> dict[str, str]:
    """The source's XMP packet, merged with ours, under the name that darktable, GIMP and KDE give it and look for.

    OpenEXR itself has no standard attribute for it. Without a packet of the source there is none: the recipe has
    attributes of its own.
    """
    return {} if image.xmp is None else {"xmp": to_xmp(image.recipe, image.xmp).decode("utf-8")}


def _comments(image: HdrImage, primaries: str) -> str:
    text = f"Linear light, {_NAMES[primaries]} primaries, 1.0 = SDR white = {image.white_nits:g} cd/m2."
    return text if image.alpha is None else text + " Colors are premultiplied by A (associated alpha)."


def _planes(image: HdrImage, options: EncodeOptions) -> dict[str, npt.NDArray[np.floating]]:
    """Channels by name, (H, W) each, contiguous (OpenEXR writes other strides as garbage)."""
    dtype = np.float16 if options.half else np.float32
    limit = _HALF_MAX if options.half else float(np.finfo(np.float32).max)
    names = "RGB" if image.alpha is None else "RGBA"
    planes = {name: np.empty(image.size, dtype) for name in names}
    for rows, light, alpha in strips(image):
        light = _in_primaries(light, options.primaries)
        if alpha is not None:
            light = light * alpha
            planes["A"][rows] = alpha
        for name, plane in zip("RGB", light, strict=True):
            planes[name][rows] = plane.clip(-limit, limit)
    return planes


def _in_primaries(light: FloatArray, primaries: str) -> FloatArray:
    if primaries == "2020":
        return light
    import torch

    from sdr2hdr.color.gamut import convert

    converted: FloatArray = convert(torch.from_numpy(light), f"bt2020_to_{PRIMARIES[primaries]}").numpy()
    return converted


_lock = threading.Lock()
_users = 0


@contextmanager
def _threads() -> Iterator[None]:
    """OpenEXR's pool of threads, which is the process's only one and off by default, on while somebody writes.

    It halves the time of ZIP on two cores. It does not stay on: a process that forks later would inherit a pool
    without its threads. A pool that somebody else has set up is left alone.
    """
    import OpenEXR

    global _users
    with _lock:
        ours = _users > 0 or OpenEXR.global_thread_count() == 0
        if ours:
            _users += 1
            if _users == 1:
                OpenEXR.set_global_thread_count(min(_cores(), _MAX_THREADS))
    try:
        yield
    finally:
        if ours:
            with _lock:
                _users -= 1
                if _users == 0:
                    OpenEXR.set_global_thread_count(0)


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
