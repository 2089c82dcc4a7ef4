"""OpenEXR files of anybody, examined."""

import io
import struct

import colour
import numpy as np
import OpenEXR
import pytest

from sdr2hdr import formats
from sdr2hdr.errors import InputError
from sdr2hdr.formats import EncodeOptions, Examined
from sdr2hdr.image import HdrImage

GREY = np.random.default_rng(3).random((21, 34)).astype(np.float32)
ORDINARY = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}


def made(channels: dict, **header) -> bytes:
    stream = io.BytesIO()
    OpenEXR.File(ORDINARY | header, channels).write(stream)
    return stream.getvalue()


def rgb(dtype=np.float32) -> dict:
    return {name: np.ascontiguousarray((GREY * (i + 1)).astype(dtype)) for i, name in enumerate("RGB")}


def examined(data: bytes) -> Examined:
    return formats.examine(io.BytesIO(data), name="a")


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("primaries", ["2020", "709", "p3", "acescg"])
def test_our_own(primaries: str, half: bool) -> None:
    light = np.random.default_rng(1).random((3, 30, 20), np.float32) ** 4 * 40
    image = HdrImage(light, white_nits=100, recipe={"look": "scene"})
    found = examined(formats.encoder("exr").encode(image, EncodeOptions(primaries=primaries, half=half)))
    said = found.signalling
    name = {"2020": "bt2020", "709": "bt709"}.get(primaries, primaries)
    assert (found.format, found.bits, found.floating) == ("exr", 16 if half else 32, True)
    assert (said.transfer, said.primaries, said.white_nits) == ("linear", name, 100)
    assert said.said_by == ("chromaticities",)
    assert said.chromaticities is None
    assert found.notes == ()
    assert found.recipe["look"] == "scene"
    np.testing.assert_allclose(
        found.light, light * 100 / 203, rtol=2e-3 if half else 1e-4, atol=0.03 if half else 1e-4
    )


def test_without_chromaticities_it_is_bt709_and_said_to_be_amiss() -> None:
    found = examined(made(rgb()))
    assert (found.signalling.primaries, found.signalling.said_by) == ("bt709", ("OpenEXR",))
    assert len(found.notes) == 1
    assert "no chromaticities" in found.notes[0]
    source, target = (colour.RGB_COLOURSPACES[f"ITU-R BT.{n}"] for n in (709, 2020))
    wanted = colour.RGB_to_RGB(np.stack([GREY, 2 * GREY, 3 * GREY], -1), source, target)
    np.testing.assert_allclose(found.light.transpose(1, 2, 0), wanted, rtol=1e-4, atol=1e-5)
    assert found.recipe == {}


def test_primaries_without_a_name() -> None:
    adobe = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.329)
    said = examined(made(rgb(), chromaticities=adobe)).signalling
    assert said.primaries == "custom"
    np.testing.assert_allclose(said.chromaticities, adobe, atol=1e-6)
    with pytest.raises(InputError, match="enclose no colours"):
        examined(made(rgb(), chromaticities=(0.3, 0.3) * 4))


def test_aces_containers() -> None:
    ap0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
    assert examined(made(rgb(np.float16), chromaticities=ap0)).signalling.primaries == "aces"
    said = examined(made(rgb(np.float16), acesImageContainerFlag=1)).signalling
    assert (said.primaries, said.said_by) == ("aces", ("acesImageContainerFlag",))


@pytest.mark.parametrize(
    "names",
    [("R", "G", "B"), ("r", "g", "b"), ("beauty.R", "beauty.G", "beauty.B"), ("Red", "Green", "Blue")],
)
def test_colours_are_found_whatever_they_are_called(names: tuple[str, ...]) -> None:
    channels = dict(zip(names, rgb().values(), strict=True)) | {"Z": GREY, "A": GREY, "normal.X": GREY}
    plain = examined(made(rgb()))
    np.testing.assert_array_equal(examined(made(channels)).light, plain.light)


@pytest.mark.parametrize("name", ["Y", "luminance", "diffuse.Y"])
def test_grey(name: str) -> None:
    found = examined(made({name: GREY, "A": GREY}))
    np.testing.assert_allclose(found.light, np.stack([GREY] * 3), rtol=1e-5)


def by_hand(planes: dict[str, np.ndarray], steps: dict[str, int]) -> bytes:
    """An uncompressed scan-line file, byte by byte (OpenEXR file layout); planes are those of every pixel."""
    height, width = next(iter(planes.values())).shape
    names = sorted(planes)
    listed = (
        b"".join(n.encode() + b"\0" + struct.pack("<iiii", 2, 0, steps[n], steps[n]) for n in names) + b"\0"
    )
    box = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes = {
        b"channels\0chlist": listed,
        b"compression\0compression": b"\0",
        b"dataWindow\0box2i": box,
        b"displayWindow\0box2i": box,
        b"lineOrder\0lineOrder": b"\0",
        b"pixelAspectRatio\0float": struct.pack("<f", 1),
        b"screenWindowCenter\0v2f": bytes(8),
        b"screenWindowWidth\0float": struct.pack("<f", 1),
    }
    head = b"\x76\x2f\x31\x01\x02\0\0\0"
    head += b"".join(k + b"\0" + struct.pack("<i", len(v)) + v for k, v in attributes.items()) + b"\0"
    chunks = []
    for y in range(height):
        row = b"".join(planes[n][y, :: steps[n]].astype("<f4").tobytes() for n in names if y % steps[n] == 0)
        chunks.append(struct.pack("<ii", y, len(row)) + row)
    at = len(head) + 8 * height
    offsets = [at + sum(map(len, chunks[:y])) for y in range(height)]
    return head + struct.pack(f"<{height}Q", *offsets) + b"".join(chunks)


