"""Seeds of every input format, and damage of every kind done to them. Used by fuzz.py.

Damage is done to a whole file or, with a new container around it, to the profile or the EXIF block alone: in a PNG
a profile is compressed, and a flipped bit would never get as far as the profile's reader.
"""

import io
import random
import struct
import sys
import zlib
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "tests" / "formats"))

from icc_writer import grey, lut, matrix, parametric

PIXELS = np.random.default_rng(9).integers(0, 256, (13, 18, 4), dtype=np.uint8)
RGB = PIXELS[..., :3]
DEEP = RGB.astype(np.uint16) * 257
Build = Callable[[bytes, bytes], bytes]  # a file with this profile and this EXIF block


def _pillow(
    kind: str,
    pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]" = RGB,
    mode: str = "RGB",
    **how: object,
) -> Build:
    def build(icc: bytes, exif: bytes) -> bytes:
        stream = io.BytesIO()
        blocks = {"icc_profile": icc, "exif": exif} if kind != "BMP" else {}
        Image.frombytes(mode, pixels.shape[1::-1], pixels.tobytes()).save(stream, kind, **blocks, **how)
        return stream.getvalue()

    return build


def _tiff(pixels: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]" = RGB, **how: object) -> Build:
    def build(icc: bytes, exif: bytes) -> bytes:
        stream = io.BytesIO()
        tifffile.imwrite(stream, pixels, metadata=None, iccprofile=icc, **how)
        return stream.getvalue()

    return build


def _heic(icc: bytes, exif: bytes) -> bytes:
    import pillow_heif

    stream = io.BytesIO()
    size = RGB.shape[1], RGB.shape[0]
    how = {"icc_profile": icc} if icc else {"color_primaries": 12, "transfer_characteristics": 13}
    pillow_heif.encode("RGB", size, RGB.tobytes(), stream, quality=50, exif=exif, xmp=b"<x:xmpmeta/>", **how)
    return stream.getvalue()


def _avif10(icc: bytes, exif: bytes) -> bytes:
    return bytes(imagecodecs.avif_encode(PIXELS.astype(np.uint16) * 4, 90, speed=10, bitspersample=10))


@cache
def _gain_map() -> bytes:
    """What lies behind the base of an Ultra HDR file."""
    from sdr2hdr.formats import EncodeOptions, uhdr
    from sdr2hdr.formats._jpeg_segments import whole
    from sdr2hdr.image import HdrImage

    data = uhdr.encode(HdrImage(RGB.transpose(2, 0, 1) / np.float32(64)), EncodeOptions())
    return data[whole(data).after :]


def _uhdr(icc: bytes, exif: bytes) -> bytes:
    from sdr2hdr.formats import _jpeg_base

    behind = _gain_map()
    return _jpeg_base.base(_pillow("JPEG")(icc, exif), len(behind), {}, None) + behind


def _png16(icc: bytes, exif: bytes) -> bytes:
    data = imagecodecs.png_encode(DEEP)
    profile = chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc))
    return data[:33] + profile + chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")) + data[33:]


def chunk(kind: bytes, data: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _jxl(icc: bytes, exif: bytes) -> bytes:
    """A JPEG in JPEG XL's coding, with what it can be restored with."""
    return bytes(imagecodecs.jpegxl_encode_jpeg(_pillow("JPEG")(icc, exif)))


def _jxl_by_itself(icc: bytes, exif: bytes) -> bytes:
    """The same without that, so that its profile is read out of the codestream."""
    return _jxl(icc, exif).replace(b"jbrd", b"jbrx")


def _jxl_lossless(icc: bytes, exif: bytes) -> bytes:
    return bytes(
        imagecodecs.jpegxl_encode(np.ascontiguousarray(PIXELS.astype(np.uint16) * 257), lossless=True)
    )


def _jxl_lossy(icc: bytes, exif: bytes) -> bytes:
    return bytes(imagecodecs.jpegxl_encode(np.ascontiguousarray(RGB), distance=1))


def _table(
    d: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.stack([100 * d[..., 0], 90 * (d[..., 1] - d[..., 2]), 80 * (d[..., 0] - d[..., 1])], -1)


def _exif() -> bytes:
    exif = Image.Exif()
    exif[271], exif[274] = "Maker", 6
    exif[0x8769] = {0x829A: 0.008, 0x9003: "2026:01:02 03:04:05"}
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 14.5)}
    return exif.tobytes()


EXIF = _exif()
P3, TABLE = matrix("Display P3"), lut(b"RGB ", _table, points_per_side=3)
CMYK = lut(b"CMYK", _table, points_per_side=3)
GREY = grey(parametric(3, 2.4, 0.9, 0.1, 0.1, 0.04))
MAP = np.arange(768, dtype=np.uint16).reshape(3, 256)

