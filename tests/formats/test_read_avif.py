"""AVIF files of others, made by avifenc and Pillow, read."""

import io
import logging
import struct
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pytest
from heif_cases import edited, exif_block, sdr
from icc_writer import matrix
from outside_readers import run
from PIL import Image, ImageCms

from sdr2hdr import formats
from sdr2hdr.color.primaries import between
from sdr2hdr.color.tables import table
from sdr2hdr.errors import InputError
from sdr2hdr.formats import avif
from sdr2hdr.formats._gain_map import ISO_MARK, GainMap, to_iso
from sdr2hdr.formats._isobmff import Item, Property, Reference, parse
from sdr2hdr.formats._isobmff_write import assemble

SDR = ("--nclx", "1/13/0")  # R, G, B as they are: without loss


def avifenc(folder: Path, pixels: np.ndarray, *options: str | Path, lossless: bool = True) -> bytes:
    """A file that avifenc makes of 8- or 16-bit pixels."""
    source, target = folder / "a.png", folder / "a.avif"
    source.write_bytes(imagecodecs.png_encode(pixels))
    best = ("--min", "0", "--max", "0", "--minalpha", "0", "--maxalpha", "0")
    run("avifenc", "-s", "9", *(best if lossless else ()), *options, source, target)
    return target.read_bytes()


def by_pillow(pixels: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "AVIF", quality=100, subsampling="4:4:4", speed=10, **options)
    return stream.getvalue()


def read(data: bytes) -> formats.SdrImage:
    return formats.read(io.BytesIO(data), name="x")


def codes(image: formats.SdrImage) -> np.ndarray:
    return image.signal.transpose(1, 2, 0) * 255


@pytest.mark.parametrize(("depth", "bits"), [("8", 8), ("10", 16), ("12", 16)])
@pytest.mark.parametrize("how", ["full", "limited"])
@pytest.mark.parametrize("yuv", ["444", "400"])
def test_depths_ranges_and_grey(tmp_path: Path, depth: str, bits: int, how: str, yuv: str) -> None:
    pixels = sdr() if yuv == "444" else np.repeat(sdr()[..., :1], 3, -1)
    image = read(avifenc(tmp_path, pixels, "--nclx", "1/13/6", "-d", depth, "-r", how, "-y", yuv))
    assert (image.format, image.bits, image.profile) == ("avif", bits, None)
    np.testing.assert_allclose(codes(image), pixels, atol=3.1 if depth == "8" else 0.6)


