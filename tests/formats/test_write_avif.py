"""PQ AVIF files, read back by libavif's own decoder, dav1d in ffmpeg, exiftool and Pillow."""

import io
import re
import subprocess
import sys
from pathlib import Path

import colour
import imagecodecs
import numpy as np
import pytest
from heif_cases import exif_block, smooth
from outside_readers import exiftool, ffmpeg, ffmpeg_rgb48, run
from PIL import Image

from sdr2hdr import __version__, formats
from sdr2hdr.errors import InputError, OutputError, UsageError
from sdr2hdr.formats import EncodeOptions, avif
from sdr2hdr.formats._isobmff import parse
from sdr2hdr.image import HdrImage

OPTIONS = EncodeOptions()
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="Ulm"/>
</rdf:RDF></x:xmpmeta>"""


def expected(image: HdrImage, bits: int) -> np.ndarray:
    """Codes (H, W, 3) before rounding, by colour-science in float64."""
    nits = np.clip(image.light.astype(np.float64) * image.white_nits, 0, 10000)
    return colour.models.eotf_inverse_ST2084(nits).transpose(1, 2, 0) * (2**bits - 1)


def check_levels(codes: np.ndarray, image: HdrImage, bits: int) -> None:
    """Lossy coding, in codes of 10 bits: 1 off on the mean, 4 in 99 of 100 pixels, 16 beside the hard edge of black.

    4 of 1023 codes are 4 % of the light at 203 cd/m2.
    """
    error = np.abs(codes - expected(image, bits)) / 2 ** (bits - 10)
    assert error.mean() < 1.1
    assert np.percentile(error, 99) < 4.5
    assert error.max() < 16


@pytest.mark.parametrize("bits", [10, 12])
def test_avifdec_sees_the_same_levels(tmp_path: Path, bits: int) -> None:
    image, path, png = smooth(), tmp_path / "a.avif", tmp_path / "a.png"
    path.write_bytes(avif.encode(image, EncodeOptions(bits=bits)))
    run("avifdec", "-d", "16", path, png)
    codes = imagecodecs.png_decode(png.read_bytes())
    check_levels(codes[..., :3] / 65535 * (2**bits - 1), image, bits)
    said = run("avifdec", "--info", path)
    for words in (
        f"Bit Depth      : {bits}",
        "YUV444",
        ": Full",
        "Primaries: 9",
        "Char. : 16",
        "Coeffs. : 9",
    ):
        assert words in said


@pytest.mark.parametrize("bits", [10, 12])
def test_ffmpeg_knows_what_it_is_and_sees_the_same_levels(tmp_path: Path, bits: int) -> None:
    image, path = smooth(recipe={"peak": "4000"}), tmp_path / "a.avif"
    path.write_bytes(avif.encode(image, EncodeOptions(bits=bits)))
    check_levels(ffmpeg_rgb48(path, image.size) / 65535 * (2**bits - 1), image, bits)
    said = ffmpeg("-i", path, "-vf", "showinfo", "-f", "null", "-").stderr.decode()
    assert f"yuv444p{bits}le(pc, bt2020nc/bt2020/smpte2084" in said
    top = image.light.max(0) * 203.0
    levels = re.search(r"MaxCLL=(\d+), MaxFALL=(\d+)", said)
    assert levels
    np.testing.assert_allclose([int(n) for n in levels.groups()], [top.max(), top.mean()], atol=1)
    assert "r(0.7080,0.2920) g(0.1700,0.7970) b(0.1310 0.0460) wp(0.3127, 0.3290)" in said
    assert "min_luminance=0.005000, max_luminance=4000.000000" in said


def test_exiftool_sees_every_label(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    image = smooth(recipe={"look": "display"}, exif=exif_block(), xmp=XMP)
    path.write_bytes(avif.encode(image, OPTIONS))
    tags = exiftool(path)
    assert tags["QuickTime:ColorPrimaries"] == 9
    assert tags["QuickTime:TransferCharacteristics"] == 16
    assert tags["QuickTime:MatrixCoefficients"] == 9
    assert tags["QuickTime:ImagePixelDepth"] == "10 10 10"
    assert tags["IFD0:Make"] == "Maker"
    assert tags["ExifIFD:ExifImageWidth"] == 120
    assert tags["GPS:GPSLatitude"] == pytest.approx(48 + 8 / 60 + 14.5 / 3600)
    assert tags["XMP-sdr2hdr:Look"] == "display"
    assert tags["XMP-photoshop:City"] == "Ulm"


def test_pillow_opens_it() -> None:
    data = avif.encode(smooth(exif=exif_block()), OPTIONS)
    with Image.open(io.BytesIO(data)) as found:
        assert found.size == (120, 90)
        assert found.getexif()[271] == "Maker"
        found.load()


def test_a_grey_ramp_has_no_bands_after_coding() -> None:
    """16 x 16 pixels of what is decoded are within a fifth of a code of the light: the dithering has survived."""
    signal = np.linspace(380, 384, 512)[None] * np.ones((64, 1)) / 1023
    nits = colour.models.eotf_ST2084(signal)
    image = HdrImage(np.repeat((nits / 203).astype(np.float32)[None], 3, 0))
    codes = imagecodecs.avif_decode(avif.encode(image, OPTIONS)).astype(float)
    assert (codes == codes[..., :1]).all()  # grey stays grey
    blocks = (codes[..., 0] - signal * 1023).reshape(4, 16, 32, 16).mean((1, 3))
    assert np.abs(blocks).max() < 0.2
    assert blocks.std() < 0.06


def test_alpha_is_straight() -> None:
    alpha = np.linspace(0, 1, 90 * 120, dtype=np.float32).reshape(90, 120)
    image = smooth(alpha=alpha)
    codes = imagecodecs.avif_decode(avif.encode(image, OPTIONS))
    assert np.abs(codes[..., 3] - alpha * 1023).max() < 2.5
    check_levels(codes[..., :3], image, 10)


def test_black_is_black() -> None:
    codes = imagecodecs.avif_decode(avif.encode(HdrImage(np.zeros((3, 40, 50), np.float32)), OPTIONS))
    assert codes.max() == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (17, 3)])
def test_small_and_odd_sizes(size: tuple[int, int]) -> None:
    image = HdrImage(np.full((3, *size), 1.0, np.float32))
    codes = imagecodecs.avif_decode(avif.encode(image, OPTIONS)).reshape(*size, 3)
    assert np.abs(codes - 0.580689 * 1023).max() < 3


def test_strides_order_and_repeated_runs() -> None:
    image = smooth(recipe={"a": "1", "b": "2"}, exif=exif_block())
    turned = HdrImage(
        np.asfortranarray(image.light[:, ::-1])[:, ::-1], exif=image.exif, recipe={"b": "2", "a": "1"}
    )
    assert avif.encode(image, OPTIONS) == avif.encode(turned, OPTIONS) == avif.encode(image, OPTIONS)


def test_bytes_do_not_depend_on_cores(tmp_path: Path) -> None:
    """A process that may use one core only writes what this one does."""
    code = (
        "import os, sys; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r});"
        "from heif_cases import smooth; from sdr2hdr.formats import avif, EncodeOptions;"
        "sys.stdout.buffer.write(avif.encode(smooth(400, 700), EncodeOptions()))"
    )
    if sys.platform != "linux":
        pytest.skip("cores are chosen as Linux does it")
    alone = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout
    assert alone == avif.encode(smooth(400, 700), OPTIONS)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["light", "alpha"])
def test_not_finite_is_refused(value: float, where: str) -> None:
    image = smooth(alpha=np.ones((90, 120), np.float32))
    getattr(image, where)[..., 69, 6] = value
    with pytest.raises(OutputError, match="NaN"):
        avif.encode(image, OPTIONS)


def test_what_avif_cannot_hold() -> None:
    for size in ((32769, 1), (20000, 20000)):
        with pytest.raises(OutputError, match=r"write an \.exr"):
            avif.encode(HdrImage(np.broadcast_to(np.float32(0), (3, *size))), OPTIONS)
    with pytest.raises(UsageError, match="choose 10 or 12"):
        avif.encode(smooth(), EncodeOptions(bits=16))


def test_recipe(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    recipe = {"look": "display", "source": "Bäume & <Himmel>.jpg"}
    data = avif.encode(smooth(recipe=recipe), EncodeOptions(bits=12))
    path.write_bytes(data)
    assert avif.read_recipe(path) == {**recipe, "bits": "12", "version": __version__}
    for other in (data[:-1], data[:200], b"", imagecodecs.avif_encode(np.zeros((9, 9, 3), np.uint8), 90)):
        path.write_bytes(other)
        assert avif.read_recipe(path) == {}
    assert avif.read_recipe(tmp_path) == avif.read_recipe(tmp_path / "b") == {}


def test_levels_and_order_of_items() -> None:
    container = parse(avif.encode(smooth(exif=exif_block(), xmp=XMP), OPTIONS))
    kinds = [item.kind for item in container.items.values()]
    assert kinds == [b"mime", b"Exif", b"av01"]
    assert all(item.hidden for item in container.items.values() if item.kind != b"av01")
    assert {p.kind for p in container.items[container.primary].properties} >= {b"clli", b"mdcv", b"colr"}


def test_own_files_are_examined_but_not_converted() -> None:
    image = smooth(recipe={"peak": "4000", "look": "display"})
    data = avif.encode(image, OPTIONS)
    with pytest.raises(
        InputError, match=r"^x: is already HDR \(its nclx tag says PQ or HLG\); only SDR pictures"
    ):
        formats.read(io.BytesIO(data), name="x")
    found = formats.examine(io.BytesIO(data), name="x")
    assert (found.format, found.bits, found.floating) == ("avif", 10, False)
    assert (found.signalling.transfer, found.signalling.primaries) == ("pq", "bt2020")
    assert found.signalling.said_by == ("nclx",)
    assert found.signalling.peak_nits == pytest.approx(4000)
    top = image.light.max(0) * 203
    assert found.signalling.max_cll == round(float(top.max()))
    assert found.signalling.max_fall == round(float(top.mean()))
    assert found.recipe
    assert found.recipe["look"] == "display"
    assert not found.notes
    bright = image.light > 0.1
    ratio = np.abs(np.log2(found.light[bright] / image.light[bright]))
    assert np.percentile(ratio, 99) < 0.06  # stops
    assert ratio.max() < 0.25
