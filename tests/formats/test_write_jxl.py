"""PQ JPEG XL files, read back by djxl and jxlinfo, exiftool, and libjxl through imagecodecs."""

import io
import struct
from dataclasses import replace
from pathlib import Path

import colour
import imagecodecs
import numpy as np
import pytest
from outside_readers import exiftool, ffmpeg, ffmpeg_rgb48, run
from PIL import Image

from sdr2hdr import __version__, formats
from sdr2hdr.errors import InputError, OutputError
from sdr2hdr.formats import EncodeOptions, _jxl_boxes, _jxl_header, jxl
from sdr2hdr.image import HdrImage

RNG = np.random.default_rng(6)
OPTIONS = EncodeOptions()


def picture(height: int = 72, width: int = 100, peak: float = 20.0, **fields: object) -> HdrImage:
    """Shades that a lossy coder has no trouble with: smooth, of every hue within BT.2020, up to `peak`."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = np.stack(
        [np.cos(2 * np.pi * (x * a + y * b + c)) for a, b, c in ((1, 2, 0), (2, 1, 0.3), (1, 1, 0.7))]
    )
    return HdrImage((peak * (0.5 + 0.5 * waves) ** 2 + 0.02).astype(np.float32), **fields)  # type: ignore[arg-type]


def expected(light: np.ndarray, white_nits: float = 203.0) -> np.ndarray:
    """Codes (H, W, 3) before rounding, by colour-science in float64."""
    nits = np.clip(light.astype(np.float64) * white_nits, 0, 10000)
    return colour.models.eotf_inverse_ST2084(nits).transpose(1, 2, 0) * 65535


def through_djxl(data: bytes, folder: Path) -> np.ndarray:
    """Codes as libjxl's own decoder has them (an older release than imagecodecs')."""
    (folder / "a.jxl").write_bytes(data)
    run("djxl", folder / "a.jxl", folder / "a.png", "--bits_per_sample=16")
    return imagecodecs.png_decode((folder / "a.png").read_bytes())


def exif_block() -> bytes:
    exif = Image.Exif()
    exif[271], exif[0x8769] = "Maker", {0x829A: 0.008, 0xA001: 1}
    return exif.tobytes()[6:]


@pytest.mark.parametrize(("white_nits", "peak"), [(203.0, 4.0), (203.0, 49.0), (100.0, 0.5)])
def test_djxl_sees_our_light(white_nits: float, peak: float, tmp_path: Path) -> None:
    """Two just noticeable differences (ITU-R BT.2124) in the mean, for colours as bold as can be; as cjxl has it."""
    image = picture(peak=peak, white_nits=white_nits)
    ours, theirs = (
        colour.RGB_to_ICtCp(colour.models.eotf_ST2084(codes / 65535))
        for codes in (expected(image.light, white_nits), through_djxl(jxl.encode(image, OPTIONS), tmp_path))
    )
    difference = 720 * np.sqrt(((ours - theirs) ** 2 * [1, 0.25, 1]).sum(-1))
    assert difference.mean() < 2.1
    assert np.percentile(difference, 95) < 8


def test_uniform_light_is_exact(tmp_path: Path) -> None:
    """Absolute levels, of grey and of BT.2020's own primaries, within 1 % of the light."""
    for light in ([1, 1, 1], [0.05, 0.05, 0.05], [20, 20, 20], [2, 0.02, 0.02], [0.02, 2, 0.02], [1, 1, 3]):
        image = HdrImage(np.ones((3, 32, 32), np.float32) * np.array(light, np.float32)[:, None, None])
        codes = through_djxl(jxl.encode(image, OPTIONS), tmp_path)
        nits = colour.models.eotf_ST2084(codes.reshape(-1, 3).mean(0) / 65535)
        np.testing.assert_allclose(nits, np.array(light) * 203, rtol=0.01, atol=0.2)


def test_lossless_with_alpha(tmp_path: Path) -> None:
    image = HdrImage(
        RNG.random((3, 45, 61), dtype=np.float32) ** 4 * 20, alpha=RNG.random((45, 61), dtype=np.float32)
    )
    assert image.alpha is not None
    codes = through_djxl(jxl.encode(image, OPTIONS), tmp_path)
    np.testing.assert_allclose(codes[..., :3], expected(image.light), atol=0.52)
    np.testing.assert_allclose(codes[..., 3], image.alpha * 65535.0, atol=0.51)


