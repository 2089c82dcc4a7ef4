"""Pictures without a highlight."""

import colour
import numpy as np
import pytest

from sdr2hdr.camera import Compression, Shot
from sdr2hdr.training.negatives import DRAWN, blank, clouds, direct_light, framed, negative

SIZE = (48, 64)
NONE = Compression(jpeg=0, webp=0, rescaled=0)


@pytest.mark.parametrize("draw", sorted(set(DRAWN), key=lambda f: f.__name__))
def test_drawn_by_seed_and_as_wanted(draw) -> None:  # type: ignore[no-untyped-def]
    one, two, other = (draw(SIZE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (*SIZE, 3)
    assert np.isfinite(one).all()
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other) or draw is blank


def test_the_reference_is_the_direct_mapping() -> None:
    codes = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    spaces = colour.RGB_COLOURSPACES["ITU-R BT.709"], colour.RGB_COLOURSPACES["ITU-R BT.2020"]
    expected = colour.RGB_to_RGB(colour.models.eotf_sRGB(codes / 255), *spaces)
    np.testing.assert_allclose(direct_light(codes), expected, atol=2e-4)


def test_grain_is_all_that_parts_a_negative_from_its_reference() -> None:
    for seed in range(20):
        shot = negative(SIZE, np.random.default_rng(seed), NONE)
        difference = shot.light - direct_light(shot.codes)
        assert np.abs(difference.mean()) < 0.01
        assert shot.light.max() <= 1 + 1e-5


def test_a_frame_stays_and_the_picture_too() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(100, 200, (*SIZE, 3), np.uint8)
    shot = Shot(codes, rng.random((*SIZE, 3), np.float32) + 5, 1.0)
    done = [framed(shot, np.random.default_rng(seed)) for seed in range(10)]
    for one in done:
        frame = (one.light != shot.light).any(-1)
        np.testing.assert_array_equal(one.codes[~frame], codes[~frame])
        np.testing.assert_allclose(one.light[frame], direct_light(one.codes)[frame], atol=1e-6)
    assert sum((one.codes == 255).all(-1).any() for one in done) > 2, "most frames are white"


def test_clouds_have_the_spread_that_they_say() -> None:
    noise = clouds((100, 150), np.random.default_rng(3))
    assert abs(noise.mean()) < 1e-5
    assert noise.std() == pytest.approx(1, abs=1e-4)
