"""Code values -> light, against colour-science."""

import tracemalloc
from itertools import product

import colour
import numpy as np
import pytest

from sdr2hdr.color.tables import table
from sdr2hdr.errors import InputError
from sdr2hdr.formats import _cicp
from sdr2hdr.formats._examined import Signalling
from sdr2hdr.formats._light import light_of

SPACES = {
    "bt709": "ITU-R BT.709",
    "bt2020": "ITU-R BT.2020",
    "p3": "Display P3",
    "acescg": "ACEScg",
    "aces": "ACES2065-1",
}


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return np.random.default_rng(1).random((150, 7, 3), np.float32)


def eotf(values: np.ndarray, transfer: str, gamma: float) -> np.ndarray:
    """cd/m2, white 203, by colour-science."""
    values = values.astype(np.float64)
    if transfer == "pq":
        return colour.eotf(values, "ST 2084")
    if transfer == "hlg":
        return colour.eotf(values, "ITU-R BT.2100 HLG", L_W=1000)
    return 203 * {"srgb": colour.eotf(values, "sRGB"), "gamma": values**gamma, "linear": values}[transfer]


@pytest.mark.parametrize(("transfer", "primaries"), [*product(["pq", "srgb", "gamma", "linear"], SPACES)])
def test_light_is_what_colour_science_says(values: np.ndarray, transfer: str, primaries: str) -> None:
    light = light_of(values, Signalling(transfer, primaries, gamma=2.4))
    matrix = colour.matrix_RGB_to_RGB(
        colour.RGB_COLOURSPACES[SPACES[primaries]], colour.RGB_COLOURSPACES["ITU-R BT.2020"], "Bradford"
    )
    wanted = eotf(values, transfer, 2.4) / 203 @ matrix.T
    assert light.dtype == np.float32
    assert light.shape == (3, 150, 7)
    np.testing.assert_allclose(light.transpose(1, 2, 0), wanted, rtol=3e-6, atol=2e-5 * wanted.max())


def test_hlg_is_the_screen_of_1000_nits(values: np.ndarray) -> None:
    light = light_of(values, Signalling("hlg", "bt2020"))
    np.testing.assert_allclose(light.transpose(1, 2, 0) * 203, eotf(values, "hlg", 0), rtol=2e-4, atol=1e-3)


def test_published_levels() -> None:
    """BT.2408-7, table 1: HLG 75 % and PQ 58 % are reference white; BT.2100: the ends."""
    ramp = np.array([[[0.75] * 3, [1.0] * 3, [0.0] * 3]], np.float32)
    np.testing.assert_allclose(
        light_of(ramp, Signalling("hlg", "bt2020"))[1, 0] * 203, [203, 1000, 0], rtol=1e-3
    )
    ramp = np.array([[[0.580689] * 3, [1.0] * 3, [0.0] * 3, [0.508078] * 3]], np.float32)
    nits = light_of(ramp, Signalling("pq", "bt2020"))[1, 0] * 203
    np.testing.assert_allclose(nits, [203, 10000, 0, 100], rtol=1e-4)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_every_pq_code_is_within_a_hundred_thousandth(bits: int) -> None:
    codes = np.linspace(0, 1, 1 << bits)
    nits = (
        light_of(np.repeat(codes.astype(np.float32)[None, :, None], 3, 2), Signalling("pq", "bt2020"))[0, 0]
        * 203
    )
    np.testing.assert_allclose(nits, colour.eotf(codes, "ST 2084"), rtol=2e-5, atol=2e-6)


def test_linear_is_scaled_by_the_stated_white(values: np.ndarray) -> None:
    light = light_of(values * 9, Signalling("linear", "bt2020", white_nits=100.0))
    np.testing.assert_allclose(light.transpose(1, 2, 0), values * 9 * 100 / 203, rtol=1e-6)


def test_linear_keeps_what_is_negative_infinite_or_no_number() -> None:
    odd = np.array([[[-1.0, 2.0, 3.0], [np.inf, 0, 0], [np.nan, 1, 1]]], np.float32)
    light = light_of(odd, Signalling("linear", "bt2020"))
    np.testing.assert_array_equal(light.transpose(1, 2, 0), odd)
    assert not np.isfinite(light_of(odd, Signalling("linear", "bt709"))[:, 0, 1]).any()


def test_white_stays_white_whatever_the_primaries() -> None:
    white = np.ones((1, 1, 3), np.float32)
    for code in (1, 4, 5, 6, 7, 8, 9, 11, 12, 22):
        signalling = _cicp.signalling_of(code, 8, "cICP")
        np.testing.assert_allclose(light_of(white, signalling), 1, atol=2e-6)


