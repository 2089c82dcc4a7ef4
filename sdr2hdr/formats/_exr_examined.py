"""OpenEXR files of anybody, read for what they are."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from sdr2hdr.color.primaries import to_xyz
from sdr2hdr.errors import InputError
from sdr2hdr.formats._examined import Chromaticities, Examined, Signalling
from sdr2hdr.formats._exr_header import Channel, Header, first_header
from sdr2hdr.formats._light import chromaticities, light_of, name_of
from sdr2hdr.formats._source import damaged, one_line
from sdr2hdr.image import FloatArray

ACES_FLAG = "acesImageContainerFlag"  # SMPTE ST 2065-4: the primaries are AP0
_HALF_MAX = 65504.0
_NO_PRIMARIES = "it states no chromaticities: readers take its colours as BT.709"
_TRIPLES = (("R", "G", "B"), ("r", "g", "b"), ("red", "green", "blue"), ("Red", "Green", "Blue"))


def examined(data: bytes, prefix: str) -> Examined:
    """What an EXR says and holds: its first part, the colours in the first layer that has some.

    Colours stay multiplied by alpha, as OpenEXR has them: the light over black.

    Parameters
    ----------
    prefix : how the attributes begin that hold the recipe

    Raises
    ------
    InputError
        Cut off, damaged, deep, or without colours.
    """
    head = first_header(data)
    names = _colours(head)
    if head.deep:
        raise InputError("is a deep picture, many samples a pixel; flatten it first")
    signalling, notes = _signalling(head)
    values = _values(data, head, names, signalling)
    dtype = head.channels[names[0]].dtype
    floating = dtype.kind == "f"
    limit = np.float32({"<f2": _HALF_MAX, "<f4": np.inf, "<u4": 2**32 - 1}[dtype.str])
    with np.errstate(invalid="ignore"):
        clipped = float(np.mean((np.abs(values) >= limit).any(2)))
    if np.isnan(values).any():
        notes.append("it holds pixels that are no number (NaN): they show as black, white or coloured specks")
    if not floating:
        notes.append("its channels hold whole numbers, which are rather marks (IDs) than light")
    recipe = {
        name.removeprefix(prefix): head.text(name) for name in head.attributes if name.startswith(prefix)
    }
    light = light_of(values, signalling)
    return Examined("exr", 8 * dtype.itemsize, floating, signalling, light, clipped, tuple(notes), recipe)


def _signalling(head: Header) -> tuple[Signalling, list[str]]:
    (white_nits,) = head.floats("whiteLuminance", 1) or (None,)
    if white_nits is not None and not 0 < white_nits < float("inf"):
        white_nits = None
    stated = head.floats("chromaticities", 8)
    if stated is not None:
        at: Chromaticities = stated  # type: ignore[assignment]  # of 8
        name = name_of(at)
        custom = at if name == "custom" else None
        return Signalling("linear", name, ("chromaticities",), 1.0, custom, white_nits), []
    if head.attributes.get(ACES_FLAG, ("", b""))[1][:1] == b"\1":
        return Signalling("linear", "aces", (ACES_FLAG,), 1.0, None, white_nits), []
    return Signalling("linear", "bt709", ("OpenEXR",), 1.0, None, white_nits), [_NO_PRIMARIES]


def _colours(head: Header) -> list[str]:
    """Names of the channels that are the picture: red, green, blue; or luminance, perhaps with its colours; or grey."""
    layers = {"": None, **{n.rpartition(".")[0] + ".": None for n in head.channels if "." in n}}
    for layer in layers:
        for triple in _TRIPLES:
            if all(layer + name in head.channels for name in triple):
                return [layer + name for name in triple]
    for layer in layers:
        if layer + "Y" in head.channels:
            both = all(layer + name in head.channels for name in ("RY", "BY"))
            return [layer + name for name in (("Y", "RY", "BY") if both else ("Y",))]
    others = [name for name in head.channels if name.rpartition(".")[2] not in ("A", "Z", "ZBack")]
    if len(others) == 1:
        return others
    known = one_line(", ".join(list(head.channels)[:8])) or "none"
    raise InputError(f"has no channels R, G and B (its channels: {known}); it is no picture")


def _values(data: bytes, head: Header, names: list[str], signalling: Signalling) -> FloatArray:
    """Linear red, green and blue (H, W, 3)."""
    import OpenEXR

    values = np.empty((*head.size, 3), np.float32)
    try:
        # This older class of the library raises what goes wrong; `File` prints it on standard output, and goes on.
        with _silence():
            file = OpenEXR.InputFile(io.BytesIO(data))
            try:
                for i, name in enumerate(names):
                    values[..., i] = _plane(file.channel(name), head, head.channels[name])
            finally:
                file.close()
    except MemoryError:
        raise
    except Exception as error:  # the library raises OSError, ValueError, TypeError, RuntimeError
        raise damaged(error) from error
    if len(names) == 1:
        values[..., 1:] = values[..., :1]
    elif names[0].rpartition(".")[2] == "Y":
        _from_luminance(values, signalling)
    return values


def _plane(samples: bytes, head: Header, channel: Channel) -> FloatArray:
    """A channel (H, W); where a sample stands for several pixels, linear between the samples."""
    left, top, right, bottom = head.window
    width = right // channel.across - -(-left // channel.across) + 1
    height = bottom // channel.down - -(-top // channel.down) + 1
    plane = np.frombuffer(samples, channel.dtype).reshape(height, width)
    if plane.shape == head.size:
        return plane  # of any type, converted where it is copied to
    rows = _between(plane.astype(np.float32), channel.down, top, head.size[0])
    return np.ascontiguousarray(_between(rows.T, channel.across, left, head.size[1]).T)


def _between(samples: FloatArray, step: int, first: int, count: int) -> FloatArray:
    """Samples (n, m) that lie at every `step`-th pixel -> (count, m), from the pixel `first` on."""
    at = np.clip((np.arange(count) + first) / step - -(-first // step), 0, len(samples) - 1)
    low = at.astype(np.intp)
    share = (at - low).astype(np.float32)[:, None]
    between: FloatArray = samples[low] * (1 - share) + samples[np.minimum(low + 1, len(samples) - 1)] * share
    return between


def _from_luminance(values: FloatArray, signalling: Signalling) -> None:
    """Y, (R - Y) / Y, (B - Y) / Y -> R, G, B, in place (OpenEXR, "Luminance/Chroma Images")."""
    red, green, blue = to_xyz(chromaticities(signalling))[1].astype(np.float32)
    luminance = values[..., 0].copy()
    with np.errstate(all="ignore"):
        values[..., 0] = (values[..., 1] + 1) * luminance
        values[..., 2] = (values[..., 2] + 1) * luminance
        values[..., 1] = (luminance - red * values[..., 0] - blue * values[..., 2]) / green


_lock = threading.Lock()


@contextmanager
def _silence() -> Iterator[None]:
    """Standard error to nowhere: the library writes there what it also raises."""
    with _lock:
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
