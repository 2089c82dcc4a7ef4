"""HEIC files, written and read back by libheif's own programs, ffmpeg and exiftool; and without pillow-heif."""

import io
import logging
import re
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from heif_cases import edited, exif_block, sdr, smooth
from icc_writer import matrix
from outside_readers import exiftool, ffmpeg, ffmpeg_rgb48, run

from sdr2hdr import __version__, formats
from sdr2hdr.color.tables import table
from sdr2hdr.errors import InputError, OutputError
from sdr2hdr.formats import EncodeOptions, heic
from sdr2hdr.formats._isobmff import Item, Property, Reference, parse
from sdr2hdr.formats._isobmff_write import assemble
from sdr2hdr.formats._pq_codes import pq_codes
from sdr2hdr.image import HdrImage, SdrImage

pillow_heif = pytest.importorskip("pillow_heif")

OPTIONS = EncodeOptions()
APPLE = bytes(4) + b"urn:com:apple:photo:2020:aux:hdrgainmap\0"


def check_levels(codes: np.ndarray, image: HdrImage) -> None:
    """Codes of 10 bits: colour of half the resolution, so 2 off on the mean, 12 in 99 of 100 pixels."""
    error = np.abs(codes.astype(float) - pq_codes(image, 10)[..., :3])
    assert error.mean() < 2
    assert np.percentile(error, 99) < 12


def made(pixels: np.ndarray, *, bits: int = 8, chroma: int = 444, **options: object) -> bytes:
    """A file by pillow-heif, of 8-bit pixels."""
    stream, mode = io.BytesIO(), {1: "L", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    if bits > 8:
        pixels, mode = pixels.astype(np.uint16) * 257, mode + ";16"
    size = pixels.shape[1], pixels.shape[0]
    colours = {
        "color_primaries": 1,
        "transfer_characteristics": 13,
        "matrix_coefficients": 6,
        "full_range_flag": 1,
    }
    options = {"quality": -1, "chroma": chroma, "bit_depth": bits, **colours, **options}
    pillow_heif.encode(mode, size, pixels.tobytes(), stream, **options)
    return stream.getvalue()


def read(data: bytes) -> SdrImage:
    return formats.read(io.BytesIO(data), name="x")


def codes(image: SdrImage) -> np.ndarray:
    return image.signal.transpose(1, 2, 0) * 255


def test_ffmpeg_knows_what_it_is_and_sees_the_same_levels(tmp_path: Path) -> None:
    image, path = smooth(360, 480, recipe={"peak": "4000"}), tmp_path / "a.heic"
    path.write_bytes(heic.encode(image, OPTIONS))
    check_levels(ffmpeg_rgb48(path, image.size) / 65535 * 1023, image)
    said = ffmpeg("-i", path, "-vf", "showinfo", "-f", "null", "-").stderr.decode()
    assert "yuv420p10le(pc, bt2020nc/bt2020/smpte2084" in said
    top = image.light.max(0) * 203.0
    levels = re.search(r"MaxCLL=(\d+), MaxFALL=(\d+)", said)
    assert levels
    np.testing.assert_allclose([int(n) for n in levels.groups()], [top.max(), top.mean()], atol=1)
    assert "r(0.7080,0.2920) g(0.1700,0.7970) b(0.1310 0.0460) wp(0.3127, 0.3290)" in said
    assert "min_luminance=0.005000, max_luminance=4000.000000" in said


def test_heif_convert_sees_the_same_levels(tmp_path: Path) -> None:
    image, path, png = smooth(360, 480), tmp_path / "a.heic", tmp_path / "a.png"
    path.write_bytes(heic.encode(image, OPTIONS))
    run("heif-convert", path, png)
    found = imagecodecs.png_decode(png.read_bytes())
    assert found.dtype == np.uint16
    check_levels(found / 65535 * 1023, image)


def test_heif_info_and_exiftool_see_every_label(tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    image = smooth(recipe={"look": "display", "peak": "4000"}, exif=exif_block())
    path.write_bytes(heic.encode(image, OPTIONS))
    said = run("heif-info", path)
    assert "120x90" in said
    assert "nclx" in said
    assert f"max content light level: {round(float(image.light.max() * 203))}" in said
    assert "max display mastering luminance: 4000" in said
    tags = exiftool(path)
    assert tags["QuickTime:ColorPrimaries"] == 9
    assert tags["QuickTime:TransferCharacteristics"] == 16
    assert tags["QuickTime:BitDepthLuma"] == 10
    assert tags["IFD0:Make"] == "Maker"
    assert tags["GPS:GPSLatitude"] == pytest.approx(48 + 8 / 60 + 14.5 / 3600)
    assert tags["XMP-sdr2hdr:Look"] == "display"


def test_dithering_survives() -> None:
    import colour

    signal = np.linspace(380, 384, 256)[None] * np.ones((64, 1)) / 1023
    light = (colour.models.eotf_ST2084(signal) / 203).astype(np.float32)
    data = heic.encode(HdrImage(np.repeat(light[None], 3, 0)), OPTIONS)
    found = formats.examine(io.BytesIO(data))
    shown = pq_codes(HdrImage(found.light.clip(0)), 10).astype(float)
    blocks = (shown[..., 1] - signal * 1023).reshape(4, 16, 16, 16).mean((1, 3))
    assert np.abs(blocks).max() < 0.35
    assert blocks.std() < 0.15  # rounded: 0.28


def test_alpha_strides_and_repeated_runs() -> None:
    alpha = np.linspace(0, 1, 360 * 480, dtype=np.float32).reshape(360, 480)
    image = smooth(360, 480, alpha=alpha, exif=exif_block())
    data = heic.encode(image, OPTIONS)
    turned = replace(image, light=np.asfortranarray(image.light[:, ::-1])[:, ::-1])
    assert data == heic.encode(turned, OPTIONS)
    found = np.asarray(pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False, hdr_to_16bit=False))
    assert np.abs(found[..., 3] - alpha * 1023).max() < 8
    check_levels(found[..., :3], image)


@pytest.mark.skipif(sys.platform != "linux", reason="cores are chosen as Linux does it")
def test_bytes_do_not_depend_on_cores() -> None:
    code = (
        "import os, sys; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r});"
        "from heif_cases import smooth; from sdr2hdr.formats import heic, EncodeOptions;"
        "sys.stdout.buffer.write(heic.encode(smooth(300, 500), EncodeOptions()))"
    )
    alone = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout
    assert alone == heic.encode(smooth(300, 500), OPTIONS)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (17, 3)])