@pytest.mark.parametrize(
    "at", [(0.3, 0.3) * 4, (0.64, 0.0, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329), (np.nan,) * 8]
)
def test_impossible_primaries_are_refused(at: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="enclose no colours"):
        light_of(np.ones((1, 1, 3), np.float32), Signalling("linear", "custom", chromaticities=at))


def test_strides_do_not_matter(values: np.ndarray) -> None:
    whole = light_of(values, Signalling("pq", "p3"))
    turned = np.ascontiguousarray(values.transpose(2, 1, 0)).transpose(2, 1, 0)
    np.testing.assert_array_equal(light_of(turned, Signalling("pq", "p3")), whole)
    np.testing.assert_array_equal(light_of(values[::-1], Signalling("pq", "p3")), whole[:, ::-1])


@pytest.mark.parametrize("transfer", ["pq", "hlg", "linear"])
def test_memory_is_the_result_and_little_more(transfer: str) -> None:
    values = np.full((1000, 1500, 3), 0.4, np.float32)
    tracemalloc.start()
    light_of(values, Signalling(transfer, "p3"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < values.nbytes * 1.5


def test_names_of_the_codes() -> None:
    assert [_cicp.primaries_of(code) for code in (1, 9, 12)] == ["bt709", "bt2020", "p3"]
    assert [_cicp.transfer_of(code)[0] for code in (8, 13, 16, 18)] == ["linear", "srgb", "pq", "hlg"]
    gammas = [_cicp.transfer_of(code) for code in (4, 17, 5)]
    assert gammas == [("gamma", 2.2), ("gamma", 2.6), ("gamma", 2.8)]
    for code in (1, 6, 14, 15):
        assert _cicp.transfer_of(code) == ("gamma", 2.4)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (4, "ITU-R BT.470 - 525"),
        (5, "ITU-R BT.470 - 625"),
        (6, "SMPTE C"),
        (7, "SMPTE 240M"),
        (8, "ITU-T H.273 - Generic Film"),
        (11, "DCI-P3"),
        (22, "ITU-T H.273 - 22 Unspecified"),
    ],
)
def test_chromaticities_of_the_codes_are_those_of_colour_science(code: int, name: str) -> None:
    assert _cicp.primaries_of(code) == "custom"
    space = colour.RGB_COLOURSPACES[name]
    wanted = np.concatenate([space.primaries.ravel(), space.whitepoint])
    np.testing.assert_allclose(_cicp.chromaticities_of(code), wanted, atol=2e-4)


def test_what_is_unspecified_is_assumed_and_what_is_unknown_refused() -> None:
    assert _cicp.signalling_of(2, 2, "nclx") == Signalling()
    assert _cicp.signalling_of(9, 2, "nclx") == Signalling("srgb", "bt2020", ("nclx",))
    assert _cicp.signalling_of(2, 16, "nclx") == Signalling("pq", "bt709", ("nclx",))
    assert _cicp.signalling_of(9, 16, "cICP") == Signalling("pq", "bt2020", ("cICP",))
    for primaries, transfer in ((0, 16), (10, 16), (255, 16), (9, 0), (9, 9), (9, 255)):
        with pytest.raises(InputError, match="by a code that is not supported"):
            _cicp.signalling_of(primaries, transfer, "cICP")


def test_bt2020_matrix_is_that_of_the_tables(values: np.ndarray) -> None:
    light = light_of(values, Signalling("linear", "bt709"))
    np.testing.assert_allclose(
        light.transpose(1, 2, 0), values @ table("bt709_to_bt2020").T, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(("transfer", "gamma"), [("srgb", 0.0), ("gamma", 2.2)])
def test_floating_point_signals_go_on_beyond_their_ends(transfer: str, gamma: float) -> None:
    signal = np.linspace(-2, 4, 301, dtype=np.float32)
    values = np.repeat(signal[:, None, None], 3, 2)
    light = light_of(values, Signalling(transfer, "bt2020", gamma=gamma))
    wanted = np.sign(signal) * eotf(np.abs(signal), transfer, gamma) / 203
    np.testing.assert_allclose(light[:, :, 0], np.tile(wanted, (3, 1)), rtol=3e-6, atol=1e-6)
    broken = light_of(np.full((1, 1, 3), np.nan, np.float32), Signalling(transfer, "bt2020", gamma=2.2))
    assert np.isnan(broken).all()
