"""Ultra HDR: the base's bytes, the light that others and we read back, metadata, and what is hostile."""

import io
import json
import logging
import struct
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
from icc_writer import matrix
from outside_readers import exiftool, run
from PIL import Image

from sdr2hdr import formats
from sdr2hdr.color.inplace import convert, pq_encode, srgb_light
from sdr2hdr.errors import InputError
from sdr2hdr.formats import EncodeOptions, uhdr
from sdr2hdr.formats._jpeg_segments import parts, whole
from sdr2hdr.image import HdrImage

OPTIONS = EncodeOptions()
TURN = Image.Transpose
TURNS = {  # by EXIF's orientation, as Pillow's own exif_transpose has them
    2: TURN.FLIP_LEFT_RIGHT,
    3: TURN.ROTATE_180,
    4: TURN.FLIP_TOP_BOTTOM,
    5: TURN.TRANSPOSE,
    6: TURN.ROTATE_270,
    7: TURN.TRANSVERSE,
    8: TURN.ROTATE_90,
}
MOST = 0.02  # of PQ, anywhere: what an 8-bit map and its JPEG cost at the edge of a lamp; a thousandth in the mean
XMP_MARK, MPF_MARK, ISO_MARK = b"http://ns.adobe.com/xap/1.0/\0", b"MPF\0", b"urn:iso:std:iso:ts:21496:-1\0"
PACKET = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"
 xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>"""


def scene(height=48, width=80):
    """Colours with a blown lamp, as codes (H, W, 3)."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    codes = np.stack([40 + 2 * x, 60 + 2.5 * y, 150 - x], 2)
    lamp = np.exp(-((y - 20) ** 2 + (x - 50) ** 2) / 90)[..., None]
    return (codes + lamp * (400, 330, 260)).clip(0, 255).astype(np.uint8)


def exif(orientation=1):
    block = Image.Exif()
    block[271], block[274] = "Maker", orientation
    block[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0)}
    return block.tobytes()


def jpeg(codes=None, **options):
    stream = io.BytesIO()
    Image.fromarray(scene() if codes is None else codes).save(
        stream, "JPEG", **{"quality": 95, "subsampling": 0, **options}
    )
    return stream.getvalue()


def bright(sdr, gain=4.0):
    """Light of a picture: that of the SDR picture, with a coloured lamp where it is near white."""
    light = srgb_light()(np.ascontiguousarray(sdr.signal))
    lamp = np.clip((light.max(0) - 0.7) / 0.3, 0, 1) ** 2
    light = light * (1 + np.array([gain, 0.8 * gain, 0.5 * gain], np.float32)[:, None, None] * lamp)
    return convert(light.astype(np.float32), "bt709_to_bt2020")


def converted(data, **changes):
    """What the pipeline makes of a file, and the Ultra HDR file of it."""
    sdr = formats.read(io.BytesIO(data))
    image = HdrImage(
        bright(sdr),
        exif=sdr.exif,
        xmp=sdr.xmp,
        recipe={"look": "scene", "peak": "1000"},
        sdr=sdr,
        alpha=sdr.alpha,
    )
    image = replace(image, **changes)
    return image, uhdr.encode(image, OPTIONS)


def examined(data):
    return formats.examine(io.BytesIO(data))


def pq(light):
    nits = np.maximum(light, 0) * np.float32(203)
    pq_encode(nits)
    return nits


def segments(data):
    """Marker and contents of everything before the first scan, and the rest."""
    found = [(marker, data[start:stop]) for marker, start, stop in parts(data, 0, len(data))]
    end = max(stop for _, _, stop in parts(data, 0, len(data)))
    return found, data[end : whole(data).after]


def ours(marker, contents):
    return (marker == 0xE1 and contents.startswith(XMP_MARK)) or (
        marker == 0xE2 and contents.startswith((MPF_MARK, ISO_MARK))
    )


