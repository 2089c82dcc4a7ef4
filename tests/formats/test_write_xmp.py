"""XMP of the source: read from every container, merged with our recipe, never a reason to fail."""

import io
import logging
import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from outside_readers import exiftool
from PIL import Image

from sdr2hdr import formats
from sdr2hdr.formats import _pq_tiff
from sdr2hdr.formats._recipe import from_xmp, to_xmp
from sdr2hdr.image import HdrImage

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RECIPE = {"look": "scene"}
PIXELS = np.full((8, 12, 3), 90, np.uint8)
# Written as attributes and as elements, with a prefix of the writer's own, and much that is true of one file only.
SOURCE = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Somebody's Toolkit 1.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="uuid:1" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"
    xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" xmlns:xmpNote="http://ns.adobe.com/xmp/note/"
    xmp:Rating="4" xmp:CreatorTool="Camera 7" tiff:Orientation="6" tiff:Make="M &amp; M"
    GCamera:MotionPhoto="1" GCamera:PortraitVersion="2" hdrgm:Version="1.0" xmpNote:HasExtendedXMP="ABC"/>
  <rdf:Description rdf:about="uuid:1" xmlns:title="http://purl.org/dc/elements/1.1/">
   <title:title><rdf:Alt><rdf:li xml:lang="x-default">Bäume &lt;1&gt;</rdf:li></rdf:Alt></title:title>
   <title:subject><rdf:Bag><rdf:li>Wald</rdf:li><rdf:li>木</rdf:li></rdf:Bag></title:subject>
  </rdf:Description>
  <rdf:Description rdf:about="uuid:1" xmlns:Container="http://ns.google.com/photos/1.0/container/"
    xmlns:Item="http://ns.google.com/photos/1.0/container/item/">
   <Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource">
    <Container:Item Item:Semantic="GainMap" Item:Length="5"/></rdf:li></rdf:Seq></Container:Directory>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()


def jpeg_of(packet, **options):
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "JPEG", xmp=packet, **options)
    return stream.getvalue()


def png_of(packet, compressed):
    body = zlib.compress(packet) if compressed else packet
    text = b"iTXt" + b"XML:com.adobe.xmp\0" + bytes([compressed]) + b"\0\0\0" + body
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "PNG")
    return stream.getvalue()[:33] + chunk + stream.getvalue()[33:]


def webp_of(packet):
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "WEBP", xmp=packet)
    return stream.getvalue()


def tiff_of(packet):
    stream = io.BytesIO()
    tifffile.imwrite(
        stream, PIXELS, photometric="rgb", metadata=None, extratags=[(700, 1, len(packet), packet)]
    )
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [jpeg_of(SOURCE), png_of(SOURCE, False), png_of(SOURCE, True), webp_of(SOURCE), tiff_of(SOURCE)],
    ids=["jpeg", "png", "png compressed", "webp", "tiff"],
)
def test_readers_find_the_packet(data):
    assert formats.read(io.BytesIO(data)).xmp == SOURCE


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_no_packet_is_none(kind):
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, kind)
    assert formats.read(io.BytesIO(stream.getvalue())).xmp is None


def exiftool_of(packet: bytes, folder: Path):
    path = folder / "a.xmp"
    path.write_bytes(packet)
    return exiftool(path)


def test_what_stays_and_what_goes(tmp_path):
    """exiftool reads the merged packet."""
    packet = to_xmp(RECIPE, SOURCE)
    tags = exiftool_of(packet, tmp_path)
    assert tags["XMP-xmp:Rating"] == 4
    assert tags["XMP-tiff:Make"] == "M & M"
    assert tags["XMP-dc:Title"] == "Bäume <1>"
    assert tags["XMP-dc:Subject"] == ["Wald", "木"]
    assert tags["XMP-GCamera:PortraitVersion"] == 2
    assert tags["XMP-x:XMPToolkit"] == "Somebody's Toolkit 1.0"
    assert tags["XMP-xmp:CreatorTool"].startswith("sdr2hdr")
    assert not [tag for tag in tags if tag.startswith(("XMP-hdrgm", "XMP-Container", "XMP-xmpNote"))]
    assert "XMP-tiff:Orientation" not in tags
    assert "XMP-GCamera:MotionPhoto" not in tags
    assert from_xmp(packet) == from_xmp(to_xmp(RECIPE))
    about = {e.get(f"{{{RDF}}}about") for e in ElementTree.fromstring(packet).iter(f"{{{RDF}}}Description")}
    assert about == {"uuid:1"}, "a packet is about one thing"


