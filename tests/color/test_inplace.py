"""Curves and matrices on strips, against colour-science and the tensors' versions."""

import colour
import numpy as np
import pytest
import torch

from sdr2hdr.color import gamut, inplace, transfer


def test_srgb_light_at_every_code_of_8_and_16_bits():
    for codes in (256, 65536):
        signal = (np.arange(codes) / (codes - 1)).astype(np.float32).reshape(1, 1, -1).repeat(3, 0)
        found = inplace.srgb_light()(signal)
        np.testing.assert_allclose(
            found[1, 0], colour.eotf(np.arange(codes) / (codes - 1), "sRGB"), atol=1e-7
        )


def test_lookup_is_linear_between_codes_and_clamps():
    signal = np.random.default_rng(0).random((3, 20, 30)).astype(np.float32)
    expected = transfer.srgb_decode(torch.from_numpy(signal)).numpy()
    np.testing.assert_allclose(inplace.srgb_light()(signal), expected, atol=2e-7)
    outside = np.array([-0.1, 1.00002, 2], np.float32).reshape(1, 1, 3).repeat(3, 0)
    np.testing.assert_array_equal(inplace.srgb_light()(outside)[2, 0], [0, 1, 1])


def test_lookup_takes_one_curve_per_channel_and_any_strides():
    curves = np.linspace(0, 1, 65536, dtype=np.float32) * np.array([[1], [2], [3]], np.float32)
    picture = np.random.default_rng(1).random((5, 7, 3)).astype(np.float32)
    found = inplace.Lookup(curves)(picture.transpose(2, 0, 1))
    np.testing.assert_allclose(found, picture.transpose(2, 0, 1) * [[[1]], [[2]], [[3]]], atol=1e-6)


def test_convert_is_the_matrix():
    linear = np.random.default_rng(2).random((3, 4, 5)).astype(np.float32)
    expected = gamut.convert(torch.from_numpy(linear), "bt709_to_bt2020").numpy()
    np.testing.assert_allclose(inplace.convert(linear, "bt709_to_bt2020"), expected, atol=2e-7)


def test_pq_against_colour_science():
    nits = np.concatenate([[0], np.geomspace(1e-4, 1e4, 5001)]).astype(np.float32)
    signal = nits.copy()
    inplace.pq_encode(signal)
    exact = colour.models.eotf_inverse_ST2084(nits.astype(np.float64))
    assert np.abs(signal - exact).max() < 0.02 / 65535
    back = exact.astype(np.float32)
    inplace.pq_decode(back)
    bright = nits >= 1e-3
    np.testing.assert_allclose(back[bright], nits[bright], rtol=1e-4)
    np.testing.assert_allclose(back, nits, atol=1e-6, rtol=1e-4)


def test_pq_clamps():
    values = np.array([-5, 0, 2e4], np.float32)
    inplace.pq_encode(values)
    assert values == pytest.approx([7.3e-7, 7.3e-7, 1], abs=1e-7)
    values = np.array([-0.5, 1.5], np.float32)
    inplace.pq_decode(values)
    assert values == pytest.approx([0, 10000], rel=1e-6)


def test_pq_for_files_is_within_a_hundredth_of_a_code() -> None:
    nits = np.geomspace(1e-5, 1e4, 300_000, dtype=np.float32)
    expected = colour.eotf_inverse(nits.astype(np.float64), "ST 2084")
    inplace.pq_encode(nits, exact=True)
    np.testing.assert_allclose(nits, expected, rtol=0, atol=0.008 / 65535)


def test_what_is_outside_of_a_gamut() -> None:
    """Greens of BT.709, P3 and BT.2020, by colour-science: one is outside of P3, two are outside of BT.709."""
    names = ("ITU-R BT.709", "Display P3", "ITU-R BT.2020")
    spaces = [colour.RGB_COLOURSPACES[name] for name in names]
    greens = [colour.RGB_to_RGB([0.0, 1, 0], space, spaces[2]) for space in spaces]
    light = np.array([*greens, [1.0, 1, 1]], np.float32).T[:, None] * np.float32(0.5)
    light = np.ascontiguousarray(light)
    assert inplace.outside(light, "bt709", 100).tolist() == [[False, True, True, False]]
    assert inplace.outside(light, "p3", 100).tolist() == [[False, False, True, False]]
    assert not inplace.outside(light, "p3", 1).any(), "all of it is dark"
