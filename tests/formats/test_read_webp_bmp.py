"""WebP and BMP: their variants, with Pillow and bytes written by hand as oracles."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
from icc_writer import matrix
from PIL import Image

from sdr2hdr import formats
from sdr2hdr.errors import InputError

PIXELS = np.random.default_rng(7).integers(0, 256, (13, 22, 3), dtype=np.uint8)
P3 = matrix("Display P3")


def encoded(kind, pixels=PIXELS, **options):
    stream = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(stream, kind, **options)
    return stream.getvalue()


def read(data):
    return formats.read(io.BytesIO(data), name="a")


def exact(image, pixels):
    np.testing.assert_array_equal(
        image.signal.transpose(1, 2, 0), (np.asarray(pixels) / 255).astype(np.float32)
    )


def test_webp_lossy_lossless_and_alpha():
    data = encoded("WEBP", quality=80)
    assert data[12:16] == b"VP8 "
    exact(read(data), Image.open(io.BytesIO(data)).convert("RGB"))
    data = encoded("WEBP", lossless=True)
    assert data[12:16] == b"VP8L"
    exact(read(data), PIXELS)
    four = np.dstack([PIXELS, PIXELS[..., 0]])
    for options in (
        {"lossless": True, "exact": True},
        {"lossless": True, "exact": True, "icc_profile": b"\0"},
    ):
        image = read(encoded("WEBP", four, **options))
        exact(image, PIXELS)
        np.testing.assert_array_equal(image.alpha, image.signal[0])


@pytest.mark.parametrize("size", [(1, 1), (3, 16383), (259, 70)])
def test_webp_sizes(size):
    for options in ({"lossless": True}, {"quality": 50}, {"quality": 50, "icc_profile": P3}):
        data = encoded("WEBP", np.zeros((*size, 3), np.uint8), **options)
        assert formats.readers()["webp"].dimensions(data) == size
        assert read(data).size == size


def test_webp_profile_and_first_frame_of_an_animation():
    data = encoded("WEBP", lossless=True, icc_profile=P3)
    png = encoded("PNG", icc_profile=P3)
    np.testing.assert_array_equal(read(data).signal, read(png).signal)
    data = encoded("WEBP", save_all=True, append_images=[Image.fromarray(255 - PIXELS)], lossless=True)
    exact(read(data), PIXELS)


def test_webp_whose_headers_disagree():
    data = bytearray(encoded("WEBP", icc_profile=P3))
    data[24:30] = struct.pack("<I", 9)[:3] * 2
    with pytest.raises(InputError, match="a: is damaged or cut off"):
        read(bytes(data))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
def test_bmp_modes(mode):
    picture = Image.fromarray(PIXELS).convert(mode)
    image = read(encoded("BMP", picture))
    exact(image, picture.convert("RGB"))
    assert image.bits == 8


def bmp(width, height, bits, compression, pixels, palette=b"", more=b"", size=40):
    header = struct.pack(
        "<IiiHHIIiiII", size, width, height, 1, bits, compression, len(pixels), 0, 0, len(palette) // 4, 0
    )
    header += more
    at = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + header + palette + pixels


PALETTE = b"".join(bytes([i * 10, i * 5, i, 0]) for i in range(16))
GREY = np.array([1, 5, 10])
MASKS = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)


MASKS_565 = struct.pack("<3I", 0xF800, 0x7E0, 0x1F)
SIX = bytes([1, 2, 3, 4, 5, 6, 0, 0])  # a row of two pixels
ROW = [[3, 2, 1], [6, 5, 4]]
VARIANTS = {
    "run lengths": (
        bmp(4, 2, 8, 1, bytes([4, 3, 0, 0, 2, 1, 2, 2, 0, 1]), PALETTE),
        [[GREY, GREY, GREY * 2, GREY * 2], [GREY * 3] * 4],
    ),
    "4 bits": (bmp(4, 1, 4, 0, b"\x12\x34\0\0", PALETTE), [[GREY, GREY * 2, GREY * 3, GREY * 4]]),
    "555": (bmp(2, 1, 16, 0, struct.pack("<2H", 0x7C00, 0x03E0)), [[[255, 0, 0], [0, 255, 0]]]),
    "565": (
        bmp(2, 1, 16, 3, struct.pack("<2H", 0xF800, 0x07E0), more=MASKS_565),
        [[[255, 0, 0], [0, 255, 0]]],
    ),
    "from the top": (bmp(2, -2, 24, 0, SIX + bytes(8)), [ROW, [[0, 0, 0]] * 2]),
    "from the bottom": (bmp(2, 2, 24, 0, SIX + bytes(8)), [[[0, 0, 0]] * 2, ROW]),
    "32 bits": (bmp(2, 1, 32, 0, bytes([1, 2, 3, 0, 4, 5, 6, 0])), [ROW]),
    "OS/2": (b"BM" + struct.pack("<IHHIIHHHH", 34, 0, 0, 26, 12, 2, 1, 1, 24) + SIX, [ROW]),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_bmp_variants(name):
    data, expected = VARIANTS[name]
    image = read(data)
    exact(image, expected)
    assert image.alpha is None


def test_bmp_alpha_and_profile():
    pixels = bytes([1, 2, 3, 9, 4, 5, 6, 255])
    image = read(bmp(2, 1, 32, 3, pixels, more=MASKS + bytes(52), size=108))
    exact(image, [ROW])
    np.testing.assert_array_equal(image.alpha, np.array([[9, 255]], np.float32) / 255)
    kind = struct.pack("<4s36x12xIIII", b"DEBM", 0, 124 + 8, len(P3), 0)
    image = read(bmp(2, 1, 32, 3, pixels, more=MASKS + kind, size=124) + P3)
    png = encoded("PNG", np.array([ROW], np.uint8), icc_profile=P3)
    np.testing.assert_array_equal(image.signal, read(png).signal)
    assert image.profile == "Display P3"


def test_bmp_damage():
    for data in (
        bmp(2, -2, 24, 0, SIX),
        bmp(4, 2, 8, 1, bytes([4, 3, 0, 0, 2, 1]), PALETTE),
        bmp(2, 1, 25, 0, bytes(8)),
    ):
        with pytest.raises(InputError, match="a: is damaged or cut off"):
            read(data)
    with pytest.raises(InputError, match="has no pixels"):
        read(bmp(-2, 1, 24, 0, bytes(8)))
    with pytest.raises(InputError, match="more than the limit"):
        read(bmp(100_000, -100_000, 24, 0, bytes(8)))


def test_bmp_of_imagecodecs():
    exact(read(imagecodecs.bmp_encode(PIXELS)), PIXELS)
