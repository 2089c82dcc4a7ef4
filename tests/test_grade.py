"""The virtual camera of the display look: every parameter distributed as its record says, and the laws of its steps."""

import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from distributions import is_log_uniform, is_normal, is_share, is_uniform
from scipy import stats

from sdr2hdr.camera import Compression, respond, srgb_response, to_709
from sdr2hdr.color.tables import table
from sdr2hdr.grade import KINDS, Grade, Trim, derive, draw, encoding, master, shoot, shoot_scene

GRADE = Grade()
PLAIN = Trim("clip", 0.6, 0.9, 0.5, 0.0, 0.05, 0.6, 1.0, 0.0, 0.0, 0.05, False, False)


def light(seed: int = 0, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """Scene light, median 1, in BT.2020."""
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(0, 1.5, (*size, 3))).astype(np.float32)


def grey(levels: np.ndarray) -> np.ndarray:
    return np.repeat(levels.astype(np.float32)[None, :, None], 3, 2)


@pytest.fixture(scope="module")
def trims() -> list[Trim]:
    rng = np.random.default_rng(0)
    return [draw(rng, GRADE) for _ in range(4000)]


@pytest.fixture(scope="module")
def masters() -> list[dict[str, float | str]]:
    rng, scene = np.random.default_rng(0), light(1, (60, 80))
    return [master(scene, rng, GRADE).drawn for _ in range(1500)]


@pytest.mark.parametrize("kind", KINDS)
def test_share_of_a_kind(kind: str, trims: list[Trim]) -> None:
    named = {k: getattr(GRADE, k) for k in KINDS[:-1]}
    is_share([t.kind == kind for t in trims], named.get(kind, 1 - sum(named.values())))


@pytest.mark.parametrize("name", ["start", "logarithmic", "fade", "crosstalk"])
def test_uniform(name: str, trims: list[Trim]) -> None:
    is_uniform([getattr(t, name) for t in trims], *getattr(GRADE, name))


@pytest.mark.parametrize("name", ["radius", "edge"])
def test_log_uniform(name: str, trims: list[Trim]) -> None:
    is_log_uniform([getattr(t, name) for t in trims], *getattr(GRADE, name))


def test_reach_is_beta(trims: list[Trim]) -> None:
    assert stats.kstest([t.reach for t in trims], stats.beta(*GRADE.reach).cdf).pvalue > 0.01


def test_saturation_and_balance_are_normal(trims: list[Trim]) -> None:
    is_normal([t.saturation for t in trims], *GRADE.saturation)
    is_normal([t.balance_red for t in trims], 0, GRADE.balance)
    is_normal([t.balance_blue for t in trims], 0, GRADE.balance)
    assert abs(np.corrcoef([t.balance_red for t in trims], [t.balance_blue for t in trims])[0, 1]) < 0.05


@pytest.mark.parametrize("name", ["refitted", "video"])
def test_shares(name: str, trims: list[Trim]) -> None:
    is_share([getattr(t, name) for t in trims], getattr(GRADE, name))


def test_masters_of_scenes(masters: list[dict[str, float | str]]) -> None:
    """The share above white is measured on the picture, whose 4800 pixels are its smallest step."""
    share = np.array([m["bright"] for m in masters], float)
    is_share((share == 0).tolist(), GRADE.dim)
    low, high = GRADE.bright
    measured = np.clip(share[share > 0], low, high)
    assert np.abs(measured - share[share > 0]).max() <= 2 / 4800
    is_log_uniform(measured.tolist(), low, high)
    is_normal([float(m["contrast"]) for m in masters], *GRADE.contrast)
    is_log_uniform([float(m["peak_nits"]) for m in masters], *GRADE.peak_nits)


def test_peak_knee_is_where_the_roll_off_begins() -> None:
    fixed = replace(GRADE, contrast=(1.0, 0.0), peak_nits=(2030.0, 2030.0))
    ramp = np.linspace(0, 100, 1001)
    graded = master(grey(ramp), np.random.default_rng(0), fixed, gain=1.0).light[0, :, 1]
    below = ramp <= 10 * GRADE.peak_knee
    np.testing.assert_allclose(graded[below], ramp[below], rtol=1e-5)
    assert (graded[~below] < ramp[~below]).all()
    assert graded.max() == pytest.approx(10, rel=1e-4)


def test_master_loses_no_highlight_and_keeps_hue_and_white() -> None:
    scene = light(2)
    graded = master(scene, np.random.default_rng(0), GRADE, gain=0.3)
    before, after = scene.max(-1).ravel() * 0.3, graded.light.max(-1).ravel()
    order = np.argsort(before)
    assert (np.diff(after[order]) > 0).all()
    np.testing.assert_allclose(
        graded.light / after.reshape(48, 64, 1), scene / scene.max(-1, keepdims=True), rtol=1e-4
    )
    assert np.interp(1, before[order], after[order]) == pytest.approx(1, abs=0.01)
    assert after.max() <= float(graded.drawn["peak_nits"]) / 203 * 1.0001


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("refitted", [False, True])
def test_greys_rise_from_black_to_white_and_stay_grey(kind: str, refitted: bool) -> None:
    ramp = np.concatenate([np.linspace(0, 2, 60), np.linspace(2, 12, 60)]).repeat(8)
    picture = grey(ramp).repeat(48, 0)
    sdr = derive(picture, replace(PLAIN, kind=kind, refitted=refitted))[24]
    assert (sdr[ramp == 0] < 1e-6).all()
    assert sdr.max() <= 1
    assert sdr.max() > 0.95
    np.testing.assert_allclose(sdr, sdr[:, :1].repeat(3, 1), atol=2e-3)
    if kind != "local":  # which is no function of the pixel alone
        assert (np.diff(sdr[:, 0]) >= -1e-5).all()