def test_beside_the_same_pixels_orientation_stays(tmp_path):
    tags = exiftool_of(to_xmp(RECIPE, SOURCE, same_pixels=True), tmp_path)
    assert tags["XMP-tiff:Orientation"] == 6
    assert tags["XMP-xmpNote:HasExtendedXMP"] == "ABC"
    assert "XMP-hdrgm:Version" not in tags


def test_merging_again_changes_nothing():
    once = to_xmp(RECIPE, SOURCE)
    assert to_xmp(RECIPE, once) == once
    assert from_xmp(to_xmp({"look": "display"}, once)) == from_xmp(to_xmp({"look": "display"}))


@pytest.mark.parametrize(
    "packet",
    [
        b"no xml",
        SOURCE[: len(SOURCE) // 2],
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        b"\xff" + SOURCE,
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + SOURCE.split(b"?>", 1)[1],
        b"<a>" * 100_000 + b"</a>" * 100_000,
        SOURCE.replace(b"Wald", b"<a>" * 5000 + b"</a>" * 5000),
        b" " * 5_000_000 + SOURCE,
    ],
    ids=["text", "cut", "empty", "bytes", "entities", "deep", "deep property", "large"],
)
def test_a_broken_packet_gives_ours_alone(packet, caplog):
    with caplog.at_level(logging.WARNING):
        assert to_xmp(RECIPE, packet) == to_xmp(RECIPE)
    assert "XMP packet is damaged" in caplog.text


def test_packets_without_a_wrapper():
    inner = SOURCE[SOURCE.index(b"<rdf:RDF") : SOURCE.index(b"</rdf:RDF>") + 10]
    packet = to_xmp(RECIPE, inner)
    assert ElementTree.fromstring(packet).tag == "{adobe:ns:meta/}xmpmeta"
    assert "Wald" in packet.decode()
    empty = b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
    assert from_xmp(to_xmp(RECIPE, empty)) == from_xmp(to_xmp(RECIPE))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SOURCE) - 1), st.binary(min_size=1, max_size=3))
def test_damage_is_never_an_error(at, what):
    packet = to_xmp(RECIPE, SOURCE[:at] + what + SOURCE[at + len(what) :])
    assert from_xmp(packet)["look"] == "scene"


def test_a_tiff_of_ours_holds_it(tmp_path):
    image = HdrImage(np.ones((3, 8, 12), np.float32), xmp=SOURCE, recipe=RECIPE)
    path = tmp_path / "a.tif"
    path.write_bytes(_pq_tiff.encode(image, formats.EncodeOptions()))
    tags = exiftool(path)
    assert tags["XMP-dc:Subject"] == ["Wald", "木"]
    assert formats.recorded(path, "tiff")["look"] == "scene"
    stripped = formats.encode("tiff", image, formats.EncodeOptions(strip=True))
    path.write_bytes(stripped)
    assert b"Wald" not in stripped
    wanted = formats.recipe("tiff", RECIPE, formats.EncodeOptions(strip=True))
    assert formats.recorded(path, "tiff") == wanted, "so that a stripped file is another than one that is not"
    assert wanted["metadata"] == "stripped"


def test_an_exr_of_ours_holds_it(tmp_path):
    """OpenEXR's own reader, under the name that others use."""
    OpenEXR = pytest.importorskip("OpenEXR")
    image = HdrImage(np.ones((3, 8, 12), np.float32), xmp=SOURCE, recipe=RECIPE)
    for options, there in ((formats.EncodeOptions(), True), (formats.EncodeOptions(strip=True), False)):
        path = tmp_path / f"{there}.exr"
        path.write_bytes(formats.encode("exr", image, options))
        header = OpenEXR.File(str(path), header_only=True).header()
        assert ("xmp" in header) is there
        if there:
            assert header["xmp"].encode() == to_xmp(RECIPE, SOURCE)
        assert formats.recorded(path, "exr")["look"] == "scene"
