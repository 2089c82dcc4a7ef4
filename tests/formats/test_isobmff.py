"""Boxes taken apart and put together; files that lie about them."""

import struct
import time
import tracemalloc
from contextlib import suppress

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr.errors import InputError
from sdr2hdr.formats._coded_size import av1_headers, hevc_headers
from sdr2hdr.formats._isobmff import Container, Item, Property, Reference, brands, parse
from sdr2hdr.formats._isobmff_write import assemble

numbers = st.integers(1, 65535)
kinds = st.sampled_from([b"av01", b"hvc1", b"Exif", b"grid"])
properties = st.lists(
    st.builds(Property, st.sampled_from([b"ispe", b"colr", b"clli"]), st.binary(max_size=9), st.booleans()),
    max_size=5,
)
items = st.builds(Item, kinds, st.just(b""), properties, st.binary(min_size=1, max_size=40), st.booleans())


@st.composite
def containers(draw: st.DrawFn) -> Container:
    found = draw(st.dictionaries(numbers, items, min_size=1, max_size=6))
    mime = draw(
        st.dictionaries(numbers, st.just(Item(b"mime", b"application/rdf+xml", data=b"<x/>")), max_size=2)
    )
    everything = found | mime
    one = st.sampled_from(sorted(everything))
    references = st.builds(
        Reference, st.sampled_from([b"cdsc", b"dimg"]), one, st.lists(one, max_size=3).map(tuple)
    )
    return Container((b"avif", b"mif1"), draw(one), everything, draw(st.lists(references, max_size=3)))


@settings(max_examples=80, deadline=None)
@given(containers())
def test_what_is_put_together_comes_apart_the_same(container: Container) -> None:
    assert parse(assemble(container)) == container


@settings(max_examples=80, deadline=None)
@given(containers(), st.data())
def test_a_cut_off_file_is_never_whole(container: Container, data: st.DataObject) -> None:
    whole = assemble(container)
    with pytest.raises(InputError):
        parse(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_libavif_reads_what_is_put_together() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    data = bytes(imagecodecs.avif_encode(pixels, 100))
    again = assemble(parse(data))
    assert again != data
    np.testing.assert_array_equal(imagecodecs.avif_decode(again), imagecodecs.avif_decode(data))


def test_brands() -> None:
    assert brands(b"\0\0\0\x18ftypmif1\0\0\0\0avifmiaf____") == (b"mif1", b"avif", b"miaf")
    assert brands(b"\0\0\0\x18ftypmif1\0\0\0\0avi") == (b"mif1",)
    assert brands(b"\xff\xd8\xff\xe0" + bytes(20)) == ()


def box(kind: bytes, contents: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(contents), kind) + contents


def file_with(iloc: bytes, count: int = 1, rest: bytes = b"") -> bytes:
    infe = b"".join(box(b"infe", struct.pack(">IHH4sB", 2 << 24, n + 1, 0, b"av01", 0)) for n in range(count))
    contents = bytes(4) + box(b"pitm", bytes(4) + b"\0\1") + box(b"iinf", struct.pack(">IH", 0, count) + infe)
    return box(b"ftyp", b"avif" + bytes(4)) + box(b"meta", contents + box(b"iloc", iloc)) + rest


@pytest.mark.parametrize(
    ("iloc", "count", "words"),
    [
        (struct.pack(">IHHHHHII", 0, 0x4400, 1, 1, 0, 1, 2**31, 9), 1, "outside the file"),
        (struct.pack(">IHHHHH", 0, 0, 1, 1, 0, 60000) + bytes(60000), 1, "overlap"),  # each the whole file
        (
            struct.pack(">IHH", 0, 0, 999)
            + b"".join(struct.pack(">HHH", n + 1, 0, 6000) for n in range(999)),
            999,
            "too many|overlap",
        ),
        (struct.pack(">IHH", 0, 0x4400, 60000), 1, "entries"),
        (struct.pack(">IHHHHHHII", 1 << 24, 0x4400, 1, 1, 2, 0, 1, 0, 9), 1, "another file or item"),
        (b"", 1, "make no sense"),
    ],
)
def test_hostile_tables_cost_nothing(iloc: bytes, count: int, words: str) -> None:
    data = file_with(iloc, count)
    begun = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=words):
            parse(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - begun < 2
    assert peak < 20_000_000


@pytest.mark.parametrize("size", [(1, 1), (17, 300), (4000, 33)])
@pytest.mark.parametrize("bits", [8, 10, 12])
def test_av1_headers(size: tuple[int, int], bits: int) -> None:
    pixels = np.zeros((*size, 3), np.uint8 if bits == 8 else np.uint16)
    coded = imagecodecs.avif_encode(
        pixels, 80, speed=10, bitspersample=bits, primaries=9, transfer=16, matrix=9
    )
    container = parse(bytes(coded))
    (header,) = av1_headers(container.items[container.primary].data)
    assert header == (size[1], size[0], bits, 9, 16)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_noise_is_no_header(data: bytes, configuration: bytes) -> None:
    for headers in (av1_headers(data), hevc_headers(data, configuration)):
        with suppress(InputError):
            assert all(header.bits >= 8 for header in headers)
