"""ICC profiles against LittleCMS (through Pillow), colour differences by colour-science."""

import io
import logging
import struct
import zlib

import colour
import cv2
import imagecodecs
import numpy as np
import pytest
from icc_writer import D50, SRGB_CURVE, gamma, grey, lut, matrix, parametric, points, profile, text, xyz
from PIL import Image, ImageCms

from sdr2hdr import formats
from sdr2hdr.errors import InputError
from sdr2hdr.formats import _icc


def photograph():
    """Smooth saturated colours up to white and down to black, 8 bits."""
    rng = np.random.default_rng(5)
    small = rng.random((7, 9, 3)) ** 1.5
    small[0, :3] = np.eye(3)
    small[1, :2] = [[0, 0, 0], [1, 1, 1]]
    return (cv2.resize(small, (90, 70), interpolation=cv2.INTER_LINEAR) * 255).round().astype(np.uint8)


def encoded(pixels, icc, kind="PNG"):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, icc_profile=icc)
    return stream.getvalue()


def read(data):
    return formats.read(io.BytesIO(data), name="picture")


def littlecms(pixels, icc, intent=ImageCms.Intent.RELATIVE_COLORIMETRIC):
    srgb = ImageCms.createProfile("sRGB")
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    flags = ImageCms.Flags.NOOPTIMIZE  # no 33-point table in between
    result = ImageCms.profileToProfile(Image.fromarray(pixels), source, srgb, intent, "RGB", flags=flags)
    return np.asarray(result) / 255


def difference(a, b):
    """Delta E 2000 of two sRGB signals (..., 3)."""
    lab = [colour.XYZ_to_Lab(colour.sRGB_to_XYZ(np.asarray(signal, float))) for signal in (a, b)]
    return colour.delta_E(*lab, method="CIE 2000")


PROFILES = {
    "Display P3": matrix("Display P3"),
    "Adobe RGB": matrix("Adobe RGB"),
    "ProPhoto": matrix("ProPhoto"),
    "sampled curve": matrix("Display P3", points(np.linspace(0, 1, 1024) ** 2.2)),
    "curve of kind 0": matrix("Display P3", parametric(0, 1.9)),
    "curve of kind 1": matrix("Display P3", parametric(1, 2.0, 0.9, 0.1)),
    "curve of kind 2": matrix("Display P3", parametric(2, 2.2, 0.95, -0.02, 0.015)),
    "curve of kind 4": matrix("Display P3", parametric(4, 2.4, 0.94, 0.05, 0.08, 0.045, 0.002, 0.001)),
    "linear": matrix("Adobe RGB", gamma(1.0)),
    "of imagecodecs": imagecodecs.cms_profile("adobergb"),
}


@pytest.mark.parametrize("name", PROFILES)
def test_matrix_profiles(name):
    pixels = photograph()
    image = read(encoded(pixels, PROFILES[name]))
    signal = image.signal.transpose(1, 2, 0)
    expected = littlecms(pixels, PROFILES[name])
    assert np.abs(signal - expected).max() < 1.6 / 255  # the oracle has 8 bits
    delta = difference(signal, expected)
    assert delta.max() < 1
    assert delta.mean() < 0.15
    assert difference(pixels / 255, expected).max() > 2  # there was something to do
    assert image.profile


@pytest.mark.parametrize("name", ["Display P3", "Adobe RGB"])
def test_photographs_as_jpeg(name):
    data = encoded(photograph(), PROFILES[name], "JPEG")
    expected = littlecms(np.asarray(Image.open(io.BytesIO(data))), PROFILES[name])
    assert difference(read(data).signal.transpose(1, 2, 0), expected).max() < 1


def p3_to_bt709():
    """From the chromaticities; colour-science's own matrices are those of the standards, with four decimals."""
    spaces = [colour.RGB_COLOURSPACES[name] for name in ("Display P3", "sRGB")]
    p3, bt709 = (colour.normalised_primary_matrix(space.primaries, space.whitepoint) for space in spaces)
    return np.linalg.inv(bt709) @ p3


def test_sixteen_bits_against_exact_arithmetic():
    pixels = np.random.default_rng(6).integers(0, 65536, (40, 30, 3), dtype=np.uint16)
    data = imagecodecs.png_encode(pixels)
    icc = matrix("Display P3")
    body = b"iCCPx\0\0" + zlib.compress(icc)
    data = (
        data[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]
    )
    image = read(data)
    linear = colour.models.eotf_sRGB(pixels / 65535)
    linear = (linear @ p3_to_bt709().T).clip(0, 1)
    expected = colour.models.eotf_inverse_sRGB(linear)
    np.testing.assert_allclose(
        image.signal.transpose(1, 2, 0), expected, atol=5e-4
    )  # the profile has 16 bits
    assert image.bits == 16


def test_colours_outside_are_clipped_and_white_stays_white():
    pixels = np.array([[[0, 255, 0], [255, 255, 255], [0, 0, 0]]], np.uint8)
    signal = read(encoded(pixels, PROFILES["ProPhoto"])).signal[:, 0]
    assert signal.min() >= 0
    assert signal.max() <= 1
    np.testing.assert_allclose(signal[:, 1], 1, atol=2e-4)
    np.testing.assert_array_equal(signal[:, 2], 0)


