"""JPEG: Pillow as oracle, and every way in which a file can end too early."""

import io
import struct

import cv2
import imagecodecs
import numpy as np
import pytest
from icc_writer import lut
from PIL import Image, ImageCms

from sdr2hdr import formats
from sdr2hdr.errors import InputError


def scene(height=120, width=161):
    """Smooth colours with some noise, as photographs are."""
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([x * 1.4, y * 1.7, 200 - x * 0.7], axis=2)
    noise = np.random.default_rng(2).normal(0, 6, picture.shape)
    return (picture + noise).clip(0, 255).astype(np.uint8)


def jpeg(pixels=None, mode=None, **options):
    stream = io.BytesIO()
    Image.fromarray(scene() if pixels is None else pixels, mode).save(
        stream, "JPEG", **{"quality": 90, **options}
    )
    return stream.getvalue()


def read(data):
    return formats.read(io.BytesIO(data), name="a.jpg")


def pillow(data):
    return (np.asarray(Image.open(io.BytesIO(data))) / 255).astype(np.float32)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}]
)
def test_pixels_are_those_of_libjpeg(options):
    data = jpeg(**options)
    image = read(data)
    assert (image.format, image.bits, image.alpha) == ("jpeg", 8, None)
    np.testing.assert_array_equal(image.signal.transpose(1, 2, 0), pillow(data))


def test_grey():
    data = jpeg(scene()[..., 0])
    np.testing.assert_array_equal(read(data).signal, np.broadcast_to(pillow(data), (3, 120, 161)))


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}, {"subsampling": 0}]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_an_end_marker_that_comes_early(options, channels):
    """Whole files with some of their last bytes missing and a new end marker: decoders fill without a word."""
    pixels = scene(57, 81)
    data = jpeg(pixels if channels == 3 else pixels[..., 0], **options)
    start = data.rindex(b"\xff\xda") + 20
    complete = imagecodecs.jpeg8_decode(data)
    missed = []
    for end in range(start, len(data) - 2, 3):
        cut = data[:end].removesuffix(b"\xff") + b"\xff\xd9"
        filled = imagecodecs.jpeg8_decode(cut)
        try:
            read(cut)
        except InputError:
            pass
        else:
            missed.append((filled != complete).any(-1).sum() if channels == 3 else (filled != complete).sum())
    assert len(missed) < 10  # only where the last block is all that suffered
    assert max(missed, default=0) <= 16 * 16 + 32


def test_progressive_file_without_its_last_scans():
    data = jpeg(progressive=True)
    scans = [i for i in range(len(data) - 1) if data[i : i + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for scan in scans[1:]:
        end = data.rindex(b"\xff\xc4", 0, scan) if data[scan - 200 : scan].count(b"\xff\xc4") else scan
        with pytest.raises(InputError, match="without its last scans"):
            read(data[:end] + b"\xff\xd9")


def test_mid_grey_is_not_taken_for_filling():
    for options in ({}, {"progressive": True}):
        data = jpeg(np.full((64, 48, 3), 128, np.uint8), **options)
        np.testing.assert_array_equal(read(data).signal, np.float32(128 / 255))


def test_what_phones_append_is_ignored():
    data = jpeg()
    image = read(data + jpeg(np.zeros((8, 8, 3), np.uint8)) + b"\0" * 1000)
    np.testing.assert_array_equal(image.signal.transpose(1, 2, 0), pillow(data))


def test_fill_bytes_before_markers():
    data = jpeg(np.full((64, 48, 3), 128, np.uint8))
    data = data[:-2] + b"\xff\xff\xff\xff\xd9"
    data = data.replace(b"\xff\xdb", b"\xff\xff\xff\xdb")
    np.testing.assert_array_equal(read(data).signal, np.float32(128 / 255))


def test_a_second_picture_in_the_middle_of_the_first():
    data = jpeg()
    with pytest.raises(InputError, match="damaged or cut off"):
        read(data[: len(data) // 2] + data)


def test_size_declared_by_the_frame():
    data = bytearray(jpeg(np.zeros((8, 8, 3), np.uint8)))
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, 60000, 60000)
    with pytest.raises(InputError, match="has 60000 x 60000 pixels, more than the limit"):
        read(bytes(data))
    struct.pack_into(">HH", data, at + 5, 0, 8)
    with pytest.raises(InputError, match="has no pixels"):
        read(bytes(data))


def test_kinds_that_are_refused():
    twelve = imagecodecs.jpeg_encode(np.zeros((16, 16, 3), np.uint16), bitspersample=12)
    with pytest.raises(
        InputError, match="is a JPEG of 12 bits, which is not supported; save it as a 16-bit TIFF"
    ):
        read(twelve)
    data = bytearray(jpeg())
    data[data.index(b"\xff\xc0") + 1] = 0xC3
    with pytest.raises(InputError, match="lossless"):
        read(bytes(data))


def inks():
    return np.random.default_rng(3).integers(0, 256, (5, 6, 4), dtype=np.uint8).repeat(16, 0).repeat(16, 1)


def to_lab(device):
    """A plausible press: lightness falls with all inks, hue follows their differences."""
    c, m, y, k = np.moveaxis(device, -1, 0)
    lightness = 95 * (1 - k) * (1 - 0.3 * c) * (1 - 0.4 * m) * (1 - 0.1 * y) + 4
    return np.stack([lightness, 60 * (m - c) * (1 - k), 70 * (y - 0.6 * c - 0.3 * m) * (1 - k)], -1)


def test_cmyk_without_a_profile():
    data = jpeg(inks(), "CMYK", subsampling=0, quality=98)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float32)
    image = read(data)
    assert image.signal.shape == (3, 80, 96)
    np.testing.assert_allclose(image.signal.transpose(1, 2, 0) * 255, expected, atol=1.5)


def test_cmyk_through_its_profile():
    profile = lut(b"CMYK", to_lab)
    data = jpeg(inks(), "CMYK", subsampling=0, quality=98, icc_profile=profile)
    opened = Image.open(io.BytesIO(data))
    expected = ImageCms.profileToProfile(
        opened,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        "RGB",
    )
    image = read(data)
    assert image.profile == "table"
    difference = np.abs(image.signal.transpose(1, 2, 0) * 255 - np.asarray(expected, np.float32))
    assert difference.max() < 2
    naive = np.asarray(opened.convert("RGB"), np.float32)
    assert np.abs(naive - expected).max() > 30


def test_profile_in_several_pieces():
    from icc_writer import matrix

    profile = matrix("Display P3", extra={b"priv": b"x" * 150_000})
    data = jpeg(icc_profile=profile)
    assert data.count(b"ICC_PROFILE\0") == 3
    assert read(data).profile == "Display P3"


def test_quality_of_the_camera_files_of_opencv():
    data = cv2.imencode(".jpg", scene(), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(read(data).signal.transpose(1, 2, 0), (expected / 255).astype(np.float32))
