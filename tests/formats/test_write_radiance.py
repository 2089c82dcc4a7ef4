"""Radiance pictures of ours, read back by OpenCV, OpenImageIO and exiftool; and those of others, examined."""

import io
from pathlib import Path

import colour
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outside_readers import exiftool, run

from sdr2hdr import __version__, formats
from sdr2hdr.errors import InputError
from sdr2hdr.formats import EncodeOptions, radiance
from sdr2hdr.image import HdrImage

RNG = np.random.default_rng(6)
OPTIONS = EncodeOptions()
SPACES = colour.RGB_COLOURSPACES
TO_BT709 = colour.matrix_RGB_to_RGB(SPACES["ITU-R BT.2020"], SPACES["ITU-R BT.709"])
MIXED = colour.matrix_RGB_to_RGB(SPACES["ITU-R BT.709"], SPACES["ITU-R BT.2020"])
LUMA_709 = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709-6, 3.2


def inside(height: int = 45, width: int = 61, **fields: object) -> HdrImage:
    """Light whose colours BT.709 has."""
    light = np.einsum("dc,chw->dhw", MIXED, RNG.random((3, height, width)) ** 4 * 20)
    return HdrImage(light.astype(np.float32), **fields)  # type: ignore[arg-type]


def through_opencv(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]


def expected(image: HdrImage) -> np.ndarray:
    return np.einsum("dc,chw->hwd", TO_BT709, image.light.astype(np.float64))


def test_others_see_our_light_in_bt709(tmp_path: Path) -> None:
    """Within half a step of RGBE, which is 1 / 256 of the largest channel at most; BT.709's matrix is rounded, too."""
    image, path = inside(), tmp_path / "a.hdr"
    path.write_bytes(radiance.encode(image, OPTIONS))
    wanted = expected(image)
    limit = wanted.max(-1, keepdims=True) * (1 / 256 + 1e-3)
    assert (np.abs(through_opencv(path.read_bytes()) - wanted) <= limit).all()
    run("oiiotool", path, "-d", "float", "-o", tmp_path / "a.tif")
    again = cv2.imread(str(tmp_path / "a.tif"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert (np.abs(again - wanted) <= limit).all()


def test_rounded_and_not_cut_off() -> None:
    """Truncation, as many writers do it, would make the picture darker by 1 / 512 in the mean."""
    image = HdrImage(np.broadcast_to(RNG.random((200, 300), dtype=np.float32) + 0.01, (3, 200, 300)))
    ratio = through_opencv(radiance.encode(image, OPTIONS))[..., 1] / image.light[1]
    assert abs(ratio.mean() - 1) < 1e-4
    assert abs(ratio - 1).max() <= 1 / 256


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 50, width=32), min_size=3, max_size=3))
def test_colours_outside_bt709_keep_their_luminance_and_hue(rgb: list[float]) -> None:
    light = np.array(rgb, np.float32)[:, None, None]
    found = through_opencv(radiance.encode(HdrImage(light), OPTIONS))[0, 0]
    wanted = TO_BT709 @ np.array(rgb)
    luminance = float(LUMA_709 @ wanted)
    if wanted.min() < 0:  # towards grey, as far as it takes
        wanted = luminance + (wanted - luminance) * luminance / (luminance - wanted.min())
    assert found.min() >= 0
    np.testing.assert_allclose(found, wanted, atol=max(found.max(), 1e-30) * 6e-3 + 1e-9)


def test_darkness_and_negative_light_are_black() -> None:
    light = np.array([[-1.0, 0.0, 1e-45, 1e-38, 1.0]] * 3, np.float32)[:, None]
    np.testing.assert_array_equal(
        through_opencv(radiance.encode(HdrImage(light), OPTIONS))[0, :, 0], [0, 0, 0, 0, 1]
    )


def test_exiftool_sees_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.hdr"
    path.write_bytes(radiance.encode(inside(white_nits=100.0), OPTIONS))
    tags = exiftool(path)
    assert tags["File:FileType"] == "HDR"
    assert tags["Radiance:Software"] == f"sdr2hdr {__version__}"
    assert tags["Radiance:ColorPrimaries"] == "0.6400 0.3300 0.3000 0.6000 0.1500 0.0600 0.3127 0.3290"
    assert tags["Radiance:Comment"] == "Linear light, BT.709 primaries, 1.0 = SDR white = 100 cd/m2."
    assert (tags["File:ImageWidth"], tags["File:ImageHeight"]) == (61, 45)


@pytest.mark.parametrize("length", [1, 29, 100, 126, 127, 128, 253, 254, 255, 2000])
def test_long_words_of_the_recipe_break_no_reader(length: int, tmp_path: Path) -> None:
    """OpenCV reads lines in pieces."""
    image, path = inside(recipe={"source": "é " * length, "look": "x" * length}), tmp_path / "a.hdr"
    path.write_bytes(radiance.encode(image, OPTIONS))
    assert through_opencv(path.read_bytes()).shape == (45, 61, 3)
    assert radiance.read_recipe(path) == {**image.recipe, "version": __version__}
    assert max(map(len, path.read_bytes().split(b"-Y 45")[0].split(b"\n"))) < 127


def test_alpha_is_left_out_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    image = inside()
    with_alpha = HdrImage(image.light, alpha=np.ones(image.size, np.float32))
    assert radiance.encode(with_alpha, OPTIONS) == radiance.encode(image, OPTIONS)
    assert "no alpha" in caplog.text


