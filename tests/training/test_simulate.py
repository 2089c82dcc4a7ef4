"""Pairs of anyone's pictures: the convention, sizes, light's scale, independence of all else; manifest and sheet."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest

from sdr2hdr.errors import InputError, OutputError, UsageError
from sdr2hdr.training import pairs, simulate
from sdr2hdr.training.pictures import load_pictures
from sdr2hdr.training.sheet import CELL, LABEL, Sheet
from sdr2hdr.training.simulate import Simulation
from sdr2hdr.training.validation import pairs as read_pairs

BT709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)
SMALL = Simulation(long_side=64)


def scene(seed: int, height: int, width: int) -> np.ndarray:
    """Smooth light with lamps in it."""
    rng = np.random.default_rng(seed)
    light = cv2.resize(np.exp(rng.normal(-1, 0.7, (6, 8, 3))).astype(np.float32), (width, height))
    for _ in range(6):
        at = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(light, at, int(rng.integers(3, 9)), tuple(rng.uniform(5, 40) * rng.uniform(0.6, 1, 3)), -1)
    return light


def write_hdr(path: Path, light: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), np.ascontiguousarray(light[..., ::-1]))
    return path


def write_exr(path: Path, light: np.ndarray, **header: object) -> Path:
    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION, **header}
    with OpenEXR.File(header, {"RGB": np.ascontiguousarray(light, np.float32)}) as file:
        file.write(str(path))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_hdr(tmp_path / "lamp.hdr", scene(0, 96, 128))
    write_exr(tmp_path / "round.exr", scene(1, 96, 192), chromaticities=BT709)
    return tmp_path


@pytest.mark.parametrize("look", ["scene", "display"])
def test_same_seed_and_name_same_pair_whatever_else(look: str, folder: Path, tmp_path: Path) -> None:
    wanted = replace(SMALL, look=look, views=2)
    first = [list(simulate.simulate(path, wanted)) for path in sorted(folder.glob("*.*"))]
    (tmp_path / "elsewhere").mkdir()
    moved = (folder / "lamp.hdr").rename(tmp_path / "elsewhere" / "lamp.hdr")
    again = list(simulate.simulate(moved, replace(wanted, views=3)))
    for a, b in zip(first[0], again, strict=False):
        np.testing.assert_array_equal(a.shot.codes, b.shot.codes)
        np.testing.assert_array_equal(a.shot.light, b.shot.light)
        assert a.record == b.record
    other = next(iter(simulate.simulate(moved, replace(wanted, seed=1))))
    assert (
        other.shot.codes.shape != again[0].shot.codes.shape or (other.shot.codes != again[0].shot.codes).any()
    )
    assert first[0][0].shot.drawn != first[0][1].shot.drawn


def test_generators_differ_by_seed_name_and_number() -> None:
    def number(path: str, seed: int, view: int) -> int:
        return int(simulate.generator(Path(path), replace(SMALL, seed=seed), view).integers(2**62))

    drawn = [
        number(*words) for words in (("a/x.exr", 0, 0), ("x.hdr", 0, 0), ("x.exr", 1, 0), ("x.exr", 0, 1))
    ]
    assert len(set(drawn)) == 4
    assert number("b/x.exr", 0, 0) == drawn[0]


def test_written_pairs_are_the_convention(folder: Path) -> None:
    out = folder / "out"
    out.mkdir()
    for pair in simulate.simulate(folder / "lamp.hdr", SMALL):
        pairs.write(out, pair, overwrite=False)
        pairs.note(out, [pair.record])
    ((name, signal, nits),) = read_pairs(out)
    assert name == "lamp"
    np.testing.assert_array_equal(np.round(signal[0].numpy().transpose(1, 2, 0) * 255), pair.shot.codes)
    light = np.clip(pair.shot.light, 0, 10000 / 203)
    np.testing.assert_allclose(nits[0].numpy().transpose(1, 2, 0) / 203, light, rtol=1e-3, atol=1e-4)
    header = OpenEXR.File(str(out / "lamp_hdr.exr"), header_only=True).header()
    np.testing.assert_allclose(
        header["chromaticities"], (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329), atol=1e-6
    )
    assert header["whiteLuminance"] == 203
    assert header["sdr2hdr.command"] == "simulate"
    row = json.loads((out / "manifest.jsonl").read_text())
    assert row["source"] == "lamp.hdr"
    assert row["seed"] == 0
    assert row["gain"] == pair.shot.gain
    assert row["drawn"]["response"] in ("sigmoid", "measured", "srgb")
    # the folder can be trained on
    (picture,) = load_pictures(out, "scene")
    np.testing.assert_array_equal(picture.sdr[0], pair.shot.codes)


def test_an_existing_half_of_a_pair_is_refused(folder: Path) -> None:
    (folder / "lamp_hdr.exr").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"lamp_hdr\.exr: exists already"):
        pairs.refuse_existing(folder, ["lamp"])


def test_manifest_keeps_other_lines_and_replaces_its_own(tmp_path: Path) -> None:
    pairs.note(tmp_path, [{"name": "b", "gain": 1}, {"name": "c", "gain": 1}])
    pairs.note(tmp_path, [{"name": "c", "gain": 2}, {"name": "a", "gain": 2}])
    rows = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
    assert rows == [{"name": n, "gain": g} for n, g in (("a", 2), ("b", 1), ("c", 2))]


@pytest.mark.parametrize("text", ["no json", "[1]\n", '{"file": "x"}\n'])
def test_a_foreign_manifest_is_left_alone(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text(text)
    with pytest.raises(InputError, match=r"manifest\.jsonl: is not a manifest of pairs"):
        pairs.note(tmp_path, [{"name": "a"}])
    assert (tmp_path / "manifest.jsonl").read_text() == text


def test_whiteluminance_makes_a_display_picture_and_scales_it(tmp_path: Path) -> None:
    light = scene(0, 64, 64)
    marked = write_exr(tmp_path / "marked.exr", light, chromaticities=BT709, whiteLuminance=406.0)
    bare = write_exr(tmp_path / "bare.exr", light, chromaticities=BT709)
    auto = replace(SMALL, look="display")
    (a, is_display), (b, is_not) = simulate.load(marked, auto), simulate.load(bare, auto)
    assert is_display
    assert not is_not
    np.testing.assert_allclose(a.light, 2 * b.light, rtol=2e-3)
    taken = next(iter(simulate.simulate(bare, replace(auto, referred="display"))))
    assert taken.shot.gain == 1
    assert taken.record["referred"] == "display"
    assert "peak_nits" not in taken.shot.drawn
    graded = next(iter(simulate.simulate(marked, replace(auto, referred="scene"))))
    assert "peak_nits" in graded.shot.drawn


def test_radiance_is_bt709_and_comes_to_bt2020(tmp_path: Path) -> None:
    import colour

    rgb = np.broadcast_to(np.array([4.0, 1.0, 0.5], np.float32), (40, 40, 3)).copy()
    picture, _ = simulate.load(write_hdr(tmp_path / "red.hdr", rgb), SMALL)
    expected = colour.RGB_to_RGB(rgb[0, 0], "ITU-R BT.709", "ITU-R BT.2020")
    np.testing.assert_allclose(picture.light[0, 0], expected, rtol=0.01)


def test_projection(folder: Path) -> None:
    assert simulate.load(folder / "round.exr", SMALL)[0].projection == "equirect"
    assert simulate.load(folder / "round.exr", replace(SMALL, projection="photo"))[0].projection == "photo"
    assert simulate.load(folder / "lamp.hdr", SMALL)[0].projection == "photo"


def test_no_view_is_finer_than_its_picture_allows(folder: Path) -> None:
    """A photograph's own pixels; a panorama's twice, at the middle field of view: 192 x 2 x 77.5 / 360 = 82 wide."""
    large = replace(SMALL, long_side=960, views=12)
    for pair in simulate.simulate(folder / "lamp.hdr", large):
        height, width = pair.shot.codes.shape[:2]
        assert height <= 96 + 8
        assert width <= 128 + 8
        assert pair.shot.light.shape == pair.shot.codes.shape
    for pair in simulate.simulate(folder / "round.exr", large):
        assert pair.shot.codes.shape[1] <= 82 + 8
    for pair in simulate.simulate(folder / "lamp.hdr", replace(SMALL, views=6)):
        assert max(pair.shot.codes.shape) == 64


def test_a_large_panorama_is_shrunk_by_area_first() -> None:
    """A lamp of one pixel keeps its light: 45 degrees are 64 pixels at half a panorama's pixel each, 256 around."""
    light = np.zeros((512, 1024, 3), np.float32)
    light[100, 100] = 100
    small = simulate._no_finer_than_needed(light, 64)
    assert small.shape == (128, 256, 3)
    assert small.sum() * 16 == pytest.approx(light.sum(), rel=1e-4)


