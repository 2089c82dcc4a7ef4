"""PNG: every colour type and depth against pictures written byte by byte."""

import io
import struct
import zlib

import colour
import numpy as np
import pytest

from sdr2hdr import formats
from sdr2hdr.errors import InputError


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(depth, kind, row, extra=b"", width=4, height=1, interlace=0):
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlace)
    parts = [chunk(b"IHDR", header), extra, chunk(b"IDAT", zlib.compress(b"\0" + row)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def words(*values):
    return struct.pack(f">{len(values)}H", *values)


def read(data):
    return formats.read(io.BytesIO(data), name="a.png")


PALETTE = chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60, 70, 80, 90, 200, 100, 0]))
PALETTE_RGB = [[10, 20, 30], [40, 50, 60], [70, 80, 90], [200, 100, 0]]


@pytest.mark.parametrize(
    ("data", "white", "colours", "alpha"),
    [
        (png(1, 0, b"\xa0"), 1, [1, 0, 1, 0], None),
        (png(2, 0, b"\x1b"), 3, [0, 1, 2, 3], None),
        (png(4, 0, b"\x0f\x7a"), 15, [0, 15, 7, 10], None),
        (png(8, 0, bytes([0, 1, 128, 255])), 255, [0, 1, 128, 255], None),
        (png(16, 0, words(0, 1, 256, 65535)), 65535, [0, 1, 256, 65535], None),
        (
            png(8, 0, bytes([0, 1, 128, 255]), chunk(b"tRNS", words(128))),
            255,
            [0, 1, 128, 255],
            [255, 255, 0, 255],
        ),
        (png(8, 2, bytes(range(12))), 255, np.arange(12).reshape(4, 3), None),
        (png(16, 2, words(*range(0, 1200, 100))), 65535, np.arange(0, 1200, 100).reshape(4, 3), None),
        (png(2, 3, b"\x1b", PALETTE), 255, PALETTE_RGB, None),
        (
            png(8, 3, bytes(range(4)), PALETTE + chunk(b"tRNS", b"\0\x80")),
            255,
            PALETTE_RGB,
            [0, 128, 255, 255],
        ),
        (png(8, 4, bytes([0, 255, 1, 128, 128, 0, 255, 9])), 255, [0, 1, 128, 255], [255, 128, 0, 9]),
        (png(16, 4, words(0, 65535, 1, 128, 256, 0, 9, 8)), 65535, [0, 1, 256, 9], [65535, 128, 0, 8]),
        (png(8, 6, bytes(range(16))), 255, np.arange(16).reshape(4, 4)[:, :3], [3, 7, 11, 15]),
        (png(16, 6, words(*range(16))), 65535, np.arange(16).reshape(4, 4)[:, :3], [3, 7, 11, 15]),
    ],
)
def test_every_kind(data, white, colours, alpha):
    image = read(data)
    colours = np.broadcast_to(np.reshape(colours, (4, -1)), (4, 3))
    np.testing.assert_array_equal(image.signal[:, 0].T, (colours / white).astype(np.float32))
    assert image.bits == (16 if white == 65535 else 8)
    if alpha is None:
        assert image.alpha is None
    else:
        np.testing.assert_array_equal(image.alpha[0], (np.array(alpha) / max(white, 255)).astype(np.float32))


def test_interlaced_is_the_same_picture():
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    passes = [
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ]
    rows = b"".join(b"\0" + row.tobytes() for y, x, dy, dx in passes for row in pixels[y::dy, x::dx])
    data = png(8, 2, rows[1:], width=13, height=9, interlace=1)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    np.testing.assert_array_equal(read(data).signal.transpose(1, 2, 0), (pixels / 255).astype(np.float32))


@pytest.mark.parametrize("transfer", [16, 18])
def test_pq_and_hlg_are_refused(transfer):
    with pytest.raises(InputError, match=r"^a.png: is already HDR .*; only SDR pictures are converted$"):
        read(png(16, 2, words(*range(12)), chunk(b"cICP", bytes([9, transfer, 0, 1]))))


def test_colours_by_cicp():
    codes = np.array([[0, 255, 100, 30], [90, 200, 100, 30], [80, 10, 100, 30]]).T
    data = bytes(codes.astype(np.uint8).ravel())
    for primaries, name in [(12, "Display P3"), (9, "ITU-R BT.2020")]:
        image = read(png(8, 2, data, chunk(b"cICP", bytes([primaries, 13, 0, 1]))))
        linear = colour.models.eotf_sRGB(codes / 255)
        expected = colour.RGB_to_RGB(linear, name, "sRGB", None)
        expected = colour.models.eotf_inverse_sRGB(expected.clip(0, 1))
        np.testing.assert_allclose(image.signal[:, 0].T, expected, atol=2e-4)
        assert image.profile == f"cICP {primaries}/13"
    assert read(png(8, 2, data, chunk(b"cICP", bytes([1, 13, 0, 1])))).profile is None


def test_gamma_chunk():
    """A linear PNG is brightened; gAMA of sRGB, or an sRGB chunk beside it, changes nothing."""
    row = bytes(range(0, 240, 20))
    plain = read(png(8, 2, row)).signal
    linear = chunk(b"gAMA", struct.pack(">I", 100000))
    expected = colour.models.eotf_inverse_sRGB(plain.astype(float))
    np.testing.assert_allclose(read(png(8, 2, row, linear)).signal, expected, atol=1e-5)
    srgb = chunk(b"gAMA", struct.pack(">I", 45455))
    srgb += chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
    for extra in (srgb, chunk(b"sRGB", b"\0") + linear):
        image = read(png(8, 2, row, extra))
        assert image.profile is None
        np.testing.assert_array_equal(image.signal, plain)


def test_impossible_primaries_are_ignored():
    row = bytes(range(12))
    broken = chunk(b"cHRM", bytes(32))
    np.testing.assert_array_equal(read(png(8, 2, row, broken)).signal, read(png(8, 2, row)).signal)


def test_damage():
    good = bytearray(png(8, 2, bytes(range(12))))
    for at in (29, len(good) - 14):  # checksums of IHDR and IDAT
        bad = bytearray(good)
        bad[at] ^= 1
        with pytest.raises(InputError, match="is damaged or cut off"):
            read(bytes(bad))
    with pytest.raises(InputError, match="damaged"):  # too few pixels
        read(png(8, 2, bytes(range(9))))
    bad = bytearray(png(8, 2, bytes(range(12)), chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0\0\0\0\0")))
    bad[33 + 9] ^= 1  # an ancillary chunk may be lost
    assert read(bytes(bad)).exif is None
