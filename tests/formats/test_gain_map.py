"""Gain maps' numbers and formulas, by hand and by the specifications; Apple's; the index of pictures."""

import io
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sdr2hdr import formats
from sdr2hdr.color.inplace import convert, srgb_light
from sdr2hdr.color.tables import table
from sdr2hdr.formats import EncodeOptions, _mpf, _xmp, uhdr
from sdr2hdr.formats._gain_map import ISO_MARK, GainMap, apple_headroom, from_iso, from_xmp, to_iso, to_xmp
from sdr2hdr.formats._gain_map_light import applied, gains, quantised
from sdr2hdr.formats._jpeg_colour import Colour, srgb
from sdr2hdr.image import HdrImage

STOPS = st.floats(-8, 8, width=32)
ONE = GainMap((-0.5,) * 3, (2.25,) * 3, 2.5)


@settings(max_examples=50, deadline=None)
@given(
    st.tuples(STOPS, STOPS, STOPS),
    st.tuples(STOPS, STOPS, STOPS),
    st.floats(0, 8),
    st.floats(0.1, 4),
    st.booleans(),
)
def test_iso_there_and_back(low, high, headroom, gamma, base_primaries):
    given = GainMap(low, high, headroom, (gamma, 1.0, 2.0), base_primaries=base_primaries)
    back = from_iso(to_iso(given))
    assert back.base_primaries is base_primaries
    for name in ("low", "high", "headroom", "gamma", "base_offset", "alternate_offset", "base_headroom"):
        np.testing.assert_allclose(getattr(back, name), getattr(given, name), atol=1e-6)


def test_iso_as_the_standard_lays_it_out():
    """Versions, flags, headrooms, then minimum, maximum, gamma and offsets, each over its own denominator."""
    numbers = [0, 1, 5, 2, -1, 2, 9, 4, 1, 1, 1, 64, 1, 64]
    by_hand = ISO_MARK + struct.pack(">HHB", 0, 0, 0x40) + struct.pack(">14i", *numbers)
    assert from_iso(by_hand) == ONE
    assert from_iso(to_iso(ONE)) == ONE
    assert len(to_iso(ONE)) == len(by_hand), "one channel where all are the same"
    later = ISO_MARK + struct.pack(">HHB", 0, 3, 0) + struct.pack(">14i", *numbers)
    assert not from_iso(later).base_primaries, "a later writer, but no later reader"


@pytest.mark.parametrize("end", [0, 3, 5, 20, -1])
def test_iso_cut_off(end):
    with pytest.raises(ValueError, match="cut off"):
        from_iso(to_iso(ONE)[: len(ISO_MARK) + end if end >= 0 else end])


def test_iso_nonsense():
    by_hand = bytearray(to_iso(ONE))
    struct.pack_into(">H", by_hand, len(ISO_MARK), 1)
    with pytest.raises(ValueError, match="version 1"):
        from_iso(bytes(by_hand))
    for wrong in ({"low": (np.nan,) * 3}, {"high": (1e9,) * 3}, {"gamma": (0.0,) * 3}, {"headroom": np.inf}):
        with pytest.raises(ValueError, match="out of range"):
            GainMap(**{"low": (0.0,) * 3, "high": (1.0,) * 3, "headroom": 1.0, **wrong})


def test_xmp_there_and_back():
    assert from_xmp(_xmp.packet([to_xmp(ONE)])) == ONE


def test_xmp_of_three_channels_and_what_is_left_out():
    """As Adobe's specification writes it: arrays for channels, defaults for what is not said."""
    seq = "".join(f"<rdf:li>{n}</rdf:li>" for n in (1.5, 2, 2.5))
    packet = _xmp.packet(
        [
            f'<rdf:Description xmlns:hdrgm="{_xmp.HDRGM}" hdrgm:Version="1.0" hdrgm:HDRCapacityMax="3">'
            f"<hdrgm:GainMapMax><rdf:Seq>{seq}</rdf:Seq></hdrgm:GainMapMax></rdf:Description>"
        ]
    )
    assert from_xmp(packet) == GainMap((0.0,) * 3, (1.5, 2.0, 2.5), 3.0)


@pytest.mark.parametrize("word", ["2.0", "1.0' hdrgm:GainMapMax='x", "1.0' hdrgm:GainMapMax='nan"])
def test_xmp_nonsense(word):
    packet = _xmp.packet(
        [f"<rdf:Description xmlns:hdrgm='{_xmp.HDRGM}' hdrgm:HDRCapacityMax='1' hdrgm:Version='{word}'/>"]
    )
    with pytest.raises(ValueError, match=r"version|convert|range"):
        from_xmp(packet)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 255), st.integers(0, 255), STOPS, STOPS, st.floats(0.3, 3))
