"""JPEG XL, made by libjxl (imagecodecs, cjxl) with headers of every kind, read and examined."""

import io
from pathlib import Path

import colour
import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icc_writer import grey, lut, matrix, parametric
from outside_readers import run
from PIL import Image, ImageOps

from sdr2hdr import __version__, formats
from sdr2hdr.errors import InputError
from sdr2hdr.formats import EncodeOptions, _jxl_boxes, _jxl_header, jxl
from sdr2hdr.formats._jxl_bits import Bits, packed
from sdr2hdr.formats._jxl_colour import icc_profile
from sdr2hdr.formats._jxl_icc import profile_at
from sdr2hdr.formats._jxl_relabel import as_pq, relabelled
from sdr2hdr.image import HdrImage, SdrImage

RNG = np.random.default_rng(6)
PIXELS = RNG.integers(0, 256, (9, 14, 4), np.uint8)
SMOOTH = np.asarray(
    Image.fromarray(RNG.integers(0, 256, (5, 7, 3), np.uint8)).resize((70, 50), Image.Resampling.BICUBIC)
)
SRGB, LINEAR, PQ, HLG = 13, 8, 16, 18


def read(data: bytes) -> SdrImage:
    return formats.read(io.BytesIO(data), name="a.jxl")


def lossless(codes: np.ndarray, bits: int | None = None) -> bytes:
    return bytes(imagecodecs.jpegxl_encode(np.ascontiguousarray(codes), lossless=True, bitspersample=bits))


def bare(codes: np.ndarray, bits: int | None = None) -> bytes:
    return _jxl_boxes.parse(lossless(codes, bits)).codestream


def cjxl(
    folder: Path, picture: Image.Image, suffix: str, *options: str, **how: object
) -> tuple[bytes, bytes]:
    """A file that Pillow writes, and what cjxl makes of it."""
    source, target = folder / f"a{suffix}", folder / "a.jxl"
    picture.save(source, **how)
    run("cjxl", source, target, *options)
    return source.read_bytes(), target.read_bytes()


@pytest.mark.parametrize("bits", [8, 9, 10, 12, 14, 16])
def test_every_depth_is_exact(bits: int) -> None:
    white = (1 << bits) - 1
    codes = RNG.integers(0, white + 1, (9, 14, 3)).astype(np.uint8 if bits == 8 else np.uint16)
    image = read(relabelled(bare(codes, bits), bits, SRGB))
    assert (image.format, image.bits) == ("jxl", 8 if bits == 8 else 16)
    assert image.alpha is None
    linear = colour.RGB_to_RGB(colour.eotf(codes / white, "sRGB"), "ITU-R BT.2020", "ITU-R BT.709", None)
    wanted = colour.eotf_inverse(np.clip(linear, 0, 1), "sRGB")
    np.testing.assert_allclose(image.signal.transpose(1, 2, 0), wanted, atol=2e-5)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_grey_colour_alpha(channels: int) -> None:
    codes = PIXELS[..., :channels] if channels > 1 else PIXELS[..., 0]
    image = read(lossless(codes))
    colours = codes[..., :3] if channels > 2 else np.repeat(codes.reshape(9, 14, -1)[..., :1], 3, 2)
    np.testing.assert_array_equal(image.signal.transpose(1, 2, 0), np.float32(colours / 255))
    assert (image.alpha is not None) == (channels in (2, 4))
    if image.alpha is not None:
        np.testing.assert_array_equal(image.alpha, np.float32(codes[..., -1] / 255))


def test_lossy() -> None:
    image = read(bytes(imagecodecs.jpegxl_encode(SMOOTH, distance=0.3)))
    assert np.abs(image.signal.transpose(1, 2, 0) - SMOOTH / 255).mean() < 0.01
    assert image.profile is None


def table(d: np.ndarray) -> np.ndarray:
    return np.stack([100 * d[..., 0], 90 * (d[..., 1] - d[..., 2]), 80 * (d[..., 0] - d[..., 1])], -1)


PROFILES = {
    **{name: matrix(name) for name in ("Display P3", "Adobe RGB", "ProPhoto")},
    "table": lut(b"RGB ", table, points_per_side=9),
}