def test_small_and_odd_sizes(size: tuple[int, int]) -> None:
    found = formats.examine(io.BytesIO(heic.encode(HdrImage(np.ones((3, *size), np.float32)), OPTIONS)))
    assert found.light.shape == (3, *size)
    np.testing.assert_allclose(found.light, 1, rtol=0.03)


def test_large_pictures_are_tiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heic, "_MAX_CODED", 10_000)
    monkeypatch.setattr(heic, "_TILE", 128)
    image = smooth(360, 480, recipe={"look": "scene"})
    data = heic.encode(image, OPTIONS)
    assert parse(data).items[parse(data).primary].kind == b"grid"
    found = formats.examine(io.BytesIO(data))
    assert found.signalling.max_cll == round(float(image.light.max() * 203))
    assert found.signalling.transfer == "pq"
    check_levels(pq_codes(HdrImage(found.light.clip(0)), 10), image)


def test_not_finite_and_too_large_are_refused() -> None:
    image = smooth()
    image.light[1, 2, 3] = np.nan
    with pytest.raises(OutputError, match="NaN"):
        heic.encode(image, OPTIONS)
    with pytest.raises(OutputError, match=r"write an \.exr"):
        heic.encode(HdrImage(np.broadcast_to(np.float32(0), (3, 32769, 1))), OPTIONS)


def test_recipe(tmp_path: Path) -> None:
    path, recipe = tmp_path / "a.heic", {"look": "display"}
    data = heic.encode(smooth(recipe=recipe), OPTIONS)
    path.write_bytes(data)
    assert heic.read_recipe(path) == {**recipe, "version": __version__}
    for other in (data[:-1], data[:300], made(sdr())):
        path.write_bytes(other)
        assert heic.read_recipe(path) == {}


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with the cure; sizes and recipes need no decoder."""
    data = made(sdr())
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    cure = re.escape("pip install 'sdr2hdr[heic]'") + "$"
    with pytest.raises(OutputError, match=cure):
        heic.encode(smooth(), OPTIONS)
    with pytest.raises(
        InputError, match="^x: is a HEIC picture; HEIC needs the package pillow-heif, .* run: " + cure
    ):
        read(data)
    assert heic.dimensions(data) == (64, 64)  # what is coded; 48 x 64 of it is shown
    assert "heic" in formats.writers()
    assert "heic" in formats.readers()
    assert re.search(cure, formats.missing("heic"))


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_depths(bits: int) -> None:
    image = read(made(sdr(), bits=bits))
    assert (image.format, image.bits, image.profile) == ("heic", 8 if bits == 8 else 16, None)
    np.testing.assert_allclose(codes(image), sdr(), atol=2.1 if bits == 8 else 0.6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation: int) -> None:
    """As EXIF's: what pillow-heif writes as irot and imir."""
    turned = {
        1: lambda p: p,
        2: np.fliplr,
        3: lambda p: np.rot90(p, 2),
        4: np.flipud,
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, -1),
        7: lambda p: np.rot90(p, 2).transpose(1, 0, 2),
        8: np.rot90,
    }[orientation]
    data = made(
        sdr(), exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + bytes([orientation, 0, 0, 0])
    )
    np.testing.assert_allclose(codes(read(data)), turned(sdr()), atol=2.1)