def test_the_formula(base, part, low, high, gamma):
    """ISO 21496-1, 6.3, of one pixel with full weight, in double precision."""
    gain_map = GainMap((low,) * 3, (high,) * 3, 2.0, (gamma,) * 3)
    codes, map_codes = (np.full((2, 2, 3), code, np.uint8) for code in (base, part))
    light = convert(applied(codes, srgb(), map_codes, gain_map), "bt2020_to_bt709")[:, 0, 0]
    stops = low + (high - low) * (part / 255) ** (1 / gamma)
    linear = table("srgb_to_linear")[base * 257]
    expected = (linear + 1 / 64) * 2**stops - 1 / 64
    np.testing.assert_allclose(light, expected, rtol=2e-4, atol=2e-5)


def test_primaries_that_the_map_acts_in():
    """A gain of red alone in BT.2020 is not one of red alone in BT.709."""
    gain_map = GainMap((0.0,) * 3, (2.0, 0.0, 0.0), 2.0, base_primaries=False)
    codes, map_codes = np.full((1, 1, 3), 188, np.uint8), np.full((1, 1, 3), 255, np.uint8)
    wide = Colour(srgb().curves, table("bt2020_to_bt709"))
    light = applied(codes, srgb(), map_codes, gain_map, wide)[:, 0, 0]
    grey = float(table("srgb_to_linear")[188 * 257])
    np.testing.assert_allclose(light, [(grey + 1 / 64) * 4 - 1 / 64, grey, grey], rtol=1e-4)


def test_a_smaller_map_covers_the_whole_base():
    codes = np.full((40, 60, 3), 128, np.uint8)
    ramp = np.linspace(0, 255, 15).round().astype(np.uint8)
    map_codes = np.broadcast_to(ramp[None, :, None], (10, 15, 3)).copy()
    light = applied(codes, srgb(), map_codes, ONE)
    assert (np.diff(light[0, 20, 2:-2]) > 0).all()
    mirrored = applied(codes, srgb(), map_codes[:, ::-1].copy(), ONE)
    np.testing.assert_allclose(mirrored[:, :, ::-1], light, rtol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.floats(-3, 0), st.floats(0, 5))
def test_a_gain_of_one_has_a_code(low, high):
    gain = np.array([low, high, 0.0], np.float32).reshape(1, 1, 3).repeat(4, 1)
    codes, gain_map = quantised(gain, 2.0)
    step = (gain_map.high[0] - gain_map.low[0]) / 255
    back = gain_map.low[0] + codes[0, 0] * step
    assert abs(back[2]) < 1e-6
    np.testing.assert_allclose(back, gain[0, 0], atol=step / 2 + 1e-6)


def test_gains_are_what_the_formula_undoes():
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 256, (30, 20, 3), dtype=np.uint8)
    light = rng.uniform(0, 4, (3, 30, 20)).astype(np.float32)
    gain = gains(HdrImage(convert(light, "bt709_to_bt2020")), codes, srgb())
    linear = srgb_light()((codes / np.float32(255)).transpose(2, 0, 1)).transpose(1, 2, 0)
    np.testing.assert_allclose(
        (linear + 1 / 64) * 2**gain - 1 / 64, light.transpose(1, 2, 0), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("order", ["<", ">"])
def test_index_of_pictures(order):
    """By hand in both byte orders; ours is big-endian."""
    ours = _mpf.index(100, 5000, 700)
    assert len(ours) == _mpf.SIZE
    assert _mpf.pictures(ours, 100) == [(5000, 700)]
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 1)
    entry = struct.pack(order + "HHIII", 0xB002, 7, 32, 26, 0)
    table_ = struct.pack(order + "IIIHH", 0x30000, 5000, 0, 0, 0) + struct.pack(
        order + "IIIHH", 0, 700, 4896, 0, 0
    )
    by_hand = b"MPF\0" + header + entry + table_
    assert _mpf.pictures(by_hand, 100) == [(5000, 700)]
    for end in range(len(by_hand)):
        assert _mpf.pictures(by_hand[:end], 100) == []


@pytest.mark.parametrize(
    ("headroom", "gain", "stops"),
    [
        (0.5, 0.0, 1.8),
        (0.5, 0.01, 1.6),
        (0.5, 1.0, 1.5),
        (1.0, 0.0, 3.0),
        (1.2, 0.01, 2.3),
        (1.2, 1.0, 2.0),
        (1, 9, 0),
    ],
)
def test_stops_of_apples_maker_note(headroom, gain, stops):
    """Values of the snippet in Apple's documentation, by hand."""
    assert apple_headroom(headroom, gain) == pytest.approx(stops, abs=1e-9)


def maker_note(headroom, gain):
    """Apple's: a directory of its own, offsets from the note's first byte."""
    at = 14 + 2 + 24 + 4
    entries = [struct.pack(">HHII", tag, 10, 1, at + 8 * i) for i, tag in enumerate((33, 48))]
    values = [struct.pack(">ii", round(value * 1000), 1000) for value in (headroom, gain)]
    return b"Apple iOS\0\0\1MM" + struct.pack(">H", 2) + b"".join(entries) + bytes(4) + b"".join(values)


