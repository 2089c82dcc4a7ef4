"""Pictures, views and shots."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training import SMALL, scene, write_exr

from sdr2hdr.errors import InputError
from sdr2hdr.training.pictures import held_out, load_light, load_pictures
from sdr2hdr.training.shots import Sampling, Shots, anchored
from sdr2hdr.training.views import panorama_view, view


def test_shots_are_seeded_batches_of_one_size(hdr_folder: Path) -> None:
    pictures = load_pictures(hdr_folder)
    a, b = (Shots(pictures, 3, 7, SMALL).batch(4) for _ in range(2))
    assert a["codes"].dtype == torch.uint8
    assert a["codes"].shape == a["pq"].shape
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_shots_of_the_display_look_are_of_scenes_and_grades(hdr_folder: Path) -> None:
    scenes = load_pictures(hdr_folder)
    grades = [replace(p, light=np.minimum(p.light, 5), graded=True) for p in scenes]
    sampling = Sampling("display", 64, negatives=0)
    shots = Shots([*scenes, *grades], 1, 7, sampling)
    size, rng = (48, 64), np.random.default_rng(0)
    found = [shots.draw(size, rng) for _ in range(40)]
    assert not any(real for _, real in found)  # no picture has an author's SDR version
    kinds = [shot.drawn["kind"] for shot, _ in found]
    assert len(set(kinds)) > 2
    assert 5 < max(shot.light.max() for shot, _ in found) <= 4000 / 203 * 1.01
    sdr = np.full((*scenes[0].light.shape[:2], 3), 128, np.uint8)
    paired = Shots([replace(grades[0], sdr=(sdr,))], 1, 7, replace(sampling, real=1.0))
    shot, real = paired.draw(size, rng)
    assert real
    assert shot.gain == 1


def test_anchor_puts_the_clipping_level_at_one() -> None:
    light = np.linspace(0.01, 3, 64 * 64, dtype=np.float32).reshape(64, 64, 1).repeat(3, 2)
    codes = np.round(255 * np.minimum(light, 1) ** (1 / 2.2)).astype(np.uint8)
    assert anchored(codes, 7 * light).gain * 7 == pytest.approx(1, abs=0.1)


def test_views_of_a_uniform_panorama_are_uniform(hdr_folder: Path) -> None:
    (panorama,) = [p for p in load_pictures(hdr_folder) if p.projection == "equirect"]
    uniform = replace(panorama, light=np.full_like(panorama.light, 2))
    seen = panorama_view(uniform, (32, 48), np.random.default_rng(0))
    np.testing.assert_allclose(seen, 2, rtol=1e-3)
    rng = np.random.default_rng(1)
    assert view(panorama, (32, 48), rng).shape == (32, 48, 3)


def test_held_out_pictures_are_not_trained_on(hdr_folder: Path) -> None:
    train, held = held_out(load_pictures(hdr_folder), 2)
    assert {p.name for p in train}.isdisjoint(p.name for p in held)
    assert held


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no HDR pictures"):
        load_pictures(tmp_path)


@pytest.mark.parametrize("primaries", [None, "bt709", "p3", "acescg"])
def test_exr_of_any_primaries(tmp_path: Path, primaries: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    import colour

    names = {"bt709": "ITU-R BT.709", "p3": "P3-D65", "acescg": "ACEScg"}
    light = scene(3, (24, 32)) + 0.01
    space = colour.RGB_COLOURSPACES[names.get(primaries or "bt709", "")]
    stated = np.concatenate([space.primaries.ravel(), space.whitepoint]) if primaries else None
    write_exr(tmp_path / "a.exr", light, stated)
    half = light.astype(np.float16).astype(np.float64)
    bt2020 = colour.RGB_COLOURSPACES["ITU-R BT.2020"]
    expected = colour.RGB_to_RGB(half, space, bt2020, "Bradford")
    np.testing.assert_allclose(load_light(tmp_path / "a.exr"), expected, rtol=2e-3, atol=2e-3)
    monkeypatch.setitem(sys.modules, "OpenEXR", None)  # its import fails
    with pytest.raises(InputError, match="needs the package OpenEXR"):
        load_light(tmp_path / "a.exr")