@pytest.mark.parametrize("angle", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_orientation(tmp_path: Path, angle: int | None, axis: int | None) -> None:
    """irot turns anticlockwise, then imir exchanges top and bottom (0) or left and right (1)."""
    turns = () if angle is None else ("--irot", str(angle))
    mirrors = () if axis is None else ("--imir", str(axis))
    data = avifenc(tmp_path, sdr(), *SDR, *turns, *mirrors)
    wanted = np.rot90(sdr(), angle or 0)
    if axis is not None:
        wanted = np.flip(wanted, axis)
    assert avif.dimensions(data) == (48, 64)
    np.testing.assert_allclose(codes(read(data)), wanted, atol=0.01)


def test_exif_does_not_turn_it_again() -> None:
    exif = Image.Exif()
    exif[271], exif[274] = "Maker", 6  # Pillow writes irot and leaves the tag
    image = read(by_pillow(sdr(), exif=exif.tobytes()))
    np.testing.assert_allclose(codes(image), np.rot90(sdr(), -1), atol=3.1)
    assert image.exif
    kept = Image.Exif()
    kept.load(image.exif)
    assert kept[271] == "Maker"
    assert kept.get(274, 1) == 1


def test_clean_aperture(tmp_path: Path) -> None:
    data = avifenc(tmp_path, sdr(), *SDR, "--crop", "10,4,30,20", "--irot", "1")
    np.testing.assert_allclose(codes(read(data)), np.rot90(sdr()[4:24, 10:40]), atol=0.01)


@pytest.mark.parametrize("premultiplied", [False, True])
def test_alpha(tmp_path: Path, premultiplied: bool) -> None:
    pixels = sdr(channels=4)
    image = read(avifenc(tmp_path, pixels, *SDR, *(("--premultiply",) if premultiplied else ())))
    assert image.alpha is not None
    np.testing.assert_allclose(image.alpha * 255, pixels[..., 3], atol=0.01)
    np.testing.assert_allclose(codes(image), pixels[..., :3], atol=4 if premultiplied else 1.1)


def test_grid(tmp_path: Path) -> None:
    pixels = sdr(128, 192)
    data = avifenc(tmp_path, pixels, *SDR, "--grid", "3x2")
    assert len([i for i in parse(data).items.values() if i.kind == b"av01"]) == 6
    assert avif.dimensions(data) == (128, 192)
    np.testing.assert_allclose(codes(read(data)), pixels, atol=0.01)


def test_icc_profile_against_littlecms() -> None:
    data = by_pillow(sdr(), icc_profile=matrix("Display P3"))
    image = read(data)
    assert image.profile == "Display P3"
    p3 = ImageCms.ImageCmsProfile(io.BytesIO(matrix("Display P3")))
    with Image.open(io.BytesIO(data)) as decoded:
        wanted = ImageCms.profileToProfile(decoded, p3, ImageCms.createProfile("sRGB"))
    assert wanted
    np.testing.assert_allclose(codes(image), np.asarray(wanted), atol=1.1)


@pytest.mark.parametrize(("points", "name", "gamma"), [("12/13/0", "p3", None), ("9/4/0", "bt2020", 2.2)])
def test_nclx(tmp_path: Path, points: str, name: str, gamma: float | None) -> None:
    image = read(avifenc(tmp_path, sdr(), "--nclx", points))
    assert image.profile == f"nclx {points[:-2]}"
    signal = sdr() / 255
    light = (
        signal**gamma
        if gamma
        else np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    )
    light = np.clip(light @ between(*(table(f"chromaticities_{n}") for n in (name, "bt709"))).T, 0, 1)
    wanted = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(codes(image), wanted * 255, atol=0.05)


def test_the_coded_picture_speaks_where_nclx_is_missing(tmp_path: Path) -> None:
    tagged = avifenc(tmp_path, sdr(), "--nclx", "12/13/6")
    untagged = edited(tagged, without=(b"colr",))
    assert read(untagged).profile == "nclx 12/13"
    hdr = edited(avifenc(tmp_path, sdr(), "-d", "10", "--nclx", "9/16/9"), without=(b"colr",))
    with pytest.raises(InputError, match="is already HDR"):
        read(hdr)
    assert formats.examine(io.BytesIO(hdr)).signalling.said_by == ("coded picture",)


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_is_refused_in_one_line(tmp_path: Path, transfer: int) -> None:
    data = avifenc(tmp_path, sdr(), "-d", "10", "--nclx", f"9/{transfer}/9")
    words = r"^x: is already HDR \(its nclx tag says PQ or HLG\); only SDR pictures are converted$"
    with pytest.raises(InputError, match=words):
        read(data)


def test_metadata(tmp_path: Path) -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
    image = read(by_pillow(sdr(), exif=exif_block(), xmp=packet))
    assert image.exif == exif_block()
    assert image.xmp == packet


@pytest.mark.parametrize("acts_in_p3", [False, True])
@pytest.mark.parametrize("half", [False, True])
def test_gain_map(tmp_path: Path, caplog: pytest.LogCaptureFixture, acts_in_p3: bool, half: bool) -> None:
    """A file with an item of kind tmap (23008-12:2022, amendment 1), against ISO 21496-1's formula in one line.

    A reader that is told to convert takes the SDR picture, and says that there is more.
    """
    pixels = sdr()
    map_pixels = np.ascontiguousarray(sdr()[::-1, :, ::-1])
    if half:
        map_pixels = np.ascontiguousarray(map_pixels[12:36:2, 16:48:2])  # stretched over the picture
    container, other = (parse(avifenc(tmp_path, part, *SDR)) for part in (pixels, map_pixels))
    numbers = GainMap((-0.5, 0, 0.25), (2, 3, 2.5), 3.0, (1, 2, 1), base_primaries=not acts_in_p3)
    described = Item(b"tmap", data=b"\0" + to_iso(numbers).removeprefix(ISO_MARK))
    described.properties.append(Property(b"colr", b"nclx" + struct.pack(">HHHB", 12, 16, 6, 128)))
    part = other.items[other.primary]
    part.hidden = True
    container.items |= {90: described, 91: part}
    container.references.append(Reference(b"dimg", 90, (container.primary, 91)))
    data = assemble(container)

    with caplog.at_level(logging.WARNING):
        np.testing.assert_allclose(codes(read(data)), pixels, atol=0.01)
    assert "x: holds a gain map (ISO 21496-1), which is not used" in caplog.text

    found = formats.examine(io.BytesIO(data))
    assert found.signalling.said_by == ("gain map (ISO 21496-1)", "nclx")
    assert found.signalling.headroom == 3
    chromaticities = {name: table(f"chromaticities_{name}") for name in ("bt709", "p3", "bt2020")}
    acting = "p3" if acts_in_p3 else "bt709"
    signal = pixels / 255
    light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    light = light @ between(chromaticities["bt709"], chromaticities[acting]).T
    whole = cv2.resize(map_pixels, (64, 48), interpolation=cv2.INTER_LINEAR) if half else map_pixels
    gain = np.array(numbers.low) + (np.array(numbers.high) - numbers.low) * (whole / 255) ** (
        1 / np.array(numbers.gamma)
    )
    light = ((light + 1 / 64) * 2**gain - 1 / 64) @ between(
        chromaticities[acting], chromaticities["bt2020"]
    ).T
    np.testing.assert_allclose(found.light.transpose(1, 2, 0), light, atol=0.05 if half else 1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": b"\0" * 9}, "its gain map cannot be used"),
        ({"parts": (5, 91)}, "its gain map belongs to another picture"),
        ({"map": b"\x12\0"}, "its gain map is damaged or cut off"),
    ],
)
def test_a_broken_gain_map_is_a_note(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    container = parse(avifenc(tmp_path, sdr(), *SDR))
    primary = container.items[container.primary]
    iso = b"\0" + to_iso(GainMap((0,) * 3, (2,) * 3, 2.0)).removeprefix(ISO_MARK)
    container.items[90] = Item(b"tmap", data=change.get("data", iso))
    container.items[91] = Item(b"av01", properties=primary.properties, data=change.get("map", primary.data))
    container.references.append(Reference(b"dimg", 90, change.get("parts", (container.primary, 91))))
    found = formats.examine(io.BytesIO(assemble(container)))
    assert any(note.startswith(words) for note in found.notes), found.notes
    assert found.signalling.headroom is None
    assert found.light.max() < 1.001


def test_examined(tmp_path: Path) -> None:
    untagged = formats.examine(
        io.BytesIO(edited(avifenc(tmp_path, sdr(), "--nclx", "2/2/6"), without=(b"colr",)))
    )
    assert not untagged.signalling.said_by
    assert any("nothing says what its values mean" in note for note in untagged.notes)
    p3 = formats.examine(io.BytesIO(by_pillow(sdr(), icc_profile=matrix("Display P3"))))
    assert (p3.signalling.primaries, p3.signalling.said_by[0]) == ("p3", "ICC profile")
    banded = formats.examine(io.BytesIO(avifenc(tmp_path, sdr(), "-d", "8", "--nclx", "9/16/9")))
    assert (banded.bits, banded.signalling.transfer) == (8, "pq")
    assert any("8 will show bands" in note for note in banded.notes)
    white = formats.examine(io.BytesIO(avifenc(tmp_path, np.full((16, 16, 3), 255, np.uint8), *SDR)))
    assert white.clipped == 1
    np.testing.assert_allclose(white.light, 1, atol=1e-3)


def test_every_beginning_is_refused(tmp_path: Path) -> None:
    data = avifenc(tmp_path, sdr(channels=4), *SDR)
    for end in [*range(16, len(data) - 1, 41), len(data) - 1]:
        with pytest.raises(InputError, match=r"^x: .*(cut off|not a picture)") as caught:
            read(data[:end])
        assert str(caught.value).isprintable()


def test_a_coded_picture_larger_than_its_box_is_refused_before_decoding() -> None:
    """A decoder goes by the former; a few kB would take gigabytes."""
    large = np.zeros((5000, 5000, 3), np.uint8)
    data = bytes(imagecodecs.avif_encode(large, 50, speed=10, numthreads=2))
    small = edited(data, Property(b"ispe", struct.pack(">III", 0, 16, 16)), without=(b"ispe",))
    with pytest.raises(InputError, match="its size is not the header's"):
        read(small)
    with pytest.raises(InputError, match="has 5000 x 5000 pixels, more than the limit"):
        formats.read(io.BytesIO(data), max_pixels=10**6)


def test_other_codings_are_named() -> None:
    data = by_pillow(sdr()).replace(b"av01", b"j2k1")
    with pytest.raises(InputError, match=r"not supported \('j2k1'\); export it again as a plain AVIF"):
        read(data)
