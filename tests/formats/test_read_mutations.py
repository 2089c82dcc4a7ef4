"""Whatever is done to a file, it is a picture or an InputError of one line, and nothing else."""

import io
import zlib
from importlib.util import find_spec

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icc_writer import grey, lut, matrix, parametric
from PIL import Image

from sdr2hdr import formats
from sdr2hdr.errors import InputError
from sdr2hdr.formats import EncodeOptions, uhdr
from sdr2hdr.image import HdrImage

LIMIT = 1 << 20  # pixels
PIXELS = np.random.default_rng(9).integers(0, 256, (9, 14, 4), dtype=np.uint8)
RGB = PIXELS[..., :3]
EXIF = Image.Exif()
EXIF[271], EXIF[274] = "Maker", 6
EXIF[0x8769] = {0x829A: 0.008}
BLOCK = EXIF.tobytes()


def saved(kind, pixels=RGB, mode=None, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels, mode).save(stream, kind, **options)
    return stream.getvalue()


def tiff(pixels, **options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, metadata=None, **options)
    return stream.getvalue()


def ultra_hdr():
    stream = io.BytesIO(saved("JPEG", exif=BLOCK, icc_profile=P3, xmp=b"<x/>"))
    return uhdr.encode(HdrImage(np.ones((3, 14, 9), np.float32), sdr=formats.read(stream)), EncodeOptions())


def table(d):
    return np.stack([100 * d[..., 0], 90 * (d[..., 1] - d[..., 2]), 80 * (d[..., 0] - d[..., 1])], -1)


P3 = matrix("Display P3")
SEEDS = {
    "jpeg": saved("JPEG", exif=BLOCK, icc_profile=P3),
    "jpeg progressive": saved("JPEG", progressive=True),
    "jpeg ultra hdr": ultra_hdr(),
    "jpeg cmyk": saved("JPEG", PIXELS, "CMYK", icc_profile=lut(b"CMYK", table, points_per_side=3)),
    "png": saved("PNG", PIXELS, exif=BLOCK, icc_profile=P3),
    "png 16": imagecodecs.png_encode(RGB.astype(np.uint16) * 257),
    "png grey": saved("PNG", PIXELS[..., 0], icc_profile=grey(parametric(3, 2.4, 0.9, 0.1, 0.1, 0.04))),
    "webp": saved("WEBP", exif=BLOCK, icc_profile=P3, quality=80),
    "webp lossless": saved("WEBP", PIXELS, lossless=True),
    "bmp": saved("BMP"),
    "bmp palette": saved("BMP", PIXELS[..., 0], "L"),
    "avif": saved("AVIF", exif=BLOCK, icc_profile=P3, speed=10),
    "avif alpha": saved("AVIF", PIXELS, speed=10),
    "tiff": tiff(RGB, photometric="rgb", iccprofile=lut(b"RGB ", table, points_per_side=3)),
    "tiff tiles": tiff(
        RGB.astype(np.uint16), photometric="rgb", tile=(16, 16), compression="zlib", predictor=True
    ),
    "tiff jpeg": tiff(RGB, photometric="rgb", compression="jpeg"),
    "tiff exif": saved("TIFF", exif=BLOCK),
    "tiff palette": tiff(
        PIXELS[..., 0],
        photometric="palette",
        colormap=np.arange(768, dtype=np.uint16).reshape(3, 256),
        bigtiff=True,
    ),
}

if find_spec("pillow_heif"):
    import pillow_heif

    stream = io.BytesIO()
    pillow_heif.from_bytes("RGBA", (14, 9), PIXELS.tobytes()).save(stream, quality=60, exif=BLOCK)
    SEEDS["heic"] = stream.getvalue()

place = st.floats(0, 1, exclude_max=True) | st.floats(0, 0.05)  # headers come first
value = st.sampled_from([b"\0", b"\xff", b"\x7f", b"\x80", b"\1"]) | st.binary(min_size=1, max_size=4)
mutation = st.tuples(
    st.sampled_from(["set", "set", "set", "insert", "remove", "repeat", "cut"]), place, value
)


def mutated(data, mutations):
    for how, where, what in mutations:
        at = int(where * len(data))
        if how == "set":
            data = data[:at] + what + data[at + len(what) :]
        elif how == "insert":
            data = data[:at] + what + data[at:]
        elif how == "remove":
            data = data[:at] + data[at + len(what) :]
        elif how == "repeat":
            data = data[: at + 16 * len(what)] + data[at:]
        elif at > 0:
            data = data[: -max(1, at // 4)]
    return data


def signed(data):
    """A PNG whose checksums are right again, so that its mutants get past them; others as they are."""
    at, parts = 8, [data[:8]]
    while data.startswith(b"\x89PNG") and at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        parts.append(data[at:end] + zlib.crc32(data[at + 4 : end]).to_bytes(4, "big"))
        at = end + 4
    return b"".join(parts) if len(parts) > 1 else data


def check(data):
    try:
        image = formats.read(io.BytesIO(data), max_pixels=LIMIT, name="mutant")
    except InputError as error:
        message = str(error)
        assert message.startswith("mutant: ")
        assert message.isprintable()
        assert len(message) < 300
        return
    height, width = image.size
    assert 0 < height * width <= LIMIT
    assert image.signal.shape == (3, height, width)
    assert image.signal.dtype == np.float32
    assert image.alpha is None or image.alpha.shape == (height, width)
    assert np.isfinite(image.signal).all()
    assert image.signal.min() >= 0
    assert image.signal.max() <= 1
    assert image.exif is None or image.exif[:4] in (b"II*\0", b"MM\0*")


@pytest.mark.parametrize("seed", SEEDS)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutations=st.lists(mutation, min_size=0, max_size=6))
def test_mutants(seed, mutations):
    mutant = mutated(SEEDS[seed], mutations)
    check(mutant)
    if seed.startswith("png"):
        check(signed(mutant))


@pytest.mark.parametrize("seed", SEEDS)
def test_seeds_are_pictures(seed):
    assert formats.read(io.BytesIO(SEEDS[seed])).size in ((9, 14), (14, 9))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([seed[:n] for seed in SEEDS.values() for n in (4, 12, 30)]), st.binary(max_size=200))
def test_headers_followed_by_noise(head, noise):
    check(head + noise)
