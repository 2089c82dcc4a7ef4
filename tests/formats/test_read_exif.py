"""Orientation in every container, and the EXIF block that goes along."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from sdr2hdr import formats
from sdr2hdr.formats import _exif

PIXELS = np.random.default_rng(4).integers(0, 256, (6, 9, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)


def block(orientation, order="<"):
    """EXIF with a make, an orientation and an exposure time."""
    exif = Image.Exif()
    exif.endian = order
    exif[271] = "Maker & Sons"
    if orientation is not None:
        exif[274] = orientation
    exif[0x8769] = {0x829A: 0.008, 0x9003: "2026:01:02 03:04:05"}
    return exif.tobytes()


def encoded(kind, exif, pixels=PIXELS):
    stream = io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    Image.fromarray(pixels).save(stream, kind, exif=exif, **options)
    return stream.getvalue()


def read(data):
    return formats.read(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_pillow_turns_them(kind, orientation):
    data = encoded(kind, block(orientation))
    turned = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    image = read(data)
    np.testing.assert_array_equal(image.signal.transpose(1, 2, 0), (turned / 255).astype(np.float32))
    assert image.size == turned.shape[:2]
    assert all(stride > 0 for stride in image.signal.strides)
    carried = Image.Exif()
    carried.load(image.exif)
    assert carried.get(274, 1) == 1
    assert carried[271] == "Maker & Sons"
    assert carried.get_ifd(0x8769)[0x829A] == pytest.approx(0.008)
    assert carried.get_ifd(0x8769)[0x9003] == "2026:01:02 03:04:05"


@pytest.mark.parametrize("orientation", [3, 5, 8])
def test_alpha_turns_with_the_picture(orientation):
    pixels = np.dstack([PIXELS, PIXELS[..., :1]])
    image = read(encoded("PNG", block(orientation), pixels))
    np.testing.assert_array_equal(image.alpha, image.signal[0])


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_block_is_kept_but_for_the_orientation(order):
    exif = block(6, order)
    kept = read(encoded("JPEG", exif)).exif
    plain = exif.removeprefix(b"Exif\0\0")
    assert kept[:2] == (b"II" if order == "<" else b"MM")
    assert len(kept) == len(plain)
    assert [i for i in range(len(kept)) if kept[i] != plain[i]] == [
        plain.index(struct.pack(order + "H", 274)) + 8 + (order == ">")
    ]


def test_webp_and_png_with_a_prefix():
    exif = block(6)
    assert exif.startswith(b"Exif\0\0")
    webp = encoded("WEBP", b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
    assert read(webp).exif == b"II*\0\x08\0\0\0\0\0\0\0\0\0"
    png = encoded("PNG", None)
    body = b"eXIf" + exif
    chunk = struct.pack(">I", len(exif)) + body + struct.pack(">I", zlib.crc32(body))
    image = read(png[:33] + chunk + png[33:])
    assert image.size == (72, 48)
    assert image.exif.startswith(b"II*\0")


def test_without_a_block_there_is_none():
    for kind in ("JPEG", "PNG", "WEBP", "BMP"):
        assert read(encoded(kind, b"")).exif is None
    stream = io.BytesIO()
    tifffile.imwrite(stream, PIXELS, metadata=None, software=False)
    kept = Image.Exif()
    kept.load(read(stream.getvalue()).exif)
    assert set(kept) <= {282, 283, 296}  # the resolution, which tifffile always writes


@pytest.mark.parametrize("orientation", [None, 0, 9, 65535])
def test_orientations_that_are_none(orientation):
    image = read(encoded("JPEG", block(orientation)))
    assert image.size == (48, 72)
    assert image.exif is not None


@pytest.mark.parametrize(
    "exif", [b"", b"II", b"hello world", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_broken_blocks(exif):
    plain = _exif.plain(exif)
    assert _exif.orientation(plain) == 1
    assert _exif.upright(plain) == plain
    assert _exif.from_tiff(exif) is None


def test_a_block_made_of_a_tiff_leaves_out_what_would_break(tmp_path):
    exif = Image.Exif()
    exif[271] = "Maker"
    exif[0x8769] = {0x927C: b"offsets inside" * 3, 0x829A: 0.5}
    exif[0x8825] = {1: "N", 2: (48.0, 7.0, 30.0)}
    image = read(encoded("TIFF", exif.tobytes()))
    kept = Image.Exif()
    kept.load(image.exif)
    assert set(kept.get_ifd(0x8769)) == {0x829A}
    assert kept.get_ifd(0x8825)[2] == (48.0, 7.0, 30.0)
    assert set(kept) == {271, 0x8769, 0x8825}
