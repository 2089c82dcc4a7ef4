"""EXIF in what is written: complete in a TIFF, as standard attributes in an EXR; read back by others."""

import io
import json
import logging
import shutil
import struct
import subprocess
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr import __version__
from sdr2hdr.formats import EncodeOptions, _pq_tiff, exr
from sdr2hdr.formats._exr_exif import camera_attributes
from sdr2hdr.formats._pq_codes import pq_codes
from sdr2hdr.image import HdrImage

OPTIONS = EncodeOptions()


def picture(height: int, width: int, **fields: object) -> HdrImage:
    light = np.random.default_rng(7).random((3, height, width), dtype=np.float32)
    return HdrImage(light, **fields)  # type: ignore[arg-type]


NOTE_AT = (
    1500  # where the maker note of `exif_block` points, counted from the block's start as many makers do
)


def exif_block(order: bytes) -> bytes:
    """A camera's block with Exif, GPS and thumbnail directories and a maker note that holds an absolute offset."""
    o = "<" if order == b"II" else ">"
    block = bytearray(2000)
    struct.pack_into(o + "2sHI", block, 0, order, 42, 8)
    free = 700

    def directory(at: int, entries: list[tuple[int, int, int, bytes]], following: int = 0) -> None:
        nonlocal free
        struct.pack_into(o + "H", block, at, len(entries))
        for i, (code, kind, count, value) in enumerate(entries):
            where = at + 2 + 12 * i
            struct.pack_into(o + "HHI", block, where, code, kind, count)
            if len(value) <= 4:
                block[where + 8 : where + 8 + len(value)] = value
            else:
                struct.pack_into(o + "I", block, where + 8, free)
                block[free : free + len(value)] = value
                free += len(value) + len(value) % 2
        struct.pack_into(o + "I", block, at + 2 + 12 * len(entries), following)

    def text(code: int, words: str) -> tuple[int, int, int, bytes]:
        value = words.encode() + b"\0"
        return code, 2, len(value), value

    def fractions(code: int, *values: tuple[int, int]) -> tuple[int, int, int, bytes]:
        return code, 5, len(values), b"".join(struct.pack(o + "2I", *v) for v in values)

    def long(code: int, value: int) -> tuple[int, int, int, bytes]:
        return code, 4, 1, struct.pack(o + "I", value)

    def short(code: int, value: int) -> tuple[int, int, int, bytes]:
        return code, 3, 1, struct.pack(o + "H", value)

    main = [
        text(270, "Évening"),
        text(271, "Maker"),
        text(272, "Model 7"),
        short(274, 1),
        fractions(282, (300, 1)),
    ]
    main += [
        fractions(283, (300, 1)),
        short(296, 2),
        text(305, "Firmware 1.0"),
        text(306, "2024:05:06 07:08:09"),
    ]
    main += [text(315, "A. Nonymous"), text(33432, "(c) A. Nonymous"), long(34665, 200), long(34853, 500)]
    directory(8, main, following=600)
    note = struct.pack(o + "I", NOTE_AT) + b"note"
    shot = [
        fractions(33434, (1, 125)),
        fractions(33437, (28, 10)),
        short(34855, 400),
        text(36867, "2024:05:06 07:08:09"),
    ]
    shot += [
        text(36881, "+02:00"),
        fractions(37382, (0, 0)),
        fractions(37386, (50, 1)),
        (37500, 7, len(note), note),
        short(40961, 1),
    ]
    shot += [long(40962, 4000), long(40963, 3000), text(42036, "Lens 50mm")]
    directory(200, shot)
    place = [
        text(1, "S"),
        fractions(2, (33, 1), (30, 1), (36, 1)),
        text(3, "E"),
        fractions(4, (18, 1), (15, 1), (0, 1)),
    ]
    directory(500, [*place, (5, 1, 1, b"\1"), fractions(6, (25, 2))])
    directory(600, [long(513, 1600), long(514, 300)])
    block[NOTE_AT : NOTE_AT + 8] = b"far note"
    block[1600:1900] = b"\xff" * 300  # the thumbnail
    assert free < NOTE_AT
    return bytes(block)


def test_other_readers_see_the_same_codes(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    for order in (b"II", b"MM"):
        image = picture(131, 77, exif=exif_block(order))
        path.write_bytes(_pq_tiff.encode(image, OPTIONS))
        with tifffile.TiffFile(path) as file:
            assert file.byteorder == {b"II": "<", b"MM": ">"}[order]
        np.testing.assert_array_equal(tifffile.imread(path), pq_codes(image))
        read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert read is not None
        np.testing.assert_array_equal(read[..., ::-1], pq_codes(image))


@pytest.mark.parametrize("order", [b"II", b"MM"])
def test_exif_comes_along(order: bytes) -> None:
    image = picture(40, 30, exif=exif_block(order))
    data = _pq_tiff.encode(image, OPTIONS)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages.first.tags
        assert tags[270].value == "Évening"
        assert tags[271].value == "Maker"
        assert tags[272].value == "Model 7"
        assert tags[282].value == (300, 1)
        assert tags[296].value == 2
        assert tags[305].value == f"sdr2hdr {__version__}"
        assert tags[306].value == "2024:05:06 07:08:09"
        assert tags[33432].value == "(c) A. Nonymous"
        shot, place = tags[34665].value, tags[34853].value
        assert list(tags) == sorted(tags, key=lambda tag: tag.code)
    assert shot["ExposureTime"] == (1, 125)
    assert shot["FNumber"] == (28, 10)
    assert shot["ColorSpace"] == 65535
    assert (shot["PixelXDimension"], shot["PixelYDimension"]) == (30, 40)
    assert place["GPSLatitude"] == (33, 1, 30, 1, 36, 1)
    # the maker note's own offset is still right, and the thumbnail of the SDR picture is gone
    assert bytes(shot["MakerNote"])[4:] == b"note"
    (far,) = struct.unpack({b"II": "<I", b"MM": ">I"}[order], bytes(shot["MakerNote"])[:4])
    assert data[far : far + 8] == b"far note"
    assert b"\xff" * 300 not in data[:2000]
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), pq_codes(image))
    assert data == _pq_tiff.encode(image, OPTIONS)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
