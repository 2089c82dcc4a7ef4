"""TIFF files of anybody, examined; and profiles, whichever file they are in."""

import io

import colour
import icc_writer
import numpy as np
import pytest
import tifffile

from sdr2hdr import formats
from sdr2hdr.errors import InputError
from sdr2hdr.formats import EncodeOptions, Examined
from sdr2hdr.formats._pq_profile import pq_profile
from sdr2hdr.image import HdrImage

CODES = np.random.default_rng(4).integers(0, 65536, (21, 34, 3), dtype=np.uint16)
BT2020 = colour.RGB_COLOURSPACES["ITU-R BT.2020"]


def made(pixels: np.ndarray, profile: bytes | None = None, **options) -> bytes:
    stream = io.BytesIO()
    photometric = "rgb" if pixels.ndim == 3 else "minisblack"
    tifffile.imwrite(stream, pixels, **({"photometric": photometric, "iccprofile": profile} | options))
    return stream.getvalue()


def examined(data: bytes) -> Examined:
    return formats.examine(io.BytesIO(data), name="a")


def to_bt2020(linear: np.ndarray, name: str) -> np.ndarray:
    """(H, W, 3) -> (3, H, W) by colour-science; nothing is clipped."""
    matrix = colour.matrix_RGB_to_RGB(colour.RGB_COLOURSPACES[name], BT2020, "Bradford")
    return (linear @ matrix.T).transpose(2, 0, 1)


def test_our_own() -> None:
    light = np.random.default_rng(1).random((3, 30, 20), np.float32) ** 4 * 49
    found = examined(
        formats.encoder("tiff").encode(HdrImage(light, recipe={"look": "scene"}), EncodeOptions())
    )
    said = found.signalling
    assert (found.format, found.bits, found.floating) == ("tiff", 16, False)
    assert (said.transfer, said.primaries, said.said_by) == ("pq", "bt2020", ("ICC profile",))
    assert found.notes == ()
    assert found.recipe["look"] == "scene"
    assert found.clipped == 0
    np.testing.assert_allclose(found.light, light, rtol=2e-3, atol=1e-5)


def test_untagged_is_srgb_of_bt709() -> None:
    found = examined(made(CODES))
    assert found.signalling.said_by == ()
    wanted = to_bt2020(colour.eotf(CODES / 65535, "sRGB"), "ITU-R BT.709")
    np.testing.assert_allclose(found.light, wanted, rtol=1e-5, atol=1e-5)
    assert found.clipped == pytest.approx((CODES == 65535).any(2).mean())
    eight = examined(made((CODES >> 8).astype(np.uint8)))
    assert eight.bits == 8
    assert eight.clipped == pytest.approx((CODES >= 65280).any(2).mean())


@pytest.mark.parametrize(
    ("name", "primaries", "transfer", "gamma"),
    [
        ("Display P3", "p3", "srgb", 2.2),
        ("Adobe RGB", "custom", "gamma", 2.2),
        ("ProPhoto", "custom", "gamma", 1.8),
        ("sRGB", "bt709", "srgb", 2.2),
    ],
)
def test_profiles_of_curves_and_a_matrix(name: str, primaries: str, transfer: str, gamma: float) -> None:
    found = examined(made(CODES, icc_writer.matrix(name)))
    said = found.signalling
    assert (said.primaries, said.transfer, said.said_by) == (primaries, transfer, ("ICC profile",))
    assert said.gamma == pytest.approx(gamma, abs=0.01)
    space, curve = icc_writer.SPACES[name]
    linear = colour.eotf(CODES / 65535, "sRGB") if curve == "sRGB" else (CODES / 65535) ** curve
    np.testing.assert_allclose(found.light, to_bt2020(linear, space), atol=3e-4)
    if said.chromaticities:
        wanted = colour.RGB_COLOURSPACES[space].primaries.ravel()
        if name == "Adobe RGB":  # of D65; ProPhoto's are adapted from D50
            np.testing.assert_allclose(said.chromaticities[:6], wanted, atol=1e-3)
            np.testing.assert_allclose(said.chromaticities[6:], (0.3127, 0.329), atol=1e-3)


def test_a_linear_profile() -> None:
    found = examined(made(CODES, icc_writer.matrix("Display P3", icc_writer.gamma(1.0))))
    assert (found.signalling.transfer, found.signalling.primaries) == ("linear", "p3")
    np.testing.assert_allclose(found.light, to_bt2020(CODES / 65535, "Display P3"), atol=1e-4)


def test_code_points_in_the_profile_go_before_its_curves() -> None:
    pq, hlg, odd, none = (
        icc_writer.matrix("sRGB", extra={b"cicp": b"cicp\0\0\0\0" + bytes(points)})
        for points in ([12, 16, 0, 1], [9, 18, 0, 1], [9, 77, 0, 1], [2, 2, 0, 1])
    )
    found = examined(made(CODES, pq))
    assert (found.signalling.transfer, found.signalling.primaries) == ("pq", "p3")
    nits = to_bt2020(colour.eotf(CODES / 65535, "ST 2084"), "Display P3")
    np.testing.assert_allclose(found.light * 203, nits, rtol=1e-4, atol=0.3)
    found = examined(made(CODES, hlg))
    assert (found.signalling.transfer, found.signalling.primaries) == ("hlg", "bt2020")
    nits = colour.eotf(CODES / 65535, "ITU-R BT.2100 HLG", L_W=1000)
    np.testing.assert_allclose(found.light.transpose(1, 2, 0) * 203, nits, rtol=1e-3, atol=1e-2)
    for profile in (odd, none):
        found = examined(made(CODES, profile))
        assert (found.signalling.transfer, found.signalling.primaries) == ("srgb", "bt709")