def test_srgb_profiles_change_nothing():
    pixels = photograph()
    table = points(colour.models.eotf_sRGB(np.linspace(0, 1, 1024)))
    pillow = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (matrix("sRGB"), matrix("sRGB", table), pillow, imagecodecs.cms_profile("srgb")):
        image = read(encoded(pixels, icc))
        assert image.profile is None
        np.testing.assert_array_equal(image.signal.transpose(1, 2, 0), (pixels / 255).astype(np.float32))


@pytest.mark.parametrize("curve", [gamma(1.8), points(np.linspace(0, 1, 256) ** 1.5), parametric(0, 2.6)])
def test_grey_profiles(curve):
    pixels = photograph()[..., 0]
    image = read(encoded(pixels, grey(curve)))
    expected = littlecms(pixels, grey(curve))
    assert np.abs(image.signal.transpose(1, 2, 0) - expected).max() < 1.2 / 255
    np.testing.assert_array_equal(image.signal[0], image.signal[1])
    assert image.profile == "grey"


def test_grey_picture_with_a_colour_profile():
    pixels = photograph()[..., 0]
    image = read(encoded(pixels, PROFILES["Adobe RGB"]))
    expected = littlecms(np.repeat(pixels[..., None], 3, 2), PROFILES["Adobe RGB"])
    assert np.abs(image.signal.transpose(1, 2, 0) - expected).max() < 1.2 / 255


def strange(device):
    """Device values to Lab, not as any matrix would."""
    r, g, b = np.moveaxis(device, -1, 0)
    return np.stack([100 * (0.3 * r + 0.6 * g + 0.1 * b) ** 1.2, 40 * (r - g) * g, 50 * (g - b) * r], -1)


@pytest.mark.parametrize("space", ["RGB", "GRAY"])
def test_table_profiles(space):
    pixels = photograph()
    if space == "GRAY":
        pixels = pixels[..., 0]
        icc = lut(b"GRAY", lambda d: np.concatenate([100 * d**2, 10 * d, -20 * d], -1))
    else:
        icc = lut(b"RGB ", strange)
    image = read(encoded(pixels, icc))
    expected = littlecms(pixels, icc)
    assert np.abs(image.signal.transpose(1, 2, 0) - expected).max() < 2 / 255
    assert image.profile == "table"
    assert image.signal.min() >= 0
    assert image.signal.max() <= 1


P3 = matrix("Display P3")


@pytest.mark.parametrize(
    "icc",
    [
        b"nonsense" * 40,
        P3[:300],
        P3[:128] + b"\xff" * 200,
        profile(b"RGB ", {b"desc": text("without curves"), b"wtpt": xyz(D50)}),
        profile(b"HSV ", {b"desc": text("hue"), b"wtpt": xyz(D50)}),
        matrix("Display P3", parametric(7, 1.0)),
        matrix("Display P3", b"curv\0\0\0\0\0\0\xff\xff\0\0"),
        matrix("Display P3", b"text\0\0\0\0hello"),
        lut(b"RGB ", strange)[:-3000],
        grey(gamma(2.2)),
    ],
)
def test_broken_profiles_are_warned_of_and_ignored(icc, caplog):
    pixels = photograph()
    with caplog.at_level(logging.WARNING):
        image = read(encoded(pixels, icc, "TIFF"))
    assert "picture: its ICC profile cannot be used" in caplog.text
    assert image.profile is None
    np.testing.assert_array_equal(image.signal.transpose(1, 2, 0), (pixels / 255).astype(np.float32))


@pytest.mark.parametrize("transfer", [16, 18])
def test_profiles_of_hdr_pictures_are_refused(transfer):
    icc = matrix("Display P3", extra={b"cicp": b"cicp\0\0\0\0" + bytes([9, transfer, 0, 1])})
    with pytest.raises(InputError, match="picture: is already HDR"):
        read(encoded(photograph(), icc))


def test_descriptions():
    assert _icc.parse(matrix("Display P3")).description == "Display P3"
    old = b"desc\0\0\0\0\0\0\0\x0bOld\nwords.\0" + bytes(78)
    assert _icc.parse(matrix("sRGB", extra={b"desc": old})).description == "Old words."


def test_matrices_are_those_of_the_chromaticities():
    np.testing.assert_allclose(_icc.parse(P3).matrix, p3_to_bt709(), atol=2e-4)
    chromaticities = np.array([0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329])
    made = _icc.from_chromaticities(chromaticities, _icc.decode_srgb, "P3")
    np.testing.assert_allclose(made.matrix, p3_to_bt709(), atol=1e-10)


def test_curve_of_the_standard():
    x = np.linspace(0, 1, 1000)
    np.testing.assert_allclose(_icc._curve(SRGB_CURVE)(x), colour.models.eotf_sRGB(x), atol=1e-4)
    np.testing.assert_allclose(_icc.encode_srgb(x), colour.models.eotf_inverse_sRGB(x), atol=1e-7)
