"""EXR files, read back by OpenEXR and by a decoder of 40 lines that knows only the file layout's description."""

import io
import os
import shutil
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import colour
import numpy as np
import OpenEXR
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sdr2hdr import __version__
from sdr2hdr.errors import OutputError, UsageError
from sdr2hdr.formats import EncodeOptions, encoder, exr
from sdr2hdr.image import HdrImage

RNG = np.random.default_rng(5)


def picture(height: int, width: int, **fields: object) -> HdrImage:
    return HdrImage(RNG.random((3, height, width), dtype=np.float32) * 49, **fields)  # type: ignore[arg-type]


def attributes(data: bytes) -> tuple[dict[str, tuple[str, bytes]], int]:
    """Header of a single-part scan-line file by name: type and bytes; and where the offset table begins.

    openexr.com, «OpenEXR File Layout».
    """
    assert struct.unpack_from("<II", data) == (20000630, 2)
    at, found = 8, {}
    while data[at]:
        name, kind = data[at : data.index(0, at)], b""
        at += len(name) + 1
        kind = data[at : data.index(0, at)]
        at += len(kind) + 1
        (size,) = struct.unpack_from("<I", data, at)
        found[name.decode()] = (kind.decode(), data[at + 4 : at + 4 + size])
        at += 4 + size
    return found, at + 1