@pytest.mark.parametrize("name", PROFILES)
def test_profiles(name: str, tmp_path: Path) -> None:
    """Lossless, the profile comes out of the codestream byte for byte; lossy, the colours are the profile's."""
    picture, icc = Image.fromarray(SMOOTH), PROFILES[name]
    source, data = cjxl(tmp_path, picture, ".png", "-d", "0", icc_profile=icc)
    codestream = _jxl_boxes.parse(data).codestream
    assert icc_profile(codestream, _jxl_header.parse(codestream)) == icc
    wanted, image = formats.read(io.BytesIO(source)), read(data)
    np.testing.assert_array_equal(image.signal, wanted.signal)
    assert image.profile == wanted.profile
    assert formats.examine(io.BytesIO(data)).signalling.said_by == ("ICC profile",)
    if name == "table":
        return  # a fantasy, whose lossy colours nobody has
    _, data = cjxl(tmp_path, picture, ".png", "-d", "0.3", icc_profile=icc)
    assert np.abs(read(data).signal - wanted.signal).mean() < 0.012
    light, png = (formats.examine(io.BytesIO(file)).light for file in (data, source))
    assert np.abs(light - png).mean() < 0.01


def test_profile_of_grey(tmp_path: Path) -> None:
    picture = Image.fromarray(SMOOTH[..., 0])
    for distance in ("0", "0.3"):
        icc = grey(parametric(3, 2.4, 0.9, 0.1, 0.1, 0.04))
        source, data = cjxl(tmp_path, picture, ".png", "-d", distance, icc_profile=icc)
        difference = np.abs(read(data).signal - formats.read(io.BytesIO(source)).signal)
        assert difference.mean() < (0.012 if distance == "0.3" else 1e-7)


def test_what_was_a_jpeg_is_read_as_that(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[271], exif[274] = "Maker", 6
    how = {"icc_profile": PROFILES["Adobe RGB"], "exif": exif.tobytes(), "quality": 90}
    source, data = cjxl(tmp_path, Image.fromarray(SMOOTH), ".jpg", **how)
    wanted, image = formats.read(io.BytesIO(source)), read(data)
    np.testing.assert_array_equal(image.signal, wanted.signal)
    assert (image.exif, image.profile, image.size) == (wanted.exif, wanted.profile, (70, 50))
    assert image.format == "jxl"
    # Without what it is restored with: libjxl's own pixels, nearly the same
    again = read(data.replace(b"jbrd", b"jbrx"))
    assert np.abs(again.signal - wanted.signal).mean() < 0.01


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation: int) -> None:
    data = relabelled(bare(PIXELS[..., 0]), 8, SRGB)
    data = bytearray(data)
    at = _jxl_header.parse(bytes(data)).spans[0] + 2
    for i in range(3):
        data[(at + i) >> 3] |= ((orientation - 1) >> i & 1) << ((at + i) & 7)
    exif = Image.Exif()
    exif[274] = orientation
    picture = Image.fromarray(PIXELS[..., 0])
    picture.info["exif"] = exif.tobytes()
    wanted = np.asarray(ImageOps.exif_transpose(picture))
    image = read(bytes(data))
    np.testing.assert_array_equal(image.signal[0], np.float32(wanted / 255))
    assert formats.examine(io.BytesIO(bytes(data))).light.shape[1:] == wanted.shape


def test_metadata_of_a_container() -> None:
    exif = Image.Exif()
    exif[271], exif[274] = "Maker", 6
    block, packet = exif.tobytes()[6:], b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    data = _jxl_boxes.build(bare(PIXELS), 5, block, packet)
    image = read(data)
    assert image.exif is not None
    assert Image.Exif().load(image.exif) is None
    assert image.xmp == packet
    assert image.size == (9, 14), "the codestream says how it is held"
    packed = b"brob" + b"Exif" + bytes(imagecodecs.brotli_encode(bytes(4) + block))
    data = _jxl_boxes.build(bare(PIXELS), 5, None, None)
    at = data.index(b"jxlc") - 4
    again = read(data[:at] + (len(packed) + 4).to_bytes(4, "big") + packed + data[at:])
    assert again.exif == image.exif