def apple_file(xmp, note):
    """Two pictures with an index, as phones write them."""
    exif = Image.Exif()
    if note:
        exif[0x8769] = {0x927C: note}
    base, part = np.full((32, 48, 3), 188, np.uint8), np.full((16, 24), 255, np.uint8)
    part[:, :12] = 0
    first, second = io.BytesIO(), io.BytesIO()
    Image.fromarray(base).save(first, "JPEG", quality=100, subsampling=0, exif=exif)
    Image.fromarray(part).save(second, "JPEG", quality=100, xmp=xmp)
    data, behind = first.getvalue(), second.getvalue()
    index = _mpf.index(6, len(data) + 4 + _mpf.SIZE, len(behind))
    return data[:2] + struct.pack(">BBH", 0xFF, 0xE2, len(index) + 2) + index + data[2:] + behind


def apple_xmp(words=""):
    return _xmp.packet([f'<rdf:Description xmlns:HDRGainMap="{_xmp.APPLE_GAIN_MAP}" {words}/>'])


VERSION_1, VERSION_2 = 'HDRGainMap:HDRGainMapVersion="65536"', 'HDRGainMap:HDRGainMapVersion="131072"'


@pytest.mark.parametrize(
    ("data", "stops"),
    [
        (apple_file(apple_xmp(VERSION_1), maker_note(1.0, 0.0)), 3.0),
        (apple_file(apple_xmp(VERSION_2 + ' HDRGainMap:HDRGainMapHeadroom="4"'), maker_note(1.0, 0.0)), 2.0),
    ],
    ids=["maker note", "own headroom"],
)
def test_apples_gain_map(data, stops, caplog):
    found = formats.examine(io.BytesIO(data))
    assert found.format == "uhdr"
    assert found.signalling.said_by == ("gain map (Apple)",)
    assert found.signalling.headroom == pytest.approx(stops)
    linear = table("srgb_to_linear")[188 * 257]
    np.testing.assert_allclose(found.light[:, 16, 4], linear, rtol=0.01)
    np.testing.assert_allclose(found.light[:, 16, -4], linear * 2**stops, rtol=0.01)
    formats.read(io.BytesIO(data))
    assert "holds a gain map (Apple), which is not used: its SDR picture is" in caplog.text


def test_apples_gain_map_without_its_headroom():
    found = formats.examine(io.BytesIO(apple_file(apple_xmp(VERSION_1), None)))
    assert found.format == "jpeg"
    assert "maker note is missing" in found.notes[0]
    for broken in (b"Apple iOS\0", b"Apple iOS\0\0\1MM\xff\xff", b"Apple iOS\0\0\1XX\0\1", b"x" * 30):
        found = formats.examine(io.BytesIO(apple_file(apple_xmp(VERSION_1), broken)))
        assert found.format == "jpeg"


def test_a_second_picture_is_no_gain_map(caplog):
    data = apple_file(b"<x/>", None)
    assert formats.examine(io.BytesIO(data)).format == "jpeg"
    formats.read(io.BytesIO(data))
    assert not caplog.text


def test_chromium_shows_the_base(tmp_path: Path) -> None:
    """On an SDR screen; a screenshot against what Pillow makes of the base."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed")
    y, x = np.mgrid[0:150, 0:200]
    signal = np.stack([x / 199, y / 149, 0.5 + 0 * x]).astype(np.float32)
    light = convert(srgb_light()(signal), "bt709_to_bt2020")
    light[:, 50:100, 50:100] *= 4
    stream = io.BytesIO()
    Image.fromarray((signal.transpose(1, 2, 0) * 255).round().astype(np.uint8)).save(
        stream, "JPEG", quality=95, subsampling=0
    )
    sdr = formats.read(io.BytesIO(stream.getvalue()))
    (tmp_path / "a.jpg").write_bytes(uhdr.encode(HdrImage(light, sdr=sdr), EncodeOptions()))
    (tmp_path / "a.html").write_text("<body style='margin:0'><img src='a.jpg'>", "utf-8")
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += ["--force-color-profile=srgb", "--force-device-scale-factor=1", "--window-size=200,150"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={tmp_path / 'shot.png'}"]
    done = subprocess.run(
        [*command, (tmp_path / "a.html").as_uri()], capture_output=True, timeout=120, check=False
    )
    assert (tmp_path / "shot.png").exists(), done.stderr
    shot = np.asarray(Image.open(tmp_path / "shot.png").convert("RGB"), np.float32)[:150, :200]
    base = np.asarray(Image.open(io.BytesIO(stream.getvalue())), np.float32)
    assert np.abs(shot - base).max() <= 3
