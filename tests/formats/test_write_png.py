"""PQ PNG files, read back by libpng, ffmpeg, exiftool, Pillow and pngcheck."""

import io
import re
import struct
import zlib
from pathlib import Path

import colour
import imagecodecs
import numpy as np
import pytest
from outside_readers import exiftool, ffmpeg, ffmpeg_rgb48, run
from PIL import Image

from sdr2hdr import __version__, formats
from sdr2hdr.errors import InputError, OutputError
from sdr2hdr.formats import EncodeOptions, png
from sdr2hdr.formats._pq_profile import pq_profile
from sdr2hdr.image import HdrImage

RNG = np.random.default_rng(6)
OPTIONS = EncodeOptions()


def picture(height: int = 45, width: int = 61, **fields: object) -> HdrImage:
    return HdrImage(RNG.random((3, height, width), dtype=np.float32) ** 4 * 20, **fields)  # type: ignore[arg-type]


def expected(light: np.ndarray, white_nits: float = 203.0) -> np.ndarray:
    """Codes (H, W, 3) before rounding, by colour-science in float64."""
    nits = np.clip(light.astype(np.float64) * white_nits, 0, 10000)
    return colour.models.eotf_inverse_ST2084(nits).transpose(1, 2, 0) * 65535


def split(data: bytes) -> list[tuple[bytes, bytes]]:
    """Names and data of all chunks, checksums tried."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, found = 8, []
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert zlib.crc32(name + body) == struct.unpack_from(">I", data, at + 8 + length)[0]
        found.append((name, body))
        at += 12 + length
    return found


def exif_block() -> bytes:
    exif = Image.Exif()
    exif[271], exif[0x8769] = "Maker", {0x829A: 0.008, 0xA001: 1, 0xA002: 4000, 0xA003: 3000}
    return exif.tobytes()[6:]


def test_codes_are_pq_to_the_nearest_as_libpng_reads_them() -> None:
    image = picture(white_nits=100.0)
    image.light[0, 0, :3] = -1, 100, 99.9999
    codes = imagecodecs.png_decode(png.encode(image, OPTIONS))
    assert codes.dtype == np.uint16
    np.testing.assert_allclose(codes, expected(image.light, 100.0), atol=0.52)  # 0.5 and the error of float32


def test_ffmpeg_knows_what_it_is_and_sees_the_same_levels(tmp_path: Path) -> None:
    image, path = picture(), tmp_path / "a.png"
    path.write_bytes(png.encode(image, OPTIONS))
    np.testing.assert_allclose(ffmpeg_rgb48(path, image.size), expected(image.light), atol=0.52)
    said = ffmpeg("-i", path, "-vf", "showinfo", "-f", "null", "-").stderr.decode()
    assert "color_range:pc color_space:gbr color_primaries:bt2020 color_trc:smpte2084" in said
    top = np.minimum(image.light.max(0) * 203.0, 10000)
    levels = re.search(r"MaxCLL=(\d+), MaxFALL=(\d+)", said)
    assert levels
    np.testing.assert_allclose([int(n) for n in levels.groups()], [top.max(), top.mean()], atol=1)
    assert "r(0.7080,0.2920) g(0.1700,0.7970) b(0.1310 0.0460) wp(0.3127, 0.3290)" in said
    assert f"min_luminance=0.005000, max_luminance={np.ceil(top.max() / 100) * 100:f}" in said


def test_exiftool_sees_every_label(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png.encode(picture(recipe={"look": "scene"}, exif=exif_block()), OPTIONS))
    tags = exiftool(path)
    assert [tags[f"PNG-cICP:{name}"] for name in ("ColorPrimaries", "TransferCharacteristics")] == [9, 16]
    assert [tags[f"PNG-cICP:{name}"] for name in ("MatrixCoefficients", "VideoFullRangeFlag")] == [0, 1]
    assert tags["ICC_Profile:ProfileDescription"] == "Rec.2100 PQ"
    assert tags["XMP-sdr2hdr:Look"] == "scene"
    assert tags["XMP-xmp:CreatorTool"] == f"sdr2hdr {__version__}"
    assert tags["IFD0:Make"] == "Maker"
    assert tags["ExifIFD:ColorSpace"] == 0xFFFF
    assert (tags["ExifIFD:ExifImageWidth"], tags["ExifIFD:ExifImageHeight"]) == (61, 45)


def test_order_of_the_chunks() -> None:
    """PNG 3, 5.6: colour before the pixels; cICP first, as readers prefer it."""
    chunks = split(png.encode(picture(exif=exif_block()), OPTIONS))
    names = [name for name, _ in chunks if name != b"IDAT"]
    assert names == [b"IHDR", b"cICP", b"iCCP", b"mDCV", b"cLLI", b"iTXt", b"eXIf", b"IEND"]
    assert dict(chunks)[b"cICP"] == bytes([9, 16, 0, 1])
    name, _, rest = dict(chunks)[b"iCCP"].partition(b"\0")
    assert (name, zlib.decompress(rest[1:])) == (b"Rec.2100 PQ", pq_profile())
    assert [name for name, _ in chunks].index(b"IDAT") == 7


def test_levels_are_those_of_the_recipe_where_it_has_them() -> None:
    chunks = dict(
        split(png.encode(HdrImage(np.full((3, 2, 2), 2.0, np.float32), recipe={"peak": "1000"}), OPTIONS))
    )
    assert struct.unpack(">II", chunks[b"cLLI"]) == (4060000, 4060000)
    numbers = struct.unpack(">8H2I", chunks[b"mDCV"])
    assert numbers == (35400, 14600, 8500, 39850, 6550, 2300, 15635, 16450, 10000000, 50)


def test_pngcheck_finds_no_fault(tmp_path: Path) -> None:
    """Without the three chunks that are younger than it."""
    data, path = png.encode(picture(exif=exif_block()), OPTIONS), tmp_path / "a.png"
    for name, body in split(data):
        if name in (b"cICP", b"mDCV", b"cLLI"):
            data = data.replace(
                struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)), b""
            )
    path.write_bytes(data)
    assert "No errors detected" in run("pngcheck", "-v", path)


def test_alpha_is_straight() -> None:
    image = picture(alpha=RNG.random((45, 61), dtype=np.float32))
    data = png.encode(image, OPTIONS)
    codes = imagecodecs.png_decode(data)
    np.testing.assert_allclose(codes[..., :3], expected(image.light), atol=0.52)
    np.testing.assert_allclose(codes[..., 3] / 65535, image.alpha, atol=0.6 / 65535)
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.mode == "RGBA"
        assert opened.info["icc_profile"] == pq_profile()


def test_a_damaged_exif_block_costs_no_picture(caplog: pytest.LogCaptureFixture) -> None:
    chunks = dict(split(png.encode(picture(exif=b"II*\0\xff\xff\xff\xff"), OPTIONS)))
    assert b"eXIf" not in chunks
    assert "left out" in caplog.text


def test_our_own_reader_refuses_it() -> None:
    with pytest.raises(InputError, match="already HDR"):
        formats.read(io.BytesIO(png.encode(picture(), OPTIONS)))


def test_sides_that_libpng_refuses() -> None:
    with pytest.raises(OutputError, match=r"write an \.exr"):
        png.encode(HdrImage(np.broadcast_to(np.float32(0), (3, 1, 1_000_001))), OPTIONS)
    assert png.encode(HdrImage(np.zeros((3, 1, 1_000_000), np.float32)), OPTIONS)
