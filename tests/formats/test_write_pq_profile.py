"""The Rec.2100 PQ profile against the standard's layout, colour-science and LittleCMS."""

import hashlib
import io
import shutil
import struct
import subprocess
from pathlib import Path

import colour
import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from sdr2hdr.color.transfer import pq_decode
from sdr2hdr.formats._pq_profile import pq_profile

PROFILE = pq_profile()


def tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    rows = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(count)]
    return {name: profile[at : at + size] for name, at, size in rows}


def xyz(tag: bytes) -> np.ndarray:
    return np.array(struct.unpack_from(f">{(len(tag) - 8) // 4}i", tag, 8)) / 65536


def test_header_and_layout() -> None:
    assert struct.unpack_from(">I", PROFILE)[0] == len(PROFILE)
    assert PROFILE[36:40] == b"acsp"
    assert PROFILE[8:10] == b"\x04\x40"
    for i in range(struct.unpack_from(">I", PROFILE, 128)[0]):
        _, at, size = struct.unpack_from(">4sII", PROFILE, 132 + 12 * i)
        assert at % 4 == 0
        assert at + size <= len(PROFILE)
    blank = bytearray(PROFILE)  # ICC.1:2022, 7.2.18
    blank[44:48], blank[64:68], blank[84:100] = bytes(4), bytes(4), bytes(16)
    assert PROFILE[84:100] == hashlib.md5(blank).digest()
    pq_profile.cache_clear()
    assert pq_profile() == PROFILE


def test_cicp_says_bt2100_pq() -> None:
    assert tags(PROFILE)[b"cicp"] == b"cicp\0\0\0\0" + bytes([9, 16, 0, 1])
    assert xyz(tags(PROFILE)[b"lumi"])[1] == 10000


def test_colorants_are_bt2020_adapted_to_d50() -> None:
    d50 = np.array([0.9642, 1.0, 0.8249])
    space = colour.RGB_COLOURSPACES["ITU-R BT.2020"]
    adapt = colour.adaptation.matrix_chromatic_adaptation_VonKries(
        colour.xy_to_XYZ(space.whitepoint), d50, transform="Bradford"
    )
    found = tags(PROFILE)
    colorants = np.stack([xyz(found[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
    np.testing.assert_allclose(colorants, adapt @ space.matrix_RGB_to_XYZ, atol=3e-5)
    np.testing.assert_allclose(xyz(found[b"chad"]).reshape(3, 3), adapt, atol=2e-5)
    np.testing.assert_array_equal(np.rint(colorants.sum(axis=1) * 65536), np.rint(d50 * 65536))


def test_curve_is_pq_of_colour_science() -> None:
    curve = tags(PROFILE)[b"rTRC"]
    entries = np.frombuffer(curve, ">u2", offset=12)
    assert struct.unpack_from(">I", curve, 8)[0] == len(entries) == 4096
    expected = colour.models.eotf_ST2084(np.linspace(0, 1, 4096)) / 10000 * 65535
    np.testing.assert_allclose(entries, expected, atol=0.5001)
    assert entries[-1] == 65535


def test_littlecms_reads_the_words() -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(PROFILE))
    assert ImageCms.getProfileDescription(profile).strip() == "Rec.2100 PQ"
    assert ImageCms.getProfileCopyright(profile).strip() == "No copyright, use freely"
    assert ImageCms.isIntentSupported(
        profile, ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Direction.INPUT
    )


def test_littlecms_decodes_pq() -> None:
    """A ramp of 16-bit codes -> XYZ in float32 (1.0 = 10000 cd/m2), against `pq_decode`; to one step of an entry."""
    codes = np.arange(0, 65536, 257, dtype=np.uint16)
    pixels = np.zeros((4, 256, 3), np.uint16)
    pixels[0] = codes[:, None]  # greys, then the primaries
    for channel in range(3):
        pixels[1 + channel, :, channel] = codes
    pcs = imagecodecs.cms_transform(
        pixels,
        PROFILE,
        imagecodecs.cms_profile("xyz"),
        colorspace="rgb",
        outcolorspace="xyz",
        outdtype=np.float32,
    )
    nits = pq_decode(torch.from_numpy(codes / 65535.0)).numpy()
    step = 10000 / 65535
    np.testing.assert_allclose(pcs[0, :, 1] * 10000, nits, rtol=1e-4, atol=step)
    np.testing.assert_allclose(pcs[0] / pcs[0, -1], pcs[0, :, 1:2] * np.ones(3), atol=2e-6)  # grey stays grey
    shares = (
        pcs[1:, 100:, 1] / pcs[0, 100:, 1]
    )  # of the primaries in luminance: BT.2020's row Y, seen from D50
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=2e-3)
    np.testing.assert_allclose(pcs[1:, -1, 1], [0.27904, 0.67535, 0.04561], atol=2e-5)


def test_littlecms_through_pillow_keeps_codes() -> None:
    """8-bit codes through the profile and back to itself."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(PROFILE))
    codes = np.random.default_rng(1).integers(90, 256, (16, 16, 3), np.uint8)
    out = ImageCms.profileToProfile(Image.fromarray(codes), profile, profile)
    assert out is not None
    np.testing.assert_array_equal(np.asarray(out), codes)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
def test_exiftool_validates(tmp_path: Path) -> None:
    path = tmp_path / "pq.icc"
    path.write_bytes(PROFILE)
    text = subprocess.run(
        ["exiftool", "-validate", "-warning", "-a", "-ProfileDescription", path],
        capture_output=True,
        text=True,
    )
    assert "Validate                        : OK" in text.stdout
    assert "Rec.2100 PQ" in text.stdout