def test_examined_it_is_what_was_written() -> None:
    image = inside(recipe={"look": "scene"}, white_nits=406.0)
    found = formats.examine(io.BytesIO(radiance.encode(image, OPTIONS)))
    assert (found.format, found.bits, found.floating, found.clipped) == ("radiance", 8, True, 0)
    assert found.signalling.primaries == "bt709"
    assert found.signalling.said_by == ("PRIMARIES",)
    assert found.signalling.white_nits == 406.0
    assert found.recipe == {"look": "scene", "version": __version__}
    assert found.notes == ()
    limit = (expected(image).max(-1) * 2 * (1 / 256 + 1e-3))[None]
    assert (np.abs(found.light - 2 * image.light) <= limit).all()


def file(pixels: bytes, size: str, *lines: str) -> io.BytesIO:
    return io.BytesIO("\n".join(["#?RADIANCE", *lines, "", size, ""]).encode() + pixels)


def light(data: io.BytesIO) -> np.ndarray:
    """In BT.709 (H, W, 3)."""
    return np.einsum("dc,chw->hwd", TO_BT709, formats.examine(data).light)


def test_exposures_are_taken_back() -> None:
    lines = ("FORMAT=32-bit_rle_rgbe", "EXPOSURE=0.5", "EXPOSURE= 4")
    found = light(file(bytes([128, 64, 32, 129]), "-Y 1 +X 1", *lines))
    np.testing.assert_allclose(found[0, 0], [0.5, 0.25, 0.125], atol=1e-5)


@pytest.mark.parametrize(
    ("size", "order"),
    [
        ("-Y 2 +X 3", [[0, 1, 2], [3, 4, 5]]),
        ("+Y 2 +X 3", [[3, 4, 5], [0, 1, 2]]),
        ("-Y 2 -X 3", [[2, 1, 0], [5, 4, 3]]),
        ("+X 3 -Y 2", [[0, 2, 4], [1, 3, 5]]),
        ("-X 3 +Y 2", [[5, 3, 1], [4, 2, 0]]),
    ],
)
def test_axes(size: str, order: list[list[int]]) -> None:
    pixels = b"".join(bytes([100 + 10 * i] * 3 + [128]) for i in range(6))
    found = light(file(pixels, size))
    np.testing.assert_allclose(found[..., 1], (100 + 10 * np.array(order)) / 256, rtol=1e-4)


def test_old_run_lengths() -> None:
    pixels = bytes([50, 50, 50, 128, 1, 1, 1, 3, 1, 1, 1, 1, 200, 200, 200, 128])  # 1 + 3 + 256 times, once
    found = light(file(pixels, "-Y 1 +X 261"))[0, :, 0] * 256
    np.testing.assert_allclose(found, [50] * 260 + [200], rtol=1e-4)


def test_other_primaries() -> None:
    white = bytes([128, 128, 128, 129])
    wide = "PRIMARIES=0.708 0.292 0.170 0.797 0.131 0.046 0.3127 0.3290"
    found = formats.examine(file(white, "-Y 1 +X 1", wide))
    assert found.signalling.primaries == "bt2020"
    assert any("BT.709" in note for note in found.notes)
    ward = "PRIMARIES=0.640 0.330 0.290 0.600 0.150 0.060 0.333 0.333"  # Radiance's own
    found = formats.examine(file(white, "-Y 1 +X 1", ward))
    assert found.signalling.primaries == "custom"
    np.testing.assert_allclose(found.light[:, 0, 0], 1, rtol=1e-3)
    found = formats.examine(file(white, "-Y 1 +X 1"))
    assert found.signalling.said_by == ()
    assert len(found.notes) == 2
    found = formats.examine(file(white, "-Y 1 +X 1", "FORMAT=32-bit_rle_xyze"))
    np.testing.assert_allclose(found.light[:, 0, 0], 1, rtol=1e-3)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (file(b"\0\0\0\0", "-Y 1 +X 1", "FORMAT=32-bit_float"), "unknown way"),
        (file(b"\0\0\0", "-Y 1 +X 1"), "damaged"),
        (file(bytes([1, 1, 1, 1]), "-Y 1 +X 1"), "damaged"),
        (file(b"\0\0\0\0", "-Y 1 +Y 1"), "damaged"),
        (file(b"\0\0\0\0", "-Y 1 +X 1", "EXPOSURE=0"), "damaged"),
        (file(b"\0\0\0\0", "-Y 1 +X 1", "EXPOSURE=nan"), "damaged"),
        (file(b"\2\2\0\x08" + bytes(40), "-Y 1 +X 8"), "damaged"),
        (file(b"\2\2\0\x08\x89\1", "-Y 1 +X 8"), "damaged"),
        (file(b"", "-Y 99999999 +X 99999999"), "limit"),
        (io.BytesIO(b"#?RADIANCE\n" + b"x" * 100), "damaged"),
        (io.BytesIO(b"#?RADIANCE\n" + b"x\n" * 100_000), "damaged"),
    ],
)
def test_hostile_files(data: io.BytesIO, words: str) -> None:
    with pytest.raises(InputError, match=words):
        formats.examine(data)


def test_cut_off_anywhere() -> None:
    data = radiance.encode(inside(9, 30), OPTIONS)
    for length in range(12, len(data)):
        with pytest.raises(InputError):
            formats.examine(io.BytesIO(data[:length]))


def test_it_is_refused_as_sdr() -> None:
    with pytest.raises(InputError, match="already HDR"):
        formats.read(io.BytesIO(radiance.encode(inside(), OPTIONS)))