SEEDS: dict[str, list[tuple[Build, bytes]]] = {
    "PNG": [
        (_pillow("PNG"), P3),
        (_pillow("PNG", PIXELS, "RGBA"), TABLE),
        (_pillow("PNG", PIXELS[..., 0], "L"), GREY),
        (_png16, P3),
    ],
    "JPEG": [
        (_pillow("JPEG"), P3),
        (_pillow("JPEG", progressive=True, subsampling=0), TABLE),
        (_pillow("JPEG", PIXELS, "CMYK"), CMYK),
        (_pillow("JPEG", PIXELS[..., 0], "L"), GREY),
        (_uhdr, P3),
    ],
    "TIFF": [
        (_tiff(photometric="rgb"), TABLE),
        (_tiff(DEEP, photometric="rgb", tile=(16, 16), compression="zlib", predictor=True), P3),
        (_tiff(photometric="rgb", compression="jpeg"), P3),
        (_tiff(RGB, photometric="rgb", compression="lzw", bigtiff=True, byteorder=">"), P3),
        (_tiff(PIXELS[..., 0], photometric="palette", colormap=MAP), P3),
        (_tiff(PIXELS, photometric="separated"), CMYK),
        (_pillow("TIFF"), P3),
    ],
    "WebP": [
        (_pillow("WEBP", quality=80), P3),
        (_pillow("WEBP", PIXELS, "RGBA", lossless=True), TABLE),
    ],
    "BMP": [
        (_pillow("BMP"), b""),
        (_pillow("BMP", PIXELS[..., 0], "L"), b""),
        (_pillow("BMP", PIXELS, "RGBA"), b""),
    ],
    "AVIF": [
        (_pillow("AVIF", speed=10), P3),
        (_pillow("AVIF", PIXELS, "RGBA", speed=10), TABLE),
        (_avif10, b""),
    ],
    "JXL": [
        (_jxl, P3),
        (_jxl_by_itself, P3),
        (_jxl_lossless, b""),
        (_jxl_lossy, b""),
    ],
}
if find_spec("pillow_heif"):
    SEEDS["HEIC"] = [(_heic, P3), (_heic, b"")]


def seed(name: str, rng: random.Random) -> bytes:
    """A whole file of a format; now and then with a damaged profile or EXIF block in it."""
    build, whole = rng.choice(SEEDS[name])
    icc, exif, inner = whole, EXIF, rng.random()
    if icc and inner < 0.2:
        icc = damaged(icc, rng, lambda: TABLE)
    elif inner < 0.3:
        exif = EXIF[:6] + damaged(EXIF[6:], rng, lambda: EXIF)
    try:
        return build(icc, exif)
    except Exception:  # Pillow looks into an EXIF block before it writes it into a TIFF
        return build(whole, EXIF)


def mutant(name: str, rng: random.Random) -> bytes:
    """A damaged file of a format."""
    other = name if rng.random() < 0.7 else rng.choice(list(SEEDS))
    data = seed(name, rng)
    if rng.random() < 0.9:
        data = damaged(data, rng, lambda: seed(other, rng))
    return signed(data) if rng.random() < 0.8 else data


def damaged(data: bytes, rng: random.Random, another: Callable[[], bytes]) -> bytes:
    """With one to four kinds of damage."""
    for _ in range(rng.randint(1, 4)):
        size = max(1, len(data))
        at = (
            rng.randrange(size) if rng.random() < 0.6 else rng.randrange(min(size, 200))
        )  # headers come first
        length = rng.choice((1, 2, 4, 8, 16, 64, 300))
        how = rng.randrange(8)
        if how == 0:  # bits
            data = data[:at] + bytes(b ^ (1 << rng.randrange(8)) for b in data[at : at + 1]) + data[at + 1 :]
        elif how == 1:  # noise
            data = data[:at] + rng.randbytes(length) + data[at + length :]
        elif how == 2:  # a number that may be a length, an offset, a size
            kind = rng.choice(("<H", ">H", "<I", ">I"))
            width = struct.calcsize(kind)
            limit = (1 << 8 * width) - 1
            odd = (
                0,
                1,
                limit,
                limit // 2,
                limit // 2 + 1,
                len(data),
                at,
                rng.randint(0, limit),
                rng.randrange(300),
            )
            data = data[:at] + struct.pack(kind, min(rng.choice(odd), limit)) + data[at + width :]
        elif how == 3:  # truncation
            data = data[: rng.randrange(size)]
        elif how == 4:  # a piece twice
            data = data[: at + length] + data[at:]
        elif how == 5:  # a piece gone
            data = data[:at] + data[at + length :]
        elif how == 6:  # two files in one
            rest = another()
            data = data[:at] + rest[rng.randrange(len(rest) + 1) :]
        else:  # two pieces that change places
            data = (
                data[:at]
                + data[at + length : at + 2 * length]
                + data[at : at + length]
                + data[at + 2 * length :]
            )
    return data


def signed(data: bytes) -> bytes:
    """A PNG whose checksums are right again, so that its damage gets past them; others as they are."""
    if not data.startswith(b"\x89PNG"):
        return data
    at, chunks = 8, [data[:8]]
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        chunks.append(chunk(data[at + 4 : at + 8], data[at + 8 : end]))
        chunks[-1] = data[at : at + 4] + chunks[-1][4:]  # a length that lies stays one
        at = end + 4
    return b"".join(chunks)