@pytest.mark.parametrize("kind", ["clip", "max_rgb", "per_channel", "local"])
def test_what_is_below_the_shoulder_stays(kind: str) -> None:
    """Codes of D(S): what the direct mapping makes of the SDR picture is the reference."""
    picture = light(3) * np.float32(0.02)
    picture[:2] = 6.0
    trim = replace(PLAIN, kind=kind, start=0.9, radius=0.001, edge=0.05)
    low = (to_709(picture).max(-1) < 0.5) & (np.arange(48) > 8)[:, None]
    np.testing.assert_allclose(derive(picture, trim)[low], to_709(picture)[low], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("kind", ["bt2446a", "bt2446c"])
def test_refitted_methods_keep_middle_grey_others_move_it_as_documented(kind: str) -> None:
    picture = grey(np.full(16, 0.18)).repeat(16, 0)
    kept, moved = (derive(picture, replace(PLAIN, kind=kind, refitted=r))[0, 0, 0] for r in (True, False))
    assert kept == pytest.approx(0.18, rel=0.01)
    assert np.log2(moved / 0.18) == pytest.approx({"bt2446a": -0.9, "bt2446c": 0.77}[kind], abs=0.05)


def test_max_rgb_keeps_hue_and_fade_takes_it() -> None:
    lamp = np.broadcast_to(np.array([3, 2, 1], np.float32), (16, 16, 3)).copy()
    narrow = to_709(lamp)[0, 0]
    sdr, pale = (derive(lamp, replace(PLAIN, kind="max_rgb", fade=fade))[0, 0] for fade in (0, 0.6))
    np.testing.assert_allclose(sdr / sdr.max(), narrow / narrow.max(), rtol=1e-4)
    assert pale.min() > sdr.min() + 0.05


def test_saturation_and_balance_act_on_light() -> None:
    picture = light(4) * np.float32(0.001)
    luminance = table("bt2020_to_xyz")[1]
    none = derive(picture, replace(PLAIN, saturation=0.0))
    np.testing.assert_allclose(none, np.repeat(picture @ luminance[:, None], 3, 2), rtol=1e-3)
    warm = derive(grey(np.full(4, 0.2)), replace(PLAIN, balance_red=0.1, balance_blue=-0.1))[0, 0]
    assert warm[0] > warm[1] > warm[2]


def test_encoding_is_srgb_but_for_video() -> None:
    levels = np.arange(256) / 255
    srgb = respond(np.asarray(table("srgb_to_linear")[::257], np.float32), encoding(PLAIN))
    np.testing.assert_array_equal(srgb, np.arange(256))
    video = respond((levels**2.4).astype(np.float32), encoding(replace(PLAIN, video=True)))
    assert np.abs(video[2:].astype(int) - np.arange(2, 256)).max() <= 1
    assert encoding(replace(PLAIN, kind="local", video=True))[0] is srgb_response()[0]


def test_shot_of_a_display_picture_keeps_it_as_the_reference() -> None:
    picture = light(5) * np.float32(0.5)
    a, b = (shoot(picture, np.random.default_rng(7)) for _ in range(2))
    assert a.light is picture
    assert a.gain == 1
    np.testing.assert_array_equal(a.codes, b.codes)
    assert a.drawn == b.drawn
    assert (shoot(picture, np.random.default_rng(8)).codes != a.codes).any()


def test_shot_of_a_scene_is_graded_first() -> None:
    scene = light(6)
    shot = shoot_scene(scene, np.random.default_rng(7))
    graded = master(scene, np.random.default_rng(7), GRADE)
    np.testing.assert_array_equal(shot.light, graded.light)
    assert shot.gain == graded.gain
    assert graded.drawn.items() <= shot.drawn.items()
    assert shot.drawn["kind"] in KINDS


def test_record_has_what_concerns_the_kind() -> None:
    assert "radius" not in PLAIN.drawn()
    assert {"radius", "edge", "start"} <= replace(PLAIN, kind="local").drawn().keys()
    assert "start" not in replace(PLAIN, kind="bt2446a").drawn()


def test_black_gives_black() -> None:
    black = np.zeros((16, 16, 3), np.float32)
    for seed in range(20):
        assert shoot(black, np.random.default_rng(seed)).codes.max() <= 1


def test_every_field_has_a_test() -> None:
    """By name, above: a new field needs a test of its distribution."""
    text = Path(__file__).read_text("utf-8")
    own = {f.name for f in fields(Grade)} - {f.name for f in fields(Compression)} - set(KINDS)
    assert [name for name in sorted(own) if not re.search(rf'"{name}"|GRADE\.{name}\b', text)] == []