def test_split_codestream() -> None:
    whole = bare(PIXELS[..., :3])
    parts = [whole[:7], whole[7:40], whole[40:]]
    boxes = [
        (12 + len(part)).to_bytes(4, "big") + b"jxlp" + (i | (i == 2) << 31).to_bytes(4, "big") + part
        for i, part in enumerate(parts)
    ]
    data = _jxl_boxes.CONTAINER + b"\0\0\0\x14ftypjxl \0\0\0\0jxl " + b"".join(boxes)
    np.testing.assert_array_equal(read(data).signal, read(whole).signal)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (as_pq(bare(PIXELS), 8, 1000), r"already HDR \(its colour encoding says PQ or HLG\)"),
        (relabelled(bare(PIXELS), 8, HLG), "already HDR"),
        (imagecodecs.jpegxl_encode(np.float32(PIXELS[..., :3] / 255), lossless=True), "floating-point"),
        (b"\xff\x0a", "damaged"),
        (packed([(0x0AFF, 16), (0, 1), (3, 2), (2**30 - 1, 30), (1, 3), (1, 1)]) + bytes(20), "limit"),
        (_jxl_boxes.CONTAINER, "damaged"),
        (_jxl_boxes.CONTAINER + b"\0\0\0\x01jxlc", "damaged"),
        (_jxl_boxes.CONTAINER + b"\0\0\0\x00Exif", "damaged"),
        (_jxl_boxes.build(b"", 5, None, None), "damaged"),
    ],
)
def test_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        read(data)
    assert str(error.value).startswith("a.jxl: ")


@pytest.mark.parametrize(
    "data",
    [
        bare(PIXELS),
        lossless(PIXELS.astype(np.uint16) * 257),
        bytes(imagecodecs.jpegxl_encode(SMOOTH, distance=1)),
    ],
)
def test_cut_off_anywhere(data: bytes) -> None:
    for length in range(2, len(data), 7):
        with pytest.raises(InputError):
            read(data[:length])


SEEDS = {
    "bare": relabelled(bare(PIXELS), 8, SRGB),
    "lossy": bytes(imagecodecs.jpegxl_encode(SMOOTH[:20, :20], distance=1)),
    "container": _jxl_boxes.build(bare(PIXELS), 5, b"II*\0\x08\0\0\0\0\0", b"<x/>"),
}


@pytest.mark.parametrize("seed", SEEDS)
@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True) | st.floats(0, 0.1), st.integers(0, 255)), max_size=4
    )
)
def test_damaged_files_are_pictures_or_one_line(seed: str, damage: list[tuple[float, int]]) -> None:
    data = bytearray(SEEDS[seed])
    for where, what in damage:
        data[int(where * len(data))] = what
    for work in (formats.read, formats.examine):
        words = "mutant: a picture"
        try:
            work(io.BytesIO(bytes(data)), max_pixels=1 << 20, name="mutant")
        except InputError as error:
            words = str(error)
        assert words.startswith("mutant: ")
        assert words.isprintable()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_noise_as_a_profile(noise: bytes) -> None:
    """The parser of profiles itself: it ends, with a profile or with one line."""
    for start in (b"", b"\x05\x02"):
        words = "a profile"
        try:
            profile_at(Bits(start + noise))
        except InputError as error:
            words = str(error)
        assert words.isprintable()


def test_examined() -> None:
    image = HdrImage(np.full((3, 16, 24), 4.0, np.float32), recipe={"look": "scene"})
    found = formats.examine(io.BytesIO(jxl.encode(image, EncodeOptions())))
    said = found.signalling
    assert (found.format, found.bits, found.floating, found.clipped, found.notes) == ("jxl", 16, False, 0, ())
    assert (said.transfer, said.primaries, said.said_by) == ("pq", "bt2020", ("JPEG XL colour encoding",))
    assert said.peak_nits == pytest.approx(812, rel=1e-3)
    assert found.recipe == {"look": "scene", "version": __version__}
    np.testing.assert_allclose(found.light, 4, rtol=0.01)
    sdr = formats.examine(io.BytesIO(lossless(PIXELS)))
    assert (sdr.signalling.transfer, sdr.signalling.primaries, sdr.bits) == ("srgb", "bt709", 8)
    assert sdr.clipped == pytest.approx((PIXELS[..., :3] == 255).any(-1).mean())
    floats = formats.examine(
        io.BytesIO(bytes(imagecodecs.jpegxl_encode(np.float32(SMOOTH / 64), lossless=True)))
    )
    assert (floats.floating, floats.bits, floats.signalling.transfer) == (True, 32, "linear")
    wanted = colour.RGB_to_RGB(SMOOTH / 64, "ITU-R BT.709", "ITU-R BT.2020", None)
    np.testing.assert_allclose(floats.light.transpose(1, 2, 0), wanted, atol=1e-4)
    few = formats.examine(io.BytesIO(as_pq(bare(PIXELS), 8, 1000)))
    assert any("10 bits" in note for note in few.notes)
