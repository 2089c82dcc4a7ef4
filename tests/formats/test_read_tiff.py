"""TIFF: every arrangement, written by tifffile (and byte by byte where it does not), read back exactly."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from icc_writer import lut, matrix
from PIL import Image, ImageCms

from sdr2hdr import formats
from sdr2hdr.errors import InputError
from sdr2hdr.image import HdrImage

RNG = np.random.default_rng(8)
RGB8 = RNG.integers(0, 256, (37, 41, 3), dtype=np.uint8)
PLAIN = {256: 41, 257: 37, 258: 8, 259: 1, 262: 2, 277: 3, 278: 37}  # tags of an 8-bit picture of that size
RGB16 = RNG.integers(0, 65536, (37, 41, 3), dtype=np.uint16)


def tiff(pixels, **options):
    stream = io.BytesIO()
    options = {"photometric": "rgb", "metadata": None, **options}
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def by_hand(tags, pixels):
    """A little-endian TIFF of one strip and tags of type LONG."""
    tags = {**tags, 273: 8 + 2 + 12 * (len(tags) + 2) + 4, 279: len(pixels)}
    directory = b"".join(struct.pack("<HHII", code, 4, 1, tags[code]) for code in sorted(tags))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + directory + bytes(4) + pixels


def read(data):
    return formats.read(io.BytesIO(data), name="a.tif")


def exact(image, codes, white):
    expected = np.broadcast_to(codes.reshape(*codes.shape[:2], -1), (*codes.shape[:2], 3)) / white
    np.testing.assert_array_equal(image.signal.transpose(1, 2, 0), expected.astype(np.float32))


@pytest.mark.parametrize("pixels", [RGB8, RGB16], ids=["8", "16"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"planarconfig": "separate"},
        {"tile": (16, 32)},
        {"tile": (16, 16), "planarconfig": "separate", "compression": "zlib"},
        {"compression": "lzw", "predictor": True},
        {"compression": "zlib", "predictor": True, "rowsperstrip": 5},
        {"compression": "packbits"},
        {"compression": "zstd"},
        {"byteorder": ">"},
        {"bigtiff": True, "byteorder": ">", "rowsperstrip": 7},
    ],
    ids=str,
)
def test_arrangements(pixels, options):
    if options.get("planarconfig") == "separate":
        data = tiff(np.ascontiguousarray(np.moveaxis(pixels, -1, 0)), **options)
    else:
        data = tiff(pixels, **options)
    image = read(data)
    assert (image.format, image.bits, image.alpha) == ("tiff", 8 * pixels.itemsize, None)
    exact(image, pixels, 255 if pixels.itemsize == 1 else 65535)


@pytest.mark.parametrize("pixels", [RGB8[..., 0], RGB16[..., 0]], ids=["8", "16"])
def test_grey_and_inverted_grey(pixels):
    white = np.iinfo(pixels.dtype).max
    exact(read(tiff(pixels, photometric="minisblack")), pixels, white)
    exact(read(tiff(white - pixels, photometric="miniswhite")), pixels, white)


@pytest.mark.parametrize("bits", [1, 2, 4, 10, 12, 14])
def test_odd_depths(bits):
    pixels = (RGB16[..., 0] >> (16 - bits)).astype(np.uint8 if bits <= 8 else np.uint16)
    high_first = (pixels[..., None] >> np.arange(bits)[::-1] & 1).reshape(37, -1)
    rows = np.packbits(high_first.astype(np.uint8), axis=1).tobytes()
    data = by_hand({256: 41, 257: 37, 258: bits, 259: 1, 262: 1, 277: 1, 278: 37}, rows)
    image = read(data)
    exact(image, pixels, 2**bits - 1)
    assert image.bits == (8 if bits <= 8 else 16)


@pytest.mark.parametrize("kind", ["sixteen bits", "upper byte only", "lower byte only"])
def test_palettes(kind):
    palette = RNG.integers(0, 256, (3, 256), dtype=np.uint16)
    palette[0, 0] = 255
    stored = {"sixteen bits": palette * 257, "upper byte only": palette << 8, "lower byte only": palette}[
        kind
    ]
    indices = RGB8[..., 0]
    image = read(tiff(indices, photometric="palette", colormap=stored))
    exact(image, np.moveaxis(palette[:, indices], 0, -1), 255)


@pytest.mark.parametrize("pixels", [RGB8, RGB16], ids=["8", "16"])
def test_alpha_straight_unspecified_and_premultiplied(pixels):
    white = np.iinfo(pixels.dtype).max
    alpha = RNG.integers(0, white + 1, pixels.shape[:2]).astype(pixels.dtype)
    alpha[:5] = 0
    four = np.dstack([pixels, alpha])
    image = read(tiff(four, extrasamples=["unassalpha"]))
    exact(image, pixels, white)
    np.testing.assert_array_equal(image.alpha, (alpha / white).astype(np.float32))
    image = read(tiff(four, extrasamples=["unspecified"]))
    exact(image, pixels, white)
    assert image.alpha is None
    image = read(tiff(np.dstack([pixels, pixels[..., 0], alpha]), extrasamples=["unspecified", "unassalpha"]))
    exact(image, pixels, white)
    np.testing.assert_array_equal(image.alpha, (alpha / white).astype(np.float32))
    premultiplied = np.dstack([(pixels / white * alpha[..., None]).round().astype(pixels.dtype), alpha])
    image = read(tiff(premultiplied, extrasamples=["assocalpha"]))
    np.testing.assert_array_equal(image.alpha, (alpha / white).astype(np.float32))
    error = np.abs(image.signal.transpose(1, 2, 0) - pixels / white) * (alpha[..., None] > 0)
    assert (error * alpha[..., None]).max() <= 1.01  # half a code of the product and half of the result
    assert not image.signal[:, :5].any()


def test_four_channels_without_the_tag_for_extra_samples():
    four = np.dstack([RGB8, RGB8[..., 0]])
    image = read(by_hand({256: 41, 257: 37, 258: 8, 259: 1, 262: 2, 277: 4, 278: 37}, four.tobytes()))
    exact(image, RGB8, 255)
    np.testing.assert_array_equal(image.alpha, image.signal[0])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_the_tag(orientation):
    image = read(tiff(RGB16, extratags=[(274, "H", 1, orientation, True)]))
    by_orientation = {
        1: RGB16,
        2: RGB16[:, ::-1],
        3: RGB16[::-1, ::-1],
        4: RGB16[::-1],
        5: RGB16.transpose(1, 0, 2),
        6: np.rot90(RGB16, -1),
        7: RGB16[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(RGB16),
    }
    exact(image, by_orientation[orientation], 65535)


def test_profile():
    image = read(tiff(RGB8, iccprofile=matrix("Display P3")))
    png = io.BytesIO()
    Image.fromarray(RGB8).save(png, "PNG", icc_profile=matrix("Display P3"))
    np.testing.assert_array_equal(image.signal, formats.read(io.BytesIO(png.getvalue())).signal)
    assert image.profile == "Display P3"


@pytest.mark.parametrize("bits", [8, 16])
def test_cmyk(bits):
    inks = RNG.integers(0, 256, (20, 30, 4), dtype=np.uint8)
    stored = inks if bits == 8 else inks.astype(np.uint16) * 257
    naive = (1 - inks[..., :3] / 255) * (1 - inks[..., 3:] / 255)
    image = read(tiff(stored, photometric="separated"))
    np.testing.assert_allclose(image.signal.transpose(1, 2, 0), naive, atol=1e-6)
    alpha = np.dstack([stored, stored[..., 0]])
    image = read(tiff(alpha, photometric="separated", extrasamples=["unassalpha"]))
    np.testing.assert_allclose(image.alpha, inks[..., 0] / 255, atol=1e-6)
    turned = read(tiff(alpha, photometric="separated", extratags=[(274, "H", 1, 6, True)]))
    np.testing.assert_allclose(turned.signal.transpose(1, 2, 0), np.rot90(naive, -1), atol=1e-6)

    icc = lut(
        b"CMYK",
        lambda d: np.stack([100 - 60 * d[..., 3] - 30 * d[..., 0], 40 * d[..., 1], 40 * d[..., 2]], -1),
    )
    image = read(tiff(stored, photometric="separated", iccprofile=icc))
    expected = ImageCms.profileToProfile(
        Image.fromarray(inks, "CMYK"),
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        "RGB",
        flags=ImageCms.Flags.NOOPTIMIZE,
    )
    assert np.abs(image.signal.transpose(1, 2, 0) * 255 - np.asarray(expected, np.float32)).max() < 2


def test_jpeg_inside():
    smooth = np.indices((64, 64)).sum(0).astype(np.uint8)[..., None] + np.array([0, 40, 90], np.uint8)
    for options in ({}, {"tile": (32, 32)}):
        image = read(tiff(smooth, compression="jpeg", **options))
        np.testing.assert_allclose(image.signal.transpose(1, 2, 0) * 255, smooth, atol=12)


def test_raw_files_that_begin_with_a_preview():
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(RGB8, photometric="rgb", metadata=None, subfiletype=1, subifds=1)
        writer.write(RGB16, photometric="rgb", metadata=None)
    with pytest.raises(InputError, match="is a camera's raw file"):
        read(stream.getvalue())


def test_our_own_pq_files_are_not_taken_for_sdr():
    data = formats.encoder("tiff").encode(HdrImage(np.ones((3, 8, 8), np.float32)), formats.EncodeOptions())
    with pytest.raises(InputError, match="is already HDR"):
        read(data)


def test_only_the_first_page_counts():
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(RGB8, photometric="rgb", metadata=None)
        writer.write(RGB16[:9, :9], photometric="rgb", metadata=None)
    exact(read(stream.getvalue()), RGB8, 255)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (tiff(RGB8.astype(np.float32)), "holds floating-point light, which is linear or HDR already"),
        (tiff(RGB8.astype(np.float16)), "holds floating-point light"),
        (tiff(RGB8.astype(np.uint32)), "has samples of 32 bits"),
        (tiff(RGB8.astype(np.int16)), "has samples of 16 bits that are not supported"),
        (
            tiff(RGB8, photometric="cielab"),
            r"is in a colour space that is not supported \(CIELAB\); save it in RGB",
        ),
        (tiff(RGB8[..., 0], photometric="cfa"), "is a camera's raw file; develop it to a 16-bit TIFF first"),
        (tiff(RGB8, extratags=[(50706, "B", 4, b"\1\4\0\0", True)]), "is a camera's raw file"),
        (by_hand({**PLAIN, 262: 6}, RGB8.tobytes()), "is in a colour space that is not supported"),
        (
            tiff(RGB8, compression="jpeg2000"),
            r"has a compression that is not supported \(JPEG2000\); save it with LZW or ZIP",
        ),
        (b"II*\0\x08\0\0\0" + bytes(20), "has no pixels"),
        (b"II*\0\xff\xff\xff\xff", "is damaged or cut off"),
    ],
    ids=range(11),
)
def test_refusals(data, words):
    with pytest.raises(InputError, match=rf"^a\.tif: {words}"):
        read(data)


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "lzw"}, {"compression": "zlib", "tile": (16, 16)}, {"compression": "jpeg"}],
    ids=str,
)
def test_cuts_and_missing_strips(options):
    data = tiff(RGB8, rowsperstrip=8, **options) if "tile" not in options else tiff(RGB8, **options)
    for end in [*range(9, 400, 30), *range(400, len(data), 211), len(data) - 1]:
        with pytest.raises(InputError, match=r"a.tif: is damaged or cut off"):
            read(data[:end])


def test_strips_of_zero_bytes_and_too_short_strips():
    for pixels in (b"", RGB8.tobytes()[:-1]):
        with pytest.raises(InputError, match="damaged"):
            read(by_hand(PLAIN, pixels))
    with pytest.raises(InputError, match="damaged"):
        read(by_hand({**PLAIN, 259: 8}, imagecodecs.zlib_encode(RGB8.tobytes()[:2000])))


def test_what_would_take_all_memory_is_refused():
    with pytest.raises(InputError, match="more than the limit of 200000000"):
        read(by_hand({**PLAIN, 256: 100_000, 257: 100_000}, RGB8.tobytes()))
    with pytest.raises(InputError, match="channels; save it in RGB"):
        read(by_hand({**PLAIN, 277: 60000}, RGB8.tobytes()))
    huge = bytearray(imagecodecs.jpeg8_encode(np.zeros((16, 16, 3), np.uint8)))
    at = huge.index(b"\xff\xc0")
    huge[at + 5 : at + 9] = b"\xf0\0\xf0\0"
    with pytest.raises(InputError, match="a JPEG in it is larger than its tile"):
        read(by_hand({**PLAIN, 256: 16, 257: 16, 278: 16, 259: 7, 262: 6}, bytes(huge)))