def test_ffmpeg_knows_what_it_is_and_sees_the_same_levels(tmp_path: Path) -> None:
    image, path = picture(), tmp_path / "a.jxl"
    path.write_bytes(jxl.encode(image, OPTIONS))
    said = ffmpeg("-i", path, "-f", "null", "-").stderr.decode()
    if "jpegxl" not in said:
        pytest.skip("this ffmpeg has no libjxl")
    assert "gbr/bt2020/smpte2084" in said
    theirs, ours = (
        colour.models.eotf_ST2084(codes / 65535)
        for codes in (ffmpeg_rgb48(path, image.size), through_djxl(path.read_bytes(), tmp_path))
    )
    # Code values are rounded, and a dark channel beside a bright one is a difference of float32 numbers.
    limit = 1e-3 * ours + 5e-6 * ours.max(-1, keepdims=True) + 1e-4
    assert (np.abs(theirs - ours) <= limit).all()


@pytest.mark.parametrize("alpha", [None, np.ones((72, 100), np.float32)])
def test_jxlinfo_knows_what_it_is(alpha: np.ndarray | None, tmp_path: Path) -> None:
    path = tmp_path / "a.jxl"
    path.write_bytes(jxl.encode(picture(peak=4.93, alpha=alpha, exif=exif_block()), OPTIONS))
    said = run("jxlinfo", "-v", path)
    assert "RGB, D65, Rec.2100 primaries, PQ transfer function" in said
    assert "16-bit RGB" in said
    assert float(said.split("intensity_target: ")[1].split()[0]) == pytest.approx(4.95 * 203, rel=1e-3)
    assert ("lossless" in said) == (alpha is not None)
    assert 'type: "Exif"' in said
    assert 'type: "xml "' in said


def test_exiftool_sees_recipe_and_camera(tmp_path: Path) -> None:
    path = tmp_path / "a.jxl"
    path.write_bytes(jxl.encode(picture(recipe={"look": "scene"}, exif=exif_block()), OPTIONS))
    tags = exiftool(path)
    assert tags["XMP-sdr2hdr:Look"] == "scene"
    assert tags["XMP-xmp:CreatorTool"] == f"sdr2hdr {__version__}"
    assert tags["IFD0:Make"] == "Maker"
    assert tags["ExifIFD:ExposureTime"] == 0.008
    assert tags["ExifIFD:ColorSpace"] == 0xFFFF
    assert (tags["File:ImageWidth"], tags["File:ImageHeight"]) == (100, 72)


def test_target_is_a_half_that_nothing_exceeds() -> None:
    for nits in (203.0, 999.9, 4057.3, 10000.0):
        data = jxl.encode(HdrImage(np.full((3, 8, 8), nits / 203, np.float32)), OPTIONS)
        target = _jxl_header.parse(_jxl_boxes.parse(data).codestream).target_nits
        assert nits * (1 - 1e-6) <= target <= nits * 1.001
        assert struct.unpack("<e", struct.pack("<e", target))[0] == target


def test_bytes_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    image, encode = picture(300, 600), imagecodecs.jpegxl_encode
    files = []
    for threads in (1, 4):
        monkeypatch.setattr(
            imagecodecs, "jpegxl_encode", lambda *a, n=threads, **k: encode(*a, numthreads=n, **k)
        )
        files.append(jxl.encode(image, OPTIONS))
    assert files[0] == files[1]


def test_light_beyond_pq_is_clipped(tmp_path: Path) -> None:
    light = np.full((3, 16, 16), 1.0, np.float32)
    light[:, :8] = -1
    light[:, 8:] = 100
    codes = through_djxl(jxl.encode(HdrImage(light), OPTIONS), tmp_path)
    assert codes[15].min() > 65000
    assert codes[0].max() < 9000


def test_our_own_reader_refuses_it() -> None:
    for alpha in (None, np.ones((72, 100), np.float32)):
        with pytest.raises(InputError, match="already HDR"):
            formats.read(io.BytesIO(jxl.encode(picture(alpha=alpha), OPTIONS)))


def test_what_libjxl_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise imagecodecs.JpegxlError("JxlEncoderSetBasicInfo", 1)

    monkeypatch.setattr(imagecodecs, "jpegxl_encode", refuse)
    with pytest.raises(OutputError, match=r"100 x 72 pixels cannot be made a JPEG XL .*write an \.exr"):
        jxl.encode(picture(), OPTIONS)


def test_strides() -> None:
    image = picture()
    flipped = replace(image, light=np.ascontiguousarray(image.light[:, ::-1, ::-1])[:, ::-1, ::-1])
    assert jxl.encode(image, OPTIONS) == jxl.encode(flipped, OPTIONS)