@pytest.mark.parametrize(
    ("name", "transfer"), [("ITUR_2100_PQ_FULL", "pq"), ("Rec. ITU-R BT.2100 HLG", "hlg")]
)
def test_a_name_that_says_it_is_believed_with_a_word(name: str, transfer: str) -> None:
    found = examined(made(CODES, icc_writer.matrix("sRGB", extra={b"desc": icc_writer.text(name)})))
    assert (found.signalling.transfer, found.signalling.primaries) == (transfer, "bt2020")
    assert "by its name alone" in found.notes[0]


def test_tables_go_through_littlecms() -> None:
    def lab(device: np.ndarray) -> np.ndarray:
        return np.stack([100 * device[..., 0], 0 * device[..., 1], 0 * device[..., 2]], -1)

    found = examined(made(CODES, icc_writer.lut(b"RGB ", lab)))
    assert found.signalling.said_by == ("ICC profile",)
    middle = examined(made(np.full((4, 4, 3), 32768, np.uint16), icc_writer.lut(b"RGB ", lab)))
    np.testing.assert_allclose(middle.light, 0.1842, atol=3e-3)  # L* 50


def test_a_broken_profile_is_passed_over_and_said() -> None:
    found = examined(made(CODES, b"no profile at all" * 20))
    assert found.signalling.said_by == ()
    assert "cannot be used" in found.notes[0]
    np.testing.assert_array_equal(found.light, examined(made(CODES)).light)


def test_grey_and_its_profile() -> None:
    grey = CODES[..., 0].copy()
    found = examined(made(grey, icc_writer.grey(icc_writer.gamma(2.2))))
    assert (found.signalling.transfer, found.signalling.gamma) == ("gamma", 2.2)
    np.testing.assert_allclose(found.light, np.stack([(grey / 65535) ** (563 / 256)] * 3), atol=3e-5)
    inverted = examined(made(65535 - grey, icc_writer.grey(icc_writer.gamma(2.2)), photometric="miniswhite"))
    np.testing.assert_array_equal(inverted.light, found.light)
    pq = examined(made(grey, pq_profile()))
    np.testing.assert_allclose(pq.light[1] * 203, colour.eotf(grey / 65535, "ST 2084"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_point_is_linear(dtype: type) -> None:
    values = (np.random.default_rng(2).random((12, 9, 3)) * 20).astype(dtype)
    found = examined(made(values))
    assert (found.floating, found.bits) == (True, values.itemsize * 8)
    assert (found.signalling.transfer, found.signalling.said_by) == ("linear", ())
    assert "nothing says what 1.0 is" in found.notes[0]
    np.testing.assert_allclose(found.light, to_bt2020(values.astype(float), "ITU-R BT.709"), rtol=1e-4)
    tagged = examined(made(values, icc_writer.matrix("Display P3"), predictor=3, compression="adobe_deflate"))
    assert (tagged.signalling.transfer, tagged.signalling.primaries) == ("linear", "p3")
    np.testing.assert_allclose(
        tagged.light, to_bt2020(values.astype(float), "Display P3"), rtol=1e-4, atol=1e-4
    )
    grey = examined(made(values[..., 0]))
    np.testing.assert_allclose(grey.light[2], values[..., 0].astype(float), rtol=1e-5)
    values[0, 0, 1] = np.inf
    assert examined(made(values)).clipped == pytest.approx(1 / 108)


def test_orientation_alpha_palettes_and_inks() -> None:
    plain = examined(made(CODES)).light
    turned = examined(made(CODES, extratags=[(274, 3, 1, 6, True)]))
    np.testing.assert_array_equal(turned.light, np.rot90(plain, -1, (1, 2)))
    alpha = np.concatenate([CODES, CODES[..., :1]], 2)
    np.testing.assert_array_equal(examined(made(alpha, extrasamples=["unassalpha"])).light, plain)
    palette = np.random.default_rng(3).integers(0, 65536, (3, 256), dtype=np.uint16)
    indices = (CODES[..., 0] >> 8).astype(np.uint8)
    found = examined(made(indices, photometric="palette", colormap=palette))
    wanted = to_bt2020(colour.eotf(palette.T[indices] / 65535, "sRGB"), "ITU-R BT.709")
    np.testing.assert_allclose(found.light, wanted, atol=1e-5)
    inks = examined(made((alpha >> 8).astype(np.uint8), photometric="separated"))
    assert inks.light.shape == (3, 21, 34)
    assert inks.light.max() <= 1.0001


def refused(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        examined(data)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_what_is_refused() -> None:
    assert "damaged or cut off" in refused(made(CODES)[:-1000])
    assert "camera's raw file" in refused(made(CODES[..., 0].copy(), photometric="cfa"))
    assert "bits that are not supported" in refused(made(CODES.astype(np.uint32)))
    assert "bits that are not supported" in refused(made(CODES.astype(np.int16)))
    assert "damaged or cut off" in refused(made(CODES.astype(np.float32))[:-1000])
    with pytest.raises(InputError, match="floating-point light"):  # as before
        formats.read(io.BytesIO(made(CODES.astype(np.float32))))