def test_find(folder: Path) -> None:
    (folder / "deep").mkdir()
    deep = write_hdr(folder / "deep" / "more.hdr", scene(2, 64, 64))
    (folder / "notes.txt").write_text("no picture")
    assert [p.name for p in simulate.find([folder])] == ["lamp.hdr", "round.exr"]
    assert deep in simulate.find([folder], recursive=True)
    assert simulate.find([deep, deep]) == [deep]
    with pytest.raises(UsageError, match="one name"):
        simulate.find([folder, folder / "deep" / "lamp.exr"])
    assert simulate.names(deep, replace(SMALL, views=2)) == ["more-1", "more-2"]


def test_bad_pictures(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole = write_exr(tmp_path / "whole.exr", scene(0, 64, 64)).read_bytes()
    (tmp_path / "cut.exr").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "junk.hdr").write_bytes(b"junk")
    (tmp_path / "junk.exr").write_bytes(b"junk")
    write_hdr(tmp_path / "black.hdr", np.zeros((40, 60, 3), np.float32))
    (tmp_path / "x.png").write_bytes(b"")
    for name, words in (
        ("cut.exr", "copy or export it again"),
        ("junk.hdr", "export it again"),
        ("junk.exr", "export it again"),
        ("black.hdr", "no light"),
        ("x.png", "neither"),
        ("none.exr", "no such file"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            next(iter(simulate.simulate(tmp_path / name, SMALL)))
        assert str(caught.value).startswith(str(tmp_path / name))
        assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_nan_infinity_and_negative_light(tmp_path: Path) -> None:
    light = scene(0, 64, 64)
    light[:8, :8], light[8:16, :8], light[16:24, :8] = np.nan, np.inf, -1
    path = write_exr(tmp_path / "odd.exr", light)
    for look in ("scene", "display"):
        for pair in simulate.simulate(path, replace(SMALL, look=look, views=4)):
            assert np.isfinite(pair.shot.light).all()
            assert pair.shot.light.min() >= 0


def test_sheet_shows_every_exposure(folder: Path) -> None:
    sheet = Sheet()
    pair = next(iter(simulate.simulate(folder / "lamp.hdr", SMALL)))
    sheet.add(pair)
    sheet.add(pair)
    picture = cv2.imdecode(np.frombuffer(sheet.png(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (2 * (CELL[0] + LABEL), 4 * CELL[1], 3)
    cells = picture[LABEL : LABEL + CELL[0]].reshape(CELL[0], 4, CELL[1], 3)
    height, width = pair.shot.codes.shape[:2]
    top, left = (CELL[0] - height) // 2, (CELL[1] - width) // 2
    middle = cells[top : top + height, :, left : left + width]
    np.testing.assert_array_equal(middle[:, 0, :, ::-1], pair.shot.codes)
    means = middle.astype(float).mean((0, 2, 3))
    assert means[1] > means[2] > means[3] > 0