def decode(data: bytes) -> dict[str, np.ndarray]:
    """Channels by name of a ZIP-compressed scan-line file, in float32."""
    header, at = attributes(data)
    assert header["compression"][1] == b"\3"  # ZIP, blocks of 16 lines
    x0, y0, x1, y1 = struct.unpack("<4i", header["dataWindow"][1])
    width, height = x1 - x0 + 1, y1 - y0 + 1
    channels, rest = [], header["channels"][1]
    while rest[0]:
        name, rest = rest.split(b"\0", 1)
        channels.append((name.decode(), {1: "<f2", 2: "<f4"}[struct.unpack_from("<i", rest)[0]]))
        rest = rest[16:]
    planes = {name: np.empty((height, width), np.float32) for name, _ in channels}
    blocks = -(-height // 16)
    for offset in struct.unpack_from(f"<{blocks}Q", data, at):
        y, size = struct.unpack_from("<iI", data, offset)
        rows = min(16, y1 - y + 1)
        raw = data[offset + 8 : offset + 8 + size]
        if size < rows * width * sum(int(kind[-1]) for _, kind in channels):
            deltas = np.frombuffer(zlib.decompress(raw), np.uint8).astype(np.int64)
            deltas[1:] -= 128
            split = np.cumsum(deltas).astype(np.uint8)  # predictor undone; even bytes first, then odd ones
            half = (len(split) + 1) // 2
            joined = np.empty(len(split), np.uint8)
            joined[::2], joined[1::2] = split[:half], split[half:]
            raw = joined.tobytes()
        for row in range(y - y0, y - y0 + rows):
            for name, kind in channels:
                planes[name][row] = np.frombuffer(raw, kind, width)
                raw = raw[width * int(kind[-1]) :]
    return planes


def stacked(planes: dict[str, np.ndarray]) -> np.ndarray:
    return np.stack([planes[name] for name in "RGB"])


def test_is_an_entry_of_the_registry() -> None:
    assert encoder("EXR") is encoder(".exr") is exr
    assert exr.SUMMARY


@settings(max_examples=60, deadline=None)
@given(
    light=hnp.arrays(
        np.float32,
        st.tuples(st.just(3), st.integers(1, 40), st.integers(1, 40)),
        elements=st.floats(0, 2.0**127, width=32) | st.floats(0, 50, width=32),
    ),
    half=st.booleans(),
)
def test_round_trip(light: np.ndarray, half: bool) -> None:
    data = exr.encode(HdrImage(light), EncodeOptions(half=half))
    expected = np.minimum(light, 65504).astype(np.float16).astype(np.float32) if half else light
    np.testing.assert_array_equal(stacked(decode(data)), expected)
    pixels = OpenEXR.File(io.BytesIO(data)).channels()["RGB"].pixels
    assert pixels.dtype == (np.float16 if half else np.float32)
    np.testing.assert_array_equal(pixels.transpose(2, 0, 1), expected)


@pytest.mark.parametrize("half", [True, False])
def test_strides_do_not_matter(half: bool) -> None:
    base = RNG.random((70, 2 * 33, 3), dtype=np.float32)
    views = [base.transpose(2, 0, 1)[:, :, ::2], base.transpose(2, 0, 1)[::-1, ::-1, ::2]]
    for view in views:
        data = exr.encode(HdrImage(view), EncodeOptions(half=half))
        assert data == exr.encode(HdrImage(np.ascontiguousarray(view)), EncodeOptions(half=half))
        np.testing.assert_allclose(stacked(decode(data)), view, rtol=2**-11 if half else 0, atol=1e-7)


SPACES = {"2020": "ITU-R BT.2020", "709": "ITU-R BT.709", "p3": "Display P3", "acescg": "ACEScg"}


@pytest.mark.parametrize("primaries", SPACES)
def test_primaries(primaries: str) -> None:
    """Values against colour-science in float64, and what the header says of them."""
    image = picture(9, 13, white_nits=100.0)
    image.light[:, 0, 0] = 1.0
    image.light[:, 0, 1] = (0.0, 1.0, 0.0)  # outside BT.709 and P3
    data = exr.encode(image, EncodeOptions(half=False, primaries=primaries))
    source, target = colour.RGB_COLOURSPACES["ITU-R BT.2020"], colour.RGB_COLOURSPACES[SPACES[primaries]]
    matrix = colour.matrix_RGB_to_RGB(source, target, "Bradford")
    pixels = stacked(decode(data))
    np.testing.assert_allclose(pixels, np.einsum("dc,chw->dhw", matrix, image.light), rtol=1e-5, atol=2e-5)
    np.testing.assert_allclose(pixels[:, 0, 0], 1, atol=1e-6)  # white stays white
    assert (pixels[:, 0, 1].min() < -0.05) == (primaries in ("709", "p3"))  # and is kept
    header, _ = attributes(data)
    expected = [*target.primaries.ravel(), *target.whitepoint]
    np.testing.assert_allclose(struct.unpack("<8f", header["chromaticities"][1]), expected, atol=1e-7)
    assert header["whiteLuminance"] == ("float", struct.pack("<f", 100.0))


def test_primaries_unknown() -> None:
    with pytest.raises(UsageError, match="2020 709 p3 acescg"):
        exr.encode(picture(2, 2), EncodeOptions(primaries="srgb"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["light", "alpha"])
def test_not_finite_is_refused(value: float, where: str) -> None:
    image = picture(5, 7, alpha=np.ones((5, 7), np.float32))
    getattr(image, where)[..., 4, 6] = value
    with pytest.raises(OutputError, match="NaN"):
        exr.encode(image, EncodeOptions())


def test_alpha_is_associated() -> None:
    image = picture(20, 21, alpha=RNG.random((20, 21), dtype=np.float32))
    assert image.alpha is not None
    image.alpha[3] = 0
    data = exr.encode(image, EncodeOptions(half=False))
    planes = decode(data)
    np.testing.assert_array_equal(planes["A"], image.alpha)
    np.testing.assert_array_equal(stacked(planes), image.light * image.alpha)
    assert b"premultiplied" in attributes(data)[0]["comments"][1]
    assert b"premultiplied" not in exr.encode(picture(2, 2), EncodeOptions())


def test_bytes_are_the_same_every_time_and_threads_are_given_back() -> None:
    image = picture(300, 200, recipe={"look": "scene", "peak": "1000"})
    twin = HdrImage(image.light.copy(), recipe={"peak": "1000", "look": "scene"})
    wanted = exr.encode(image, EncodeOptions())
    got: list[bytes] = []
    workers = [
        threading.Thread(target=lambda: got.append(exr.encode(twin, EncodeOptions()))) for _ in range(6)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert got == [wanted] * 6
    assert OpenEXR.global_thread_count() == 0
    OpenEXR.set_global_thread_count(3)
    try:
        assert exr.encode(image, EncodeOptions()) == wanted
        assert OpenEXR.global_thread_count() == 3
    finally:
        OpenEXR.set_global_thread_count(0)


def test_recipe(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    recipe = {"look": "scene", "weights": "1a2b 3c4d", "source": "Bäume & <Himmel>.jpg"}
    path = tmp_path / "a.exr"
    path.write_bytes(exr.encode(picture(4, 4, recipe=recipe), EncodeOptions()))
    assert exr.read_recipe(path) == {**recipe, **exr.words(EncodeOptions()), "version": __version__}
    path.write_bytes(path.read_bytes()[:4])
    assert exr.read_recipe(path) == {}
    path.write_bytes(b"something else")
    assert exr.read_recipe(path) == exr.read_recipe(tmp_path / "none.exr") == exr.read_recipe(tmp_path) == {}
    assert "none.exr" not in capfd.readouterr().err


@pytest.mark.skipif(shutil.which("exrheader") is None, reason="needs exrheader")
def test_exrheader(tmp_path: Path) -> None:
    """What a compositor reads, from the C++ tool of another OpenEXR release."""
    path = tmp_path / "a.exr"
    path.write_bytes(exr.encode(picture(4, 6, recipe={"look": "scene"}), EncodeOptions()))
    text = subprocess.run(["exrheader", path], capture_output=True, text=True, check=True).stdout
    for line in (
        "whiteLuminance (type float): 203",
        "red   (0.708 0.292)",
        "R, 16-bit floating-point, sampling 1 1",
        "compression (type compression): zip, multi-scanline blocks",
        "dataWindow (type box2i): (0 0) - (5 3)",
        'sdr2hdr.look (type string): "scene"',
        f'sdr2hdr.version (type string): "{__version__}"',
        "1.0 = SDR white = 203 cd/m2",
    ):
        assert line in text
    assert "Date" not in text


@pytest.mark.slow
def test_8k_needs_a_gigabyte_beyond_the_light() -> None:
    """Peak resident memory of a process that encodes 7680 x 4320 with alpha in float, less that of the picture."""
    program = """
import numpy as np
from sdr2hdr.image import HdrImage
from sdr2hdr.formats import EncodeOptions, exr
light = np.random.default_rng(0).random((3, 4320, 7680), dtype=np.float32)
alpha = np.ones(light.shape[1:], np.float32)
exr.encode(HdrImage(light[:, :9, :9]), EncodeOptions(primaries="p3"))
now = int(open("/proc/self/statm").read().split()[1]) * 4096
exr.encode(HdrImage(light, alpha=alpha), EncodeOptions(half=False, primaries="p3"))
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print((peak * 1024 - now) / 2**30)
"""
    if not os.path.exists("/proc/self/statm"):
        pytest.skip("needs /proc")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 1.2
