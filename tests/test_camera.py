"""The virtual camera: seeded, monotone, and distributed as its record says."""

from dataclasses import replace

import numpy as np
import pytest
from distributions import is_log_uniform, is_normal, is_share, is_uniform
from scipy import stats

from sdr2hdr.camera import (
    Camera,
    compress,
    draw_response,
    draw_share,
    expose,
    exposure_for,
    respond,
    shoot,
    to_709,
)
from sdr2hdr.color.tables import table

QUIET = Camera(noise=0, balance=0, jpeg=0, webp=0, rescaled=0, unclipped=0)


def light(seed: int = 0, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(0, 1.5, (*size, 3))).astype(np.float32)


def test_same_seed_same_picture() -> None:
    a, b = (shoot(light(), np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(a.codes, b.codes)
    np.testing.assert_array_equal(a.light, b.light)
    assert (shoot(light(), np.random.default_rng(4)).codes != a.codes).any()


@pytest.mark.parametrize("seed", range(5))
def test_clipped_share_lies_in_its_range(seed: int) -> None:
    shot = shoot(light(seed), np.random.default_rng(seed), QUIET)
    share = (to_709(shot.light).max(-1) > 1).mean()
    low, high = QUIET.clipped
    assert low - 1e-3 <= share <= high + 1e-3
    assert (shot.codes.max(-1) == 255).mean() >= share - 1e-3


def test_share_is_log_uniform() -> None:
    rng = np.random.default_rng(0)
    is_log_uniform([draw_share(rng, Camera()) for _ in range(2000)], *Camera().clipped)


def test_unclipped_pictures_keep_everything() -> None:
    shot = shoot(light(), np.random.default_rng(0), replace(QUIET, unclipped=1.0))
    assert to_709(shot.light).max() <= 1.0


def test_exposure_for_reaches_the_share() -> None:
    narrow = light(2, (100, 100))
    assert (narrow.max(-1) * exposure_for(narrow, 0.1) > 1).mean() == pytest.approx(0.1, abs=1e-3)


def test_reference_is_clean_and_scaled_alike() -> None:
    picture = light()
    shot = expose(picture, 0.5, np.random.default_rng(0), replace(QUIET, noise=0.01))
    np.testing.assert_allclose(shot.light, picture * 0.5, rtol=1e-6)


@pytest.mark.parametrize(
    "camera", [Camera(measured=1), Camera(measured=0, plain=1), Camera(measured=0, plain=0)]
)
def test_responses_rise_from_black_to_white(camera: Camera) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        x, y = draw_response(rng, camera)
        assert (np.diff(x) > 0).all()
        assert (np.diff(y) >= 0).all()
        assert y[0] == 0
        assert y[-1] == pytest.approx(1)


def test_plain_response_is_srgb() -> None:
    response = draw_response(np.random.default_rng(0), Camera(measured=0, plain=1))
    codes = np.arange(256)
    decoded = table("srgb_to_linear")[codes * 257].astype(np.float32)
    assert np.abs(respond(decoded, response).astype(int) - codes).max() <= 1


def test_sigmoid_is_the_published_one() -> None:
    fixed = Camera(measured=0, plain=0, sigmoid_n=(0.9, 0), sigmoid_s=(0.6, 0))
    x, y = draw_response(np.random.default_rng(0), fixed)
    np.testing.assert_allclose(np.interp(0.5, x, y), 1.6 * 0.5**0.9 / (0.5**0.9 + 0.6), atol=1e-3)


def test_measured_responses_span_what_was_measured() -> None:
    rng = np.random.default_rng(0)
    curves = [draw_response(rng, Camera(measured=1)) for _ in range(400)]
    for octave, middle in ((1, 0.88), (2, 0.71), (3, 0.52)):
        codes = [np.interp(2.0**-octave, x, y) for x, y in curves]
        assert np.median(codes) == pytest.approx(middle, abs=0.04)


@pytest.fixture(scope="module")
def drawn() -> list[dict[str, float | str]]:
    """What was drawn for many small pictures."""
    rng, small = np.random.default_rng(0), light(1, (16, 16))
    return [shoot(small, rng).drawn for _ in range(3000)]


def given(drawn: list[dict[str, float | str]], name: str) -> list[float]:
    return [float(d[name]) for d in drawn if name in d]


def test_balance_and_noise(drawn: list[dict[str, float | str]]) -> None:
    is_normal(given(drawn, "balance_red"), 0, Camera().balance)
    is_normal(given(drawn, "balance_blue"), 0, Camera().balance)
    is_uniform(given(drawn, "noise_shot"), 0, Camera().noise)
    is_uniform(given(drawn, "noise_read"), 0, Camera().noise / 2)


def test_unclipped_share() -> None:
    """The white balance, which comes after the exposure, would clip some of them again."""
    rng, small = np.random.default_rng(0), light(1, (16, 16))
    still = Camera(balance=0)
    is_share([shoot(small, rng, still).drawn["clipped"] == 0 for _ in range(2000)], still.unclipped)


def test_responses(drawn: list[dict[str, float | str]]) -> None:
    camera = Camera()
    is_share([d["response"] == "measured" for d in drawn], camera.measured)
    is_share([d["response"] == "srgb" for d in drawn], camera.plain)
    is_normal(given(drawn, "sigmoid_n"), *camera.sigmoid_n)
    is_normal(given(drawn, "sigmoid_s"), *camera.sigmoid_s)
    for i in range(3):
        is_normal(given(drawn, f"component_{i}"), 0, 1)


def test_compression(drawn: list[dict[str, float | str]]) -> None:
    camera = Camera()
    is_share([d.get("codec") == "jpeg" for d in drawn], camera.jpeg)
    is_share([d.get("codec") == "webp" for d in drawn], camera.webp)
    is_share([bool(d["subsampled"]) for d in drawn if d.get("codec") == "jpeg"], camera.subsampled)
    is_share(["rescale" in d for d in drawn], camera.rescaled)
    is_uniform(given(drawn, "rescale"), *camera.rescale)
    low, high = camera.quality
    counts = np.bincount(np.array(given(drawn, "quality"), int) - low, minlength=high - low + 1)
    assert len(counts) == high - low + 1
    assert stats.chisquare(counts).pvalue > 0.01


def test_noise_has_the_sigma_that_was_drawn() -> None:
    """On greys of 0.25: sigma^2 = shot^2 0.25 + read^2; codes through sRGB, whose slope there is 255 x 0.96."""
    picture = np.full((200, 200, 3), 0.25, np.float32)
    noisy = replace(QUIET, noise=0.05, measured=0, plain=1)
    shot = expose(picture, 1.0, np.random.default_rng(2), noisy)
    sigma = np.hypot(float(shot.drawn["noise_shot"]) * 0.5, float(shot.drawn["noise_read"]))
    slope = (
        float(np.diff(np.interp([0.249, 0.251], table("srgb_to_linear"), np.linspace(0, 255, 65536)))[0])
        / 0.002
    )
    assert shot.codes.std() == pytest.approx(np.hypot(sigma * slope, 0.29), rel=0.05)


@pytest.mark.parametrize("codec", ["jpeg", "webp", "rescaled"])
def test_compression_changes_the_codes_a_little(codec: str) -> None:
    """A smooth picture: what comes back is near, in its place, and its channels are in order."""
    ramp = np.linspace(20, 220, 64)
    codes = np.stack(np.broadcast_arrays(ramp[None], ramp[:, None], np.full((64, 64), 90.0)), -1).astype(
        np.uint8
    )
    only = replace(QUIET, quality=(90, 90), **{codec: 1.0})
    back = compress(codes, np.random.default_rng(0), only)
    assert back.shape == codes.shape
    assert (back != codes).any()
    assert np.abs(back.astype(int) - codes).mean() < 4
    assert (compress(codes, np.random.default_rng(0), QUIET) == codes).all()
