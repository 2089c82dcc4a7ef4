"""What PNG files say of themselves, ours and those of others."""

import io
import struct
import zlib

import colour
import imagecodecs
import numpy as np
import pytest
from icc_writer import matrix

from sdr2hdr import __version__, formats
from sdr2hdr.errors import InputError
from sdr2hdr.formats import EncodeOptions, png
from sdr2hdr.image import HdrImage

RNG = np.random.default_rng(6)
CODES = RNG.integers(0, 65535, (5, 7, 3), np.uint16)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def examine(codes: np.ndarray, *chunks: bytes) -> formats.Examined:
    data = imagecodecs.png_encode(np.ascontiguousarray(codes))
    return formats.examine(io.BytesIO(data[:33] + b"".join(chunks) + data[33:]), name="a.png")


def cicp(*points: int) -> bytes:
    return chunk(b"cICP", bytes(points))


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"x\0\0" + zlib.compress(profile))


def test_ours() -> None:
    light = (RNG.random((3, 20, 30)) ** 4 * 20).astype(np.float32)
    image = HdrImage(light, recipe={"look": "scene", "peak": "4060"})
    found = formats.examine(io.BytesIO(png.encode(image, EncodeOptions())))
    said = found.signalling
    assert (found.format, found.bits, found.floating, found.notes) == ("png", 16, False, ())
    assert (said.transfer, said.primaries, said.said_by) == ("pq", "bt2020", ("cICP", "ICC profile"))
    assert (said.max_cll, said.peak_nits) == (pytest.approx(light.max() * 203, rel=1e-5), 4060)
    assert said.max_fall == pytest.approx(light.max(0).mean() * 203, rel=1e-5)
    assert found.recipe == {"look": "scene", "peak": "4060", "version": __version__}
    np.testing.assert_allclose(found.light, light, rtol=5e-4, atol=1e-5)
    assert found.clipped == 0


def test_untagged_is_srgb_and_says_so() -> None:
    codes = CODES.copy()
    codes[0, 0, 1] = codes[4, 6, 0] = 65535
    found = examine(codes)
    assert found.signalling.said_by == ()
    assert (found.signalling.transfer, found.signalling.primaries, found.bits) == ("srgb", "bt709", 16)
    assert "nothing says" in found.notes[0]
    assert found.clipped == pytest.approx(2 / 35)
    linear = colour.eotf(codes / 65535, "sRGB")
    wanted = colour.RGB_to_RGB(linear, "ITU-R BT.709", "ITU-R BT.2020", None)
    np.testing.assert_allclose(found.light.transpose(1, 2, 0), wanted, atol=2e-5)


def test_one_label_beats_the_other() -> None:
    srgb, p3 = chunk(b"sRGB", b"\0"), iccp(matrix("Display P3"))
    gama = chunk(b"gAMA", struct.pack(">I", 100000))
    assert examine(CODES, cicp(9, 16, 0, 1), p3, gama).signalling.transfer == "pq"
    assert examine(CODES, cicp(9, 16, 0, 1), p3).signalling.said_by == ("cICP", "ICC profile")
    found = examine(CODES, p3, gama).signalling
    assert (found.primaries, found.transfer, found.said_by) == ("p3", "srgb", ("ICC profile", "gAMA"))
    assert examine(CODES, srgb, gama).signalling.transfer == "srgb"
    found = examine(CODES, gama).signalling
    assert (found.transfer, found.gamma, found.said_by) == ("linear", 1.0, ("gAMA",))
    chrm = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 70800, 29200, 17000, 79700, 13100, 4600))
    found = examine(CODES, chunk(b"gAMA", struct.pack(">I", 50000)), chrm).signalling
    assert (found.transfer, found.gamma, found.primaries) == ("gamma", 2.0, "bt2020")
    assert found.said_by == ("gAMA", "cHRM")


@pytest.mark.parametrize(("transfer", "level"), [(16, 1.0), (18, 1.0)])
def test_reference_white(transfer: int, level: float) -> None:
    """203 cd/m2 = 58 % of PQ, 75 % of HLG (ITU-R BT.2408-7, table 1)."""
    signal = {16: 0.580689, 18: 0.75}[transfer]
    found = examine(np.full((2, 2, 3), round(signal * 65535), np.uint16), cicp(9, transfer, 0, 1))
    np.testing.assert_allclose(found.light, level, rtol=2e-2)


@pytest.mark.parametrize(
    ("codes", "bits"),
    [
        (CODES.astype(np.uint8), 8),
        (CODES.astype(np.uint8)[..., 0], 8),
        (CODES[..., :2], 16),
        (CODES[..., 0], 16),
    ],
)
def test_every_kind_of_pixel(codes: np.ndarray, bits: int) -> None:
    found = examine(codes, cicp(9, 16, 0, 1))
    assert found.bits == bits
    assert found.light.shape == (3, 5, 7)
    assert any("10 bits" in note for note in found.notes) == (bits == 8)
    assert any("only its cICP" in note for note in found.notes)


def test_matrix_in_cicp_is_pointed_out() -> None:
    assert any("matrix" in note for note in examine(CODES, cicp(9, 16, 9, 1)).notes)
    assert any("narrow" in note for note in examine(CODES, cicp(9, 16, 0, 0)).notes)


def test_unknown_code_points_are_one_line() -> None:
    with pytest.raises(InputError, match=r"a\.png: states a transfer by a code that is not supported"):
        examine(CODES, cicp(9, 200, 0, 1))


def test_exif_turns_it() -> None:
    exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    assert examine(CODES, chunk(b"eXIf", exif)).light.shape == (3, 7, 5)