SOURCES = {
    "baseline": jpeg(),
    "progressive": jpeg(progressive=True),
    "subsampled": jpeg(subsampling=2, restart_marker_blocks=2),
    "metadata": jpeg(exif=exif(6), icc_profile=matrix("Display P3"), comment=b"a comment"),
    "no JFIF": jpeg()[:2] + jpeg()[20:],
    "fill bytes": jpeg()[:-2] + b"\xff\xff\xff\xd9",
    "grey": jpeg(scene()[..., 0]),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_base_is_the_source_byte_for_byte(name):
    """Three segments are added; without them the first picture is the source."""
    source = SOURCES[name]
    _, data = converted(source)
    first, at = data[:2], 2
    added = []
    for marker, start, stop in parts(data, 0, len(data)):
        if ours(marker, data[start:stop]):
            added.append(marker)
        else:
            first += data[at:stop]
        at = stop
    first += data[at : whole(data).after]
    assert first == source
    assert added == [0xE1, 0xE2, 0xE2]
    assert np.array_equal(Image.open(io.BytesIO(data)), Image.open(io.BytesIO(source)))


def test_xmp_is_merged_and_nothing_else_moves():
    source = jpeg(exif=exif(6), xmp=PACKET, icc_profile=matrix("Display P3"), comment=b"c")
    _, data = converted(source)
    before, after = segments(source), segments(data)
    assert after[1] == before[1]
    assert [s for s in after[0] if not ours(*s)] == [s for s in before[0] if not ours(*s)]
    packets = [contents for marker, contents in after[0] if contents.startswith(XMP_MARK)]
    assert len(packets) == 1
    assert b'xmp:Rating="3"' in packets[0]
    assert b'tiff:Orientation="6"' in packets[0], "the base is stored as it was"


def test_an_index_of_other_pictures_is_replaced():
    """Cameras put previews behind the picture; the new file has none."""
    stream = io.BytesIO()
    Image.fromarray(scene()).save(
        stream, "MPO", save_all=True, append_images=[Image.fromarray(scene()[::2, ::2])]
    )
    source = stream.getvalue()
    assert source.count(MPF_MARK) == 1
    _, data = converted(source)
    assert data.count(MPF_MARK) == 1
    assert segments(data)[1] == segments(source)[1]
    assert examined(data).format == "uhdr"


def test_converting_again_gives_the_same_base(caplog):
    _, once = converted(SOURCES["metadata"])
    with caplog.at_level(logging.WARNING):
        image, twice = converted(once)
    assert "holds a gain map (ISO 21496-1), which is not used: its SDR picture is" in caplog.text
    assert image.sdr.data == once
    assert [s for s in segments(twice)[0] if not ours(*s)] == [s for s in segments(once)[0] if not ours(*s)]
    assert segments(twice)[1] == segments(once)[1]
    assert twice[whole(twice).after :] == once[whole(once).after :]
    assert converted(twice)[1] == twice


def test_the_light_comes_back(tmp_path):
    image, data = converted(SOURCES["baseline"])
    found = examined(data)
    assert found.format == "uhdr"
    assert found.signalling.said_by == ("gain map (ISO 21496-1)", "gain map (Ultra HDR)")
    assert found.signalling.headroom == pytest.approx(np.log2(1000 / 203), abs=1e-5)
    assert found.notes == ()
    assert found.recipe["look"] == "scene"
    difference = np.abs(pq(found.light) - pq(image.light))
    assert difference.max() < MOST
    assert difference.mean() < 0.001


def test_libultrahdr_reads_the_same_light():
    """Their float16 light in the base's primaries against ours; agreed within 0.01 of PQ, 0.002 in the mean."""
    image, data = converted(SOURCES["baseline"])
    theirs = imagecodecs.ultrahdr_decode(data, dtype=np.float16, boost=100.0)[..., :3].astype(np.float32)
    ours = convert(examined(data).light, "bt2020_to_bt709")
    difference = np.abs(pq(theirs.transpose(2, 0, 1)) - pq(ours))
    assert difference.max() < 0.01
    assert difference.mean() < 0.002
    lower = imagecodecs.ultrahdr_decode(data, dtype=np.float16, boost=1.0)[..., :3].astype(np.float32)
    sdr = srgb_light()(image.sdr.signal)
    assert np.abs(lower.transpose(2, 0, 1) - sdr).max() < 0.01, "on an SDR screen it is the base"


@pytest.mark.parametrize("how", range(1, 9))
def test_the_map_lies_as_the_base_is_stored(how):
    image, data = converted(jpeg(exif=exif(how)))
    assert np.abs(pq(examined(data).light) - pq(image.light)).max() < MOST
    stored = imagecodecs.ultrahdr_decode(data, dtype=np.float16, boost=100.0)[..., :3].astype(np.float32)
    planes = [Image.fromarray(np.ascontiguousarray(plane)) for plane in stored.transpose(2, 0, 1)]
    if how > 1:
        planes = [plane.transpose(TURNS[how]) for plane in planes]
    upright = np.stack([np.asarray(plane) for plane in planes])
    assert np.abs(pq(upright) - pq(convert(image.light, "bt2020_to_bt709"))).mean() < 0.002


def test_what_was_not_changed_stays_exactly_as_it_was():
    """Also colours outside BT.709, which the reader clips: they are in the base."""
    for source in (SOURCES["baseline"], SOURCES["metadata"]):
        sdr = formats.read(io.BytesIO(source))
        light = convert(srgb_light()(np.ascontiguousarray(sdr.signal)), "bt709_to_bt2020")
        light[:, :4, :4] *= 0.8  # so that the map's range has two ends
        light[:, -4:, -4:] *= 3
        data = uhdr.encode(HdrImage(light, sdr=sdr, recipe={"peak": "1000"}), OPTIONS)
        there, was = examined(data).light[:, 8:-8, 8:-8], examined(source).light[:, 8:-8, 8:-8]
        assert np.abs(there - was).max() < 2e-3
        assert np.abs(there - was).mean() < 2e-4


def test_display_p3_base_is_read_in_its_own_primaries():
    """A red outside BT.709, which the reader clips, gets its brightness from us and its saturation from the base."""
    codes = np.full((32, 32, 3), (250, 20, 20), np.uint8)
    source = jpeg(codes, icc_profile=matrix("Display P3"))
    image, data = converted(source)
    found = examined(data)
    assert found.signalling.primaries == "p3"
    was, clipped = examined(source).light, convert(srgb_light()(image.sdr.signal), "bt709_to_bt2020")
    expected = convert(image.light + was - clipped, "bt2020_to_p3")[:, 16, 16]
    red = convert(found.light, "bt2020_to_p3")[:, 16, 16]
    assert expected[0] > 3
    np.testing.assert_allclose(red, expected, rtol=0.04, atol=0.005)


def test_white_other_than_203():
    image, data = converted(SOURCES["baseline"], white_nits=100.0)
    expected = image.light * np.float32(100 / 203)
    assert np.abs(pq(examined(data).light) - pq(expected)).max() < MOST


def test_other_inputs_get_a_base_of_their_own(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(scene()).save(stream, "PNG", exif=exif(6))
    image, data = converted(stream.getvalue())
    first = Image.open(io.BytesIO(data))
    assert first.size == (48, 80), "upright"
    difference = np.asarray(first, np.float32) - image.sdr.signal.transpose(1, 2, 0) * 255
    assert np.abs(difference).max() < 12
    assert np.abs(difference).mean() < 1.5
    assert first.info["icc_profile"][36:40] == b"acsp"
    assert first.getexif()[271] == "Maker"
    assert first.getexif()[274] == 1
    assert np.abs(pq(examined(data).light) - pq(image.light)).max() < MOST
    assert uhdr.encode(image, OPTIONS) == data


def test_without_the_sdr_picture():
    light = np.full((3, 24, 24), 0.4, np.float32)
    light[:, :12] = 3
    data = uhdr.encode(HdrImage(light), OPTIONS)
    assert np.asarray(Image.open(io.BytesIO(data)))[0, 0].min() == 255
    assert np.abs(pq(examined(data).light) - pq(light)).max() < 0.02


def test_transparency_is_put_on_white():
    codes = np.dstack([scene(), np.zeros((48, 80), np.uint8)])
    codes[:24, :, 3] = 255
    stream = io.BytesIO()
    Image.fromarray(codes).save(stream, "PNG")
    image, data = converted(stream.getvalue())
    light = examined(data).light
    assert np.abs(light[:, 32:] - 1).max() < 0.05
    assert np.abs(pq(light[:, :16]) - pq(image.light[:, :16])).max() < 0.02


def test_strip_leaves_the_picture_and_how_it_lies():
    source = jpeg(exif=exif(6), xmp=PACKET, icc_profile=matrix("Display P3"), comment=b"a comment")
    image, _ = converted(source)
    data = formats.encode("uhdr", image, EncodeOptions(strip=True))
    first = Image.open(io.BytesIO(data))
    assert dict(first.getexif()) == {274: 6}
    assert first.info["icc_profile"] == matrix("Display P3")
    assert b"Maker" not in data
    assert b"Rating" not in data
    assert b"a comment" not in data
    assert segments(data)[1] == segments(source)[1]
    assert examined(data).recipe["metadata"] == "stripped"


def test_exiftool_finds_every_part(tmp_path):
    path = tmp_path / "a.jpg"
    _, data = converted(jpeg(exif=exif(), xmp=PACKET))
    path.write_bytes(data)
    tags = exiftool(path)
    size = whole(data).after
    assert tags["MPF0:NumberOfImages"] == 2
    assert (tags["MPImage2:MPImageStart"], tags["MPImage2:MPImageLength"]) == (size, len(data) - size)
    assert tags["MPImage1:MPImageLength"] == size
    assert tags["XMP-hdrgm:Version"] == 1.0
    items = json.loads(run("exiftool", "-j", "-struct", "-XMP-Container:all", path))[0]["Directory"]
    assert [item["Item"]["Semantic"] for item in items] == ["Primary", "GainMap"]
    assert int(items[1]["Item"]["Length"]) == len(data) - size
    assert tags["XMP-xmp:Rating"] == 3
    assert tags["IFD0:Make"] == "Maker"
    (tmp_path / "map.jpg").write_bytes(data[size:])
    own = exiftool(tmp_path / "map.jpg")
    assert own["XMP-hdrgm:HDRCapacityMax"] == pytest.approx(np.log2(1000 / 203), abs=1e-5)
    assert own["XMP-hdrgm:BaseRenditionIsHDR"] in (False, "False")
    assert own["File:ColorComponents"] == 3


def test_an_xmp_packet_that_does_not_fit(caplog):
    large = PACKET.replace(b"/></rdf:RDF>", b' xmp:Label="' + b"x" * 64500 + b'"/></rdf:RDF>')
    with caplog.at_level(logging.WARNING):
        _, data = converted(jpeg(xmp=large))
    assert "does not fit into a JPEG" in caplog.text
    assert examined(data).recipe["look"] == "scene"


def test_cut_off_anywhere_it_is_the_base_or_an_error():
    _, data = converted(jpeg(scene(24, 32)))
    size = whole(data).after
    for end in [*range(2, size, 97), *range(size, len(data), 53), len(data) - 1]:
        try:
            found = examined(data[:end])
        except InputError:
            assert end < size
            continue
        assert end >= size
        assert found.format == "jpeg"
        assert found.light.shape == (3, 24, 32)
        if end > size + 600:
            assert "viewers show the SDR picture" in found.notes[0]


def test_hostile_maps_leave_the_base():
    _, data = converted(jpeg(scene(24, 32)))
    size = whole(data).after

    def check(hostile, words):
        found = examined(bytes(hostile))
        assert found.format == "jpeg"
        assert words in found.notes[0], found.notes

    large = bytearray(data)
    struct.pack_into(">HH", large, data.index(b"\xff\xc0", size) + 5, 60000, 60000)
    check(large, "larger than its picture")
    numbers = data.index(ISO_MARK, size) + len(ISO_MARK)
    zero = bytearray(data)
    struct.pack_into(">I", zero, numbers + 5 + 4, 0)
    assert examined(bytes(zero)).format == "uhdr", "XMP still says it"
    zero = zero[:size] + zero[size:].replace(b'hdrgm:GainMapMax="', b'hdrgm:GainMapMax="nan')
    check(zero, "cannot be used (its numbers are damaged")
    darker = bytearray(data)
    struct.pack_into(">I", darker, numbers + 5, 1 << 24)
    check(darker, "darker, not brighter")


def test_random_damage_is_an_error_or_a_picture():
    _, data = converted(jpeg(scene(24, 32)))
    rng = np.random.default_rng(5)
    for _ in range(150):
        broken = bytearray(data)
        for at in rng.integers(2, len(data), rng.integers(1, 5)):
            broken[at] = rng.integers(256)
        try:
            found = examined(bytes(broken))
        except InputError:
            continue
        assert found.light.shape[0] == 3
        assert np.isfinite(found.light).all()