@pytest.mark.parametrize("order", [b"II", b"MM"])
def test_exiftool_reads_it(tmp_path: Path, order: bytes) -> None:
    path = tmp_path / "a.tif"
    recipe = {"look": "display"}
    path.write_bytes(_pq_tiff.encode(picture(40, 30, exif=exif_block(order), recipe=recipe), OPTIONS))
    run = subprocess.run(["exiftool", "-j", "-n", path], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)[0]
    assert found["Make"] == "Maker"
    assert found["DateTimeOriginal"] == "2024:05:06 07:08:09"
    assert found["ExposureTime"] == 0.008
    assert found["ISO"] == 400
    assert found["GPSLatitude"] == pytest.approx(-33.51)
    assert found["GPSLongitude"] == pytest.approx(18.25)
    assert found["GPSAltitude"] == -12.5
    assert found["ProfileDescription"] == "Rec.2100 PQ"
    assert found["Look"] == "display"
    assert found["CreatorTool"] == f"sdr2hdr {__version__}"
    assert found.get("Warning", "") in ("", "[minor] Unrecognized MakerNotes")


@pytest.mark.skipif(shutil.which("tiffinfo") is None, reason="needs tiffinfo")
def test_tiffinfo_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(_pq_tiff.encode(picture(131, 30, exif=exif_block(b"MM")), OPTIONS))
    run = subprocess.run(["tiffinfo", "-D", path], capture_output=True, text=True, check=True)
    assert "Compression Scheme: AdobeDeflate" in run.stdout
    assert "horizontal differencing" in run.stdout
    assert run.stderr == ""


@settings(max_examples=60, deadline=None)
@given(data=st.data(), order=st.sampled_from([b"II", b"MM"]))
def test_damaged_exif_never_fails_a_picture(data: st.DataObject, order: bytes) -> None:
    block = bytearray(exif_block(order))
    for _ in range(data.draw(st.integers(1, 4))):
        block[data.draw(st.integers(0, 699))] = data.draw(st.integers(0, 255))
    block = block[: data.draw(st.sampled_from([0, 3, 9, 150, 700, 1400, len(block)]))]
    image = HdrImage(np.ones((3, 2, 3), np.float32), exif=bytes(block))
    logging.disable(logging.WARNING)
    try:
        encoded = _pq_tiff.encode(image, OPTIONS)
        camera_attributes(bytes(block))
    finally:
        logging.disable(logging.NOTSET)
    with tifffile.TiffFile(io.BytesIO(encoded)) as file:
        np.testing.assert_array_equal(file.pages.first.asarray(), pq_codes(image))


@pytest.mark.parametrize("order", [b"II", b"MM"])
def test_unknown_resolution_unit_drops_the_resolution(order: bytes) -> None:
    block = bytearray(exif_block(order))
    o = "<" if order == b"II" else ">"
    entry = block.index(struct.pack(o + "HHI", 296, 3, 1))
    struct.pack_into(o + "H", block, entry + 8, 42)
    encoded = _pq_tiff.encode(picture(2, 2, exif=bytes(block)), OPTIONS)
    with tifffile.TiffFile(io.BytesIO(encoded)) as file:
        assert file.pages.first.tags["ResolutionUnit"].value == 1  # none


def test_damaged_exif_warns(caplog: pytest.LogCaptureFixture) -> None:
    data = _pq_tiff.encode(picture(4, 4, exif=b"not exif"), OPTIONS)
    assert data.startswith(b"II*\0")
    assert "left out" in caplog.text
    assert camera_attributes(b"not exif") == {}


@pytest.mark.parametrize("order", [b"II", b"MM"])
def test_exr_has_the_standard_attributes(tmp_path: Path, order: bytes) -> None:
    path = tmp_path / "a.exr"
    path.write_bytes(exr.encode(picture(4, 4, exif=exif_block(order)), OPTIONS))
    header = OpenEXR.File(str(path), header_only=True).header()
    expected = {
        "cameraMake": "Maker",
        "cameraModel": "Model 7",
        "owner": "(c) A. Nonymous",
        "capDate": "2024:05:06 07:08:09",
        "utcOffset": -7200.0,
        "expTime": pytest.approx(1 / 125),
        "aperture": pytest.approx(2.8),
        "isoSpeed": 400.0,
        "nominalFocalLength": 50.0,
        "lensModel": "Lens 50mm",
        "latitude": pytest.approx(-33.51),
        "longitude": 18.25,
        "altitude": -12.5,
    }
    assert {name: header[name] for name in expected} == expected
    assert "focus" not in header  # 0/0: unknown