def test_alpha_grey_and_icc() -> None:
    image = read(made(sdr(channels=4)))
    assert image.alpha is not None
    np.testing.assert_allclose(image.alpha * 255, sdr(channels=4)[..., 3], atol=1.1)
    np.testing.assert_allclose(codes(image), sdr(), atol=2.1)
    grey = read(made(sdr(channels=1)))
    np.testing.assert_allclose(codes(grey), np.repeat(sdr(channels=1), 3, 2), atol=1.1)
    assert read(made(sdr(), icc_profile=matrix("Display P3"))).profile == "Display P3"


def test_premultiplied_alpha() -> None:
    pixels = sdr(channels=4).astype(float)
    pixels[..., :3] *= pixels[..., 3:] / 255
    stream = io.BytesIO()
    pillow_heif.encode(
        "RGBa", (64, 48), pixels.round().astype(np.uint8).tobytes(), stream, quality=-1, chroma=444
    )
    image = read(stream.getvalue())
    np.testing.assert_allclose(codes(image), sdr(), atol=9)
    assert np.abs(codes(image) - sdr()).mean() < 2


def test_heif_enc_made_it(tmp_path: Path) -> None:
    """Of Debian's libheif; EXIF and XMP by pillow-heif."""
    source, target = tmp_path / "a.png", tmp_path / "a.heic"
    source.write_bytes(imagecodecs.png_encode(sdr(96, 128)))
    try:
        run("heif-enc", "-q", "95", source, "-o", target)
    except AssertionError:
        pytest.skip("heif-enc has no encoder")
    assert np.abs(codes(read(target.read_bytes())) - sdr(96, 128)).mean() < 2
    image = read(made(sdr(), exif=exif_block(), xmp=b"<x:xmpmeta/>"))
    assert image.exif == exif_block()
    assert image.xmp == b"<x:xmpmeta/>"


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_is_refused_in_one_line(transfer: int) -> None:
    data = made(sdr(), bits=10, color_primaries=9, transfer_characteristics=transfer, matrix_coefficients=9)
    with pytest.raises(
        InputError, match=r"^x: is already HDR \(its nclx tag says PQ or HLG\); only SDR pictures"
    ):
        read(data)
    assert formats.examine(io.BytesIO(data)).signalling.transfer == {16: "pq", 18: "hlg"}[transfer]
    assert not formats.examine(io.BytesIO(edited(data, without=(b"colr",)))).signalling.said_by


@pytest.mark.parametrize("headroom", ["4.0", None])
def test_apple_gain_map(caplog: pytest.LogCaptureFixture, headroom: str | None) -> None:
    """Light times 1 + (headroom - 1) of the map's light, which is encoded as BT.709 has it; the map is grey."""
    map_pixels = sdr(channels=1)[::-1]
    container, other = parse(made(sdr())), parse(made(np.ascontiguousarray(map_pixels)))
    part = other.items[other.primary]
    part.hidden = True
    part.properties.append(Property(b"auxC", APPLE))
    container.items[90] = part
    container.references.append(Reference(b"auxl", 90, (container.primary,)))
    if headroom:
        space = "http://ns.apple.com/HDRGainMap/1.0/"
        rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        words = f'<rdf:Description xmlns:a="{space}" a:HDRGainMapVersion="131072" a:HDRGainMapHeadroom="{headroom}"/>'
        packet = (
            f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{rdf}">{words}</rdf:RDF></x:xmpmeta>'
        )
        container.items[91] = Item(b"mime", b"application/rdf+xml", data=packet.encode(), hidden=True)
        container.references.append(Reference(b"cdsc", 91, (90,)))
    data = assemble(container)
    with caplog.at_level(logging.WARNING):
        np.testing.assert_allclose(codes(read(data)), sdr(), atol=2.1)
    assert "x: holds a gain map (Apple), which is not used" in caplog.text
    found = formats.examine(io.BytesIO(data))
    if not headroom:
        assert found.signalling.headroom is None
        assert any("says nowhere how bright it is" in note for note in found.notes)
        return
    assert found.signalling.headroom == 2, found.notes
    assert found.signalling.said_by[0] == "gain map (Apple)"
    signal, part_signal = sdr() / 255, map_pixels / 255
    light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    gain = np.where(part_signal < 0.081, part_signal / 4.5, ((part_signal + 0.099) / 1.099) ** (1 / 0.45))
    wanted = (light * (1 + 3 * gain)) @ table("bt709_to_bt2020").T
    np.testing.assert_allclose(found.light.transpose(1, 2, 0), wanted, atol=0.08)


def test_every_beginning_is_refused() -> None:
    data = made(sdr(channels=4))
    for end in [*range(16, len(data) - 1, 97), len(data) - 1]:
        with pytest.raises(InputError, match=r"^x: .*(cut off|not a picture)") as caught:
            read(data[:end])
        assert str(caught.value).isprintable()


def test_a_coded_picture_larger_than_its_box_is_refused_before_decoding() -> None:
    data = made(np.zeros((1000, 1200, 3), np.uint8), enc_params={"preset": "ultrafast"})
    assert heic.dimensions(data) == (1000, 1200)
    small = edited(data, Property(b"ispe", struct.pack(">III", 0, 16, 16)), without=(b"ispe",))
    with pytest.raises(InputError, match="its size is not the header's"):
        read(small)
