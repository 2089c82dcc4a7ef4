"""The virtual camera: seeded, monotone, and distributed as its record says."""

from dataclasses import replace

import numpy as np
import pytest

from sdr2hdr.camera import Camera, compress, draw_response, expose, exposure_for, respond, shoot, to_709
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
    small = light(1, (24, 32))
    rng = np.random.default_rng(0)
    shares = [(to_709(shoot(small, rng, QUIET).light).max(-1) > 1).mean() for _ in range(300)]
    low, high = np.log(QUIET.clipped)
    position = (np.log(np.maximum(shares, 1e-4)) - low) / (high - low)
    assert abs(np.median(position) - 0.5) < 0.1
    assert np.quantile(position, 0.05) < 0.15
    assert np.quantile(position, 0.95) > 0.85


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


def test_jpeg_share_and_quality() -> None:
    rng = np.random.default_rng(0)
    codes = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    changed = [bool((compress(codes, rng, Camera()) != codes).any()) for _ in range(300)]
    assert np.mean(changed) == pytest.approx(Camera().jpeg, abs=0.1)
    assert (compress(codes, rng, QUIET) == codes).all()