def test_luminance_and_subsampled_colours() -> None:
    """A smooth picture as OpenEXR's RgbaOutputFile would store it; the light comes back."""
    y, x = np.mgrid[0:24, 0:36].astype(np.float32)
    rgb = np.stack([1 + x / 36, 2 - y / 24, 0.5 + (x + y) / 60], -1)
    source, target = (colour.RGB_COLOURSPACES[f"ITU-R BT.{n}"] for n in (709, 2020))
    luminance = rgb @ source.matrix_RGB_to_XYZ[1]
    planes = {"Y": luminance, "RY": rgb[..., 0] / luminance - 1, "BY": rgb[..., 2] / luminance - 1}
    found = examined(by_hand(planes, {"Y": 1, "RY": 2, "BY": 2}))
    wanted = rgb @ colour.matrix_RGB_to_RGB(source, target).T
    light = found.light.transpose(1, 2, 0)
    np.testing.assert_allclose(light[:-1, :-1], wanted[:-1, :-1], rtol=2e-3)
    np.testing.assert_allclose(light, wanted, rtol=0.05)  # beyond the last sample there is nothing to go by


def test_whole_numbers_are_no_light() -> None:
    found = examined(made(rgb(np.uint32)))
    assert (found.bits, found.floating) == (32, False)
    assert "whole numbers" in found.notes[-1]


def test_infinite_light_is_clipped_and_what_is_no_number_is_said() -> None:
    channels = rgb(np.float16)
    channels["G"][0, :3] = np.inf
    channels["R"][0, 3] = 65504
    channels["B"][1, 1] = np.nan
    found = examined(made(channels))
    assert found.clipped == pytest.approx(4 / GREY.size)
    assert any("NaN" in note for note in found.notes)
    assert examined(made(rgb(np.float32))).clipped == 0


def test_first_part_tiles_and_data_window() -> None:
    stream = io.BytesIO()
    OpenEXR.File([OpenEXR.Part({}, rgb(), "one"), OpenEXR.Part({}, {"Z": GREY}, "two")]).write(stream)
    plain = examined(made(rgb())).light
    np.testing.assert_array_equal(examined(stream.getvalue()).light, plain)
    tiled = made(rgb(), type=OpenEXR.tiledimage, tiles=OpenEXR.TileDescription())
    np.testing.assert_array_equal(examined(tiled).light, plain)
    window = (np.array([-5, 7], np.int32), np.array([-5 + 33, 7 + 20], np.int32))
    moved = made(rgb(), dataWindow=window)
    np.testing.assert_array_equal(examined(moved).light, plain)


def refused(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        examined(data)
    assert str(caught.value).startswith("a: ")
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_what_is_no_picture() -> None:
    assert "its channels: A, Z" in refused(made({"Z": GREY, "A": GREY}))
    data = bytearray(made(rgb()))
    data[5] |= 8
    assert "deep" in refused(bytes(data))


@pytest.mark.parametrize("end", [4, 6, 9, 40, 200, 330, -600, -1])
def test_cut_off(end: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert "damaged or cut off" in refused(made(rgb())[:end])
    assert capfd.readouterr() == ("", "")


def test_damage_is_one_line_and_silent(capfd: pytest.CaptureFixture[str]) -> None:
    data = made(rgb())
    random = np.random.default_rng(5)
    for _ in range(150):
        bad = bytearray(data)
        for at in random.integers(0, len(bad), 3):
            bad[at] = random.integers(0, 256)
        said = ""
        try:
            formats.examine(io.BytesIO(bytes(bad)), max_pixels=10**6, name="a")
        except InputError as error:
            said = str(error)
        assert not said or said.isprintable()
    assert capfd.readouterr() == ("", "")


def test_the_limit_is_looked_at_first() -> None:
    data = made(rgb())
    at = data.index(b"dataWindow\0box2i\0") + len(b"dataWindow\0box2i\0") + 4
    huge = data[:at] + struct.pack("<4i", 0, 0, 99_999, 99_999) + data[at + 16 :]
    assert "100000 x 100000 pixels" in refused(huge)
    upside = data[:at] + struct.pack("<4i", 0, 0, -5, 3) + data[at + 16 :]
    assert "has no pixels" in refused(upside)
